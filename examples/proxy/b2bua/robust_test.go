package b2bua_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// Datagrams from everywhere else are dropped unread on both sides: they cost nothing that lasts.
func TestFloodOfStrangers(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), nil, func(t *testing.T, w *world) {
		synctest.Wait()
		before := siptest.Goroutines()
		msg := invite(t)
		const n = 2000
		for i := range n {
			var ip [4]byte
			binary.BigEndian.PutUint32(ip[:], 0x0b000000+uint32(i))
			conn, err := w.network.Listen(netip.AddrPortFrom(netip.AddrFrom4(ip), 5060).String())
			require.NoError(t, err)
			for _, to := range []string{proxyAddr, "10.0.0.1:5080"} {
				_, err = conn.WriteToUDPAddrPort(msg, netip.MustParseAddrPort(to))
				require.NoError(t, err)
			}
			if i%100 == 0 {
				synctest.Wait() // the queue of a socket is finite, as that of a kernel
			}
			require.NoError(t, conn.Close())
		}
		synctest.Wait()
		require.Equal(t, b2bua.Stats{Strangers: n}, w.proxy.Stats())
		require.LessOrEqual(t, siptest.Goroutines(), before)
		require.Equal(t, 200, w.call(siptest.CallerCall{}).Code())
		w.settled()
	})
}

// Messages as large as UDP carries: header fields, a session description that passes (an INVITE with an Identity has some 1,400
// bytes, which is more than RFC 3261 §18.1.1 wants UDP to carry), and noise.
func TestLargeMessages(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), nil, func(t *testing.T, w *world) {
		for _, size := range []int{1300, 1500, 9000, 60000} {
			sdp := offerSDP + "a=x:" + strings.Repeat("y", size) + "\r\n"
			r := w.call(siptest.CallerCall{SDP: []byte(sdp)})
			require.Equal(t, 200, r.Code(), size)
			recs := w.first.Records()
			require.Equal(t, sdp, string(recs[len(recs)-1].Body))
			r = w.call(siptest.CallerCall{Headers: []siptest.Header{{Name: "X-Long", Value: strings.Repeat("y", size)}}})
			require.Equal(t, 200, r.Code(), size)
		}
		w.raw("10.0.0.2:7000", []byte(strings.Repeat("\x00INVITE", 9000)))
		w.raw("10.0.0.2:7000", []byte("INVITE sip:"+strings.Repeat("1", 60000)+"@10.0.0.1 SIP/2.0\r\n\r\n"))
		w.settled()
		require.EqualValues(t, 2, w.proxy.Stats().Malformed)
	})
}

// Calls that never end are bounded: the one that is too many gets 503, and when they are over everything is as it was.
func TestCallsThatNeverEnd(t *testing.T) {
	const most = 500
	change := func(c *b2bua.Config) { c.MaxCalls = most; c.Trunks[0].Channels = -1; c.Trunks[0].Ring = time.Hour }
	bubble(t, siptest.RingForever(0), siptest.Silence(), change, func(t *testing.T, w *world) {
		synctest.Wait()
		before := siptest.Goroutines()
		conn, err := w.network.Listen("10.0.0.2:7000")
		require.NoError(t, err)
		received := make(chan string, 4*most)
		go func() {
			buf := make([]byte, 65535)
			for {
				n, _, err := conn.ReadFrom(buf)
				if err != nil {
					close(received)
					return
				}
				received <- status(string(buf[:n]))
			}
		}()
		for range most + 10 {
			_, err := conn.WriteToUDPAddrPort(invite(t), netip.MustParseAddrPort(proxyAddr))
			require.NoError(t, err)
			synctest.Wait()
		}
		require.Equal(t, most, w.proxy.Live())
		require.EqualValues(t, 10, w.proxy.Stats().Rejected)
		time.Sleep(30 * time.Minute)
		require.Equal(t, most, w.proxy.Live(), "nobody has ended them")
		time.Sleep(31*time.Minute + siptest.DrainTime)
		synctest.Wait()
		require.Zero(t, w.proxy.Live())
		require.LessOrEqual(t, siptest.Goroutines(), before+1, "one reads what came")
		require.NoError(t, conn.Close())
		busy := 0
		for s := range received {
			if s == "503 Service Unavailable" {
				busy++
			}
		}
		require.Positive(t, busy)
	})
}

