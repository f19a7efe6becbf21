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
