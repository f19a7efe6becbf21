package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
	"github.com/outdial/outdial/internal/race"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return start.Add(d) }

// bench drives a Selector with attempts as an engine would.
type bench struct {
	t    require.TestingT
	s    *failover.Selector
	plan []outdial.Candidate
	call outdial.Call
	last outdial.CallID
	log  []outdial.Event
}

func newBench(t require.TestingT, cfg failover.Config, plan ...outdial.Candidate) *bench {
	return &bench{t: t, s: newSelector(t, cfg), plan: plan}
}

func on(trunk, tier, weight int) outdial.Candidate {
	return outdial.Candidate{Trunk: outdial.TrunkID(trunk), Tier: uint8(tier), Weight: uint32(weight)}
}

func (b *bench) all() uint64 { return 1<<len(b.plan) - 1 }

// pick returns the trunk that is chosen, 0 for none.
func (b *bench) pick(now time.Time, eligible uint64) (outdial.TrunkID, outdial.Why) {
	i, choice := b.s.Pick(now, &b.call, b.plan, eligible)
	if i < 0 {
		return 0, choice.Why
	}
	require.NotZero(b.t, eligible&(1<<i), "picked what is not eligible")
	require.InDelta(b.t, 1, choice.Probability, 0)
	return b.plan[i].Trunk, choice.Why
}

// attempt is a fresh attempt on a trunk.
func (b *bench) attempt(now time.Time, trunk outdial.TrunkID, why outdial.Why) *outdial.Attempt {
	b.last++
	return &outdial.Attempt{
		ID: outdial.AttemptID{Call: b.last, Leg: 1}, Call: b.call, Candidate: outdial.Candidate{Trunk: trunk},
		Choice: outdial.Choice{Why: why}, Start: now, State: outdial.AttemptOpen,
	}
}

func (b *bench) observe(now time.Time, kind outdial.EventKind, a *outdial.Attempt, marks ...outdial.Mark) {
	ev := outdial.Event{Kind: kind, Time: now, Attempt: a}
	for _, m := range marks {
		ev.Marks |= m.Of()
		a.Timeline.Set(m, now.Sub(a.Start))
	}
	b.s.Observe(&ev)
	kept := *a
	ev.Attempt, ev.Replay = &kept, true
	b.log = append(b.log, ev)
}

// abandon moves on from a silent attempt.
func (b *bench) abandon(now time.Time, a *outdial.Attempt) {
	a.State, a.Abandoned = outdial.AttemptAbandoned, ended(outdial.OriginNoTrying)
	b.observe(now, outdial.EventAbandoned, a, outdial.MarkAbandon)
}

// end ends an attempt on a trunk at once.
func (b *bench) end(now time.Time, trunk outdial.TrunkID, why outdial.Why, r outdial.Result) {
	a := b.attempt(now, trunk, why)
	a.State, a.Result = outdial.AttemptEnded, r
	b.observe(now, outdial.EventEnded, a)
}

// ring lets an attempt on a trunk ring.
func (b *bench) ring(now time.Time, trunk outdial.TrunkID, why outdial.Why) {
	b.observe(now, outdial.EventProgressed, b.attempt(now, trunk, why), outdial.MarkTrying, outdial.MarkProvisional)
}

// target returns how a target stands.
func (b *bench) target(now time.Time, trunk outdial.TrunkID, g outdial.GroupID) failover.Target {
	for _, x := range b.s.Snapshot(now) {
		if x.Trunk == trunk && x.Group == g {
			return x
		}
	}
	return failover.Target{Trunk: trunk, Group: g}
}