// A carrier that answers wrongly or out of order: the call ends one way or the other, and nothing is left of it.
func TestCarrierThatAnswersWrongly(t *testing.T) {
	to := func(c *peer) []string { return []string{"Contact: <sip:" + c.local + ">"} }
	for name, play := range map[string]func(c *peer, req string){
		"a ring after the answer": func(c *peer, req string) {
			c.respond(req, "200 OK", answerSDP, to(c)...)
			c.respond(req, "180 Ringing", "")
		},
		"100 after the ring":      func(c *peer, req string) { c.respond(req, "180 Ringing", ""); c.respond(req, "100 Trying", "") },
		"a failure and an answer": func(c *peer, req string) { c.respond(req, "503 No", ""); c.respond(req, "200 OK", answerSDP, to(c)...) },
		"an answer and a failure": func(c *peer, req string) { c.respond(req, "200 OK", answerSDP, to(c)...); c.respond(req, "486 No", "") },
		"an answer without a tag": func(c *peer, req string) {
			c.respond(strings.Replace(req, "\r\nTo: ", "\r\nT-o: ", 1), "200 OK", answerSDP, append(to(c), "To: "+header(req, "To"))...)
		},
		"an answer without a contact":  func(c *peer, req string) { c.respond(req, "200 OK", answerSDP) },
		"an answer without a body":     func(c *peer, req string) { c.respond(req, "200 OK", "", to(c)...) },
		"an answer with a bad contact": func(c *peer, req string) { c.respond(req, "200 OK", answerSDP, "Contact: <sip:[::>") },
		"an answer to another method": func(c *peer, req string) {
			c.respond(strings.Replace(req, "1 INVITE", "1 BYE", 1), "200 OK", answerSDP)
		},
		"an answer to another CSeq": func(c *peer, req string) {
			c.respond(strings.Replace(req, "1 INVITE", "9 INVITE", 1), "200 OK", answerSDP)
		},
		"another call's answer": func(c *peer, req string) {
			c.respond(strings.Replace(req, "Call-ID: ", "Call-ID: x", 1), "200 OK", answerSDP)
		},
		"another branch": func(c *peer, req string) {
			c.respond(strings.Replace(req, "z9hG4bK", "z9hG4bKx", 1), "200 OK", answerSDP)
		},
		"a status that is none": func(c *peer, req string) { c.respond(req, "099 Odd", ""); c.respond(req, "700 Odd", "") },
		"a status of a class alone": func(c *peer, req string) {
			c.respond(req, "199 Odd", "")
			c.respond(req, "299 Odd", answerSDP, to(c)...)
		},
		"a redirection":                 func(c *peer, req string) { c.respond(req, "302 Go", "", "Contact: <sip:1@10.66.0.6>") },
		"a challenge that asks for odd": func(c *peer, req string) { c.respond(req, "401 Who", "", "WWW-Authenticate: Digest") },
		"BYE before the answer": func(c *peer, req string) {
			c.respond(req, "180 Ringing", "")
			c.us, c.him, c.target = header(req, "To")+";tag=callee", header(req, "From"), contact(req)
			c.ask("BYE", "")
		},
		"many forks": func(c *peer, req string) {
			for i := range 40 {
				c.respond(strings.Replace(req, header(req, "To"), header(req, "To")+fmt.Sprintf(";tag=f%d", i), 1), "180 Ringing", "")
			}
			for i := range 40 {
				c.respond(strings.Replace(req, header(req, "To"), header(req, "To")+fmt.Sprintf(";tag=f%d", i), 1), "200 OK", answerSDP, to(c)...)
			}
		},
		"rubbish": func(c *peer, req string) {
			c.send("SIP/2.0 200 OK\r\n\r\n")
			c.send(req)
			c.send("\r\n")
			c.send("BYE")
		},
	} {
		t.Run(name, func(t *testing.T) {
			change := func(c *b2bua.Config) { c.Hunting.MaxAttempts = 1; c.Trunks[0].Ring = 20 * time.Second }
			flows(t, change, offerSDP, nil, func(t *testing.T, f *flow) {
				play(f.carrier, f.carrier.request)
				time.Sleep(10 * time.Second)
				f.dialer.send(strings.NewReplacer("INVITE", "CANCEL").Replace(strings.Split(f.dialer.request, "Content-")[0]) + "Content-Length: 0\r\n\r\n")
				for range 400 { // every request of the proxy's is answered, and every failure acknowledged
					for _, p := range []*peer{f.dialer, f.carrier} {
						switch msg := p.next(100 * ms); {
						case strings.HasPrefix(msg, "BYE "), strings.HasPrefix(msg, "CANCEL "):
							p.respond(msg, "200 OK", "")
						case p == f.dialer && strings.Contains(msg, "CSeq: 1 INVITE") && status(msg) >= "2":
							p.us, p.him, p.target = header(p.request, "From"), header(msg, "To"), "sip:x@"+proxyAddr
							if status(msg) < "3" {
								p.ask("ACK", "")
								p.ask("BYE", "")
							} else {
								p.send(strings.Replace(strings.NewReplacer("INVITE ", "ACK ", "1 INVITE", "1 ACK").Replace(strings.Split(p.request, "Content-")[0]),
									"\r\nTo: "+header(p.request, "To"), "\r\nTo: "+p.him, 1) + "Content-Length: 0\r\n\r\n")
							}
						}
					}
				}
				f.gone()
				require.Zero(t, f.proxy.Trunks().Snapshot(time.Now())[0].InUse)
			})
		})
	}
}
