package cli_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
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
	f.observe(outdial.Event{Kind: outdial.EventStarted, Seq: 77, Time: f.now, Attempt: &outdial.Attempt{}})
	var file bytes.Buffer
	seq, err := f.g.Save(&file)
	require.NoError(t, err)
	require.EqualValues(t, 77, seq)

	cfg := f.cfg
	cfg.IDs = new(outdial.Registry)
	cfg.IDs.Programs.ID("another")
	cfg.IDs.Pools.ID("another")
	again, seq, err := cli.Restore(cfg, bytes.NewReader(file.Bytes()))
	require.NoError(t, err)
	require.EqualValues(t, 77, seq)
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

	var twice bytes.Buffer
	_, err = again.Save(&twice)
	require.NoError(t, err)
	require.Equal(t, file.Len(), twice.Len())
}

// TestRestoreRefuses what is not a state, is damaged, or was written under another secret.
func TestRestoreRefuses(t *testing.T) {
	f := busyFleet(t)
	var file bytes.Buffer
	_, err := f.g.Save(&file)
	require.NoError(t, err)
	restore := func(cfg cli.Config, data []byte) error {
		cfg.IDs = new(outdial.Registry)
		_, _, err := cli.Restore(cfg, bytes.NewReader(data))
		return err
	}
	require.NoError(t, restore(f.cfg, file.Bytes()))
	for i := 0; i < file.Len(); i += 97 {
		damaged := bytes.Clone(file.Bytes())
		damaged[i] ^= 1
		require.ErrorContains(t, restore(f.cfg, damaged), "damaged")
		require.ErrorContains(t, restore(f.cfg, file.Bytes()[:i]), "damaged")
	}
	other := f.cfg
	other.Secret = []byte("another secret of mine")
	require.ErrorContains(t, restore(other, file.Bytes()), "Secret")
	other.Secret = nil
	require.ErrorContains(t, restore(other, file.Bytes()), "Secret: required")
	other = f.cfg
	other.MaxCallees = -1
	require.ErrorContains(t, restore(other, file.Bytes()), "MaxCallees")
}

// FuzzRestore reads what is not a state, with a checksum that fits.
func FuzzRestore(f *testing.F) {
	busy := busyFleet(f)
	var file bytes.Buffer
	_, err := busy.g.Save(&file)
	require.NoError(f, err)
	body := file.Bytes()[len(cli.SaveMagic) : file.Len()-4]
	f.Add(body)
	f.Add(body[:60])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		cfg := busy.cfg
		cfg.IDs = new(outdial.Registry)
		g, _, err := cli.Restore(cfg, bytes.NewReader(cli.Sealed(body)))
		if err == nil {
			g.Snapshot(t0)
		}
	})
}

// BenchmarkRestart is a restart: a state of 100,000 numbers, and 500,000 events after it.
func BenchmarkRestart(b *testing.B) {
	g, calls := bigPool(b, 100_000)
	for i := range 1_000_000 {
		now := at(time.Duration(i) * 50 * time.Millisecond)
		p, _, err := g.Reserve(now, &calls[i%len(calls)], &outdial.Candidate{}, 0)
		if err == nil {
			g.Release(now, p.Lease)
		}
	}
	var file bytes.Buffer
	_, err := g.Save(&file)
	require.NoError(b, err)
	cfg, _ := bigConfig(100_000)
	a := outdial.Attempt{Pool: cfg.IDs.Pools.ID("survey")}
	b.ReportMetric(float64(file.Len()), "file-B")
	for b.Loop() {
		g, _, err := cli.Restore(cfg, bytes.NewReader(file.Bytes()))
		require.NoError(b, err)
		for i := range 250_000 {
			a.ID, a.Call, a.CLI = outdial.AttemptID{Call: outdial.CallID(i + 1), Leg: 1}, calls[i%len(calls)], cfg.Numbers[i%100_000].Number
			a.Call.ID, a.State, a.Result = outdial.CallID(i+1), outdial.AttemptOpen, outdial.Result{}
			ev := outdial.Event{Kind: outdial.EventStarted, Time: at(time.Duration(i+1_000_000) * 50 * time.Millisecond), Replay: true, Attempt: &a}
			g.Observe(&ev)
			a.State, a.Result = outdial.AttemptEnded, busy
			ev.Kind = outdial.EventEnded
			g.Observe(&ev)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/restart")
}
