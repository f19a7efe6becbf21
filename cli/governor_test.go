package cli_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
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

func TestTiers(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids)
	cfg.Limits, cfg.Callee, cfg.Sticky.Mode = noLimits(), []cli.Cap{}, cli.StickyOff
	cfg.Limits.Concurrent = 1
	add := func(n outdial.Number, country, region string) {
		cfg.Numbers = append(cfg.Numbers, cli.NumberConfig{
			Number: n, Pool: "survey", Evidence: "LOA", Country: country, Region: region,
		})
	}
	london := outdial.MustNumber("+442079460000")
	add(london, "GB", "")
	add(num(415, 1), "US", "CA")
	add(num(646, 1), "US", "NY")
	add(num(212, 1), "US", "NY")
	g := mustNew(t, cfg)
	call, c := callTo(&ids, "survey", callee), &outdial.Candidate{}
	call.SetRecord(new(outdial.Record))
	for _, want := range []struct {
		n    outdial.Number
		tier string
	}{{num(212, 1), "area"}, {num(646, 1), "region"}, {num(415, 1), "country"}, {london, "pool"}} {
		call.Record().Reset()
		p, _, err := g.Reserve(t0, call, c, 0)
		require.NoError(t, err)
		require.Equal(t, want.n, p.Number)
		readings := map[string]string{}
		for _, r := range call.Record().Readings() {
			readings[r.Name] = r.Text
		}
		require.Equal(t, want.tier, readings["tier"])
		require.Equal(t, want.n.String(), readings["number"])
	}
	// A callee whose area no number tells about is found by the country that numbering gives.
	g = mustNew(t, cfg)
	call = callTo(&ids, "survey", num(907, 1))
	call.Dest.Country = [2]byte{'U', 'S'}
	p, _, err := g.Reserve(t0, call, c, 0)
	require.NoError(t, err)
	require.Equal(t, num(415, 1), p.Number)
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

func TestIsolation(t *testing.T) {
	var ids outdial.Registry
	cfg := cli.Config{
		IDs: &ids,
		Pools: []cli.PoolConfig{
			{Name: "a", Program: "A"}, {Name: "a2", Program: "A"}, {Name: "b", Program: "B"},
		},
		Campaigns: []cli.CampaignConfig{{Campaign: "autumn", Pool: "a2"}},
		Limits:    cli.Limits{Caps: []cli.Cap{{1, time.Hour}}, Spacing: -1},
		Numbers: append(append(owned("a", num(212, 1)), owned("a2", num(212, 2))...),
			append(owned("b", num(212, 3), num(212, 4)), owned("", num(212, 5))...)...),
	}
	g := mustNew(t, cfg)
	pool := ids.Pools.ID
	reserve := func(program, campaign, inPool string) (outdial.Number, error) {
		call := callTo(&ids, program, num(305, ids.Campaigns.Len()))
		call.Campaign = ids.Campaigns.ID(campaign)
		p, _, err := g.Reserve(t0, call, &outdial.Candidate{Pool: pool(inPool)}, 0)
		return p.Number, err
	}
	n, err := reserve("A", "", "")
	require.NoError(t, err)
	require.Equal(t, num(212, 1), n)
	_, err = reserve("A", "", "")
	require.ErrorIs(t, err, cli.ErrCaps, "overflow stays within the pool")
	_, err = reserve("A", "", "b")
	require.ErrorIs(t, err, cli.ErrForeignPool)
	_, err = reserve("B", "autumn", "")
	require.ErrorIs(t, err, cli.ErrForeignPool)
	n, err = reserve("A", "autumn", "")
	require.NoError(t, err)
	require.Equal(t, num(212, 2), n)
	_, err = reserve("A", "", "none such")
	require.ErrorIs(t, err, cli.ErrNoPool)
	_, err = reserve("", "", "")
	require.ErrorIs(t, err, cli.ErrNoPool)
	_, err = g.Admit(t0, callTo(&ids, "C", callee))
	require.ErrorIs(t, err, cli.ErrNoPool)
}