func TestOrderAndTiers(t *testing.T) {
	b := newBench(t, failover.Config{}, on(3, 0, 0), on(1, 0, 0), on(2, 1, 70), on(4, 1, 30), on(5, 1, 0))
	for _, c := range []struct {
		eligible uint64
		trunk    outdial.TrunkID
		why      outdial.Why
	}{
		{0b11111, 3, outdial.WhyOrder},
		{0b11111, 3, outdial.WhyOrder},
		{0b11110, 1, outdial.WhyOrder},
		{0b11100, 2, outdial.WhyWeight},
		{0b11000, 4, outdial.WhyWeight},
		{0b10000, 5, outdial.WhyOrder},
		{0b00000, 0, outdial.WhyOrder},
		{1 << 40, 0, outdial.WhyOrder},
	} {
		trunk, why := b.pick(start, c.eligible)
		require.Equal(t, c.trunk, trunk, "%b", c.eligible)
		require.Equal(t, c.why, why)
	}
	i, _ := b.s.Pick(start, &b.call, nil, ^uint64(0))
	require.Equal(t, -1, i)
}

func TestRatio(t *testing.T) {
	b := newBench(t, failover.Config{}, on(1, 0, 95), on(2, 0, 5))
	other := newBench(t, failover.Config{}, on(2, 0, 5), on(1, 0, 95))
	other.s = b.s
	count, gap := 0, 0
	for i := range 1000 {
		from := b
		if i%3 == 0 {
			from = other // another order of the same set
		}
		trunk, _ := from.pick(start, 3)
		if gap++; trunk == 2 {
			require.LessOrEqual(t, gap, 20)
			count, gap = count+1, 0
		}
		require.InDelta(t, float64(i+1)*0.05, float64(count), 0.5+1e-9)
	}
	for range 1000 {
		b.pick(start, 2) // the other one is not eligible, and saves nothing up
	}
	count = 0
	for range 100 {
		if trunk, _ := b.pick(start, 3); trunk == 2 {
			count++
		}
	}
	require.InDelta(t, 5, count, 1)
}

func TestReturnKeepsTheTurn(t *testing.T) {
	b := newBench(t, failover.Config{}, on(1, 0, 60), on(2, 0, 30), on(3, 0, 10))
	plain := newBench(t, failover.Config{}, b.plan...)
	for i := range 200 {
		if i%3 == 0 {
			j, choice := b.s.Pick(start, &b.call, b.plan, 7)
			b.s.Return(start, &b.call, b.plan, 7, j, choice)
		}
		got, _ := b.pick(start, 7)
		want, _ := plain.pick(start, 7)
		require.Equal(t, want, got, i)
	}
	b.s.Return(start, &b.call, b.plan, 7, -1, outdial.Choice{})
	b.s.Return(start, &b.call, b.plan, 7, 9, outdial.Choice{Why: outdial.WhyWeight})
}

func TestRecord(t *testing.T) {
	b := newBench(t, failover.Config{}, on(1, 0, 60), on(2, 0, 40))
	record := &outdial.Record{}
	b.call.SetRecord(record)
	b.pick(start, 3)
	require.Equal(t, []outdial.Reading{
		{Stage: outdial.StageFailover, Trunk: 1, Name: "state", Text: "up"},
		{Stage: outdial.StageFailover, Trunk: 2, Name: "state", Text: "up"},
		{Stage: outdial.StageFailover, Trunk: 1, Name: "weight", Value: 60},
		{Stage: outdial.StageFailover, Trunk: 1, Name: "credit", Value: record.Readings()[3].Value},
		{Stage: outdial.StageFailover, Trunk: 2, Name: "weight", Value: 40},
		{Stage: outdial.StageFailover, Trunk: 2, Name: "credit", Value: record.Readings()[5].Value},
	}, record.Readings())
	require.InDelta(t, -0.4, record.Readings()[3].Value, 1e-9)
	require.InDelta(t, 0.4, record.Readings()[5].Value, 1e-9)

	// Who rests, or has no weight, is on record as well; who is not eligible, or in a tier that was not reached, is not.
	b = newBench(t, failover.Config{Jitter: -1}, on(1, 0, 60), on(2, 0, 40), on(3, 0, 0), on(4, 0, 9), on(5, 1, 1))
	for range 3 {
		b.end(start, 1, 0, ended(outdial.OriginTransport))
	}
	record.Reset()
	b.call.SetRecord(record)
	trunk, _ := b.pick(start, 0b10111)
	require.Equal(t, outdial.TrunkID(2), trunk)
	got := map[outdial.TrunkID]map[string]any{}
	for _, r := range record.Readings() {
		if got[r.Trunk] == nil {
			got[r.Trunk] = map[string]any{}
		}
		got[r.Trunk][r.Name] = any(r.Value)
		if r.Text != "" {
			got[r.Trunk][r.Name] = r.Text
		}
	}
	require.Equal(t, map[outdial.TrunkID]map[string]any{
		1: {"state": "out", "weight": 60.0}, 2: {"state": "up", "weight": 40.0},
		3: {"state": "up", "weight": 0.0}, 5: {"state": "up"},
	}, got)
}

