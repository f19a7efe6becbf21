package cli_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/kpi/cdr"
)

// busyFleet is a fleet that has gone through everything that is kept.
func busyFleet(t testing.TB) *fleet {
	f := newFleet(t, 12, func(cfg *cli.Config) {
		cfg.Secret = []byte("0123456789abcdef")
		cfg.Numbers[1].State = cli.StateWarming
		cfg.Tenants = []cli.TenantConfig{{Tenant: "acme", Quotas: []cli.Cap{{50, time.Hour}}}}
		cfg.Pools[0].Budgets = []cli.Budget{{Region: "NY", Cap: cli.Cap{30, time.Hour}}}
		cfg.Numbers[2].Region = "NY"
	})
	for i := range 2000 {
		f.now = f.now.Add(20 * time.Second)
		n := f.cfg.Numbers[i%12].Number
		switch {
		case i%12 == 3 && i%5 == 0:
			f.call(n, blocked, 0)
		case i%12 == 5 && i > 1000:
			f.call(n, busy, 0)
		case i%401 == 0:
			f.observe(outdial.Event{Kind: outdial.EventLabelled, Time: f.now, Label: &outdial.Label{Number: n, Engine: "x", Status: outdial.LabelMixed}})
		case i%10 == 0:
			f.call(n, hungUp, time.Minute)
		default:
			f.answers(n, .3)
		}
		if i%7 == 0 {
			call := callTo(f.ids, "survey", num(500, i))
			call.Tenant = f.ids.Tenants.ID("acme")
			if p, _, err := f.g.Reserve(f.now, call, &outdial.Candidate{}, 0); err == nil {
				f.g.Release(f.now, p.Lease)
			}
		}
	}
	f.observe(*control(f.now, cli.ActionQuarantine, num(208, 8).String(), "", f.now.Add(time.Hour)))
	f.observe(*control(f.now, cli.ActionSuppress, num(600, 77).String(), "survey", time.Time{}))
	return f
}

// TestRestore: what was saved is there again, under other ids, and goes on alike.
func TestRestore(t *testing.T) {
	f := busyFleet(t)
	file, err := f.g.Save(77)
	require.NoError(t, err)

	cfg := f.cfg
	cfg.IDs = new(outdial.Registry)
	cfg.IDs.Programs.ID("another")
	cfg.IDs.Pools.ID("another")
	again, err := cli.Restore(cfg, file)
	require.NoError(t, err)
	require.EqualValues(t, 77, again.Resumed())
	want, got := f.g.Snapshot(f.now), again.Snapshot(f.now)
	for i := range want.Pools {
		require.Equal(t, want.Pools[i].Name, got.Pools[i].Name)
		got.Pools[i].ID = want.Pools[i].ID
	}
	for i := range want.Programs {
		got.Programs[i].ID = want.Programs[i].ID
	}
	require.Equal(t, want, got)
	require.Equal(t, f.g.Audit(0), again.Audit(0))
	require.Equal(t, f.g.Risk(f.now, f.ids.Pools.ID("survey")), again.Risk(f.now, cfg.IDs.Pools.ID("survey")))

	for i := range 400 { // calls and callees go on alike
		now := f.now.Add(time.Duration(i) * 10 * time.Second)
		to := num(600, 1500+i)
		call1, call2 := callTo(f.ids, "survey", to), callTo(cfg.IDs, "survey", to)
		call1.Tenant, call2.Tenant = f.ids.Tenants.ID("acme"), cfg.IDs.Tenants.ID("acme")
		p1, again1, err1 := f.g.Reserve(now, call1, &outdial.Candidate{}, 0)
		p2, again2, err2 := again.Reserve(now, call2, &outdial.Candidate{}, 0)
		require.Equal(t, err1, err2)
		require.True(t, again1.Equal(again2))
		if err1 == nil && i%3 == 0 {
			require.Equal(t, p1.Number, p2.Number)
		}
		f.g.Undo(now, p1.Lease)
		again.Undo(now, p2.Lease)
	}

	twice, err := again.Save(77)
	require.NoError(t, err)
	require.Equal(t, len(file), len(twice))
}

