package trunk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

// order makes an operator's change as the Engine does: it is checked first.
func (f *fixture) order(now time.Time, action, value string, expires time.Time) error {
	c := &outdial.Control{Actor: "kim", Action: action, Target: "alpha", Value: value, Reason: "test", Expires: expires}
	if err := f.set.CheckControl(now, c); err != nil {
		return err
	}
	f.set.Observe(&outdial.Event{Kind: outdial.EventControl, Time: now, Control: c})
	return nil
}

// attempt tells of an attempt that ended with a result.
func (f *fixture) attempt(now time.Time, res outdial.Result, progressed bool) {
	a := &outdial.Attempt{Candidate: *f.c, Start: now, Channel: 1}
	f.set.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: now, Attempt: a})
	if progressed {
		a.Timeline.Set(outdial.MarkProvisional, time.Millisecond)
	}
	a.State, a.Result = outdial.AttemptEnded, res
	a.Timeline.Set(outdial.MarkEnd, 10*time.Second)
	f.set.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: now.Add(10 * time.Second), Attempt: a})
}

// TestLife: staged, canary, live, draining, out, with who, when and why; a trial that is not passed is not skipped but by force.
func TestLife(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 50, CPS: 20, State: trunk.Staged, Trial: trunk.Trial{Calls: 10, Channels: 2}})
	f.refused(start, trunk.ErrStaged)
	require.ErrorContains(t, f.order(start, trunk.ActionLive, "", time.Time{}), "has not passed its trial")
	require.NoError(t, f.order(start, trunk.ActionCanary, "", time.Time{}))
	require.Equal(t, trunk.Canary, f.status(start).State)
	l := f.acquire(start)
	f.acquire(start)
	f.refused(start, trunk.ErrCanary)
	_, err := f.set.Seize(start, nil, f.c, l)
	require.NoError(t, err)
	_, err = f.set.Seize(start, nil, f.c, 0)
	require.ErrorIs(t, err, trunk.ErrCPS, "the trial's calls per second")

	ok, broken := outdial.Result{Origin: outdial.OriginCarrier, Code: 486}, outdial.Result{Origin: outdial.OriginCarrier, Code: 503}
	for i := range 10 {
		res := ok
		if i < 2 {
			res = broken
		}
		f.attempt(at(time.Duration(i)*time.Minute), res, false)
	}
	require.Equal(t, trunk.Canary, f.status(at(11*time.Minute)).State, "8 of 10 is below 90 %")
	for _, res := range []outdial.Result{ // none of these is judged
		{Origin: outdial.OriginNeverSent},
		{Origin: outdial.OriginCaller},
		{Origin: outdial.OriginUnknown},
		{Origin: outdial.OriginCarrier, Code: 487},
		{Origin: outdial.OriginCarrier, Code: 503, Phrase: "Channel limit reached"},
	} {
		f.attempt(at(12*time.Minute), res, false)
	}
	require.Equal(t, [2]int{}, f.status(at(12*time.Minute)).Trial)
	for i := range 9 {
		f.attempt(at(time.Duration(20+i)*time.Minute), outdial.Result{Origin: outdial.OriginNoAnswer}, true)
	}
	require.ErrorContains(t, f.order(at(30*time.Minute), trunk.ActionLive, "", time.Time{}), "trial")
	f.attempt(at(30*time.Minute), broken, false)
	require.Equal(t, trunk.Live, f.status(at(31*time.Minute)).State)
	require.Equal(t, 50, f.status(at(31*time.Minute)).Channels)

	require.NoError(t, f.order(at(time.Hour), trunk.ActionDrain, "", at(2*time.Hour)))
	f.refused(at(time.Hour), trunk.ErrDraining)
	require.Equal(t, trunk.Live, f.status(at(2*time.Hour)).State, "an order ends by itself")
	require.NoError(t, f.order(at(2*time.Hour), trunk.ActionOut, "", time.Time{}))
	f.refused(at(2*time.Hour), trunk.ErrOut)
	require.NoError(t, f.order(at(3*time.Hour), trunk.ActionReset, "", time.Time{}))
	require.Equal(t, trunk.Live, f.status(at(3*time.Hour)).State, "what the trial has shown stands")

	var got []string
	for _, c := range f.set.Changes(f.c.Trunk) {
		got = append(got, c.From.String()+" "+c.To.String()+" "+c.What+" "+c.By)
	}
	require.Equal(t, []string{
		"staged canary trunk.canary kim", "canary live trunk.trial trial", "live draining trunk.drain kim",
		"live out trunk.out kim", "out live trunk.reset kim",
	}, got)
	kinds := []trunk.AlertKind{}
	for _, a := range f.set.Alerts(nil) {
		kinds = append(kinds, a.Kind)
	}
	require.Contains(t, kinds, trunk.AlertTrialFailed)
	require.Contains(t, kinds, trunk.AlertTrialPassed)

	f.update(trunk.Limits{Channels: 50, State: trunk.Staged})
	require.Equal(t, trunk.Live, f.status(at(3*time.Hour)).State, "a reload with the same state does not take the trial back")
	f.update(trunk.Limits{Channels: 50, State: trunk.Canary})
	require.Equal(t, trunk.Canary, f.status(at(3*time.Hour)).State, "another configured state does")
	require.NoError(t, f.order(at(3*time.Hour), trunk.ActionLive, "force", time.Time{}))
	require.Equal(t, trunk.Live, f.status(at(3*time.Hour)).State)
}

