package routing_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

func day(y int, m time.Month, d int) routing.Instant {
	return routing.InstantOf(time.Date(y, m, d, 0, 0, 0, 0, time.UTC))
}

// TestDeckForms reads decks as carriers send them.
func TestDeckForms(t *testing.T) {
	six := routing.Increment{First: 6, Next: 6}
	for _, tc := range []struct {
		why, file string
		reader    routing.DeckReader
		want      []routing.Rate
	}{
		{
			why: "US by jurisdiction", reader: routing.DeckReader{Dates: routing.MonthDayYear},
			file: "NPA-NXX,Inter Rate,Intra Rate,Indeterminate,Initial Increment,Next Increment,Effective Date,LATA\n" +
				"212555,0.0031,0.0058,0.0061,6,6,3/1/2026,132\n212-556,$0.0031,,,6,6,3/1/2026,132\n",
			want: []routing.Rate{
				{Prefix: 1212555, PerMinute: 3100, Intrastate: 5800, Indeterminate: 6100, Increment: six, Effective: day(2026, 3, 1)},
				{Prefix: 1212556, PerMinute: 3100, Increment: six, Effective: day(2026, 3, 1)},
			},
		},
		{
			why:  "US in parts, with blocks",
			file: "npa,nxx,block,interstate,ij\n212,555,7,.003,.004\n",
			want: []routing.Rate{{Prefix: 12125557, PerMinute: 3000, Indeterminate: 4000}},
		},
		{
			why: "A-Z with lists and ranges", reader: routing.DeckReader{Dates: routing.DayMonthYear},
			file: "Country,Country Code,Area Code,\"Price (USD)\",Valid From,Valid To\n" +
				"UK,44,\"20;21\",0.01,1/3/2026,31.12.2026\nUK mobile,44,70-72,0.02,01/03/2026,\nFrance,+33,,0.005,20260301,\n",
			want: []routing.Rate{
				{Prefix: 4420, PerMinute: 10_000, Effective: day(2026, 3, 1), End: day(2026, 12, 31)},
				{Prefix: 4421, PerMinute: 10_000, Effective: day(2026, 3, 1), End: day(2026, 12, 31)},
				{Prefix: 4470, PerMinute: 20_000, Effective: day(2026, 3, 1)},
				{Prefix: 4471, PerMinute: 20_000, Effective: day(2026, 3, 1)},
				{Prefix: 4472, PerMinute: 20_000, Effective: day(2026, 3, 1)},
				{Prefix: 33, PerMinute: 5_000, Effective: day(2026, 3, 1)},
			},
		},
		{
			why:  "a date that can be read in one way",
			file: "code,rate,setup fee,start date\n1,0.01,0.002,3/31/2026\n\"1 \"\"2\"\"\"\"3\",1,,\n",
		},
		{
			why:  "quoted values over lines",
			file: "destination,prefix,rate\n\"New York,\nManhattan \"\"212\"\"\",1212,0.01\n",
			want: []routing.Rate{{Prefix: 1212, PerMinute: 10_000}},
		},
		{
			why:  "times",
			file: "prefix,rate,effective\n1,1,2026-03-01 12:30\n2,1,2026-03-01 12:30:15\n3,1,01-Mar-2026\n",
			want: []routing.Rate{
				{Prefix: 1, PerMinute: 1e6, Effective: day(2026, 3, 1) + 12*3600 + 1800},
				{Prefix: 2, PerMinute: 1e6, Effective: day(2026, 3, 1) + 12*3600 + 1815},
				{Prefix: 3, PerMinute: 1e6, Effective: day(2026, 3, 1)},
			},
		},
	} {
		tc.reader.Name = "x"
		d, report, err := tc.reader.Read(strings.NewReader(tc.file))
		if tc.want == nil {
			require.ErrorContains(t, err, "line 3: prefix", tc.why)
			continue
		}
		require.NoError(t, err, tc.why)
		require.Equal(t, tc.want, d.Rates, tc.why)
		require.Equal(t, len(tc.want), report.Rates, tc.why)
	}
}

