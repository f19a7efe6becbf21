package siptrunk_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// names is a DNS of a few records.
type names struct {
	hosts map[string]string // name: addresses
	srv   map[string][]*net.SRV
}

func (n names) into(c *siptrunk.Config) {
	c.Resolve = func(_ context.Context, host string) (addrs []netip.Addr, err error) {
		for a := range strings.FieldsSeq(n.hosts[host]) {
			addrs = append(addrs, netip.MustParseAddr(a))
		}
		if addrs == nil {
			err = errors.New("no such host")
		}
		return addrs, err
	}
	c.ResolveSRV = func(_ context.Context, _, _, domain string) ([]*net.SRV, error) {
		if s, ok := n.srv[domain]; ok {
			return s, nil
		}
		return nil, errors.New("no such record")
	}
}

// sentTo are the destinations of the INVITEs of one attempt, each once, in order, and the request line of the first.
func (w *world) sentTo(t *testing.T) (to []string, uri string, result outdial.Result) {
	t.Helper()
	w.watch(func(from, dst netip.AddrPort, payload []byte) bool {
		if from.String() == dialerAddr && strings.HasPrefix(string(payload), "INVITE ") && (len(to) == 0 || to[len(to)-1] != dst.String()) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if uri == "" {
				uri = strings.Fields(string(payload))[1]
			}
			to = append(to, dst.String())
		}
		return false
	})
	c := w.invite(siptrunk.InviteOptions{})
	result = c.result()
	synctest.Wait()
	w.network.SetFilter(nil)
	w.mu.Lock()
	defer w.mu.Unlock()
	return to, uri, result
}

// RFC 3263 §4: where a trunk's requests go.
func TestTargets(t *testing.T) {
	dns := names{
		hosts: map[string]string{
			"a.example": "10.0.1.1", "b.example": "10.0.1.2 10.0.1.3", "busy.example": "10.0.0.1", "v6.example": "2001:db8::1", "two.example": "10.0.1.1 10.0.0.1",
			"plain.example": "10.0.0.1",
		},
		srv: map[string][]*net.SRV{
			"carrier.example": {{Target: "b.example", Port: 5070, Priority: 20}, {Target: "busy.example", Port: 5060, Priority: 30}, {Target: "a.example", Port: 5062, Priority: 10}},
			"none.example":    {{Target: "."}},
			"lost.example":    {{Target: "gone.example", Port: 1}, {Target: "busy.example", Port: 5060}},
			"empty.example":   {},
		},
	}
	for addr, want := range map[string][]string{
		"carrier.example":      {"10.0.1.1:5062", "10.0.1.2:5070", "10.0.1.3:5070", carrierAddr}, // by priority; nobody is there but at last
		"carrier.example:5060": nil,                                                              // a port: no SRV, and the name has no address
		"plain.example":        {carrierAddr},
		"two.example:5060":     {"10.0.1.1:5060", carrierAddr},
		"lost.example":         {carrierAddr},
		"none.example":         nil,
		"empty.example":        nil,
		"v6.example":           nil, // of another family than the socket
	} {
		t.Run(addr, func(t *testing.T) {
			change := func(c *siptrunk.Config, tr *siptrunk.Trunk) {
				dns.into(c)
				tr.Addr = addr
			}
			bubble(t, siptest.Busy(0), change, func(t *testing.T, w *world) {
				if want == nil {
					_, err := w.dialer.Invite(t.Context(), attempt(), siptrunk.InviteOptions{Offer: offer}, func(siptrunk.Event) {})
					require.Error(t, err)
					return
				}
				for _, a := range want[:len(want)-1] {
					conn, err := w.network.Listen(a)
					require.NoError(t, err)
					go refuse(conn)
					defer conn.Close()
				}
				to, uri, r := w.sentTo(t)
				require.Equal(t, want, to)
				require.EqualValues(t, 486, r.Code)
				host, _, _ := strings.Cut(addr, ":5060")
				if strings.Contains(addr, ":") {
					host = addr
				}
				require.Equal(t, "sip:+12125550123@"+host, uri)
			})
		})
	}
}

// refuse answers every INVITE with 503.
func refuse(conn net.PacketConn) {
	buf := make([]byte, 65535)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if msg := string(buf[:n]); strings.HasPrefix(msg, "INVITE ") {
			_, _ = conn.WriteTo(response(msg, "503 Service Unavailable"), from)
		}
	}
}

// An address that is silent comes last for a while: hunting has moved on from it, and the trunk's next attempt does not wait for it.
func TestSilentTargetComesLast(t *testing.T) {
	dns := names{hosts: map[string]string{"two.example": "10.0.1.1 10.0.0.1"}}
	change := func(c *siptrunk.Config, tr *siptrunk.Trunk) {
		dns.into(c)
		tr.Addr = "two.example"
	}
	bubble(t, siptest.Busy(0), change, func(t *testing.T, w *world) {
		silent, err := w.network.Listen("10.0.1.1:5060")
		require.NoError(t, err)
		defer silent.Close()
		first := w.invite(siptrunk.InviteOptions{})
		time.Sleep(1500 * ms) // T100 is over
		to, _, r := w.sentTo(t)
		require.Equal(t, []string{carrierAddr}, to)
		require.EqualValues(t, 486, r.Code)
		require.Equal(t, outdial.OriginNoTrying, first.result().Origin)
		to, _, r = w.sentTo(t)
		require.Equal(t, []string{"10.0.1.1:5060"}, to, "half a minute is over: it is tried again")
		require.Equal(t, outdial.OriginNoTrying, r.Origin)
	})
}

