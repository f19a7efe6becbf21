package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// TestKeepWarm: of each destination group one call in every 20 goes to the standby, spread evenly, in a fixed order and
// in a later tier.
func TestKeepWarm(t *testing.T) {
	for name, plan := range map[string][]outdial.Candidate{
		"fixed order": {on(1, 0, 0), on(2, 0, 0)},
		"later tier":  {on(1, 0, 95), on(3, 0, 5), on(2, 1, 100)},
	} {
		b := newBench(t, failover.Config{}, plan...)
		since, most := map[outdial.GroupID]int{}, 0
		warm := 0
		for i := range 4000 {
			g := outdial.GroupID(i%3 + 1)
			b.call.Dest.Group = g
			since[g]++
			trunk, why := b.pick(start, b.all())
			if trunk == 2 {
				require.Equal(t, outdial.WhyKeepWarm, why)
				most, since[g] = max(most, since[g]), 0
				warm++
			}
		}
		require.Equal(t, 20, most, name)
		require.InDelta(t, 4000*0.05, warm, 3, name)
	}
}

// TestKeepWarmTurns: several standbys take turns; what a standby has no room for the next call makes up for.
func TestKeepWarmTurns(t *testing.T) {
	b := newBench(t, failover.Config{}, on(1, 0, 0), on(2, 1, 0), on(3, 2, 0))
	share := map[outdial.TrunkID]int{}
	for range 400 {
		trunk, _ := b.pick(start, 7)
		share[trunk]++
	}
	require.Equal(t, map[outdial.TrunkID]int{1: 380, 2: 10, 3: 10}, share)

	for range 19 {
		_, why := b.pick(start, 7)
		require.Equal(t, outdial.WhyOrder, why)
	}
	i, choice := b.s.Pick(start, &b.call, b.plan, 7)
	require.Equal(t, outdial.WhyKeepWarm, choice.Why)
	b.s.Return(start, &b.call, b.plan, 7, i, choice)
	_, why := b.pick(start, 7&^(1<<i))
	require.Equal(t, outdial.WhyOrder, why, "the same call hunts on")
	_, why = b.pick(start, 7)
	require.Equal(t, outdial.WhyKeepWarm, why)

	// A standby that is ill is probed, and not kept warm; and no standby is kept warm by a call that has been refused
	// elsewhere already.
	b = newBench(t, failover.Config{Jitter: -1}, on(1, 0, 0), on(2, 1, 0))
	for range 3 {
		b.end(start, 2, 0, ended(outdial.OriginTransport))
	}
	for range 100 {
		_, why := b.pick(start, 3)
		require.Equal(t, outdial.WhyOrder, why)
	}
	b = newBench(t, failover.Config{KeepWarm: -1}, on(1, 0, 0), on(2, 1, 0))
	for range 100 {
		trunk, _ := b.pick(start, 3)
		require.Equal(t, outdial.TrunkID(1), trunk, "switched off")
	}
}

