package trunk_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/trunk"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return start.Add(d) }

// fixture is a Set with one trunk, and a candidate on it.
type fixture struct {
	t   require.TestingT
	set *trunk.Set
	ids *outdial.Registry
	c   *outdial.Candidate
}

func newFixture(t require.TestingT, l trunk.Limits) *fixture {
	l.Name = "alpha"
	ids := &outdial.Registry{}
	set, err := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{l}})
	require.NoError(t, err)
	return &fixture{t: t, set: set, ids: ids, c: &outdial.Candidate{Trunk: ids.Trunks.ID("alpha")}}
}

func (f *fixture) update(l trunk.Limits) {
	l.Name = "alpha"
	require.NoError(f.t, f.set.Update(trunk.Config{IDs: f.ids, Trunks: []trunk.Limits{l}}))
}

func (f *fixture) acquire(now time.Time) outdial.Lease {
	l, again, err := f.set.Acquire(now, nil, f.c)
	require.NoError(f.t, err)
	require.Zero(f.t, again)
	require.NotZero(f.t, l)
	return l
}

func (f *fixture) refused(now time.Time, want error) {
	l, _, err := f.set.Acquire(now, nil, f.c)
	require.ErrorIs(f.t, err, want)
	require.Zero(f.t, l)
}

func (f *fixture) status(now time.Time) trunk.Status {
	st, ok := f.set.Status(now, f.c.Trunk)
	require.True(f.t, ok)
	return st
}

func TestChannels(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 2})
	a, b := f.acquire(start), f.acquire(start)
	require.NotEqual(t, a, b)
	f.refused(start, trunk.ErrChannels)
	st := f.status(start)
	require.Equal(t, 2, st.InUse)
	require.Zero(t, st.Headroom)
	require.Equal(t, uint64(1), st.Blocked.Channels)

	f.set.Release(start, a)
	f.set.Release(start, a)
	f.set.Undo(start, a)
	require.Equal(t, 1, f.status(start).InUse, "released once, whatever was repeated")

	c := f.acquire(start)
	require.NotEqual(t, a, c, "a slot that is used again gets another lease")
	f.set.Release(start, a)
	require.Equal(t, 2, f.status(start).InUse, "a stale lease frees nobody's channel")
	f.set.Release(start, 0)
	f.set.Release(start, ^outdial.Lease(0))
	require.Equal(t, 2, f.status(start).InUse)
	require.Equal(t, 2, f.status(start).Peak)
}

func TestDefaultsAndNone(t *testing.T) {
	st := newFixture(t, trunk.Limits{}).status(start)
	require.Equal(t, trunk.DefaultChannels, st.Channels)
	require.Equal(t, trunk.DefaultCPS, st.CPS)

	f := newFixture(t, trunk.Limits{Channels: -5, CPS: -5, MaxCall: -1})
	for range 5000 {
		_, err := f.set.Seize(start, nil, f.c, f.acquire(start))
		require.NoError(t, err)
	}
	f.set.Advance(at(10000 * time.Hour))
	st = f.status(start)
	require.Equal(t, 5000, st.InUse)
	require.Equal(t, -1, st.Channels)
	require.Equal(t, -1, st.CPS)
	require.Equal(t, trunk.MaxChannels-5000, st.Headroom)
	require.Equal(t, uint64(5000), st.Seized)
}

func TestUpdateDropsNoCall(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 5})
	var held []outdial.Lease
	for range 5 {
		held = append(held, f.acquire(start))
	}
	f.update(trunk.Limits{Channels: 3})
	require.Equal(t, 5, f.status(start).InUse)
	require.Zero(t, f.status(start).Headroom)
	for _, l := range held[:2] {
		f.refused(start, trunk.ErrChannels)
		f.set.Release(start, l)
	}
	f.refused(start, trunk.ErrChannels)
	f.set.Release(start, held[2])
	f.acquire(start)
	f.update(trunk.Limits{Channels: 4})
	f.acquire(start)
	f.refused(start, trunk.ErrChannels)
}

