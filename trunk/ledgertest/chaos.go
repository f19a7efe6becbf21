package ledgertest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/outdial/outdial/trunk"
)

// node is a process that keeps the node's side of the bargain: it shrinks before it says so, grows after it was told, takes
// calls while its lease lasts, and dies or stalls now and then with its calls up.
type node struct {
	name  string
	cap   int
	calls []time.Time // when each ends
	until time.Time   // of its lease, as it counts
	claim *trunk.Claim
	reply trunk.Grant
}

// chaos lets nodes do all of that in a random order, with claims and replies under way, and sums what is up.
func chaos(b *book) error {
	const seed = 20260302
	r := rand.New(rand.NewPCG(seed, 1))
	hold := 3 * b.TTL
	var nodes []*node
	var gone []time.Time // ends of the calls of nodes that have died
	incarnation := 0
	fresh := func() *node {
		incarnation++
		return &node{name: fmt.Sprintf("n%d", incarnation)}
	}
	for range 4 {
		nodes = append(nodes, fresh())
	}
	busiest := 0
	for range 8000 {
		b.Sleep(time.Duration(r.IntN(int(b.TTL) / 40)))
		now := b.Now()
		gone = after(gone, now)
		up := len(gone)
		for _, n := range nodes {
			n.calls = after(n.calls, now)
			up += len(n.calls)
		}
		if up > limit {
			return fmt.Errorf("%d calls are up on %d channels (seed %d)", up, limit, uint64(seed))
		}
		busiest = max(busiest, up)
		i := r.IntN(len(nodes))
		n := nodes[i]
		switch k := r.IntN(1000); {
		case k < 600: // calls, no longer than what is held for orphans
			for range r.IntN(20) {
				if now.Before(n.until) && len(n.calls) < n.cap {
					n.calls = append(n.calls, now.Add(time.Duration(r.Int64N(int64(hold)))))
				}
			}
		case k < 800 && n.claim == nil: // a claim is sent
			want := len(n.calls) + r.IntN(40)
			if !now.Before(n.until) {
				n.cap = len(n.calls)
			} else {
				n.cap = max(min(n.cap, want), len(n.calls))
			}
			c := b.claim(n.name, n.cap, want)
			c.Hold = hold
			g, err := b.renew(c)
			if err != nil {
				return err
			}
			n.claim, n.reply = &c, g
		case k < 998 && n.claim != nil: // its reply arrives, or is lost
			if r.IntN(10) > 0 {
				n.until = n.claim.Time.Add(b.TTL / 10 * 9)
				n.cap = n.reply.Channels
				if n.reply.Target < n.cap {
					n.cap = max(n.reply.Target, len(n.calls))
				}
			}
			n.claim = nil
		case k >= 998: // it dies, and its calls live on; another one starts
			gone = append(gone, n.calls...)
			nodes[i] = fresh()
		}
	}
	if busiest < limit*3/4 {
		return errors.New("the check did not load the trunk")
	}
	return nil
}

// after returns the times that are after now.
func after(list []time.Time, now time.Time) []time.Time {
	kept := list[:0]
	for _, t := range list {
		if t.After(now) {
			kept = append(kept, t)
		}
	}
	return kept
}
