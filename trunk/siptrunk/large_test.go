package siptrunk_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// readMessage reads a SIP message off a connection.
func readMessage(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	head := ""
	for !strings.HasSuffix(head, "\r\n\r\n") {
		l, err := r.ReadString('\n')
		require.NoError(t, err)
		head += l
	}
	n, err := strconv.Atoi(line(head, "Content-Length"))
	require.NoError(t, err)
	body := make([]byte, n)
	_, err = io.ReadFull(r, body)
	require.NoError(t, err)
	return head + string(body)
}

// Within a dialog too a request that is too large for a datagram goes over TCP, where the trunk takes that, and by UDP where it does not after all.
// The dialog itself stays on UDP.
func TestLargeWithinDialog(t *testing.T) {
	large := bytes.Repeat([]byte("a=x\r\n"), 300)
	for name, listens := range map[string]bool{"the carrier takes TCP": true, "the carrier refuses it": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var network *siptest.Network
				dialled := 0
				w := newWorld(t, siptest.Behaviour{Script: siptest.Answer(0, 0, 0)}, func(c *siptrunk.Config, tr *siptrunk.Trunk) {
					tr.TCP = true
					c.DialStream = func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
						dialled++
						return dialing(network)(ctx, to)
					}
				})
				network = w.network
				defer w.close()
				c := w.invite(siptrunk.InviteOptions{})
				synctest.Wait()
				sent := w.catch()
				do := func(method sip.RequestMethod) chan int {
					code := make(chan int, 1)
					go func() {
						res, err := c.Do(t.Context(), method, "", large)
						require.NoError(t, err)
						code <- res.StatusCode
					}()
					return code
				}
				if listens {
					l, err := network.ListenStream(carrierAddr)
					require.NoError(t, err)
					defer l.Close()
					code := do(sip.INVITE)
					far, err := l.Accept()
					require.NoError(t, err)
					defer far.Close()
					in := bufio.NewReader(far)
					invite := readMessage(t, in)
					require.Contains(t, line(invite, "Via"), "SIP/2.0/TCP ")
					require.Equal(t, "<sip:"+dialerAddr+">", line(invite, "Contact"))
					_, err = far.Write(response(invite, "488 Not Acceptable Here"))
					require.NoError(t, err)
					ack := readMessage(t, in)
					require.True(t, strings.HasPrefix(ack, "ACK "), "the ACK of a refusal goes where the INVITE went")
					require.Equal(t, line(invite, "Via"), line(ack, "Via"))
					require.Equal(t, 488, <-code)
					code = do(sip.INFO)
					_, err = far.Write(response(readMessage(t, in), "200 OK"))
					require.NoError(t, err)
					require.Equal(t, 200, <-code)
				} else {
					require.Equal(t, 200, <-do(sip.INVITE))
					require.Equal(t, 200, <-do(sip.INVITE), "and TCP is not tried twice")
				}
				require.Equal(t, 1, dialled, "one connection, or one attempt at it")
				c.Hangup()
				c.wait()
				require.NoError(t, w.carrier.Settle(t.Context()))
				require.Zero(t, w.carrier.Stats().Strays)
				for _, msg := range *sent {
					require.Contains(t, line(msg, "Via"), "SIP/2.0/UDP ")
					require.False(t, listens && len(msg) > 1300, "no large datagram")
				}
			})
		})
	}
}
