package b2bua_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
)

// Sequences of messages that no two sane ends would send: copies, things out of turn, in the wrong dialog. Whatever they are, the call is
// over at last, and nothing is left of it.
func TestOddSequences(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { oddSequence(t, rand.New(rand.NewPCG(seed, 8)), 40) })
	}
}

func FuzzSequences(f *testing.F) {
	for seed := range uint64(3) {
		f.Add(seed, uint8(30))
	}
	f.Fuzz(func(t *testing.T, seed uint64, steps uint8) {
		oddSequence(t, rand.New(rand.NewPCG(seed, 9)), int(steps))
	})
}

func oddSequence(t *testing.T, rng *rand.Rand, steps int) {
	change := func(c *b2bua.Config) { c.Hunting.MaxAttempts = 1; c.Trunks[0].Ring = 10 * time.Second }
	flows(t, change, []string{offerSDP, ""}[rng.IntN(2)], nil, func(t *testing.T, f *flow) {
		d, c := f.dialer, f.carrier
		d.us, d.him, d.target = header(d.request, "From"), header(d.request, "To"), "sip:x@"+proxyAddr
		c.us, c.him, c.target = header(c.request, "To")+";tag=callee", header(c.request, "From"), contact(c.request)
		heard := map[*peer][]string{d: {d.request}, c: {c.request}}
		listen := func(wait time.Duration) {
			for _, p := range []*peer{d, c} {
				for msg := p.next(wait); msg != ""; msg = p.next(ms) {
					heard[p] = append(heard[p], msg)
					if p == d && strings.HasPrefix(msg, "SIP/2.0 ") && strings.Contains(header(msg, "CSeq"), "1 INVITE") && strings.Contains(header(msg, "To"), ";tag=") {
						p.him = header(msg, "To")
					}
				}
			}
		}
		methods := []string{"INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "INFO", "PRACK", "OPTIONS", "REFER", "NOTIFY", "FROB"}
		statuses := []string{"100 A", "180 B", "183 C", "200 OK", "202 D", "302 E", "401 F", "421 G", "422 H", "481 I", "486 J", "487 K", "491 L", "500 M", "503 N", "603 O"}
		lines := []string{"Require: 100rel\r\nRSeq: 1", "Contact: <sip:1@10.0.1.9>", "Session-Expires: 90", "Min-SE: 100", "Retry-After: 1", "X: y", "Supported: timer"}
		for range steps {
			p := []*peer{d, c}[rng.IntN(2)]
			body := []string{"", "", offerSDP, "x"}[rng.IntN(4)]
			extra := lines[rng.IntN(len(lines))]
			switch rng.IntN(8) {
			case 0, 1:
				p.ask(methods[rng.IntN(len(methods))], body, extra)
			case 2:
				p.seq = rng.IntN(5)
				p.ask(methods[rng.IntN(len(methods))], body, extra)
			case 3, 4, 5:
				msg := heard[p][rng.IntN(len(heard[p]))]
				if !strings.HasPrefix(msg, "SIP/2.0 ") {
					p.respond(msg, statuses[rng.IntN(len(statuses))], body, extra)
				}
			case 6:
				msg := heard[p][rng.IntN(len(heard[p]))]
				p.send(msg) // what came goes back as it is
			case 7:
				if p == d {
					d.send(strings.Replace(d.request, "INVITE", []string{"INVITE", "ACK", "CANCEL", "BYE"}[rng.IntN(4)], 2))
				}
			}
			listen(time.Duration(rng.IntN(3)) * time.Duration(rng.IntN(2000)) * ms / 2)
		}
		d.ask("BYE", "")
		for range 3000 { // both ends are gone; the timers do the rest
			listen(100 * ms)
			if f.proxy.Live() == 0 {
				break
			}
		}
		if f.proxy.Live() > 0 { // a call is up whose dialer said BYE with numbers that do not fit
			d.seq = 1000
			d.ask("BYE", "")
			c.seq = 1000
			c.ask("BYE", "")
		}
		f.gone()
		require.Zero(t, f.proxy.Trunks().Snapshot(time.Now())[0].InUse)
	})
}