func TestCallee(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1), num(212, 2))
	cfg.Pools = append(cfg.Pools, cli.PoolConfig{Name: "other", Program: "other"})
	cfg.Limits, cfg.Callee = noLimits(), []cli.Cap{{2, time.Hour}}
	g := mustNew(t, cfg)
	call, c := callTo(&ids, "survey", callee), &outdial.Candidate{}
	place := func(d time.Duration, id outdial.CallID, prev outdial.Number) (outdial.Presentation, time.Time, error) {
		call.ID = id
		return g.Reserve(at(d), call, c, prev)
	}
	p, _, err := place(0, 1, 0)
	require.NoError(t, err)
	_, _, err = place(time.Second, 1, p.Number)
	require.NoError(t, err, "attempts of one call count once")
	p2, _, err := place(time.Minute, 2, 0)
	require.NoError(t, err)
	_, again, err := place(2*time.Minute, 3, 0)
	require.ErrorIs(t, err, cli.ErrCallee)
	require.Equal(t, at(time.Hour), again)
	call.ID = 3
	again, err = g.Admit(at(2*time.Minute), call)
	require.ErrorIs(t, err, cli.ErrCallee)
	require.Equal(t, at(time.Hour), again)
	_, err = g.Admit(at(2*time.Minute), callTo(&ids, "other", callee))
	require.NoError(t, err, "another program counts for itself")
	g.Undo(at(2*time.Minute), p2.Lease)
	_, _, err = place(3*time.Minute, 4, 0)
	require.NoError(t, err, "what was undone does not count")
}

func TestCalleeMemory(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1))
	cfg.Limits, cfg.MaxCallees = noLimits(), 2
	cfg.Callee = []cli.Cap{{1, time.Hour}}
	g := mustNew(t, cfg)
	c := &outdial.Candidate{}
	reserve := func(d time.Duration, line int) (time.Time, error) {
		_, again, err := g.Reserve(at(d), callTo(&ids, "survey", num(305, line)), c, 0)
		return again, err
	}
	for i := range 2 {
		_, err := reserve(time.Duration(i)*time.Minute, i)
		require.NoError(t, err)
	}
	again, err := reserve(2*time.Minute, 2)
	require.ErrorIs(t, err, cli.ErrCalleeMemory, "nobody is forgotten who still counts")
	require.Equal(t, at(time.Hour), again)
	_, err = reserve(time.Hour, 2)
	require.NoError(t, err)
	s := g.Snapshot(at(time.Hour)).Programs[0]
	require.Equal(t, 2, s.Callees)
	require.EqualValues(t, 1, s.Evicted)
}

func TestSticky(t *testing.T) {
	for _, mode := range []cli.StickyMode{cli.StickyPrefer, cli.StickyStrict, cli.StickyOff} {
		t.Run(mode.String(), func(t *testing.T) {
			var ids outdial.Registry
			cfg := survey(&ids, num(212, 1), num(212, 2), num(212, 3))
			cfg.Limits = cli.Limits{Caps: []cli.Cap{{1, time.Minute}}, Spacing: -1}
			cfg.Sticky = cli.Sticky{Mode: mode, TTL: time.Hour}
			cfg.Callee = []cli.Cap{}
			g := mustNew(t, cfg)
			call, c := callTo(&ids, "survey", callee), &outdial.Candidate{}
			reserve := func(d time.Duration) (outdial.Number, time.Time, error) {
				p, again, err := g.Reserve(at(d), call, c, 0)
				return p.Number, again, err
			}
			first, _, err := reserve(0)
			require.NoError(t, err)
			n, again, err := reserve(30 * time.Second)
			if mode == cli.StickyStrict {
				require.ErrorIs(t, err, cli.ErrSticky)
				require.Equal(t, at(time.Minute), again)
				n, _, err = reserve(time.Minute)
				require.NoError(t, err)
				require.Equal(t, first, n)
				return
			}
			require.NoError(t, err)
			require.NotEqual(t, first, n)
			third, _, err := reserve(10 * time.Minute)
			require.NoError(t, err)
			if mode == cli.StickyPrefer {
				require.Equal(t, n, third, "the number that the callee saw last")
				fourth, _, err := reserve(10*time.Minute + time.Hour)
				require.NoError(t, err)
				require.NotEqual(t, third, fourth, "forgotten after the TTL")
			} else {
				require.NotEqual(t, n, third)
			}
		})
	}
}