func TestUpdateRejected(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 1})
	err := f.set.Update(trunk.Config{IDs: f.ids, Trunks: []trunk.Limits{
		{Name: "alpha", Channels: 9},
		{Name: "alpha"},
		{CPS: trunk.MaxCPS + 1},
		{Name: "b", Channels: trunk.MaxChannels + 1, Smooth: time.Hour, MaxCall: 1 << 62, State: 9},
		{Name: "c", CPS: -1, Smooth: time.Second},
	}})
	for _, want := range []string{
		`Trunks[1] "alpha": Name: given twice`, `Trunks[2] "": Name: required`, `Trunks[2] "": CPS: 100001`,
		`Trunks[3] "b": Channels`, `Trunks[3] "b": Smooth`, `Trunks[3] "b": MaxCall`, `Trunks[3] "b": State`,
		`Trunks[4] "c": Smooth: there is no CPS`,
	} {
		require.ErrorContains(t, err, want)
	}
	require.ErrorContains(t, f.set.Update(trunk.Config{}), "IDs: a registry is required")
	require.ErrorContains(t, f.set.Update(trunk.Config{IDs: &outdial.Registry{}}), "another registry")
	require.Equal(t, 1, f.status(start).Channels, "the old limits are in force")
	_, err = trunk.New(trunk.Config{})
	require.Error(t, err)
}

func TestUnknownAndRemoved(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 2})
	other := &outdial.Candidate{Trunk: f.ids.Trunks.ID("other")}
	_, _, err := f.set.Acquire(start, nil, other)
	require.ErrorIs(t, err, trunk.ErrUnknownTrunk)
	_, err = f.set.Seize(start, nil, other, 0)
	require.ErrorIs(t, err, trunk.ErrUnknownTrunk)
	_, ok := f.set.Status(start, other.Trunk)
	require.False(t, ok)

	l := f.acquire(start)
	require.NoError(t, f.set.Update(trunk.Config{IDs: f.ids}))
	f.refused(start, trunk.ErrUnknownTrunk)
	_, err = f.set.Seize(start, nil, f.c, 0)
	require.ErrorIs(t, err, trunk.ErrUnknownTrunk)
	require.Len(t, f.set.Snapshot(start), 1, "still listed while its call is up")
	require.Equal(t, trunk.Out, f.set.Snapshot(start)[0].State)
	f.update(trunk.Limits{Channels: 2})
	require.Equal(t, 1, f.status(start).InUse, "counts are kept by id")
	require.NoError(t, f.set.Update(trunk.Config{IDs: f.ids}))
	f.set.Release(start, l)
	require.Empty(t, f.set.Snapshot(start))
}

func TestStates(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 5})
	l := f.acquire(start)
	f.update(trunk.Limits{Channels: 5, State: trunk.Draining})
	f.refused(start, trunk.ErrDraining)
	_, err := f.set.Seize(start, nil, f.c, l)
	require.NoError(t, err, "who holds a channel may still leave")
	f.update(trunk.Limits{Channels: 5, State: trunk.Out})
	f.refused(start, trunk.ErrOut)
	require.Equal(t, trunk.Blocked{Draining: 1, Out: 1}, f.status(start).Blocked)
	require.Equal(t, 1, f.status(start).InUse)

	for _, s := range []trunk.State{trunk.Live, trunk.Draining, trunk.Out} {
		text, err := s.MarshalText()
		require.NoError(t, err)
		var back trunk.State
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, s, back)
	}
	require.Error(t, new(trunk.State).UnmarshalText([]byte("gone")))
	require.Equal(t, "invalid", trunk.State(7).String())
}

