package cli_test

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// TestPlanByHand compares with a table that was computed by hand.
func TestPlanByHand(t *testing.T) {
	file, err := os.Open("testdata/plan.csv")
	require.NoError(t, err)
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	require.Greater(t, len(rows), 5)
	for _, row := range rows[1:] {
		v := make([]float64, len(row))
		for i := range row {
			v[i], err = strconv.ParseFloat(row[i], 64)
			require.NoError(t, err)
		}
		p := cli.Planning{Loss: v[2], Rest: time.Duration(v[3]) * 24 * time.Hour, Callback: 30 * 24 * time.Hour}
		needs, err := p.Plan(cli.Demand{Daily: v[0], PeakHour: v[1]})
		require.NoError(t, err)
		require.Equal(t, cli.Need{Active: int(v[4]), Resting: int(v[5]), Warming: int(v[6]), Holding: int(v[7])}, needs[0], row)
		require.Equal(t, int(v[8]), needs[0].Total())
	}
	_, err = cli.Planning{Utilisation: 2, Loss: -1, Daily: -1}.Plan(cli.Demand{Daily: math.NaN()})
	for _, field := range []string{"Utilisation", "Loss", "Daily", "demand 0"} {
		require.ErrorContains(t, err, field)
	}
}

// TestOrders: with a demand that doubles in 70 days, numbers are ordered lead time and warm-up before they are needed.
func TestOrders(t *testing.T) {
	p := cli.Planning{Lead: 10 * 24 * time.Hour, Warm: 14 * 24 * time.Hour, Loss: 1e-12}
	orders, err := p.Orders(cli.Demand{Daily: 8000}, .01, 100, 100)
	require.NoError(t, err)
	have := 101 // one rests, rounded up
	ordered := map[int]int{}
	for _, o := range orders {
		ordered[o.Day] += o.Numbers
	}
	have = 100
	for day := range 100 {
		if day >= 24 {
			have += ordered[day-24]
			if day == 24 {
				continue
			}
			need, err := p.Plan(cli.Demand{Daily: 8000 * math.Pow(1.01, float64(day))})
			require.NoError(t, err)
			require.GreaterOrEqual(t, have, need[0].Active, day)
			require.LessOrEqual(t, have, need[0].Active+3)
		}
	}
	_, err = p.Orders(cli.Demand{}, 5, 0, 10)
	require.ErrorContains(t, err, "growth")
}

// TestCoverReachesTheReorderPoint: the day to reorder comes when losses and lead time say.
func TestCoverReachesTheReorderPoint(t *testing.T) {
	f := newFleet(t, 40, func(cfg *cli.Config) { cfg.Limits = cli.Limits{Caps: []cli.Cap{{100, 24 * time.Hour}}, Spacing: -1} })
	pool := f.ids.Pools.ID("survey")
	for i := range 2000 {
		p, _, err := f.g.Reserve(f.now, callTo(f.ids, "survey", num(600, i)), &outdial.Candidate{}, 0)
		require.NoError(t, err)
		f.g.Release(f.now, p.Lease)
	}
	by := cli.Planning{Loss: .01, Lead: 10 * 24 * time.Hour, Warm: 14 * 24 * time.Hour}
	c, ok := f.g.Cover(f.now, pool, by)
	require.True(t, ok)
	require.Equal(t, 40, c.Active)
	require.InDelta(t, 3200, c.Capacity, 1e-9)
	require.Equal(t, 2000, c.Used)
	require.InDelta(t, 1200/(.01*40*80), c.Days, 1e-9) // 37.5
	require.Equal(t, f.now.Add(13*24*time.Hour+12*time.Hour), c.Reorder)
	_, ok = f.g.Cover(f.now, 99, by)
	require.False(t, ok)
}

