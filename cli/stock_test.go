package cli_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// TestOffersCountWhatCanBePresented: numbers without a right, or held by an operator, carry no calls, and nothing is granted on
// them; a request for less than nothing is an error, as is one by nobody.
func TestOffersCountWhatCanBePresented(t *testing.T) {
	f := newFleet(t, 4, func(cfg *cli.Config) {
		cfg.Limits = cli.Limits{Caps: []cli.Cap{{100, 24 * time.Hour}}, Spacing: -1}
		cfg.Numbers[0].Evidence = ""
		cfg.Numbers[1].Expires = t0.Add(time.Minute)
	})
	pool := f.ids.Pools.ID("survey")
	f.observe(*control(f.now, cli.ActionQuarantine, f.cfg.Numbers[2].Number.String(), "", time.Time{}))
	f.now = f.now.Add(time.Hour)
	o, err := f.g.OfferVolume(f.now, pool, 1000, "kim", "autumn")
	require.NoError(t, err)
	require.Equal(t, 100, o.Granted)
	c, ok := f.g.Cover(f.now, pool, cli.Planning{Utilisation: 1})
	require.True(t, ok)
	require.Equal(t, 1, c.Active)
	for _, n := range []int{-1, 0, math.MinInt} {
		_, err = f.g.OfferVolume(f.now, pool, n, "kim", "autumn")
		require.Error(t, err)
		_, err = f.g.OfferReplacements(f.now, pool, n, "kim", "autumn")
		require.Error(t, err)
	}
	o, err = f.g.OfferVolume(f.now, pool, 10, "", "autumn")
	require.Error(t, err)
	require.Zero(t, o)
}

// TestRateCentresOfOneName: a rate centre is one of its region: a name that two regions have is two places.
func TestRateCentresOfOneName(t *testing.T) {
	ids := new(outdial.Registry)
	cfg := survey(ids)
	add := func(area, line int, region, centre string) outdial.Number {
		n := num(area, line)
		cfg.Numbers = append(cfg.Numbers, cli.NumberConfig{
			Number: n, Pool: "survey", Evidence: "LOA", Country: "US", Region: region, Centre: centre,
		})
		return n
	}
	add(217, 1, "IL", "SPRINGFIELD")
	far := add(413, 2, "MA", "SPRINGFIELD")
	add(413, 3, "MA", "CHICOPEE")
	// A callee of the area code 217 whose exchange is of Springfield, Illinois; Massachusetts' is as good as any other.
	cfg.RateCentres = map[outdial.Prefix]string{
		outdial.Prefix(1217666): "SPRINGFIELD", outdial.Prefix(1413666): "SPRINGFIELD",
	}
	cfg.Limits = noLimits()
	g := mustNew(t, cfg)
	seen := map[outdial.Number]int{}
	for i := range 10 {
		p, _, err := g.Reserve(at(time.Duration(i)*time.Minute), callTo(ids, "survey", outdial.Number(12176660000+i)), &outdial.Candidate{}, 0)
		require.NoError(t, err)
		seen[p.Number]++
	}
	require.Equal(t, map[outdial.Number]int{num(217, 1): 10}, seen)
	p, _, err := g.Reserve(at(time.Hour), callTo(ids, "survey", 14136660001), &outdial.Candidate{}, 0)
	require.NoError(t, err)
	require.Equal(t, far, p.Number)
}

// TestQuietCalleesAreForgotten: callees that were left alone for a time, and are no longer, take no memory.
func TestQuietCalleesAreForgotten(t *testing.T) {
	f := newFleet(t, 3, func(cfg *cli.Config) {
		cfg.Secret = []byte("0123456789abcdef")
		cfg.Limits, cfg.MaxCallees = noLimits(), 100
		cfg.Callee = []cli.Cap{{1, time.Hour}}
		cfg.Sticky.TTL = time.Hour
		cfg.Rules = []cli.CountryRule{{Country: "US", Name: "x", Dated: "2026-01-01", AfterTalk: cli.Span(time.Hour)}}
	})
	for i := range 20_000 {
		f.now = f.now.Add(time.Minute)
		a := outdial.Attempt{
			Call: *callTo(f.ids, "survey", num(300, i)), CLI: f.cfg.Numbers[0].Number, Pool: f.ids.Pools.ID("survey"), Result: hungUp,
		}
		a.Call.Dest.Country = [2]byte{'U', 'S'}
		a.Timeline.Set(outdial.MarkAnswer, time.Second)
		a.Timeline.Set(outdial.MarkEnd, time.Minute)
		f.g.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: f.now, Attempt: &a})
	}
	state, err := f.g.Save(0)
	require.NoError(t, err)
	require.Less(t, len(state), 100_000)
}

// TestLedgerSaysWhenToAsk: where a ledger refuses one number after the other, the call is to ask again as soon as any of
// them may have room.
func TestLedgerSaysWhenToAsk(t *testing.T) {
	ids := new(outdial.Registry)
	cfg := survey(ids)
	for i := range 3 {
		cfg.Numbers = append(cfg.Numbers, owned("survey", num(212, i))...)
	}
	for i := range 20 {
		cfg.Numbers = append(cfg.Numbers, owned("survey", num(213, i))...)
	}
	cfg.Limits = noLimits()
	cfg.Limits.Caps = []cli.Cap{{1000, time.Hour}}
	full := &fullLedger{}
	cfg.Ledger = full
	g := mustNew(t, cfg)
	_, again, err := g.Reserve(t0, callTo(ids, "survey", callee), &outdial.Candidate{}, 0)
	require.ErrorIs(t, err, cli.ErrCaps)
	require.False(t, again.After(full.first), "%v", again.Sub(t0))
}

// fullLedger has room for each number an hour earlier than for the one before.
type fullLedger struct {
	asked int
	first time.Time
}

func (l *fullLedger) Take(now time.Time, _ outdial.Number, _ []cli.Cap) (time.Time, bool, error) {
	l.asked++
	if l.first.IsZero() {
		l.first = now.Add(time.Hour)
	}
	return now.Add(time.Duration(l.asked) * time.Hour), false, nil
}

func (l *fullLedger) Undo(outdial.Number, time.Time) {}