// TestRestoreRefuses what is not a state, is damaged, or was written under another secret.
func TestRestoreRefuses(t *testing.T) {
	f := busyFleet(t)
	file, err := f.g.Save(0)
	require.NoError(t, err)
	restore := func(cfg cli.Config, data []byte) error {
		cfg.IDs = new(outdial.Registry)
		_, err := cli.Restore(cfg, data)
		return err
	}
	require.NoError(t, restore(f.cfg, file))
	for i := 0; i < len(file); i += 97 {
		damaged := bytes.Clone(file)
		damaged[i] ^= 1
		want := "damaged"
		if i == 0 {
			want = "not a state of a Governor: something else"
		}
		require.ErrorContains(t, restore(f.cfg, damaged), want)
		require.ErrorContains(t, restore(f.cfg, file[:i]), want)
	}
	other := f.cfg
	other.Secret = []byte("another secret of mine")
	require.ErrorContains(t, restore(other, file), "Secret")
	other.Secret = nil
	require.ErrorContains(t, restore(other, file), "Secret: required")
	other = f.cfg
	other.MaxCallees = -1
	require.ErrorContains(t, restore(other, file), "MaxCallees")
}

// FuzzRestore reads what is not a state, with a checksum that fits.
func FuzzRestore(f *testing.F) {
	busy := busyFleet(f)
	file, err := busy.g.Save(0)
	require.NoError(f, err)
	body := cli.Body(file)
	f.Add(body)
	f.Add(body[:60])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		cfg := busy.cfg
		cfg.IDs = new(outdial.Registry)
		g, err := cli.Restore(cfg, cli.Sealed(body))
		if err == nil {
			g.Snapshot(t0)
		}
	})
}

// TestSaveLeavesOutWhatIsPending: at a Waterline a use that no Started event has told of is not saved, with all that it
// changed; the event counts it after the restart. What was under way can still turn out never to have left.
func TestSaveLeavesOutWhatIsPending(t *testing.T) {
	ids := new(outdial.Registry)
	cfg := survey(ids, num(212, 1), num(212, 2))
	cfg.Secret = []byte("0123456789abcdef")
	cfg.Limits, cfg.Callee = cli.Limits{Caps: []cli.Cap{{5, time.Hour}}, Spacing: -1}, []cli.Cap{{2, time.Hour}}
	cfg.Tenants = []cli.TenantConfig{{Tenant: "acme", Quotas: []cli.Cap{{6, time.Hour}}}}
	cfg.Pools[0].Budgets = []cli.Budget{{Region: "NY", Cap: cli.Cap{6, time.Hour}}}
	for i := range cfg.Numbers {
		cfg.Numbers[i].Region = "NY"
	}
	g, c := mustNew(t, cfg), &outdial.Candidate{}
	leg := outdial.CallID(0)
	reserve := func(g *cli.Governor, now time.Time, to outdial.Number) (*outdial.Attempt, error) {
		leg++
		call := callTo(ids, "survey", to)
		call.ID, call.Tenant = leg, ids.Tenants.ID("acme")
		p, _, err := g.Reserve(now, call, c, 0)
		return &outdial.Attempt{
			ID: outdial.AttemptID{Call: leg, Leg: 1}, Call: *call, CLI: p.Number, Pool: p.Pool, Use: p.Lease, Start: now,
		}, err
	}
	tell := func(g *cli.Governor, kind outdial.EventKind, now time.Time, a *outdial.Attempt, replay bool) {
		kept := *a
		if replay {
			kept.Use = 0
		}
		g.Observe(&outdial.Event{Kind: kind, Time: now, Attempt: &kept, Replay: replay})
	}
	used := func(g *cli.Governor) (n int) {
		for _, x := range g.Snapshot(at(time.Minute)).Pools[0].Numbers {
			n += x.Uses[0].Used
		}
		return n
	}
	save := func(seq uint64) *cli.Governor {
		file, err := g.Save(seq)
		require.NoError(t, err)
		again, err := cli.Restore(cfg, file)
		require.NoError(t, err)
		return again
	}
	other := num(305, 7)
	first, err := reserve(g, t0, callee)
	require.NoError(t, err)
	tell(g, outdial.EventStarted, t0, first, false)
	open, err := reserve(g, at(time.Second), other)
	require.NoError(t, err)
	tell(g, outdial.EventStarted, at(time.Second), open, false)
	late, err := reserve(g, at(2*time.Second), callee)
	require.NoError(t, err)
	require.Equal(t, 3, used(g))
	require.Equal(t, 3, used(save(0)), "nobody tells of it")

	again := save(9)
	require.Equal(t, 2, used(again))
	require.Equal(t, 3, used(g), "to save changes nothing")
	tell(again, outdial.EventStarted, at(2*time.Second), late, true)
	require.Equal(t, 3, used(again), "once")
	open.State, open.Result = outdial.AttemptEnded, outdial.Result{Origin: outdial.OriginNeverSent}
	tell(again, outdial.EventEnded, at(3*time.Second), open, true)
	require.Equal(t, 2, used(again), "it never left")
	g.Undo(at(3*time.Second), open.Use)
	_, err = reserve(again, at(4*time.Second), callee)
	require.ErrorIs(t, err, cli.ErrCallee, "two calls an hour")
	_, err = reserve(g, at(4*time.Second), callee)
	require.ErrorIs(t, err, cli.ErrCallee)
	for i := range 5 { // quota and budget are where they were: six an hour, two of them used
		for _, x := range []*cli.Governor{g, again} {
			_, err = reserve(x, at(5*time.Second), num(400, i))
			require.Equal(t, i >= 4, err != nil, "%d: %v", i, err)
		}
	}
}

