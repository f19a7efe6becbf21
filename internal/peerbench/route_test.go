package peerbench

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

const routeCarriers = 8

// tariff is what a carrier charges: by prefix, micro-units a minute.
type tariff map[uint64]int64

// tariffs returns a deck's prefixes as eight carriers price them, each of them nine in ten.
func tariffs(prefixes []uint64) []tariff {
	r := rand.New(rand.NewPCG(5, 0))
	all := make([]tariff, routeCarriers)
	for i := range all {
		all[i] = make(tariff, len(prefixes))
		for _, p := range prefixes {
			if r.IntN(10) > 0 {
				all[i][p] = int64(1000 + r.IntN(8000))
			}
		}
	}
	return all
}

// sorter is a least-cost router as dialers write it: under a lock, so that prices can be changed, each carrier's prices are
// probed for the longest prefix, and the carriers that have one are sorted.
type sorter struct {
	mu      sync.RWMutex
	tariffs []tariff
	calls   map[[2]uint64]*counts // by carrier and area code: what quality routing looks at; nil = price alone
}

type counts struct{ calls, answers float64 }

type offer struct {
	carrier int
	key     float64
}

const routeAttempt = 2000 // what an attempt costs, as in ours

func (s *sorter) route(number uint64, offers []offer) []offer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i, t := range s.tariffs {
		for n := number; n > 0; n /= 10 {
			if n >= 1e9 {
				continue
			}
			if price, ok := t[n]; ok {
				o := offer{i, float64(price)}
				if s.calls != nil {
					k := s.calls[[2]uint64{uint64(i), number % 300}]
					o.key += routeAttempt * k.calls / k.answers
				}
				offers = append(offers, o)
				break
			}
		}
	}
	sort.Slice(offers, func(a, b int) bool { return offers[a].key < offers[b].key })
	return offers
}

// known is what ours and the sorter know of a carrier towards a destination.
func known(carrier, group uint64) counts {
	return counts{300, 300 * (.3 + float64((carrier*7+group)%20)/40)}
}

type knownQuality struct{}

func (knownQuality) Estimate(_ time.Time, c *outdial.Candidate, g outdial.GroupID) outdial.Estimate {
	k := known(uint64(c.Trunk-1), uint64(g))
	p := k.answers / k.calls
	return outdial.Estimate{Mean: p, Var: p * (1 - p) / (k.calls + 1), N: k.calls}
}

func ourRouter(tb testing.TB, tariffs []tariff, strategy routing.Strategy) *routing.Router {
	p := routing.Policy{Rules: []routing.Rule{{Tiers: []routing.Tier{{Strategy: strategy}}}}}
	tier := &p.Rules[0].Tiers[0]
	if strategy == routing.CostPerContact {
		tier.Success.AttemptCost = routeAttempt
		p.Exploration.Money = 1_000_000 // beside its share of the calls
	}
	for i, t := range tariffs {
		name := fmt.Sprint(i)
		deck := routing.Deck{Name: name}
		for prefix, price := range t {
			deck.Rates = append(deck.Rates, routing.Rate{Prefix: outdial.Prefix(prefix), PerMinute: routing.Price(price)})
		}
		p.Decks = append(p.Decks, deck)
		p.Trunks = append(p.Trunks, routing.Trunk{Name: name, Carrier: name, Deck: name})
		tier.Trunks = append(tier.Trunks, routing.Target{Trunk: name})
	}
	t, err := routing.Compile(p, routing.CompileConfig{IDs: new(outdial.Registry), Quality: knownQuality{}})
	require.NoError(tb, err)
	r := routing.NewRouter(t)
	for i := range 1000 { // so that there is a budget to explore with
		id := outdial.AttemptID{Call: outdial.CallID(i + 1), Leg: 1}
		told(r, outdial.EventStarted, &outdial.Attempt{ID: id, Start: monday, Candidate: outdial.Candidate{Trunk: 1}})
	}
	return r
}

func told(r *routing.Router, kind outdial.EventKind, a *outdial.Attempt) {
	ev := outdial.Event{Kind: kind, Time: monday, Attempt: a}
	r.Observe(&ev)
}

// takeBack tells a router that a call which explores did not leave after all, so that the budget does not run out.
func takeBack(r *routing.Router, a *outdial.Attempt, call outdial.CallID, c outdial.Candidate) {
	*a = outdial.Attempt{ID: outdial.AttemptID{Call: call, Leg: 1}, Start: monday, Candidate: c}
	told(r, outdial.EventStarted, a)
	a.State, a.Result.Origin = outdial.AttemptEnded, outdial.OriginNeverSent
	told(r, outdial.EventEnded, a)
}

// BenchmarkRoute is a whole routing decision among eight carriers: their rates for the number, and their order.
func BenchmarkRoute(b *testing.B) {
	prefixes := deck(100_000)
	prices, to := tariffs(prefixes), callees(prefixes, 1<<16)
	calls := map[[2]uint64]*counts{}
	for c := range uint64(routeCarriers) {
		for g := range uint64(300) {
			k := known(c, g)
			calls[[2]uint64{c, g}] = &k
		}
	}
	for _, test := range []struct {
		name     string
		strategy routing.Strategy
		peer     *sorter
	}{
		{"least-cost", routing.LeastCost, &sorter{tariffs: prices}},
		{"cost-per-contact", routing.CostPerContact, &sorter{tariffs: prices, calls: calls}},
	} {
		r := ourRouter(b, prices, test.strategy)
		decide := func() func() {
			dst, i := make([]outdial.Candidate, 0, routeCarriers), 0
			a := new(outdial.Attempt)
			return func() {
				call := outdial.Call{ID: outdial.CallID(i + 1), To: outdial.Number(to[i&(1<<16-1)])}
				call.Dest.Group = outdial.GroupID(call.To%300 + 1)
				dst, _ = r.Route(monday, &call, dst[:0])
				if len(dst) > 0 && dst[0].Explore { // one number in a hundred has no rate
					takeBack(r, a, call.ID, dst[0])
				}
				i++
			}
		}
		sorted := func() func() {
			dst, i := make([]offer, 0, routeCarriers), 0
			return func() {
				dst = test.peer.route(to[i&(1<<16-1)], dst[:0])
				i++
			}
		}
		b.Run(test.name, func(b *testing.B) {
			beside(b, serial(ours, decide()), serial("map_and_sort", sorted()))
		})
	}
}

// TestRouteAgrees: by price alone, both put the same prices in the same order.
func TestRouteAgrees(t *testing.T) {
	prefixes := deck(2000)
	prices := tariffs(prefixes)
	s, r := &sorter{tariffs: prices}, ourRouter(t, prices, routing.LeastCost)
	for _, to := range callees(prefixes, 2000) {
		theirs := s.route(to, nil)
		got, _ := r.Route(monday, &outdial.Call{To: outdial.Number(to)}, nil)
		require.Len(t, got, len(theirs), to)
		for i := range got {
			require.Equal(t, theirs[i].key, float64(got[i].Cost), to)
		}
	}
}
