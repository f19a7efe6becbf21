package cli_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// TestBuiltinRules: the pack that ships is read as a pack of the user would be, and each rule says when it was looked up.
func TestBuiltinRules(t *testing.T) {
	rules := cli.BuiltinRules()
	require.Greater(t, len(rules), 5)
	for _, r := range rules {
		require.NotEmpty(t, r.Source)
	}
	for data, want := range map[string]string{
		`[{"Country":"us","Name":"x","Dated":"2026-11-02"}]`:                                                  "Country",
		`[{"Country":"US","Dated":"2026-11-02"}]`:                                                             "Name",
		`[{"Country":"US","Name":"x"}]`:                                                                       "Dated",
		`[{"Country":"US","Name":"x","Dated":"2026-11-02","Callee":["999/1h"]}]`:                              "Callee[0]",
		`[{"Country":"US","Name":"x","Dated":"2026-11-02","AfterTalk":"-1h"}]`:                                "AfterTalk",
		`[{"Country":"US","Name":"x","Dated":"2026-11-02","Typo":1}]`:                                         "Typo",
		`[{"Country":"US","Name":"x","Dated":"2026-11-02"},{"Country":"US","Name":"x","Dated":"2026-11-02"}]`: "twice",
		`{`: "rules",
	} {
		_, err := cli.ParseRules([]byte(data))
		require.ErrorContains(t, err, want, data)
	}
}

// TestNumbersByCountry: which classes of numbers may be presented, in four countries.
func TestNumbersByCountry(t *testing.T) {
	for name, c := range map[string]struct {
		n       string
		country string
		typ     cli.Type
		purpose cli.Purpose
		fault   string
	}{
		"FR sales, platform number": {"+33162123456", "FR", cli.TypeSpecial, cli.PurposeTelemarketing, ""},
		"FR sales, Paris":           {"+33142123456", "FR", cli.TypeLocal, cli.PurposeTelemarketing, "fr-sales"},
		"FR service, Paris":         {"+33142123456", "FR", cli.TypeLocal, cli.PurposeService, ""},
		"FR service, mobile":        {"+33612345678", "FR", cli.TypeMobile, cli.PurposeService, "fr-mobile"},
		"ES sales, mobile":          {"+34612345678", "ES", cli.TypeMobile, cli.PurposeTelemarketing, "es-sales"},
		"ES sales, Madrid":          {"+34912345678", "ES", cli.TypeLocal, cli.PurposeTelemarketing, ""},
		"ES survey, mobile":         {"+34612345678", "ES", cli.TypeMobile, cli.PurposeSurvey, ""},
		"GB sales, mobile":          {"+447700900123", "GB", cli.TypeMobile, cli.PurposeTelemarketing, ""},
		"US sales, local":           {"+12125550123", "US", cli.TypeLocal, cli.PurposeTelemarketing, ""},
		"IN sales, local":           {"+911140001234", "IN", cli.TypeLocal, cli.PurposeTelemarketing, "in-promotional"},
		"IN sales, 140":             {"+911401234567", "IN", cli.TypeSpecial, cli.PurposeTelemarketing, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cli.New(cli.Config{
				IDs: new(outdial.Registry), Pools: []cli.PoolConfig{{Name: "p", Program: "p", Purpose: c.purpose}},
				Numbers: []cli.NumberConfig{{Number: outdial.MustNumber(c.n), Country: c.country, Type: c.typ, Pool: "p", Evidence: "contract"}},
			})
			if c.fault == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.fault)
		})
	}
}