func TestFailoverKeepsNumber(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1), num(212, 2))
	cfg.Numbers[0].Carriers = []string{"alpha", "beta"}
	cfg.Numbers[1].Carriers = []string{"gamma", "beta"}
	cfg.Limits.Caps = []cli.Cap{{2, time.Hour}}
	g := mustNew(t, cfg)
	call := callTo(&ids, "survey", callee)
	on := func(carrier string) *outdial.Candidate { return &outdial.Candidate{Carrier: ids.Carriers.ID(carrier)} }
	p, _, err := g.Reserve(t0, call, on("alpha"), 0)
	require.NoError(t, err)
	require.Equal(t, num(212, 1), p.Number)
	p, _, err = g.Reserve(at(time.Second), call, on("beta"), p.Number)
	require.NoError(t, err, "spacing does not hold within a call")
	require.Equal(t, num(212, 1), p.Number)
	s, _ := g.Number(at(time.Second), num(212, 1))
	require.Equal(t, 2, s.Uses[0].Used, "one more exposure")
	p, _, err = g.Reserve(at(2*time.Second), call, on("gamma"), p.Number)
	require.NoError(t, err)
	require.Equal(t, num(212, 2), p.Number, "a number goes to no carrier that does not accept it")
	_, _, err = g.Reserve(at(3*time.Second), call, on("delta"), p.Number)
	require.ErrorIs(t, err, cli.ErrCarrier)

	cfg.Sticky.Mode = cli.StickyStrict
	require.NoError(t, g.Update(cfg))
	_, _, err = g.Reserve(at(3*time.Second), call, on("alpha"), num(212, 2))
	require.ErrorIs(t, err, cli.ErrSticky)
}