// TestOffersAreClipped: ten times the volume is clipped to what the caps carry, a mass swap to a share of the pool; both stand
// in the audit with their reason.
func TestOffersAreClipped(t *testing.T) {
	f := newFleet(t, 40, func(cfg *cli.Config) { cfg.Limits = cli.Limits{Caps: []cli.Cap{{100, 24 * time.Hour}}, Spacing: -1} })
	pool := f.ids.Pools.ID("survey")
	o, err := f.g.OfferVolume(f.now, pool, 40_000, "kim", "a campaign")
	require.NoError(t, err)
	require.Equal(t, 4000, o.Granted)
	require.Contains(t, o.Reason, "40 numbers in use carry 4000 calls")
	o, err = f.g.OfferVolume(f.now, pool, 100, "kim", "a campaign")
	require.NoError(t, err)
	require.Equal(t, cli.Offer{Asked: 100, Granted: 100}, o)
	o, err = f.g.OfferReplacements(f.now, pool, 30, "kim", "labelled")
	require.NoError(t, err)
	require.Equal(t, 4, o.Granted)
	o, err = f.g.OfferReplacements(f.now, pool, 30, "kim", "")
	require.NoError(t, err)
	require.Zero(t, o.Granted)
	_, err = f.g.OfferVolume(f.now, pool, 1, "", "")
	require.ErrorContains(t, err, "Actor")
	_, err = f.g.OfferVolume(f.now, 99, 1, "kim", "")
	require.ErrorContains(t, err, "no such pool")
	_, err = f.g.OfferReplacements(f.now, 99, 1, "kim", "")
	require.ErrorContains(t, err, "no such pool")
	entries := f.g.Audit(0)
	require.Len(t, entries, 4)
	require.Equal(t, "kim", entries[0].Actor)
	require.Contains(t, entries[0].Reason, "more volume: a campaign: 40 numbers")
	require.Equal(t, []cli.Figure{{Name: "asked", Value: 40_000}, {Name: "granted", Value: 4000}}, entries[0].Figures)

	f.cfg.Numbers = append(f.cfg.Numbers, owned("survey", num(900, 1), num(900, 2))...)
	require.NoError(t, f.g.Update(f.cfg))
	o, err = f.g.OfferReplacements(f.now, pool, 30, "kim", "labelled")
	require.NoError(t, err)
	require.Equal(t, 2, o.Granted, "two joined today")
}

// TestUnderused: a pool that spreads few calls over many numbers is told of, once a day.
func TestUnderused(t *testing.T) {
	f := newFleet(t, 50, nil)
	count := 0
	for range 4 {
		for range 100 {
			f.now = f.now.Add(14 * time.Minute)
			p, _, err := f.g.Reserve(f.now, callTo(f.ids, "survey", num(600, f.rng.IntN(90_000))), &outdial.Candidate{}, 0)
			require.NoError(t, err)
			f.g.Release(f.now, p.Lease)
			f.g.Advance(f.now)
		}
		f.now = f.now.Add(time.Hour)
	}
	for _, x := range f.g.Notices() {
		require.Equal(t, cli.NoticeUnderused, x.Kind)
		count++
	}
	require.Equal(t, 3, count)
}

// TestDocumentSaysWhatIsInForce: what is changed in the configuration changes in the document.
func TestDocumentSaysWhatIsInForce(t *testing.T) {
	f := newFleet(t, 3, func(cfg *cli.Config) {
		cfg.Pools[0].Purpose = cli.PurposeCollections
		cfg.Pools[0].Budgets = []cli.Budget{{Region: "NY", Cap: cli.Cap{30, time.Hour}}}
	})
	doc := f.g.Document()
	for _, want := range []string{
		"## Pool survey", "program survey only; 3 numbers", "5 calls in 1m, 20 calls in 1h, 100 calls in 24h; 30s between",
		"All numbers of NY together: 30 calls in 1h", "A callee in US: 3 calls in 24h, 7 calls in 168h; left alone for 168h0m0s after a conversation",
		"left alone for 72h0m0s after an abandoned call", "Warming: 10, 12,", "Quarantine for 504h0m0s from a sum of 13",
	} {
		require.Contains(t, doc, want)
	}
	f.cfg.Limits.Caps = []cli.Cap{{7, time.Hour}}
	f.cfg.Lifecycle.Off = true
	require.NoError(t, f.g.Update(f.cfg))
	doc = f.g.Document()
	require.Contains(t, doc, "7 calls in 1h")
	require.Contains(t, doc, "by operators alone")
	require.Equal(t, 1, strings.Count(doc, "## Pool"))
}