// TestSilence: in the United States a debtor is left alone for a week after a conversation; in the United Kingdom a
// callee for three days after an abandoned call; and the rules of one country do not hold in another.
func TestSilence(t *testing.T) {
	f := newFleet(t, 20, func(cfg *cli.Config) { cfg.Pools[0].Purpose = cli.PurposeCollections; cfg.Limits = noLimits() })
	admit := func(to outdial.Number, country string) error {
		call := callTo(f.ids, "survey", to)
		copy(call.Dest.Country[:], country)
		_, err := f.g.Admit(f.now, call)
		return err
	}
	ended := func(to outdial.Number, country string, talk time.Duration) *outdial.Attempt {
		a := &outdial.Attempt{
			ID: outdial.AttemptID{Call: 1, Leg: 1}, Call: *callTo(f.ids, "survey", to), CLI: num(200, 0),
			Pool: f.ids.Pools.ID("survey"), Result: hungUp,
		}
		copy(a.Call.Dest.Country[:], country)
		a.Timeline.Set(outdial.MarkAnswer, time.Second)
		a.Timeline.Set(outdial.MarkEnd, time.Second+talk)
		f.observe(outdial.Event{Kind: outdial.EventStarted, Time: f.now, Attempt: a})
		f.observe(outdial.Event{Kind: outdial.EventEnded, Time: f.now, Attempt: a})
		return a
	}
	us, gb := num(212, 7), outdial.MustNumber("+442079460001")
	ended(us, "US", 20*time.Second)
	require.ErrorIs(t, admit(us, "US"), cli.ErrSilence)
	again, _ := f.g.Admit(f.now, &outdial.Call{To: us, Program: f.ids.Programs.ID("survey"), Dest: outdial.Destination{Country: [2]byte{'U', 'S'}}})
	require.Equal(t, f.now.Add(7*24*time.Hour), again)
	f.now = f.now.Add(7*24*time.Hour - time.Second)
	require.ErrorIs(t, admit(us, "US"), cli.ErrSilence)
	f.now = f.now.Add(time.Second)
	require.NoError(t, admit(us, "US"))

	a := ended(gb, "GB", 2*time.Second)
	require.NoError(t, admit(gb, "GB"))
	f.observe(outdial.Event{Kind: outdial.EventDisposed, Time: f.now, Attempt: a, Disposition: &outdial.Disposition{Code: cli.DispositionAbandoned}})
	require.ErrorIs(t, admit(gb, "GB"), cli.ErrSilence)
	f.now = f.now.Add(72 * time.Hour)
	require.NoError(t, admit(gb, "GB"))
	ended(gb, "GB", time.Minute)
	require.NoError(t, admit(gb, "GB"), "no rule of the country asks for silence after a conversation")

	for range 8 { // seven in seven days
		f.now = f.now.Add(20 * time.Hour)
		if admit(us, "US") == nil {
			ended(us, "US", time.Second)
		}
	}
	require.ErrorIs(t, admit(us, "US"), cli.ErrCallee)
}

// list is a suppression list that may fail.
type list struct {
	numbers map[outdial.Number]bool
	err     error
}

func (l *list) Suppressed(_ time.Time, _ outdial.ProgramID, n outdial.Number) (bool, error) {
	return l.numbers[n], l.err
}

// TestSuppressionFailsClosed: what is on the list is not called, and nobody is while the list cannot be read.
func TestSuppressionFailsClosed(t *testing.T) {
	l := &list{numbers: map[outdial.Number]bool{callee: true}}
	f := newFleet(t, 3, func(cfg *cli.Config) { cfg.Suppression = l })
	call := callTo(f.ids, "survey", callee)
	_, err := f.g.Admit(f.now, call)
	require.ErrorIs(t, err, cli.ErrSuppressed)
	_, _, err = f.g.Reserve(f.now, call, &outdial.Candidate{}, 0)
	require.ErrorIs(t, err, cli.ErrSuppressed)
	call.To++
	_, err = f.g.Admit(f.now, call)
	require.NoError(t, err)
	l.err = errors.New("disk")
	_, err = f.g.Admit(f.now, call)
	require.ErrorIs(t, err, cli.ErrSuppressionUnknown)
	_, _, err = f.g.Reserve(f.now, call, &outdial.Candidate{}, 0)
	require.ErrorIs(t, err, cli.ErrSuppressionUnknown)
}

