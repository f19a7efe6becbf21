package siptrunk_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// Behind a proxy that forks, each callee counts its own requests: what one has sent does not make the other's old.
func TestForksCountAlone(t *testing.T) {
	bubble(t, siptest.Silence(), nil, func(t *testing.T, w *world) {
		sent := w.catch("INVITE", "ACK")
		c := w.invite(siptrunk.InviteOptions{})
		synctest.Wait()
		invite := (*sent)[0]
		from := func(tag string) func(string) []byte {
			return func(status string) []byte {
				return []byte(strings.Replace(string(response(invite, status, "Contact: <sip:"+carrierAddr+">")), "To: "+line(invite, "To"), "To: "+line(invite, "To")+";tag="+tag, 1))
			}
		}
		request := func(method, tag, seq string) []byte {
			return []byte(method + " sip:" + dialerAddr + " SIP/2.0\r\nVia: SIP/2.0/UDP " + carrierAddr + ";branch=z9hG4bK" + method + tag + seq + "\r\nMax-Forwards: 70\r\nFrom: " +
				line(invite, "To") + ";tag=" + tag + "\r\nTo: " + line(invite, "From") + "\r\nCall-ID: " + c.CallID() + "\r\nCSeq: " + seq + " " + method + "\r\nContent-Length: 0\r\n\r\n")
		}
		w.fromCarrier(from("a")("180 Ringing"))
		w.fromCarrier(from("b")("180 Ringing"))
		statuses := w.statuses()
		w.fromCarrier(request("UPDATE", "a", "100"))
		w.fromCarrier(request("UPDATE", "b", "7"))
		w.fromCarrier(request("UPDATE", "b", "7")) // a copy
		require.Equal(t, []string{"200 OK / 100 UPDATE", "200 OK / 7 UPDATE", "200 OK / 7 UPDATE"}, statuses())
		w.catch("INVITE", "ACK")
		w.fromCarrier(from("b")("200 OK"))
		w.fromCarrier(request("UPDATE", "a", "101"))
		w.fromCarrier(request("BYE", "b", "8"))
		require.Equal(t, outdial.OriginCalleeHangup, c.result().Origin)
	})
}

// A gateway that has rung the callee and then fails is not followed by the next one of the same trunk: whether the callee may be rung twice is
// for who hunts to say.
func TestNoSecondRing(t *testing.T) {
	for name, rang := range map[string]bool{"it has rung": true, "it has not": false} {
		t.Run(name, func(t *testing.T) {
			change := func(c *siptrunk.Config, tr *siptrunk.Trunk) {
				names{hosts: map[string]string{"gw.example": "10.0.0.1 10.0.0.3"}}.into(c)
				tr.Addr = "gw.example:5060"
			}
			bubble(t, siptest.Silence(), change, func(t *testing.T, w *world) {
				sent := w.catch("INVITE", "ACK")
				c := w.invite(siptrunk.InviteOptions{})
				synctest.Wait()
				invite := (*sent)[0]
				w.fromCarrier(response(invite, "100 Trying"))
				if rang {
					w.fromCarrier(response(invite, "180 Ringing"))
				}
				w.fromCarrier(response(invite, "503 Service Unavailable"))
				if rang {
					require.EqualValues(t, 503, c.result().Code)
				}
				invites := 0
				for _, msg := range *sent {
					if strings.HasPrefix(msg, "INVITE ") {
						invites++
					}
				}
				require.Equal(t, map[bool]int{true: 1, false: 2}[rang], invites)
			})
		})
	}
}