// TestKeepWarmWhateverHealth: a standby whose figures are poor, or that ramps, is kept warm as any other is; so is one while another
// gets a share by order or is probed. A primary whose figures are poor gets its share once.
func TestKeepWarmWhateverHealth(t *testing.T) {
	poor := figures{outdial.MetricNER: {Mean: 0.2, Var: 0.0001, N: 1000}} // of trunk 1
	weak := func(ids *outdial.Registry, plan ...outdial.Candidate) *bench {
		b := newBench(t, failover.Config{Signals: poor, IDs: ids}, plan...)
		b.ring(start, 1, 0)
		b.s.Advance(at(20 * time.Second))
		require.Equal(t, "poor ner", b.target(at(20*time.Second), 1, 0).Why)
		return b
	}
	now := at(21 * time.Second)
	require.Equal(t, map[outdial.TrunkID]int{2: 3800, 1: 200}, weak(nil, on(2, 0, 0), on(1, 1, 0)).shares(now, 4000))
	require.Equal(t, map[outdial.TrunkID]int{2: 3800, 1: 100, 3: 100}, weak(nil, on(2, 0, 0), on(1, 1, 0), on(3, 1, 0)).shares(now, 4000))
	got := weak(nil, on(1, 0, 0), on(2, 0, 0), on(3, 0, 0)).shares(now, 4000)
	require.InDelta(t, 200, got[1], 12, "%v", got)
	require.InDelta(t, 200, got[3], 1, "%v", got)

	b := newBench(t, failover.Config{Dwell: -1}, on(2, 0, 0), on(1, 1, 0))
	b.kill(start, 1)
	b.revive(at(5*time.Second), 1)
	require.Equal(t, map[outdial.TrunkID]int{2: 380, 1: 20}, b.shares(at(6*time.Second), 400))

	b = newBench(t, failover.Config{IDs: named("a", "b", "c")}, on(1, 0, 0), on(2, 0, 0), on(3, 0, 0))
	b.control(start, flip(0.5, "b").Control(failover.ActionFlip, "", "", time.Time{}))
	gap := 0
	for range 4000 {
		gap++
		if trunk, why := b.pick(start, 7); trunk == 3 {
			require.Equal(t, outdial.WhyKeepWarm, why)
			require.LessOrEqual(t, gap, 21)
			gap = 0
		}
	}
	require.Equal(t, map[outdial.TrunkID]int{1: 1800, 2: 2000, 3: 200}, b.shares(start, 4000))
}

// TestKeepWarmGap: whatever the share, no gap is longer than it says, in any destination group.
func TestKeepWarmGap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		share := rapid.Float64Range(0.01, 0.5).Draw(t, "share")
		b := newBench(t, failover.Config{KeepWarm: share}, on(1, 0, 0), on(2, 1, 0))
		gap, allowed := 0, int(1/share)+1
		for range 500 {
			gap++
			if trunk, _ := b.pick(start, 3); trunk == 2 {
				gap = 0
			}
			require.LessOrEqual(t, gap, allowed)
		}
	})
}

// TestStandbyAnswered: how many real calls a standby has answered lately is on record, and so is how long it is untested.
func TestStandbyAnswered(t *testing.T) {
	ids := &outdial.Registry{}
	b := newBench(t, failover.Config{IDs: ids, Trunks: []failover.Trunk{{Name: "alpha"}, {Name: "beta"}}})
	answer := func(now time.Time) {
		a := b.attempt(now, 2, outdial.WhyKeepWarm)
		b.observe(now, outdial.EventStarted, a)
		b.observe(now.Add(time.Second), outdial.EventProgressed, a, outdial.MarkProvisional)
		a.State = outdial.AttemptAnswered
		b.observe(now.Add(2*time.Second), outdial.EventAnswered, a, outdial.MarkAnswer)
		a.State, a.Result = outdial.AttemptEnded, ended(outdial.OriginCalleeHangup)
		b.observe(now.Add(time.Minute), outdial.EventEnded, a, outdial.MarkEnd)
	}
	for i := range 30 {
		answer(at(time.Duration(i) * time.Minute))
	}
	st := b.target(at(29*time.Minute+30*time.Second), 2, 0)
	require.Equal(t, uint64(10), st.Lately.Answered)
	require.Equal(t, uint64(10), st.Lately.Reached)
	require.InDelta(t, 1, st.Lately.PDD().Mean, 1e-9)
	require.Equal(t, at(29*time.Minute+2*time.Second), st.Answered)
	require.Zero(t, st.Open)

	codes := func(now time.Time) (codes []string) {
		for _, f := range b.s.Alarms(now, start) {
			codes = append(codes, string(f.Code)+" "+f.Trunks[0])
		}
		return codes
	}
	require.Empty(t, codes(at(23*time.Hour)))
	require.Equal(t, []string{"untested alpha"}, codes(at(24*time.Hour)))
	require.Equal(t, []string{"untested alpha", "untested beta"}, codes(at(25*time.Hour)))
	require.Equal(t, []string{"untested alpha", "drill_overdue alpha", "untested beta", "drill_overdue beta"}, codes(at(31*24*time.Hour)))
}
