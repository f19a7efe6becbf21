package cli_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/internal/race"
)

var t0 = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return t0.Add(d) }

// num is a number of the North American plan.
func num(area, line int) outdial.Number {
	return outdial.Number(1e10 + uint64(area)*1e7 + 5550000 + uint64(line))
}

var callee = outdial.MustNumber("+12125559999")

// noLimits is for tests that are about something else.
func noLimits() cli.Limits { return cli.Limits{Caps: []cli.Cap{}, Spacing: -1} }

func owned(pool string, ns ...outdial.Number) (list []cli.NumberConfig) {
	for _, n := range ns {
		list = append(list, cli.NumberConfig{Number: n, Pool: pool, Evidence: "LOA 1"})
	}
	return list
}

func survey(ids *outdial.Registry, ns ...outdial.Number) cli.Config {
	return cli.Config{
		IDs:     ids,
		Pools:   []cli.PoolConfig{{Name: "survey", Program: "survey"}},
		Numbers: owned("survey", ns...),
		Sticky:  cli.Sticky{Strict: -1}, // what it does has tests of its own
	}
}

func mustNew(t require.TestingT, cfg cli.Config) *cli.Governor {
	g, err := cli.New(cfg)
	require.NoError(t, err)
	return g
}

func callTo(ids *outdial.Registry, program string, to outdial.Number) *outdial.Call {
	return &outdial.Call{To: to, Program: ids.Programs.ID(program)}
}

func TestCapsAndSpacing(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1))
	cfg.Limits = cli.Limits{Caps: []cli.Cap{{2, time.Minute}, {3, time.Hour}}, Spacing: 10 * time.Second}
	cfg.Callee = []cli.Cap{}
	g := mustNew(t, cfg)
	call, c := callTo(&ids, "survey", callee), &outdial.Candidate{}
	for _, step := range []struct {
		at    time.Duration
		again time.Duration // 0 = granted
	}{
		{0, 0},
		{time.Second, 10 * time.Second}, // spacing
		{10 * time.Second, 0},
		{20 * time.Second, time.Minute}, // 2 a minute, the first at 0
		{time.Minute - 1, time.Minute},
		{time.Minute, 0},
		{5 * time.Minute, time.Hour}, // 3 an hour
		{time.Hour - 1, time.Hour},
		{time.Hour, 0},
		{time.Hour + time.Second, time.Hour + 10*time.Second},
	} {
		p, again, err := g.Reserve(at(step.at), call, c, 0)
		if step.again == 0 {
			require.NoError(t, err, "at %v", step.at)
			require.Equal(t, num(212, 1), p.Number)
			g.Release(at(step.at), p.Lease)
			continue
		}
		require.ErrorIs(t, err, cli.ErrCaps, "at %v", step.at)
		require.Equal(t, at(step.again), again, "at %v", step.at)
	}
}

func TestConcurrentCalls(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1))
	cfg.Limits = cli.Limits{Caps: []cli.Cap{}, Spacing: -1, Concurrent: 2}
	cfg.Callee = []cli.Cap{}
	g := mustNew(t, cfg)
	call, c := callTo(&ids, "survey", callee), &outdial.Candidate{}
	p1, _, err := g.Reserve(t0, call, c, 0)
	require.NoError(t, err)
	p2, _, err := g.Reserve(t0, call, c, 0)
	require.NoError(t, err)
	_, again, err := g.Reserve(t0, call, c, 0)
	require.ErrorIs(t, err, cli.ErrCaps)
	require.Zero(t, again)
	g.Release(t0, p1.Lease)
	g.Release(t0, p1.Lease) // twice
	p3, _, err := g.Reserve(t0, call, c, 0)
	require.NoError(t, err)
	g.Undo(t0, p1.Lease) // stale, though its slot is in use again
	_, _, err = g.Reserve(t0, call, c, 0)
	require.ErrorIs(t, err, cli.ErrCaps)
	g.Release(t0, p2.Lease)
	g.Release(t0, p3.Lease)
	s, ok := g.Number(t0, num(212, 1))
	require.True(t, ok)
	require.Zero(t, s.InFlight)
	g.Release(t0, 0)
	g.Release(t0, ^outdial.Lease(0))
}

