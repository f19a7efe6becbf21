package siptrunk_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

func reliably(step siptest.Step) siptest.Step {
	step.Reliable = true
	return step
}

func TestReliableProvisionals(t *testing.T) {
	s := siptest.Play(siptest.Respond(0, 100), reliably(siptest.Step{Code: 183, SDP: true}), reliably(siptest.Respond(time.Second, 180)),
		siptest.Respond(time.Second, 200))
	offers := func(_ *siptrunk.Config, tr *siptrunk.Trunk) { tr.Reliable = true }
	bubble(t, s, offers, func(t *testing.T, w *world) {
		c := w.invite(siptrunk.InviteOptions{})
		time.Sleep(3 * time.Second)
		c.Hangup()
		require.Equal(t, []string{
			"0s progress invite", "0s progress trying", "0s progress trying+provisional+early_sdp", "1s progress trying+provisional+ringing", "2s answer", "3s end caller_hangup",
		}, c.trace())
		st := w.carrier.Stats()
		require.Equal(t, 2, st.Pracks)
		require.Zero(t, st.Strays)
	})
}

// An INVITE without an offer does not offer 100rel: the answer would have to go with a PRACK.
func TestReliableNeedsAnOffer(t *testing.T) {
	offers := func(_ *siptrunk.Config, tr *siptrunk.Trunk) { tr.Reliable = true }
	bubble(t, siptest.Busy(0), offers, func(t *testing.T, w *world) {
		sent := w.catch()
		w.invite(siptrunk.InviteOptions{Offer: []byte{}}).wait()
		require.Equal(t, "timer", line((*sent)[0], "Supported"))
		*sent = nil
		w.invite(siptrunk.InviteOptions{}).wait()
		require.Equal(t, "timer, 100rel", line((*sent)[0], "Supported"))
	})
}

// A carrier that requires 100rel gets it within the same attempt.
func TestExtensionRequired(t *testing.T) {
	s := siptest.Silence()
	bubble(t, s, nil, func(t *testing.T, w *world) {
		sent := w.catch("INVITE", "ACK", "PRACK", "BYE")
		c := w.invite(siptrunk.InviteOptions{})
		synctest.Wait()
		require.Equal(t, "timer", line((*sent)[0], "Supported"))
		w.fromCarrier(response((*sent)[0], "421 Extension Required", "Require: 100rel"))
		require.True(t, strings.HasPrefix((*sent)[1], "ACK "))
		again := (*sent)[2]
		require.Equal(t, "timer, 100rel", line(again, "Supported"))
		require.Equal(t, "2 INVITE", line(again, "CSeq"))
		ring := func(rseq, tag string) {
			res := strings.Replace(string(response(again, "180 Ringing", "Require: 100rel", "RSeq: "+rseq, "Contact: <sip:fork@10.0.0.1:5060>")),
				"To: "+line(again, "To"), "To: "+line(again, "To")+";tag="+tag, 1)
			w.fromCarrier([]byte(res))
		}
		*sent = nil
		ring("7", "a")
		ring("7", "a") // its PRACK has not come yet
		ring("9", "a") // 8 is missing
		ring("1", "b") // another callee
		ring("8", "a")
		ring("x", "a") // no number: as if it were not reliable
		var racks, tags []string
		for _, m := range *sent {
			require.True(t, strings.HasPrefix(m, "PRACK sip:fork@10.0.0.1:5060 SIP/2.0\r\n"), m)
			racks = append(racks, line(m, "RAck"))
			_, tag, _ := strings.Cut(line(m, "To"), ";tag=")
			tags = append(tags, tag)
		}
		require.Equal(t, []string{"7 2 INVITE", "1 2 INVITE", "8 2 INVITE"}, racks)
		require.Equal(t, []string{"a", "b", "a"}, tags)
		require.Len(t, c.all(), 1+1+1+1+1, "the INVITE, three 180s and the one that is not reliable")
		for _, m := range *sent {
			w.fromCarrier(response(m, "200 OK"))
		}
		*sent = nil
		w.fromCarrier(response(again, "421 Extension Required", "Require: 100rel"))
		require.EqualValues(t, 421, c.result().Code, "once is enough")
	})
}