func TestOrders(t *testing.T) {
	f := newFixture(t, trunk.Limits{})
	order := func(action, target string, expires time.Time) {
		f.set.Observe(&outdial.Event{
			Kind: outdial.EventControl, Replay: true,
			Control: &outdial.Control{Action: action, Target: target, Expires: expires},
		})
	}
	order(trunk.ActionDrain, "other", time.Time{})
	order("cli.quarantine", "alpha", time.Time{})
	require.Equal(t, trunk.Live, f.status(start).State)

	order(trunk.ActionDrain, "alpha", at(time.Minute))
	f.refused(at(time.Minute-1), trunk.ErrDraining)
	f.acquire(at(time.Minute))

	order(trunk.ActionOut, "alpha", time.Time{})
	f.update(trunk.Limits{State: trunk.Draining})
	f.refused(at(time.Hour), trunk.ErrOut)
	order(trunk.ActionLive, "alpha", time.Time{})
	f.refused(at(time.Hour), trunk.ErrDraining)
	require.Equal(t, trunk.Draining, f.status(start).State, "an order only restricts")
	f.set.Observe(&outdial.Event{Kind: outdial.EventStarted, Replay: true, Attempt: &outdial.Attempt{Candidate: *f.c}})
	require.Equal(t, 1, f.status(start).InUse, "a replayed attempt holds nothing")
}

func TestReclaim(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 3, MaxCall: time.Hour})
	require.Zero(t, f.set.Advance(start))
	seized := func(d time.Duration) outdial.Lease {
		l := f.acquire(at(d))
		_, err := f.set.Seize(at(d), nil, f.c, l)
		require.NoError(t, err)
		return l
	}
	a := seized(time.Minute)
	seized(2 * time.Minute)
	next := at(3 * time.Minute)
	for range 60 { // as it asks to be called
		next = f.set.Advance(next)
		if next.After(at(61*time.Minute - 1)) {
			break
		}
	}
	require.Equal(t, at(61*time.Minute), next)
	require.Equal(t, 2, f.status(next.Add(-1)).InUse)
	f.set.Advance(next)
	st := f.status(next)
	require.Equal(t, uint64(1), st.Reclaimed)
	require.Equal(t, 1, st.InUse)
	_, err := f.set.Seize(next, nil, f.c, a)
	require.ErrorIs(t, err, trunk.ErrStaleLease)
	f.acquire(next)
	f.set.Release(next, a)
	require.Equal(t, 2, f.status(next).InUse)
	require.Equal(t, []trunk.Alert{
		{Kind: trunk.AlertReclaimed, Trunk: f.c.Trunk, Name: "alpha", Time: at(61 * time.Minute), Value: 1, Limit: 1},
	}, f.set.Alerts(nil))

	// A channel whose call was never seized is seen by the sweep, and taken back MaxCall later.
	f.update(trunk.Limits{Channels: 3, MaxCall: time.Second})
	f.set.Advance(at(61 * time.Minute))
	f.set.Advance(at(61*time.Minute + time.Second - 1))
	require.Equal(t, 1, f.status(next).InUse, "the seized one is gone at once: a shorter MaxCall holds")
	f.set.Advance(at(61*time.Minute + time.Second))
	require.Zero(t, f.status(next).InUse)
}

func TestCPS(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: -1, CPS: 2})
	l := f.acquire(start)
	seize := func(d time.Duration, l outdial.Lease) (time.Time, error) { return f.set.Seize(at(d), nil, f.c, l) }
	for range 3 {
		_, err := seize(0, l)
		require.NoError(t, err, "one lease is one call")
	}
	require.Equal(t, 1, f.status(start).LastSecond)
	l2 := f.acquire(start)
	_, err := seize(400*time.Millisecond, l2)
	require.NoError(t, err)
	l3 := f.acquire(start)
	again, err := seize(500*time.Millisecond, l3)
	require.ErrorIs(t, err, trunk.ErrCPS)
	require.Equal(t, at(time.Second), again)
	_, err = seize(time.Second-1, l3)
	require.ErrorIs(t, err, trunk.ErrCPS)
	_, err = seize(time.Second, l3)
	require.NoError(t, err)
	require.Equal(t, uint64(2), f.status(at(time.Second)).Blocked.CPS)

	l4 := f.acquire(at(time.Second))
	again, err = seize(1100*time.Millisecond, l4)
	require.ErrorIs(t, err, trunk.ErrCPS)
	require.Equal(t, at(1400*time.Millisecond), again)
	f.set.Undo(at(1100*time.Millisecond), l3)
	_, err = seize(1100*time.Millisecond, l4)
	require.NoError(t, err, "what never left does not count")
	require.Equal(t, 3, f.status(start).InUse)

	_, err = seize(1200*time.Millisecond, 0)
	require.ErrorIs(t, err, trunk.ErrCPS, "without a lease it is counted all the same")
}