func TestThroughEngine(t *testing.T) {
	var ids outdial.Registry
	g := mustNew(t, survey(&ids, num(212, 1)))
	e, err := outdial.New(outdial.Config{
		IDs: &ids, Router: outdial.Plan{{Trunk: ids.Trunks.ID("t"), Carrier: ids.Carriers.ID("alpha")}}, CLIs: g,
	})
	require.NoError(t, err)
	s := e.NewSession()
	for i := range 2 {
		now := at(time.Duration(i) * time.Hour)
		require.NoError(t, s.Begin(now, *callTo(&ids, "survey", callee)))
		step, err := s.Next(now)
		require.NoError(t, err)
		require.Equal(t, num(212, 1), step.Attempt.CLI)
		n, _ := g.Number(now, num(212, 1))
		require.Equal(t, []int{1, i + 1}, []int{n.InFlight, n.Uses[2].Used})
		require.NoError(t, s.End(now, step.Attempt.ID, outdial.Result{
			Origin: outdial.OriginCarrier, Code: 603 + uint16(4*i), Phrase: "Decline",
		}))
		n, _ = g.Number(now, num(212, 1))
		require.Zero(t, n.InFlight)
	}
	err = s.Begin(at(2*time.Hour), *callTo(&ids, "survey", callee))
	require.ErrorIs(t, err, cli.ErrSuppressed, "607 ended the last call")
}

func TestRightToUse(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1), num(212, 2))
	cfg.Limits, cfg.Callee, cfg.Sticky.Mode = noLimits(), []cli.Cap{}, cli.StickyOff
	cfg.Numbers[0].Evidence = " "
	cfg.Numbers[1].Expires = at(time.Hour)
	g := mustNew(t, cfg)
	call, c := callTo(&ids, "survey", callee), &outdial.Candidate{}
	p, _, err := g.Reserve(at(time.Hour-time.Second), call, c, 0)
	require.NoError(t, err)
	require.Equal(t, num(212, 2), p.Number)
	_, again, err := g.Reserve(at(time.Hour), call, c, 0)
	require.ErrorIs(t, err, cli.ErrRight)
	require.Zero(t, again)
	_, _, err = g.Reserve(at(time.Hour), call, c, num(212, 2))
	require.ErrorIs(t, err, cli.ErrRight, "also for a further attempt")
	cfg.Numbers[1].Expires = at(2 * time.Hour)
	require.NoError(t, g.Update(cfg))
	_, _, err = g.Reserve(at(time.Hour), call, c, 0)
	require.NoError(t, err)
}

func TestStates(t *testing.T) {
	for s := cli.StateUnset; s <= cli.StateReleased; s++ {
		var ids outdial.Registry
		cfg := survey(&ids, num(212, 1))
		cfg.Numbers[0].State = s
		g := mustNew(t, cfg)
		_, _, err := g.Reserve(t0, callTo(&ids, "survey", callee), &outdial.Candidate{}, 0)
		if s == cli.StateUnset || s.Presentable() {
			require.NoError(t, err, s)
		} else {
			require.ErrorIs(t, err, cli.ErrNoNumber, s)
		}
	}
}

func control(now time.Time, action, target, value string, expires time.Time) *outdial.Event {
	return &outdial.Event{Kind: outdial.EventControl, Time: now, Control: &outdial.Control{
		Actor: "ops", Action: action, Target: target, Value: value, Reason: "complaints", Expires: expires,
	}}
}