func TestBlocksSuppress(t *testing.T) {
	for _, tc := range []struct {
		name   string
		result outdial.Result
		want   bool
	}{
		{"607", outdial.Result{Code: 607}, true},
		{"608", outdial.Result{Code: 608}, true},
		{"603+", outdial.Result{Code: 603, Phrase: "Network Blocked", Text: "v=analytics1;url=https://x"}, true},
		{"603+ in other case", outdial.Result{Code: 603, Phrase: "NETWORK BLOCKED", Text: "V=Analytics1"}, true},
		{"603 decline", outdial.Result{Code: 603, Phrase: "Decline"}, false},
		{"603 phrase alone", outdial.Result{Code: 603, Phrase: "Network Blocked"}, false},
		{"486", outdial.Result{Code: 486}, false},
	} {
		for _, replay := range []bool{false, true} {
			var ids outdial.Registry
			cfg := survey(&ids, num(212, 1))
			cfg.Pools = append(cfg.Pools, cli.PoolConfig{Name: "other", Program: "other"})
			g := mustNew(t, cfg)
			call := callTo(&ids, "survey", callee)
			g.Observe(&outdial.Event{
				Kind: outdial.EventEnded, Time: t0, Replay: replay,
				Attempt: &outdial.Attempt{Call: *call, Result: tc.result},
			})
			_, err := g.Admit(at(1000*time.Hour), call)
			_, _, err2 := g.Reserve(at(1000*time.Hour), call, &outdial.Candidate{}, 0)
			if !tc.want {
				require.NoError(t, err, tc.name)
				require.NoError(t, err2, tc.name)
				continue
			}
			require.ErrorIs(t, err, cli.ErrSuppressed, tc.name)
			require.ErrorIs(t, err2, cli.ErrSuppressed, tc.name)
			_, err = g.Admit(t0, callTo(&ids, "other", callee))
			require.NoError(t, err)
			g.Observe(control(t0, cli.ActionUnsuppress, callee.String(), "survey", time.Time{}))
			_, err = g.Admit(at(1000*time.Hour), call)
			require.NoError(t, err)
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

func TestUpdateKeepsCounts(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1))
	cfg.Limits, cfg.Callee = cli.Limits{Caps: []cli.Cap{{2, time.Hour}}, Spacing: -1}, []cli.Cap{}
	g := mustNew(t, cfg)
	call, c := callTo(&ids, "survey", callee), &outdial.Candidate{}
	held, _, err := g.Reserve(t0, call, c, 0)
	require.NoError(t, err)
	_, _, err = g.Reserve(at(time.Minute), call, c, 0)
	require.NoError(t, err)

	bad := cfg
	bad.Numbers = append(bad.Numbers[:1:1], bad.Numbers[0])
	require.ErrorContains(t, g.Update(bad), "one pool only")
	other := cfg
	other.IDs = new(outdial.Registry)
	require.Error(t, g.Update(other))

	empty := cfg
	empty.Numbers = nil
	require.NoError(t, g.Update(empty))
	_, _, err = g.Reserve(at(time.Minute), call, c, 0)
	require.ErrorIs(t, err, cli.ErrNoNumber)
	g.Release(at(time.Minute), held.Lease) // of a number that is no longer configured

	moved := cfg
	moved.Pools = []cli.PoolConfig{{
		Name: "another", Program: "survey", Limits: cli.Limits{Caps: []cli.Cap{{3, time.Hour}, {5, 24 * time.Hour}}},
	}}
	moved.Numbers = owned("another", num(212, 1))
	require.NoError(t, g.Update(moved))
	s, _ := g.Number(at(time.Minute), num(212, 1))
	require.Equal(t, []cli.Use{{cli.Cap{Max: 3, Window: time.Hour}, 2}, {cli.Cap{Max: 5, Window: 24 * time.Hour}, 2}}, s.Uses)
	require.Equal(t, 1, s.InFlight, "the released one counts no more")
	_, _, err = g.Reserve(at(2*time.Minute), call, c, 0)
	require.NoError(t, err)
	_, again, err := g.Reserve(at(3*time.Minute), call, c, 0)
	require.ErrorIs(t, err, cli.ErrCaps)
	require.Equal(t, at(time.Hour), again)
}

func TestLongerMemoryCountsWhatIsNotKnown(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1))
	cfg.Limits, cfg.Callee = cli.Limits{Caps: []cli.Cap{{1, time.Minute}}, Spacing: -1}, []cli.Cap{{1, time.Minute}}
	g := mustNew(t, cfg)
	call, c := callTo(&ids, "survey", callee), &outdial.Candidate{}
	for i := range 3 {
		_, _, err := g.Reserve(at(time.Duration(i)*time.Minute), call, c, 0)
		require.NoError(t, err)
	}
	cfg.Limits.Caps = []cli.Cap{{3, time.Hour}}
	cfg.Callee = []cli.Cap{}
	require.NoError(t, g.Update(cfg))
	_, again, err := g.Reserve(at(4*time.Minute), call, c, 0)
	require.ErrorIs(t, err, cli.ErrCaps, "three uses were made within the hour, though one alone was remembered")
	require.False(t, again.Before(at(time.Hour)))

	g = mustNew(t, survey(&ids, num(212, 1)))
	cfg.Limits, cfg.Callee = noLimits(), []cli.Cap{{1, time.Minute}}
	require.NoError(t, g.Update(cfg))
	for i := range 3 {
		_, _, err := g.Reserve(at(time.Duration(i)*time.Minute), call, c, 0)
		require.NoError(t, err)
	}
	cfg.Callee = []cli.Cap{{3, time.Hour}}
	require.NoError(t, g.Update(cfg))
	_, err = g.Admit(at(4*time.Minute), call)
	require.ErrorIs(t, err, cli.ErrCallee)
}

func TestConfigErrors(t *testing.T) {
	_, err := cli.New(cli.Config{
		Secret:     []byte("short"),
		Limits:     cli.Limits{Caps: []cli.Cap{{0, time.Hour}}, Spacing: 1000 * 24 * time.Hour},
		Sticky:     cli.Sticky{Mode: 9, TTL: 1000 * 24 * time.Hour},
		Callee:     []cli.Cap{{100, time.Hour}},
		MaxCallees: -1,
		Pools:      []cli.PoolConfig{{Name: "p", Program: "x"}, {Name: "p"}, {}},
		Campaigns:  []cli.CampaignConfig{{"c", "p"}, {"c", "q"}, {}},
		Numbers: []cli.NumberConfig{
			{Number: 1, Pool: "nope", State: 77, Type: 77, Country: "us", Area: 44, Carriers: []string{""}},
			{Number: num(212, 1)},
			{Number: num(212, 1)},
		},
	})
	require.Error(t, err)
	for _, want := range []string{
		"IDs: required", "Secret: 5 bytes", "Limits.Caps[0]", "Limits.Spacing", "Sticky.Mode", "Sticky.TTL",
		"Callee[0]: 100 calls", "MaxCallees", `Pools[1] "p": Name: given twice`, `Pools[1] "p": Program: required`,
		`Pools[2] "": Name: required`, `Campaigns[1] "c": Campaign: given twice`, `Campaigns[1] "c": Pool: "q"`,
		`Campaigns[2] "": Campaign: required`, "Numbers[0] +1: Number", "Numbers[0] +1: Pool", "Numbers[0] +1: State",
		"Numbers[0] +1: Type", "Numbers[0] +1: Country", "Numbers[0] +1: Area", "Numbers[0] +1: Carriers",
		"Numbers[2] +12125550001: Number: given twice",
	} {
		require.ErrorContains(t, err, want)
	}
	require.Len(t, strings.Split(err.Error(), "\n"), 24)
}