func TestManyGroupsAndSets(t *testing.T) {
	b := newBench(t, failover.Config{}, on(1, 0, 1), on(2, 0, 1))
	for g := range outdial.GroupID(10000) {
		b.call.Dest.Group = g + 1
		b.ring(start, 1, 0)
		b.plan[0].Weight = uint32(g + 1)
		b.pick(start, 3)
	}
	require.LessOrEqual(t, len(b.s.Snapshot(start)), 4097)
	b.end(start, 1<<30, 0, final(503)) // an id that no registry issued
	require.LessOrEqual(t, len(b.s.Snapshot(start)), 4097)
}

// TestTurnsAreKept: the turns of a tier outlast some thousand others that were used since, and not many thousand.
func TestTurnsAreKept(t *testing.T) {
	for others, kept := range map[int]bool{0: true, 5600: true, 20000: false} {
		b := newBench(t, failover.Config{}, on(1, 0, 5), on(2, 0, 5))
		first, _ := b.pick(start, 3)
		for i := range others {
			b.s.Pick(start, &b.call, []outdial.Candidate{on(1, 0, i+10), on(2, 0, 3)}, 3)
		}
		next, _ := b.pick(start, 3)
		require.Equal(t, kept, first != next, "after %d others", others)
	}
}

func TestNoAllocation(t *testing.T) {
	if race.Enabled {
		t.Skip("allocation counts differ under the race detector")
	}
	b := newBench(t, failover.Config{}, on(1, 0, 60), on(2, 0, 30), on(3, 0, 10), on(4, 1, 0))
	b.call.Dest.Group, b.call.ID = 7, 9
	a := b.attempt(start, 2, 0)
	a.Timeline.Set(outdial.MarkProvisional, time.Second)
	progress := &outdial.Event{Kind: outdial.EventProgressed, Time: start, Attempt: a, Marks: outdial.MarkProvisional.Of()}
	failed := b.attempt(start, 3, 0)
	failed.Result = final(503, "Service Unavailable", 41)
	abandon := &outdial.Event{Kind: outdial.EventAbandoned, Time: start, Attempt: failed}
	end := &outdial.Event{Kind: outdial.EventEnded, Time: start, Attempt: failed}
	for name, verb := range map[string]func(){
		"pick": func() {
			i, choice := b.s.Pick(start, &b.call, b.plan, 15)
			b.s.Return(start, &b.call, b.plan, 15, i, choice)
		},
		"observe": func() { b.s.Observe(progress) },
		"fail":    func() { b.s.Observe(abandon); b.s.Observe(end) },
		"verdict": func() { b.s.Verdict(failed) },
		"advance": func() { b.s.Advance(start) },
	} {
		verb()
		require.Zero(t, testing.AllocsPerRun(100, verb), name)
	}
	require.Equal(t, failover.Out, b.target(start, 3, 7).State, "measured while one target is out, too")
}