// TestAttestation: A only with a proof of the right to use at that carrier, and only while it lasts.
// TestAttestationReport: calls and answers by the level that is expected, and reports that differ from it; a restart keeps both.
func TestAttestationReport(t *testing.T) {
	f := newFleet(t, 4, func(cfg *cli.Config) {
		cfg.Secret = []byte("0123456789abcdef")
		cfg.Numbers[0].Assigned, cfg.Numbers[1].Attested = "alpha", []string{"alpha"}
	})
	f.carrier = f.ids.Carriers.ID("alpha")
	f.ids.Carriers.ID("beta")
	for i := range 100 {
		f.now = f.now.Add(time.Minute)
		n := f.cfg.Numbers[i%4].Number
		if i%4 < 2 && i%8 < 4 || i%40 == 2 { // half of A's are answered, a few of B's
			f.call(n, hungUp, time.Minute)
		} else {
			f.call(n, busy, 0)
		}
	}
	report := func(i int, value string) error {
		ev := control(f.now, cli.ActionAttested, f.cfg.Numbers[i].Number.String(), value, time.Time{})
		if err := f.g.CheckControl(f.now, ev.Control); err != nil {
			return err
		}
		f.observe(*ev)
		return nil
	}
	require.NoError(t, report(0, "A alpha"))
	require.NoError(t, report(1, "A alpha"))
	require.NoError(t, report(1, "C alpha"), "the last one counts")
	require.NoError(t, report(2, "none alpha"))
	require.NoError(t, report(3, "B beta"))
	for value, want := range map[string]string{"D alpha": "want A, B, C", "A": "want A, B, C", "A gamma": `no carrier "gamma"`, "": "want"} {
		require.ErrorContains(t, report(0, value), want)
	}
	rows := f.g.Attestations()
	require.Len(t, rows, 3)
	for _, r := range rows {
		require.Equal(t, "survey", r.Pool)
	}
	a, b, other := rows[0], rows[1], rows[2]
	require.Equal(t, []any{"alpha", cli.AttestA, 2, 1}, []any{a.Carrier, a.Expected, a.Numbers, a.Differ})
	require.Equal(t, map[cli.Attestation]int{cli.AttestA: 1, cli.AttestC: 1}, a.Reported)
	require.Equal(t, []any{"alpha", cli.AttestB, 2, 1}, []any{b.Carrier, b.Expected, b.Numbers, b.Differ})
	require.Equal(t, map[cli.Attestation]int{cli.AttestNone: 1}, b.Reported)
	require.Equal(t, []any{"beta", cli.AttestB, 4, 0}, []any{other.Carrier, other.Expected, other.Numbers, other.Differ})
	require.Zero(t, other.ASR())
	require.InDelta(t, 50, a.Calls, .5)
	require.InDelta(t, .52, a.ASR(), .01)
	require.InDelta(t, .06, b.ASR(), .001)

	file, err := f.g.Save(0)
	require.NoError(t, err)
	again, err := cli.Restore(f.cfg, file)
	require.NoError(t, err)
	require.Equal(t, rows, again.Attestations())
}

func TestAttestation(t *testing.T) {
	f := newFleet(t, 3, func(cfg *cli.Config) {
		cfg.Numbers[0].Assigned, cfg.Numbers[0].Attested, cfg.Numbers[0].Expires = "alpha", []string{"beta"}, t0.AddDate(0, 1, 0)
		cfg.Numbers[1].Carriers, cfg.Numbers[1].Assigned = []string{"alpha"}, "beta"
		cfg.Numbers[2].Evidence = ""
	})
	alpha, beta, gamma := f.ids.Carriers.ID("alpha"), f.ids.Carriers.ID("beta"), f.ids.Carriers.ID("gamma")
	level := func(i int, c outdial.CarrierID) string {
		return f.g.Attestation(f.now, f.cfg.Numbers[i].Number, c).String()
	}
	require.Equal(t, "A A B", strings.Join([]string{level(0, alpha), level(0, beta), level(0, gamma)}, " "))
	require.Equal(t, "B||", strings.Join([]string{level(1, alpha), level(1, beta), level(2, alpha)}, "|"))
	require.Equal(t, cli.AttestNone, f.g.Attestation(f.now, num(999, 9), alpha), "not of the inventory")
	f.now = f.now.AddDate(0, 2, 0)
	require.Empty(t, level(0, alpha), "expired")
}