func TestQuarantine(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1))
	cfg.Limits, cfg.Callee = noLimits(), []cli.Cap{}
	g := mustNew(t, cfg)
	call, c := callTo(&ids, "survey", callee), &outdial.Candidate{}
	try := func(d time.Duration) (time.Time, error) {
		_, again, err := g.Reserve(at(d), call, c, 0)
		return again, err
	}
	number := num(212, 1).String()
	g.Observe(control(t0, cli.ActionQuarantine, number, "", at(time.Hour)))
	again, err := try(0)
	require.ErrorIs(t, err, cli.ErrNoNumber)
	require.Equal(t, at(time.Hour), again)
	s, _ := g.Number(t0, num(212, 1))
	require.Equal(t, cli.StateQuarantined, s.State)
	require.Equal(t, &cli.Hold{Actor: "ops", Reason: "complaints", Since: t0, Expires: at(time.Hour)}, s.Hold)
	require.NoError(t, g.Update(cfg))
	_, err = try(time.Minute)
	require.ErrorIs(t, err, cli.ErrNoNumber, "a reload does not release it")
	_, err = try(time.Hour)
	require.NoError(t, err)

	g.Observe(control(at(time.Hour), cli.ActionQuarantine, number, "", time.Time{}))
	again, err = try(1000 * time.Hour)
	require.ErrorIs(t, err, cli.ErrNoNumber)
	require.Zero(t, again)
	g.Observe(control(at(1000*time.Hour), cli.ActionRelease, number, "", time.Time{}))
	_, err = try(1000 * time.Hour)
	require.NoError(t, err)
	// What cannot be read is ignored.
	g.Observe(control(t0, cli.ActionQuarantine, "nonsense", "", time.Time{}))
	g.Observe(control(t0, "trunk.drain", number, "", time.Time{}))

	// A quarantine holds for a number that is configured later.
	late := num(212, 7)
	g.Observe(control(at(1000*time.Hour), cli.ActionQuarantine, late.String(), "", time.Time{}))
	require.NoError(t, g.Update(survey(&ids, late)))
	_, err = try(1000 * time.Hour)
	require.ErrorIs(t, err, cli.ErrNoNumber)
}

func TestClockBackwards(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1))
	cfg.Limits, cfg.Callee = cli.Limits{Caps: []cli.Cap{{2, time.Hour}}, Spacing: -1}, []cli.Cap{}
	g := mustNew(t, cfg)
	call, c := callTo(&ids, "survey", callee), &outdial.Candidate{}
	_, _, err := g.Reserve(t0, call, c, 0)
	require.NoError(t, err)
	_, _, err = g.Reserve(at(-2*time.Hour), call, c, 0) // counted at t0
	require.NoError(t, err)
	_, again, err := g.Reserve(at(-time.Hour), call, c, 0)
	require.ErrorIs(t, err, cli.ErrCaps)
	require.Equal(t, at(time.Hour), again)
	_, _, err = g.Reserve(at(time.Hour-1), call, c, 0)
	require.ErrorIs(t, err, cli.ErrCaps)
	_, _, err = g.Reserve(at(time.Hour), call, c, 0)
	require.NoError(t, err)
}

func TestAdvance(t *testing.T) {
	var ids outdial.Registry
	g := mustNew(t, survey(&ids, num(212, 1)))
	require.Zero(t, g.Advance(t0))
	_, _, err := g.Reserve(t0, callTo(&ids, "survey", callee), &outdial.Candidate{}, 0)
	require.NoError(t, err)
	require.Equal(t, at(30*time.Second), g.Advance(t0))
	require.Equal(t, 1, g.Snapshot(t0).Pools[0].Waiting)
	require.Zero(t, g.Advance(at(30*time.Second)))
	require.Equal(t, 1, g.Snapshot(at(30 * time.Second)).Pools[0].Ready)
}

func TestNothingAllocates(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	g, calls := bigPool(t, 10_000)
	c := &outdial.Candidate{}
	now, i := t0, 0
	step := func() {
		now = now.Add(time.Millisecond)
		call := &calls[i%len(calls)]
		i++
		if _, err := g.Admit(now, call); err != nil {
			return
		}
		p, _, err := g.Reserve(now, call, c, 0)
		if err != nil {
			return
		}
		if i%3 == 0 {
			g.Undo(now, p.Lease)
		} else {
			g.Release(now, p.Lease)
		}
	}
	for range 2 * len(calls) {
		step()
	}
	require.Zero(t, testing.AllocsPerRun(20_000, step))
}