// TestCapacityExactly has many goroutines ask at one instant: what is granted is the capacity, no more and no less.
func TestCapacityExactly(t *testing.T) {
	const numbers, most, tries = 500, 10, 300
	var ids outdial.Registry
	cfg := survey(&ids)
	for i := range numbers {
		cfg.Numbers = append(cfg.Numbers, owned("survey", num(200+i%50, i))...)
	}
	cfg.Limits, cfg.Callee = cli.Limits{Caps: []cli.Cap{{most, time.Hour}}, Spacing: -1}, []cli.Cap{{2, time.Hour}}
	g := mustNew(t, cfg)
	granted := make([]map[outdial.Number]int, 64)
	for hour := range 3 {
		var wg sync.WaitGroup
		for w := range granted {
			wg.Go(func() {
				granted[w] = map[outdial.Number]int{}
				c := &outdial.Candidate{}
				for i := range tries {
					call := callTo(&ids, "survey", num(200+i%60, 5000+w*tries+i))
					p, _, err := g.Reserve(at(time.Duration(hour)*time.Hour), call, c, 0)
					if err != nil {
						if err != cli.ErrCaps {
							panic(fmt.Sprint("unexpected: ", err))
						}
						continue
					}
					granted[w][p.Number]++
					g.Release(at(time.Duration(hour)*time.Hour), p.Lease)
				}
			})
		}
		wg.Wait()
		total := map[outdial.Number]int{}
		for _, m := range granted {
			for n, k := range m {
				total[n] += k
			}
		}
		require.Len(t, total, numbers)
		for n, k := range total {
			require.Equal(t, most, k, n)
		}
	}
}

// TestCalleeExactly has many goroutines call one callee at one instant.
func TestCalleeExactly(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1), num(212, 2))
	cfg.Limits = noLimits()
	g := mustNew(t, cfg)
	granted := make([]int, 16)
	var wg sync.WaitGroup
	for w := range granted {
		wg.Go(func() {
			for i := range 20 {
				call := callTo(&ids, "survey", callee)
				call.ID = outdial.CallID(1 + w*20 + i)
				if _, err := g.Admit(t0, call); err != nil {
					continue
				}
				if _, _, err := g.Reserve(t0, call, &outdial.Candidate{}, 0); err == nil {
					granted[w]++
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, k := range granted {
		sum += k
	}
	require.Equal(t, 3, sum)
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

// TestManyDue lets more numbers become ready at once than one Reserve settles: the nearest is found all the same.
func TestManyDue(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids)
	for i := range 100 {
		cfg.Numbers = append(cfg.Numbers, owned("survey", num(300+i, 1))...)
	}
	cfg.Numbers = append(cfg.Numbers, owned("survey", num(212, 1))...)
	g := mustNew(t, cfg)
	for i := range 100 {
		_, _, err := g.Reserve(t0, callTo(&ids, "survey", num(300+i, 9)), &outdial.Candidate{}, 0)
		require.NoError(t, err)
	}
	_, _, err := g.Reserve(at(time.Second), callTo(&ids, "survey", callee), &outdial.Candidate{}, 0)
	require.NoError(t, err)
	p, _, err := g.Reserve(at(time.Hour), callTo(&ids, "survey", num(212, 1234)), &outdial.Candidate{}, 0)
	require.NoError(t, err)
	require.Equal(t, num(212, 1), p.Number)
}

func TestNothingAllocates(t *testing.T) {
	if raceEnabled {
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