func TestCPSUpdate(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: -1, CPS: 1500})
	admitted := func(d time.Duration) (n int) {
		for ; ; n++ {
			if _, err := f.set.Seize(at(d), nil, f.c, 0); err != nil {
				return n
			}
		}
	}
	require.Equal(t, 1500, admitted(0))
	f.update(trunk.Limits{CPS: 100})
	require.Zero(t, admitted(900*time.Millisecond))
	f.update(trunk.Limits{CPS: 1600})
	require.Equal(t, 100, admitted(900*time.Millisecond), "raised: what left in the last second still counts")
	require.Equal(t, 1500, admitted(1900*time.Millisecond-1))
	f.update(trunk.Limits{CPS: -1})
	for range 30 {
		_, err := f.set.Seize(at(5*time.Second), nil, f.c, 0)
		require.NoError(t, err)
	}
	f.update(trunk.Limits{CPS: 40})
	require.Equal(t, 10, admitted(5500*time.Millisecond), "a first limit knows what left without one")
}

func TestSmooth(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: -1, CPS: 10, Smooth: 250 * time.Millisecond})
	var leases []outdial.Lease
	for i, want := range []time.Duration{0, 100, 200} {
		l := f.acquire(start)
		leases = append(leases, l)
		notBefore, err := f.set.Seize(start, nil, f.c, l)
		require.NoError(t, err)
		if i == 0 {
			require.Zero(t, notBefore)
			continue
		}
		require.Equal(t, at(want*time.Millisecond), notBefore)
		same, err := f.set.Seize(start, nil, f.c, l)
		require.NoError(t, err)
		require.Equal(t, notBefore, same)
	}
	l := f.acquire(start)
	again, err := f.set.Seize(start, nil, f.c, l)
	require.ErrorIs(t, err, trunk.ErrCPS)
	require.Equal(t, at(50*time.Millisecond), again)
	notBefore, err := f.set.Seize(again, nil, f.c, l)
	require.NoError(t, err)
	require.Equal(t, at(300*time.Millisecond), notBefore)

	f.set.Undo(again, l)
	l = f.acquire(again)
	notBefore, err = f.set.Seize(again, nil, f.c, l)
	require.NoError(t, err)
	require.Equal(t, at(300*time.Millisecond), notBefore, "the place of a call that never left is free again")
	f.set.Undo(again, leases[1])
	require.Equal(t, uint64(3), f.status(again).Seized)
}