// TestStrictAfterACall: within a day of a call, and after a conversation, a callee sees its number or none; while the number
// rests, for a day; later another one is presented. What failed without showing a number binds nobody.
func TestStrictAfterACall(t *testing.T) {
	f := newFleet(t, 2, func(cfg *cli.Config) {
		cfg.Sticky = cli.Sticky{}
		cfg.Limits = cli.Limits{Caps: []cli.Cap{{1, 48 * time.Hour}}, Spacing: -1}
		cfg.Callee = []cli.Cap{{50, time.Hour}}
		cfg.Rules = []cli.CountryRule{}
	})
	reserve := func() (outdial.Number, error) {
		p, _, err := f.g.Reserve(f.now, callTo(f.ids, "survey", callee), &outdial.Candidate{}, 0)
		f.g.Release(f.now, p.Lease)
		return p.Number, err
	}
	first, err := reserve()
	require.NoError(t, err)
	f.now = f.now.Add(24*time.Hour - time.Second)
	_, err = reserve()
	require.ErrorIs(t, err, cli.ErrSticky)
	f.now = f.now.Add(time.Second)
	second, err := reserve()
	require.NoError(t, err)
	require.NotEqual(t, first, second)

	// After a conversation it waits longer than a day.
	f.observe(outdial.Event{Kind: outdial.EventDisposed, Time: f.now, Attempt: &outdial.Attempt{Call: *callTo(f.ids, "survey", callee)}, Disposition: &outdial.Disposition{Contact: true}})
	f.now = f.now.Add(30 * time.Hour) // first is free again, second is not
	_, err = reserve()
	require.ErrorIs(t, err, cli.ErrSticky)
	// … but not for a number that rests.
	f.observe(*control(f.now, cli.ActionQuarantine, second.String(), "", time.Time{}))
	n, err := reserve()
	require.NoError(t, err)
	require.Equal(t, first, n)
}

// TestTenants: a pool of one tenant is not presented for another, and quotas hold over pools.
func TestTenants(t *testing.T) {
	f := newFleet(t, 3, func(cfg *cli.Config) {
		cfg.Pools = append(cfg.Pools, cli.PoolConfig{Name: "own", Program: "survey", Tenant: "acme"})
		cfg.Numbers = append(cfg.Numbers, owned("own", num(900, 1))...)
		cfg.Tenants = []cli.TenantConfig{{Tenant: "acme", Quotas: []cli.Cap{{2, time.Hour}}}}
		cfg.Limits = noLimits()
	})
	reserve := func(tenant, pool string) (outdial.Presentation, error) {
		call := callTo(f.ids, "survey", num(600, f.rng.IntN(90_000)))
		call.Tenant = f.ids.Tenants.ID(tenant)
		p, _, err := f.g.Reserve(f.now, call, &outdial.Candidate{Pool: f.ids.Pools.ID(pool)}, 0)
		return p, err
	}
	_, err := reserve("other", "own")
	require.ErrorIs(t, err, cli.ErrForeignTenant)
	_, err = reserve("", "own")
	require.ErrorIs(t, err, cli.ErrForeignTenant)
	_, err = reserve("acme", "own")
	require.NoError(t, err)
	p, err := reserve("acme", "survey")
	require.NoError(t, err)
	_, err = reserve("acme", "survey")
	require.ErrorIs(t, err, cli.ErrQuota)
	f.g.Undo(f.now, p.Lease)
	require.NoError(t, f.g.Update(f.cfg))
	_, err = reserve("acme", "survey")
	require.NoError(t, err, "what did not leave is not counted, and a reload forgets nothing")
	_, err = reserve("acme", "survey")
	require.ErrorIs(t, err, cli.ErrQuota)
	_, err = reserve("other", "survey")
	require.NoError(t, err)

	_, err = cli.New(cli.Config{
		IDs: f.ids, Tenants: []cli.TenantConfig{{}, {Tenant: "x"}, {Tenant: "x", Quotas: []cli.Cap{{0, 0}}}},
		Pools: []cli.PoolConfig{
			{Name: "a", Program: "p", Purpose: cli.PurposeSurvey, Budgets: []cli.Budget{{}, {Region: "NY"}}},
			{Name: "b", Program: "p", Purpose: cli.PurposeCharity},
		},
	})
	for _, want := range []string{"Tenants[0]", "given twice", "Quotas[0]", "one purpose", "Budgets[0]", "Budgets[1]"} {
		require.ErrorContains(t, err, want)
	}
}

