package outdial_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/failover"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/kpi/cdr"
	"github.com/outdial/outdial/routing"
	"github.com/outdial/outdial/trunk"
)

// deployment is an engine as a large dialer would have it: 200,000 prefixes, 8 candidates per call in two weighted
// tiers, 10,000 caller IDs without caps that would bind.
func deployment(tb testing.TB, journal bool) (*outdial.Engine, outdial.Call) {
	tb.Helper()
	ids := new(outdial.Registry)
	p := routing.Policy{}
	var tiers []routing.Tier
	limits := trunk.Config{IDs: ids}
	for i := range 8 {
		name := fmt.Sprintf("trunk-%d", i)
		p.Trunks = append(p.Trunks, routing.Trunk{Name: name, Carrier: fmt.Sprintf("carrier-%d", i/2), Deck: "deck"})
		limits.Trunks = append(limits.Trunks, trunk.Limits{Name: name, Channels: 1000, CPS: -1})
		if i%4 == 0 {
			tiers = append(tiers, routing.Tier{})
		}
		last := &tiers[len(tiers)-1]
		last.Trunks = append(last.Trunks, routing.Target{Trunk: name, Weight: uint32(10 + i)})
	}
	rule := routing.Rule{Tiers: tiers}
	deck := routing.Deck{Name: "deck"}
	for i := range 200_000 {
		prefix := outdial.Prefix(12_120_000 + i*37)
		rule.Prefixes = append(rule.Prefixes, prefix)
		deck.Rates = append(deck.Rates, routing.Rate{Prefix: prefix, PerMinute: 4000})
	}
	p.Rules, p.Decks = []routing.Rule{rule}, []routing.Deck{deck}
	table, err := routing.Compile(p, routing.CompileConfig{IDs: ids})
	require.NoError(tb, err)
	hunt, err := failover.New(failover.Config{IDs: ids})
	require.NoError(tb, err)
	trunks, err := trunk.New(limits)
	require.NoError(tb, err)
	pool := cli.Config{
		IDs: ids, Pools: []cli.PoolConfig{{Name: "sales", Program: "sales"}},
		Limits: cli.Limits{Caps: []cli.Cap{{Max: 100, Window: time.Millisecond}}, Spacing: -1},
		Callee: []cli.Cap{},
	}
	for i := range 10_000 {
		pool.Numbers = append(pool.Numbers, cli.NumberConfig{
			Number: outdial.Number(12_120_000_000 + i), Pool: "sales", Evidence: "contract",
		})
	}
	numbers, err := cli.New(pool)
	require.NoError(tb, err)
	meter, err := kpi.New(kpi.Config{IDs: ids})
	require.NoError(tb, err)
	cfg := outdial.Config{
		IDs: ids, Router: table, Failover: hunt, Trunks: trunks, CLIs: numbers, Observers: []outdial.Observer{meter},
	}
	if journal {
		j, _, err := cdr.Open(cdr.Config{Dir: tb.TempDir(), IDs: ids, SegmentBytes: 1 << 30})
		require.NoError(tb, err)
		tb.Cleanup(func() { require.NoError(tb, j.Close()) })
		cfg.Journal = j
	}
	engine, err := outdial.New(cfg)
	require.NoError(tb, err)
	return engine, outdial.Call{To: 12_120_037_123, Program: ids.Programs.ID("sales"), Mode: outdial.ModePredictive}
}

// wholeCall is Begin, Next, one failed attempt, Next, Answer, End. Failures are spread over time and callees over
// numbers, so that no target is ejected.
func wholeCall(s *outdial.Session, call outdial.Call, n int, now time.Time) bool {
	call.To = outdial.Number(12_120_000_000 + uint64(n%2000)*37_000)
	if s.Begin(now, call) != nil {
		return false
	}
	step, err := s.Next(now)
	if err != nil || s.End(now.Add(20*time.Millisecond), step.Attempt.ID, outdial.Result{Origin: outdial.OriginCarrier, Code: 606}) != nil {
		return false
	}
	step, err = s.Next(now.Add(20 * time.Millisecond))
	if err != nil || step.Kind != outdial.StepDial {
		return false
	}
	action, err := s.Answer(now.Add(30*time.Millisecond), step.Attempt.ID)
	return err == nil && action == outdial.AnswerConnect &&
		s.End(now.Add(90*time.Millisecond), step.Attempt.ID, outdial.Result{Origin: outdial.OriginCallerHangup}) == nil
}

func BenchmarkWholeCall(b *testing.B) {
	for _, journal := range []bool{false, true} {
		b.Run(fmt.Sprintf("journal=%v", journal), func(b *testing.B) {
			engine, call := deployment(b, journal)
			s := engine.NewSession()
			now, n := start, 0
			b.ReportAllocs()
			for b.Loop() {
				n++
				now = now.Add(100 * time.Millisecond)
				if !wholeCall(s, call, n, now) {
					b.Fatal(s.Explain())
				}
			}
		})
	}
}

func TestWholeCallAllocatesNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	for _, journal := range []bool{false, true} {
		engine, call := deployment(t, journal)
		s := engine.NewSession()
		now, n := start, 0
		play := func() {
			n++
			now = now.Add(100 * time.Millisecond)
			require.True(t, wholeCall(s, call, n, now))
		}
		for range 20_000 { // every callee and number has been met
			play()
		}
		require.Zero(t, testing.AllocsPerRun(1000, play), "journal=%v", journal)
	}
}
