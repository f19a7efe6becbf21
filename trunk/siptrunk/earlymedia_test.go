package siptrunk_test

import (
	"bytes"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// P-Early-Media says whether the carrier may be heard before the answer: whichever of its directions lets it send.
func TestEarlyMediaHeader(t *testing.T) {
	for value, want := range map[string]bool{
		"sendrecv": true, "sendonly": true, "SendOnly": true, "inactive, sendrecv": true, "sendonly,gated": true,
		"inactive": false, "recvonly": false, "supported": false, "gated": false, "": false, "sendrecvx": false,
	} {
		t.Run(value, func(t *testing.T) {
			script := siptest.Play(siptest.Respond(0, 100), siptest.Respond(time.Second, 183, siptest.Header{Name: "P-Early-Media", Value: value}),
				siptest.Respond(time.Second, 486))
			bubble(t, script, nil, func(t *testing.T, w *world) {
				c := w.invite(siptrunk.InviteOptions{})
				c.wait()
				var marks outdial.Marks
				for _, ev := range c.all() {
					marks |= ev.Marks
				}
				require.Equal(t, want, marks.Has(outdial.MarkEarlyMedia))
				require.True(t, marks.Has(outdial.MarkProvisional))
				require.NoError(t, w.carrier.Settle(t.Context()))
			})
		})
	}
}

// The end of a leg tells how long the carrier took to answer our BYE, and with what (RFC 6076 §4.4).
func TestDisconnectDelay(t *testing.T) {
	for name, tc := range map[string]struct {
		lost int    // of the BYEs
		code string // of the answer; "" = it never comes
		want outdial.Result
	}{
		"at once":    {0, "200 OK", outdial.Result{Bye: 1, ByeCode: 200}},
		"second try": {1, "200 OK", outdial.Result{Bye: 500 * time.Millisecond, ByeCode: 200}},
		"failed":     {0, "481 Gone", outdial.Result{Bye: 1, ByeCode: 481}},
		"never":      {100, "", outdial.Result{Bye: 32 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, siptest.Answer(0, 0, 0), nil, func(t *testing.T, w *world) {
				c := w.invite(siptrunk.InviteOptions{})
				synctest.Wait()
				seen := 0
				w.watch(func(from, _ netip.AddrPort, payload []byte) bool {
					if from.String() != dialerAddr || !bytes.HasPrefix(payload, []byte("BYE ")) {
						return false
					}
					if seen++; seen > tc.lost {
						go w.fromCarrier(response(string(payload), tc.code))
					}
					return true
				})
				c.Hangup()
				got := c.result()
				require.Equal(t, tc.want.Bye, got.Bye)
				require.Equal(t, tc.want.ByeCode, got.ByeCode)
				time.Sleep(siptest.DrainTime)
			})
		})
	}
}