// BenchmarkRestart is a restart: a state of 100,000 numbers, and 500,000 events after it in a journal on disk.
func BenchmarkRestart(b *testing.B) {
	const attempts = 250_000
	g, calls := bigPool(b, 100_000)
	begin := t0
	for i := range 1_000_000 {
		begin = at(time.Duration(i) * 50 * time.Millisecond)
		p, _, err := g.Reserve(begin, &calls[i%len(calls)], &outdial.Candidate{}, 0)
		if err == nil {
			g.Release(begin, p.Lease)
		}
	}
	state, err := g.Save(1)
	require.NoError(b, err)
	b.ReportMetric(float64(len(state)), "state-B")
	cfg, _ := bigConfig(100_000)
	dir := b.TempDir()
	open := func() *cdr.Journal {
		j, _, err := cdr.Open(cdr.Config{Dir: dir, IDs: cfg.IDs})
		require.NoError(b, err)
		return j
	}
	j := open()
	require.NoError(b, j.Append(control(begin, cli.ActionSuppress, num(600, 1).String(), "survey", time.Time{})))
	a := outdial.Attempt{Pool: cfg.IDs.Pools.ID("survey")}
	for i := range attempts {
		ev := outdial.Event{Kind: outdial.EventStarted, Time: begin.Add(time.Duration(i) * 50 * time.Millisecond), Attempt: &a}
		a.ID, a.Call, a.CLI = outdial.AttemptID{Call: outdial.CallID(i + 1), Leg: 1}, calls[i%len(calls)], cfg.Numbers[i%100_000].Number
		a.Call.ID, a.State, a.Result, a.Start = outdial.CallID(i+1), outdial.AttemptOpen, outdial.Result{}, ev.Time
		require.NoError(b, j.Append(&ev))
		a.State, a.Result, ev.Kind = outdial.AttemptEnded, busy, outdial.EventEnded
		require.NoError(b, j.Append(&ev))
	}
	require.NoError(b, j.Close())
	now := begin.Add(5 * time.Hour)
	for b.Loop() {
		j := open()
		g, err := cli.Restore(cfg, state)
		require.NoError(b, err)
		e, err := outdial.New(outdial.Config{
			IDs: cfg.IDs, Router: outdial.Plan{{Trunk: cfg.IDs.Trunks.ID("t")}}, CLIs: g, Journal: j,
		})
		require.NoError(b, err)
		r, err := e.RecoverFrom(now, outdial.Waterline{Seq: 1, Since: 1})
		require.NoError(b, err)
		require.Equal(b, 2*attempts, r.Events)
		require.NoError(b, j.Close())
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/restart")
}
