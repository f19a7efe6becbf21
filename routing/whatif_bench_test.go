package routing_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
	"github.com/outdial/outdial/routing"
)

// BenchmarkWhatIf asks two policies, one by least cost and one by cost per contact, what they would have done with recorded calls:
// eight carriers with 50,000 prefixes each, which is a usual A-Z deck, or 200,000; both policies by the same decks, or the second by the
// carriers' next ones (new_decks), where a row in twenty is gone and one in five is dearer. The events come from a journal on disk.
// It reports seconds for a million calls.
func BenchmarkWhatIf(b *testing.B) {
	for _, rows := range []int{50_000, benchRows} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) { benchmarkWhatIf(b, rows, false) })
	}
	b.Run(fmt.Sprint(benchRows, "_new_decks"), func(b *testing.B) { benchmarkWhatIf(b, benchRows, true) })
}

func benchmarkWhatIf(b *testing.B, rows int, newDecks bool) {
	const calls = 50_000
	ids := new(outdial.Registry)
	p, ps := market(rows, routing.LeastCost)
	cheap := compile(b, p, routing.CompileConfig{IDs: ids}).Table
	if newDecks {
		rnd := rand.New(rand.NewPCG(13, 0))
		for i := range p.Decks {
			d := &p.Decks[i]
			d.Rates = slices.DeleteFunc(d.Rates, func(r routing.Rate) bool { return r.Prefix > 10 && rnd.IntN(20) == 0 })
			for j := range d.Rates {
				d.Rates[j].PerMinute += routing.Price(500 * max(rnd.IntN(5)-3, 0))
			}
		}
	}
	p.Rules[0].Tiers[0].Strategy, p.Rules[0].Tiers[0].Success.AttemptCost = routing.CostPerContact, 2000
	quality := asr{}
	for i := range 8 {
		quality[outdial.TrunkID(i+1)] = estimate(.3+float64(i)/40, 300)
	}
	contact := compile(b, p, routing.CompileConfig{IDs: ids, Quality: quality}).Table
	tos := numbers(ps, 1<<16, 3)
	for i := range 300 {
		ids.Groups.ID("group" + string(rune('a'+i)))
	}
	j, _, err := cdr.Open(cdr.Config{Dir: b.TempDir(), IDs: ids})
	require.NoError(b, err)
	defer func() { require.NoError(b, j.Close()) }()
	for i := range calls {
		for _, ev := range recordedCall(i, tos[i&(1<<16-1)]) {
			require.NoError(b, j.Append(&ev))
		}
	}
	p = routing.Policy{} // its decks are in the tables
	runtime.GC()
	for b.Loop() {
		w, err := routing.NewWhatIf(cheap, contact)
		require.NoError(b, err)
		require.NoError(b, j.Replay(0, func(ev *outdial.Event) error {
			w.Observe(ev)
			return nil
		}))
		require.EqualValues(b, calls, w.Policies()[1].Calls)
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1e6/calls, "s/M-calls")
}

// recordedCall is the events of a call, which two in five answer.
func recordedCall(i int, to outdial.Number) []outdial.Event {
	at := monday.Add(time.Duration(i) * 20 * time.Millisecond)
	a := outdial.Attempt{
		ID: outdial.AttemptID{Call: outdial.CallID(i + 1), Leg: 1}, Start: at, State: outdial.AttemptOpen,
		Call: outdial.Call{
			ID: outdial.CallID(i + 1), To: to, Begun: at,
			Dest: outdial.Destination{Country: [2]byte{'U', 'S'}, Group: outdial.GroupID(i%300 + 1)},
		},
		Candidate: outdial.Candidate{Trunk: outdial.TrunkID(i%8 + 1), Propensity: 0.125, Cost: 4000},
	}
	begun := a
	events := []outdial.Event{{Kind: outdial.EventStarted, Time: at, Attempt: &begun}}
	a.Timeline.Set(outdial.MarkProvisional, time.Second)
	end := 20 * time.Second
	a.Result = outdial.Result{Origin: outdial.OriginCarrier, Code: 480}
	if i%5 < 2 {
		a.Timeline.Set(outdial.MarkAnswer, 8*time.Second)
		a.State = outdial.AttemptAnswered
		answered := a
		events = append(events, outdial.Event{Kind: outdial.EventAnswered, Time: at.Add(8 * time.Second), Attempt: &answered})
		end, a.Result = 70*time.Second, outdial.Result{Origin: outdial.OriginCallerHangup}
	}
	a.State = outdial.AttemptEnded
	a.Timeline.Set(outdial.MarkEnd, end)
	return append(events, outdial.Event{Kind: outdial.EventEnded, Time: at.Add(end), Attempt: &a})
}
