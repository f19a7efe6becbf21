package siptrunk_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// What asks for another INVITE makes it a new one: an answer to a challenge is good once (RFC 7616 §3.3), so that it is not sent again.
func TestCredentialsAreGoodOnce(t *testing.T) {
	change := func(_ *siptrunk.Config, tr *siptrunk.Trunk) { tr.Username, tr.Password = "u", "p" }
	bubble(t, siptest.Silence(), change, func(t *testing.T, w *world) {
		sent := w.catch("INVITE", "ACK")
		c := w.invite(siptrunk.InviteOptions{})
		synctest.Wait()
		invites := func() (all []string) {
			for _, msg := range *sent {
				if strings.HasPrefix(msg, "INVITE ") {
					all = append(all, msg)
				}
			}
			return all
		}
		w.fromCarrier(response(invites()[0], "401 Unauthorized", `WWW-Authenticate: Digest realm="r", nonce="n1", qop="auth"`))
		require.Contains(t, line(invites()[1], "Authorization"), "n1")
		w.fromCarrier(response(invites()[1], "422 Session Interval Too Small", "Min-SE: 3600"))
		require.Empty(t, line(invites()[2], "Authorization"))
		require.Equal(t, "3600", line(invites()[2], "Session-Expires"))
		w.fromCarrier(response(invites()[2], "401 Unauthorized", `WWW-Authenticate: Digest realm="r", nonce="n2", qop="auth"`))
		require.Contains(t, line(invites()[3], "Authorization"), "n2")
		w.fromCarrier(response(invites()[3], "486 Busy Here"))
		require.EqualValues(t, 486, c.result().Code)
	})
}