func TestDeckReportNamesLines(t *testing.T) {
	file := "prefix,rate,effective,end\n" +
		"44,1,,2026-02-01\n" + // 2: has ended
		"33,1,,\n" +
		"1212,1,2026-04-01,\n" + // 4: still to come
		"1212,2,,\n" +
		"33,1.0,,\n" // 6: says what line 3 says
	d, report, err := routing.DeckReader{Name: "x", Now: monday}.Read(strings.NewReader(file))
	require.NoError(t, err)
	require.Equal(t, []routing.Rate{
		{Prefix: 33, PerMinute: 1e6}, {Prefix: 1212, PerMinute: 1e6, Effective: day(2026, 4, 1)}, {Prefix: 1212, PerMinute: 2e6},
	}, d.Rates)
	require.Equal(t, routing.DeckReport{
		Lines: 5, Rates: 3, Future: 1, Dropped: 2,
		Duplicates: []routing.DeckNote{{Line: 6, First: 3, Prefix: 33}},
		Expired:    []routing.DeckNote{{Line: 2, Prefix: 44}},
	}, report)

	_, _, err = routing.DeckReader{Name: "x"}.Read(strings.NewReader(file + "1212,3,,\n"))
	require.EqualError(t, err,
		"routing: deck x: line 7: prefix: +1212 is already in line 5, effective at the same time and with other prices")
}

// TestFuturePricesComeIntoForceByThemselves: the old row counts until the new one's time.
func TestFuturePricesComeIntoForceByThemselves(t *testing.T) {
	d, err := routing.ReadDeck("d", strings.NewReader("prefix,rate,effective,end\n1,0.01,,\n1,0.02,2026-04-01,2026-05-01\n"))
	require.NoError(t, err)
	c := compile(t, routing.Policy{
		Trunks: []routing.Trunk{{Name: "a", Deck: "d"}}, Decks: []routing.Deck{d}, Rules: []routing.Rule{via("all", "a")},
	}, routing.CompileConfig{})
	for at, want := range map[routing.Instant]outdial.Micros{
		day(2026, 4, 1) - 1: 10_000, day(2026, 4, 1): 20_000, day(2026, 5, 1) - 1: 20_000, day(2026, 5, 1): 10_000,
	} {
		cs, err := c.Route(at.Time(), &outdial.Call{To: 12125550123}, nil)
		require.NoError(t, err)
		require.Equal(t, want, cs[0].Cost, at)
	}
}

func TestDiffDecks(t *testing.T) {
	minute := routing.Increment{First: 60, Next: 60}
	old := routing.Deck{Rates: []routing.Rate{
		{Prefix: 1, PerMinute: 100},
		{Prefix: 33, PerMinute: 100},
		{Prefix: 44, PerMinute: 100},
		{Prefix: 49, PerMinute: 100},
		{Prefix: 49, PerMinute: 300, Effective: day(2027, 1, 1)},
		{Prefix: 61, PerMinute: 100, Intrastate: 50},
	}}
	next := routing.Deck{Rates: []routing.Rate{
		{Prefix: 61, PerMinute: 90, Intrastate: 60},
		{Prefix: 49, PerMinute: 90},
		{Prefix: 44, PerMinute: 100, Increment: minute},
		{Prefix: 34, PerMinute: 100},
		{Prefix: 33, PerMinute: 100},
	}}
	d := routing.DiffDecks(old, next, monday, 30*time.Second)
	of := func(cs []routing.DeckChange) (ps []outdial.Prefix) {
		for _, c := range cs {
			ps = append(ps, c.Prefix)
		}
		return ps
	}
	require.Equal(t, []outdial.Prefix{34}, of(d.Added))
	require.Equal(t, []outdial.Prefix{1}, of(d.Removed))
	require.Equal(t, []outdial.Prefix{44}, of(d.Raised), "a whole minute costs more than half of one")
	require.Equal(t, []outdial.Prefix{49}, of(d.Lowered), "what is not yet in force does not count")
	require.Equal(t, []outdial.Prefix{61}, of(d.Changed))
	require.Equal(t, 1, d.Same)
}

func TestRatePrice(t *testing.T) {
	r := routing.Rate{PerMinute: 10, Intrastate: 20}
	require.Equal(t, routing.Price(10), r.Price(routing.Interstate))
	require.Equal(t, routing.Price(20), r.Price(routing.Intrastate))
	require.Equal(t, routing.Price(20), r.Price(routing.Indeterminate), "the dearer one, when nobody can tell")
	require.Equal(t, routing.Price(5), routing.Rate{PerMinute: 10, Indeterminate: 5}.Price(routing.Indeterminate))
}