// TestManualCallsAreNotHeldBack: agents wait for the calls that they dial. Those leave at once, so many a second as are kept
// for them, while bulk calls have all other places for seconds ahead; the limit holds over all, when it changes too.
func TestManualCallsAreNotHeldBack(t *testing.T) {
	manual := &outdial.Call{Mode: outdial.ModeManual, Priority: outdial.PriorityUrgent}
	for _, sustain := range []int{0, 8} {
		limits := trunk.Limits{Channels: -1, CPS: 10, Smooth: 3 * time.Second, Manual: 2, Sustain: sustain, SustainWindow: 5 * time.Second}
		f := newFixture(t, limits)
		var left []time.Time
		seize := func(now time.Time, call *outdial.Call) (time.Time, error) {
			leave, err := f.set.Seize(now, call, f.c, 0)
			if leave.IsZero() {
				leave = now
			}
			if err == nil {
				left = append(left, leave)
			}
			return leave, err
		}
		promptly, bulk := 0, 0
		for ms := 0; ms < 60_000; ms += 20 {
			now := at(time.Duration(ms) * time.Millisecond)
			if _, err := seize(now, nil); err == nil {
				bulk++
			}
			if ms%500 == 0 {
				leave, err := seize(now, manual)
				if sustain == 0 {
					require.NoError(t, err)
				}
				if err == nil && leave.Equal(now) {
					promptly++
				}
			}
			switch ms {
			case 20_000:
				require.NoError(t, f.order(now, trunk.ActionCPS, "6", time.Time{}))
			case 40_000:
				require.NoError(t, f.order(now, trunk.ActionCPS, "10", time.Time{}))
			}
		}
		if sustain == 0 {
			require.Greater(t, promptly, 90, "of 120")
			require.Greater(t, bulk, 8*18+4*18+8*18)
		}
		slices.SortFunc(left, time.Time.Compare)
		for i := range left {
			limit := 10
			if left[i].After(at(24*time.Second)) && left[i].Before(at(40*time.Second)) {
				limit = 6 // what had its place before keeps it, up to 4 s ahead
			}
			if i >= limit {
				require.GreaterOrEqual(t, left[i].Sub(left[i-limit]), time.Second)
			}
			if n := sustain * 5; n > 0 && i >= n {
				require.GreaterOrEqual(t, left[i].Sub(left[i-n]), 5*time.Second)
			}
		}
	}
	// Where none are kept, they are not starved: they come next after those that have their places.
	f := newFixture(t, trunk.Limits{Channels: -1, CPS: 10, Smooth: 3 * time.Second})
	for range 100 {
		_, _ = f.set.Seize(start, nil, f.c, 0)
	}
	leave, err := f.set.Seize(start, manual, f.c, 0)
	require.NoError(t, err)
	require.LessOrEqual(t, leave.Sub(start), 4*time.Second)
}

// TestQuotaHoldsNobodyElseUp: with Smooth, a tenant beyond its quota is refused, and takes no time from the others.
func TestQuotaHoldsNobodyElseUp(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: -1, CPS: 10, Smooth: 10 * time.Second, Quotas: []trunk.Quota{{Tenant: "noisy", CPS: 1}}})
	noisy := &outdial.Call{Tenant: f.ids.Tenants.ID("noisy")}
	for range 30 {
		_, _ = f.set.Seize(start, noisy, f.c, 0)
	}
	require.Equal(t, uint64(29), f.status(start).Blocked.Quota)
	leave, err := f.set.Seize(start, nil, f.c, 0)
	require.NoError(t, err)
	require.LessOrEqual(t, leave.Sub(start), 100*time.Millisecond)
}

// TestUndoGivesTheQuotaBack: a seizure that is undone counts for its tenant no more.
func TestUndoGivesTheQuotaBack(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 10, CPS: 10, Quotas: []trunk.Quota{{Tenant: "t", CPS: 1}}})
	call := &outdial.Call{Tenant: f.ids.Tenants.ID("t")}
	take := func() (outdial.Lease, error) {
		l, _, err := f.set.Acquire(start, call, f.c)
		require.NoError(t, err)
		_, err = f.set.Seize(start, call, f.c, l)
		return l, err
	}
	l, err := take()
	require.NoError(t, err)
	_, err = take()
	require.ErrorIs(t, err, trunk.ErrQuota)
	f.set.Undo(start, l)
	_, err = take()
	require.NoError(t, err)
}

