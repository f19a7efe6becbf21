package siptrunk_test

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// What is traced is what the network has seen, both ways and no more: retransmissions are there, and strangers are not.
func TestTrace(t *testing.T) {
	var mu sync.Mutex
	var traced, seen []string
	note := func(list *[]string, from, to netip.AddrPort, data []byte) {
		first, _, _ := strings.Cut(string(data), "\r\n")
		mu.Lock()
		defer mu.Unlock()
		*list = append(*list, from.String()+" "+to.String()+" "+first)
	}
	change := func(cfg *siptrunk.Config, _ *siptrunk.Trunk) {
		cfg.Trace = func(m siptrunk.Traced) {
			require.Equal(t, "UDP", m.Transport)
			if m.Sent {
				note(&traced, m.Local, m.Remote, m.Data)
			} else {
				note(&traced, m.Remote, m.Local, m.Data)
			}
		}
	}
	script := siptest.Play(siptest.Respond(600*ms, 180), siptest.Respond(time.Second, 200)) // silent until the INVITE is sent again
	bubble(t, script, change, func(t *testing.T, w *world) {
		stranger, err := w.network.Listen("10.0.0.66:5060")
		require.NoError(t, err)
		_, err = stranger.WriteToUDPAddrPort([]byte("OPTIONS sip:x SIP/2.0\r\n\r\n"), netip.MustParseAddrPort(dialerAddr))
		require.NoError(t, err)
		w.watch(func(from, to netip.AddrPort, payload []byte) bool {
			note(&seen, from, to, payload)
			return false
		})
		c := w.invite(siptrunk.InviteOptions{CallID: "known-before@host"})
		require.Equal(t, "known-before@host", c.CallID())
		time.Sleep(5 * time.Second)
		c.Hangup()
		c.wait()
		require.NoError(t, stranger.Close())
	})
	require.ElementsMatch(t, seen, traced)
	invite := dialerAddr + " " + carrierAddr + " INVITE sip:+12125550123@" + carrierAddr + " SIP/2.0"
	require.Equal(t, []string{invite, invite, carrierAddr + " " + dialerAddr + " SIP/2.0 180 Ringing"}, traced[:3])
	require.Contains(t, strings.Join(traced, "\n"), dialerAddr+" "+carrierAddr+" BYE sip:")
}

func TestCallIDIsChecked(t *testing.T) {
	bubble(t, siptest.Silence(), nil, func(t *testing.T, w *world) {
		for _, bad := range []string{"a b", "a\r\nX: y", "\x00"} {
			_, err := w.dialer.Invite(t.Context(), attempt(), siptrunk.InviteOptions{CallID: bad}, func(siptrunk.Event) {})
			require.ErrorContains(t, err, "Call-ID")
		}
	})
}

// What is traced can be written to a file, or sent to a capture server. The data are the Dialer's: keep a copy, if at all.
func ExampleTraced() {
	show := func(m siptrunk.Traced) {
		way := "from"
		if m.Sent {
			way = "to"
		}
		first, _, _ := strings.Cut(string(m.Data), "\r\n")
		fmt.Println(m.Transport, way, m.Remote, first)
	}
	d := must(siptrunk.New(siptrunk.Config{ListenAddr: "127.0.0.1:0", Trace: show}))
	show(siptrunk.Traced{
		Sent: true, Transport: "UDP", Local: d.LocalAddr(), Remote: netip.MustParseAddrPort("192.0.2.10:5060"),
		Data: []byte("OPTIONS sip:192.0.2.10 SIP/2.0\r\nMax-Forwards: 70\r\n\r\n"),
	})
	fmt.Println(d.Close())
	// Output:
	// UDP to 192.0.2.10:5060 OPTIONS sip:192.0.2.10 SIP/2.0
	// <nil>
}