// TestHundredCallCanary: below its threshold a canary of a hundred calls stays one.
func TestHundredCallCanary(t *testing.T) {
	for bad, want := range map[int]trunk.State{10: trunk.Live, 11: trunk.Canary} {
		f := newFixture(t, trunk.Limits{State: trunk.Canary})
		for i := range 100 {
			res := outdial.Result{Origin: outdial.OriginCalleeHangup}
			if i < bad {
				res = outdial.Result{Origin: outdial.OriginNoTrying}
			}
			f.attempt(at(time.Duration(i)*time.Minute), res, i >= bad)
		}
		require.Equal(t, want, f.status(at(2*time.Hour)).State, "%d bad", bad)
	}
}

// TestOrderedLimits: an operator's limit is in force at once, drops no call, is bounded by Hard, ends by itself, and is
// written down.
func TestOrderedLimits(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 10, CPS: 5, Hard: 20})
	for range 8 {
		f.acquire(start)
	}
	require.ErrorContains(t, f.order(start, trunk.ActionChannels, "21", time.Time{}), "1 to 20")
	require.ErrorContains(t, f.order(start, trunk.ActionChannels, "many", time.Time{}), "not a number")
	require.ErrorContains(t, f.order(start, trunk.ActionCPS, "0", time.Time{}), "1 to")
	require.ErrorContains(t, f.order(start, trunk.ActionForget, "x", time.Time{}), "no meaning")
	require.NoError(t, f.order(start, trunk.ActionChannels, "5", at(time.Hour)))
	require.Equal(t, 8, f.status(start).InUse)
	f.refused(start, trunk.ErrChannels)
	require.NoError(t, f.order(start, trunk.ActionCPS, "1", time.Time{}))
	require.Equal(t, 1, f.status(start).CPS)
	require.Equal(t, at(time.Hour), f.set.Advance(at(59*time.Minute+59500*time.Millisecond)), "Advance knows when it ends")
	require.Equal(t, 10, f.status(at(time.Hour)).Channels)
	f.acquire(at(time.Hour))
	require.NoError(t, f.order(at(time.Hour), trunk.ActionChannels, "15", time.Time{}))
	require.NoError(t, f.order(at(time.Hour), trunk.ActionCPS, "", time.Time{}))
	st := f.status(at(time.Hour))
	require.Equal(t, [2]int{15, 5}, [2]int{st.Channels, st.CPS})
	require.Equal(t, 15-9, st.Headroom)
	f.update(trunk.Limits{Channels: 10, Hard: 12})
	require.Equal(t, 12, f.status(at(time.Hour)).Channels, "a lower Hard bounds an order that stands")
}

// TestNoOrderLiftsTheConfiguration: a trunk that is configured as draining stays so, and an order to the contrary is refused.
func TestNoOrderLiftsTheConfiguration(t *testing.T) {
	for _, state := range []trunk.State{trunk.Draining, trunk.Out} {
		f := newFixture(t, trunk.Limits{State: state})
		err := f.set.CheckControl(start, &outdial.Control{Actor: "kim", Action: trunk.ActionLive, Target: "alpha", Value: "force"})
		require.ErrorContains(t, err, "configured as "+state.String())
	}
}