// The last attempt of a call has no other trunk to hunt on to, but the other addresses of its own: a silent one is given up at T100 for the next
// (RFC 3263 §4.3). What it says later is refused: CANCEL, ACK and BYE of that very transaction.
func TestSilentTargetOfTheLastAttempt(t *testing.T) {
	dns := names{hosts: map[string]string{"two.example": "10.0.1.1 10.0.0.1"}}
	for name, c := range map[string]struct {
		t100 time.Duration
		late []string // responses of the silent address, a second after the next one was asked
		want []string // what it is sent
	}{
		"silent":      {0, nil, []string{"1 INVITE", "1 INVITE"}},
		"it is deaf":  {0, []string{"180 Ringing"}, []string{"1 INVITE", "1 INVITE", "1 CANCEL", "1 CANCEL", "1 CANCEL", "1 CANCEL", "1 CANCEL"}}, // Timer E goes on
		"it rings":    {0, []string{"180 Ringing", "180 Ringing", "487 Request Terminated"}, []string{"1 INVITE", "1 INVITE", "1 CANCEL", "1 ACK"}},
		"it answers":  {0, []string{"200 OK", "200 OK"}, []string{"1 INVITE", "1 INVITE", "1 ACK", "3 BYE", "1 ACK"}},
		"it refuses":  {0, []string{"486 Busy Here"}, []string{"1 INVITE", "1 INVITE", "1 ACK"}},
		"without one": {-1, nil, []string{"1 INVITE", "1 INVITE", "1 INVITE", "1 INVITE", "1 INVITE", "1 INVITE", "1 INVITE"}}, // Timer B
	} {
		t.Run(name, func(t *testing.T) {
			change := func(cfg *siptrunk.Config, tr *siptrunk.Trunk) {
				dns.into(cfg)
				tr.Addr, tr.T100, tr.PDDTimer = "two.example", c.t100, -1
			}
			bubble(t, siptest.Answer(2*time.Second, 0, 0), change, func(t *testing.T, w *world) {
				silent, err := w.network.Listen("10.0.1.1:5060")
				require.NoError(t, err)
				defer silent.Close()
				var got []string
				var branches []string
				w.watch(func(_, to netip.AddrPort, payload []byte) bool {
					msg := string(payload)
					if to.String() == "10.0.1.1:5060" {
						got = append(got, line(msg, "CSeq"))
						branches = append(branches, line(msg, "Via"))
						if len(got) == 1 {
							for i, r := range c.late {
								time.AfterFunc(time.Second+time.Duration(500+i*100)*ms, func() {
									_, _ = silent.WriteTo(response(msg, r), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(dialerAddr)))
								})
							}
						}
						if strings.HasPrefix(msg, "CANCEL ") && len(c.late) > 1 || strings.HasPrefix(msg, "BYE ") {
							go func() {
								_, _ = silent.WriteTo(response(msg, "200 OK"), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(dialerAddr)))
							}()
						}
					}
					return false
				})
				a := attempt()
				a.Last = true
				call := w.inviteAttempt(a, siptrunk.InviteOptions{}, nil)
				after := time.Second
				if c.t100 < 0 {
					after = 32 * time.Second
				}
				time.Sleep(after + 10*time.Second)
				_, err = call.Do(t.Context(), "INVITE", "", offer) // it stands in the way of nothing
				require.NoError(t, err)
				call.Hangup()
				evs := call.wait()
				synctest.Wait()
				require.Equal(t, c.want, got)
				for i := range branches[1:] {
					if got[i+1] == "1 CANCEL" || c.late != nil && c.late[0] == "486 Busy Here" {
						require.Equal(t, branches[0], branches[i+1], "of that transaction")
					}
				}
				require.Equal(t, outdial.OriginCallerHangup, evs[len(evs)-1].Result.Origin)
				for _, ev := range evs {
					require.NotEqual(t, outdial.ReportAbandon, ev.Kind)
					if ev.Kind == outdial.ReportAnswer {
						require.Equal(t, after+2*time.Second, ev.Time.Sub(call.start))
						require.Equal(t, carrierAddr, ev.Response.Source())
					}
				}
				require.Zero(t, w.carrier.Stats().Strays)
				require.NoError(t, w.carrier.Settle(t.Context()))
			})
		})
	}
}

// Among servers of one priority the weights decide (RFC 2782).
func TestWeights(t *testing.T) {
	dns := names{
		hosts: map[string]string{"a.example": "10.0.1.1", "b.example": "10.0.0.1", "c.example": "10.0.1.3"},
		srv: map[string][]*net.SRV{"carrier.example": {
			{Target: "a.example", Port: 5060, Weight: 0}, {Target: "b.example", Port: 5060, Weight: 100}, {Target: "c.example", Port: 5060, Priority: 1, Weight: 1000},
		}},
	}
	change := func(c *siptrunk.Config, tr *siptrunk.Trunk) {
		dns.into(c)
		tr.Addr = "carrier.example"
	}
	bubble(t, siptest.Busy(0), change, func(t *testing.T, w *world) {
		for range 20 {
			to, _, _ := w.sentTo(t)
			require.Equal(t, []string{carrierAddr}, to)
		}
	})
}