// TestSustain: a lower rate on average than in any single second.
func TestSustain(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: -1, CPS: 5, Sustain: 2, SustainWindow: 10 * time.Second})
	n := 0
	for ms := range 10_000 {
		if _, err := f.set.Seize(at(time.Duration(ms)*time.Millisecond), nil, f.c, 0); err == nil {
			n++
		}
		if ms == 999 {
			require.Equal(t, 5, n)
		}
	}
	require.Equal(t, 20, n)
	_, cps := f.set.Headroom(at(9999*time.Millisecond), f.c.Trunk)
	require.Zero(t, cps)
}

func TestRecord(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 4, CPS: 9})
	call, record := &outdial.Call{}, &outdial.Record{}
	call.SetRecord(record)
	l, _, err := f.set.Acquire(start, call, f.c)
	require.NoError(t, err)
	_, err = f.set.Seize(start, call, f.c, l)
	require.NoError(t, err)
	id := f.c.Trunk
	require.Equal(t, []outdial.Reading{
		{Stage: outdial.StageTrunk, Trunk: id, Name: "in_use", Value: 1},
		{Stage: outdial.StageTrunk, Trunk: id, Name: "channels", Value: 4},
		{Stage: outdial.StageTrunk, Trunk: id, Name: "last_second", Value: 1},
		{Stage: outdial.StageTrunk, Trunk: id, Name: "cps", Value: 9},
	}, record.Readings())
}

func TestNoAllocation(t *testing.T) {
	if race.Enabled {
		t.Skip("allocation counts differ under the race detector")
	}
	f := newFixture(t, trunk.Limits{Channels: 1, CPS: -1})
	now, call := start, &outdial.Call{}
	full := newFixture(t, trunk.Limits{
		Channels: 2, CPS: -1, Floors: []trunk.Floor{{Campaign: "a", Channels: 1}}, Quotas: []trunk.Quota{{Channels: 1}},
		Queue: trunk.Queue{Length: 4}, Burst: trunk.Burst{Channels: 3, Budget: -1, From: outdial.PriorityUrgent},
	})
	mine, other, waits := full.campaign("a"), &outdial.Call{Tenant: full.ids.Tenants.ID("t")}, &outdial.Call{ID: 7}
	ev := &outdial.Event{Time: now, Attempt: &outdial.Attempt{
		Candidate: *full.c, Start: now, Channel: 1,
		Result: outdial.Result{Origin: outdial.OriginCarrier, Code: 503, Phrase: "channel limit reached"},
	}}
	for name, verb := range map[string]func(){
		"release": func() {
			l, _, _ := f.set.Acquire(now, call, f.c)
			f.set.Release(now, l)
		},
		"seize": func() {
			l, _, _ := f.set.Acquire(now, call, f.c)
			_, _ = f.set.Seize(now, call, f.c, l)
			f.set.Undo(now, l)
		},
		"refusal": func() {
			l, _, _ := f.set.Acquire(now, call, f.c)
			_, _, _ = f.set.Acquire(now, call, f.c)
			f.set.Release(now, l)
		},
		"advance": func() { f.set.Advance(now) },
		"floors, quota and queue": func() {
			l, _, _ := full.set.Acquire(now, mine, full.c)
			_, _, _ = full.set.Acquire(now, other, full.c)
			_, _, _ = full.set.Acquire(now, waits, full.c)
			_, _ = full.set.Seize(now, mine, full.c, l)
			full.set.Leave(now, waits, full.c)
			full.set.Undo(now, l)
		},
		"reads": func() {
			full.set.Headroom(now, full.c.Trunk)
			full.set.BurstPrice(now, full.c.Trunk)
			full.set.Pressure(outdial.PriorityNormal)
		},
		"observe": func() {
			for _, kind := range []outdial.EventKind{outdial.EventStarted, outdial.EventProgressed, outdial.EventEnded} {
				ev.Kind = kind
				full.set.Observe(ev)
			}
		},
		"status": func() { f.set.Status(now, f.c.Trunk) },
	} {
		require.Zero(t, testing.AllocsPerRun(100, verb), name)
	}
}