// TestLedgerIsShared: two Governors that present the same numbers stay within the caps together, and what a ledger cannot
// tell is refused.
func TestLedgerIsShared(t *testing.T) {
	shared := new(cli.MemoryLedger)
	node := func() *fleet {
		return newFleet(t, 5, func(cfg *cli.Config) {
			cfg.Ledger = shared
			cfg.Limits = cli.Limits{Caps: []cli.Cap{{4, time.Hour}}, Spacing: -1}
		})
	}
	a, b := node(), node()
	uses := map[outdial.Number]int{}
	for i := range 200 {
		f := a
		if i%2 == 1 {
			f = b
		}
		p, again, err := f.g.Reserve(f.now, callTo(f.ids, "survey", num(600, i)), &outdial.Candidate{}, 0)
		if err != nil {
			require.ErrorIs(t, err, cli.ErrCaps)
			require.Equal(t, t0.Add(time.Hour), again.Round(time.Second))
			continue
		}
		if i%3 == 0 {
			f.g.Undo(f.now, p.Lease)
			continue
		}
		uses[p.Number]++
	}
	total := 0
	for n, k := range uses {
		require.LessOrEqual(t, k, 4, n)
		total += k
	}
	require.Equal(t, 20, total)

	c := newFleet(t, 1, func(cfg *cli.Config) { cfg.Ledger = deadLedger{} })
	_, _, err := c.g.Reserve(c.now, callTo(c.ids, "survey", callee), &outdial.Candidate{}, 0)
	require.ErrorIs(t, err, cli.ErrLedger)
	n, _ := c.g.Number(c.now, num(200, 0))
	require.Zero(t, n.Uses[0].Used)
}

type deadLedger struct{}

func (deadLedger) Take(time.Time, outdial.Number, []cli.Cap) (time.Time, bool, error) {
	return time.Time{}, false, errors.New("no answer")
}
func (deadLedger) Undo(outdial.Number, time.Time) {}

// TestBudgetFallsBack: a region whose budget is used up is passed over, never exceeded, and found again when the window lets go.
func TestBudgetFallsBack(t *testing.T) {
	f := newFleet(t, 0, func(cfg *cli.Config) {
		cfg.Limits = noLimits()
		cfg.Pools[0].Budgets = []cli.Budget{{Region: "NY", Cap: cli.Cap{5, time.Hour}}}
		for i := range 10 {
			area, region := 212, "NY"
			if i >= 5 {
				area, region = 310, "CA"
			}
			cfg.Numbers = append(cfg.Numbers, cli.NumberConfig{Number: num(area, i), Pool: "survey", Evidence: "LOA", Country: "US", Region: region})
		}
	})
	count := func(calls int) (ny int) {
		for range calls {
			p, _, err := f.g.Reserve(f.now, callTo(f.ids, "survey", num(212, 1000+f.rng.IntN(90_000))), &outdial.Candidate{}, 0)
			require.NoError(t, err)
			if p.Number/1e7 == 1212 {
				ny++
			}
			f.g.Release(f.now, p.Lease)
		}
		return ny
	}
	require.Equal(t, 5, count(20))
	require.NoError(t, f.g.Update(f.cfg))
	require.Zero(t, count(5), "a reload does not renew it")
	f.now = f.now.Add(time.Hour)
	require.Equal(t, 5, count(20))
}
