package routing_test

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

func TestReadDeck(t *testing.T) {
	march := routing.Instant(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Unix())
	for _, tc := range []struct {
		why, file string
		want      []routing.Rate
	}{
		{"the least", "prefix,rate\n1212,0.0042\n", []routing.Rate{{Prefix: 1212, PerMinute: 4200}}},
		{
			"all columns, as programs write them", "\ufeffRATE, Setup,increment,prefix,effective,end,destination\r\n" +
				".5,0.01, 60/6 ,+44 20,2026-03-01,2026-03-01T00:00:30Z,\"London, UK\"\r\n",
			[]routing.Rate{{
				Prefix: 4420, PerMinute: 500_000, Setup: 10_000, Increment: routing.Increment{First: 60, Next: 6},
				Effective: march, End: march + 30,
			}},
		},
		{"empty values", "prefix,rate,increment,setup,effective,end\n,1e-6,,,,\n1,0,60,0,,\n", []routing.Rate{
			{PerMinute: 1}, {Prefix: 1, Increment: routing.Increment{First: 60, Next: 60}},
		}},
		{"no rows", "prefix,rate\n", nil},
	} {
		d, err := routing.ReadDeck("alpha", strings.NewReader(tc.file))
		require.NoError(t, err, tc.why)
		require.Equal(t, routing.Deck{Name: "alpha", Rates: tc.want}, d, tc.why)
	}
}

func TestReadDeckErrors(t *testing.T) {
	for _, tc := range []struct{ file, want string }{
		{"", "routing: deck alpha: empty: want a header line"},
		{
			"prefx,rate,Rate,end\n", "routing: deck alpha: line 1: " +
				"header: unknown column \"prefx\": want prefix, countrycode, npanxx, npa, nxx, block, rate, intrastate, " +
				"indeterminate, increment, firstincrement, nextincrement, setup, effective, end, or what carriers call them\n" +
				"header: \"Rate\": there is a column for \"rate\" already\n" +
				"header: column \"prefix\" is missing (or npanxx, or npa and nxx)",
		},
		{
			"prefix,rate,increment,setup,effective,end\n" +
				"x,1,,,,\n" + // 2
				"1,,,,,\n" +
				"1,-1,,,,\n" +
				"1,1,0/6,,,\n" +
				"1,1,,1e9,,\n" +
				"1,1,,,1/3/2026,\n" +
				"1,1,,,2026-03-02,2026-03-01\n" +
				"1,1\n" +
				"\n" + // an empty line is no record
				"1,1,,,,\n" +
				"\"1\n2\",1,,,,\n" +
				"0044,1,,,,\n", // 14
			"routing: deck alpha: " + strings.Join([]string{
				`line 2: prefix: outdial: number "x": 'x' is not a digit or a separator`,
				`line 3: rate: "" is not a price: want a decimal number from 0 to 1000000, such as 0.0042`,
				`line 4: rate: "-1" is not a price: want a decimal number from 0 to 1000000, such as 0.0042`,
				`line 5: increment: "0/6" is not a billing increment in seconds: want 60/60, 6/6, 1/1 …`,
				`line 6: setup: "1e9" is not a price: want a decimal number from 0 to 1000000, such as 0.0042`,
				`line 7: effective: "1/3/2026" may be 2026-01-03 or 2026-03-01: say whether the month or the day comes first`,
				`line 8: end: not after effective`,
				`line 9: 2 fields, the header has 6`,
				"line 12: prefix: outdial: number \"1\\n2\": '\\n' is not a digit or a separator",
				`line 14: prefix: outdial: number "0044": begins with 0: a national or international dialling prefix, not a country code`,
			}, "\n"),
		},
		{
			"prefix,rate\n1,1\n\"1,1\n",
			"routing: deck alpha: line 3: a quotation mark is missing or in the wrong place",
		},
	} {
		_, err := routing.ReadDeck("alpha", strings.NewReader(tc.file))
		require.EqualError(t, err, tc.want)
	}
	broken := errors.New("disk on fire")
	_, err := routing.ReadDeck("alpha", io.MultiReader(strings.NewReader("prefix,rate\n1,1\n"), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)

	d, err := routing.ReadDeck("alpha", strings.NewReader("prefix,rate\n"+strings.Repeat("x,1\n", 1000)))
	require.Equal(t, 101, strings.Count(err.Error(), "\n")+1)
	require.Empty(t, d.Rates)
}

func TestRateCost(t *testing.T) {
	sixty, thirtySix := routing.Increment{First: 60, Next: 60}, routing.Increment{First: 30, Next: 6}
	for _, tc := range []struct {
		rate routing.Rate
		d    time.Duration
		want outdial.Micros
	}{
		{routing.Rate{PerMinute: 6000}, time.Minute, 6000},
		{routing.Rate{PerMinute: 6000}, time.Second, 100},
		{routing.Rate{PerMinute: 6000}, time.Nanosecond, 100},
		{routing.Rate{PerMinute: 6000}, time.Second + 1, 200},
		{routing.Rate{PerMinute: 6001}, time.Second, 101},
		{routing.Rate{PerMinute: 6000, Setup: 50}, 0, 0},
		{routing.Rate{PerMinute: 6000, Setup: 50}, -time.Second, 0},
		{routing.Rate{PerMinute: 6000, Setup: 50}, time.Second, 150},
		{routing.Rate{PerMinute: 6000, Increment: sixty}, time.Second, 6000},
		{routing.Rate{PerMinute: 6000, Increment: sixty}, 61 * time.Second, 12000},
		{routing.Rate{PerMinute: 6000, Increment: thirtySix}, 30 * time.Second, 3000},
		{routing.Rate{PerMinute: 6000, Increment: thirtySix}, 31 * time.Second, 3600},
		{routing.Rate{PerMinute: 6000, Increment: routing.Increment{First: 30}}, 31 * time.Second, 6000},
		{routing.Rate{PerMinute: -6000, Setup: -1}, time.Minute, 0},
		{routing.Rate{PerMinute: routing.MaxPrice, Setup: routing.MaxPrice}, math.MaxInt64, math.MaxInt64},
		{routing.Rate{PerMinute: math.MaxInt64, Setup: math.MaxInt64}, time.Minute, math.MaxInt64},
		{routing.Rate{PerMinute: math.MaxInt64}, time.Hour, math.MaxInt64},
	} {
		require.Equal(t, tc.want, tc.rate.Cost(tc.d), "%+v %v", tc.rate, tc.d)
	}
}

func TestParsePrice(t *testing.T) {
	for s, want := range map[string]routing.Price{
		"0": 0, "1": 1_000_000, "0.0042": 4200, ".0042": 4200, "5.": 5_000_000, "0.000001": 1, "0.0000005": 1, "0.0000004": 0,
		"0.00000049999999999999999999999": 0, "1e-06": 1, "4.2E-3": 4200, "12e2": 1_200_000_000, "1000000": routing.MaxPrice,
		"0.12345650000000000000000000000001": 123457, "00001.5": 1_500_000,
	} {
		got, err := routing.ParsePrice(s)
		require.NoError(t, err, s)
		require.Equal(t, want, got, s)
	}
	for _, s := range []string{
		"", ".", "-1", "+1", "1,5", "1.2.3", " 1", "1 ", "1e", "1e99", "e5", "1000001", "1000000.000001", "99999999999999999999999",
		"0x1", "NaN", "1e7", strings.Repeat("9", 1000),
	} {
		_, err := routing.ParsePrice(s)
		require.Error(t, err, s)
	}
	require.Equal(t, "-1.5", routing.Price(-1_500_000).String())
}

func TestTexts(t *testing.T) {
	for s, want := range map[string]routing.TimeOfDay{
		"00:00": 0, "8:00": hours(8), "08:00": hours(8), "24:00": routing.Day, "23:59:59": routing.Day - routing.TimeOfDay(time.Second),
	} {
		got, err := routing.ParseTimeOfDay(s)
		require.NoError(t, err, s)
		require.Equal(t, want, got, s)
		back, err := routing.ParseTimeOfDay(got.String())
		require.NoError(t, err)
		require.Equal(t, got, back)
	}
	for _, s := range []string{"", "8", "24:01", "25:00", "08:60", "08:0", "08:00:60", "8:00 pm", "-1:00", "08:00:00:00", "008:00"} {
		_, err := routing.ParseTimeOfDay(s)
		require.Error(t, err, s)
	}
	for _, s := range []string{"2026-02-30", "tomorrow", "2026-03-01T00:00:00", "2026-3-1"} {
		_, err := routing.ParseInstant(s)
		require.Error(t, err, s)
	}
	for _, s := range []string{"6/", "/6", "6/6/6", "0", "1/0", "65536", "a", "-1"} {
		_, err := routing.ParseIncrement(s)
		require.Error(t, err, s)
	}
	require.Equal(t, "1/1", routing.Increment{}.String())
	require.Equal(t, "30/30", routing.Increment{First: 30}.String())
	require.Empty(t, routing.Instant(0).String())
}

// TestPolicyJSON holds the names of fields and the forms of values, and that a policy survives being written and read.
func TestPolicyJSON(t *testing.T) {
	const text = `{
		"version": "7",
		"trunks": [{"name": "a", "carrier": "x", "deck": "d"}],
		"decks": [{"name": "d", "rates": [
			{"prefix": "+1212", "rate": "0.0042", "setup": 0.01, "effective": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z",
			 "increment": "60/6"},
			{"prefix": "", "rate": 0.00001, "setup": null}
		]}],
		"rules": [{"name": "r", "prefixes": ["1", "+44"], "campaigns": ["c"], "programs": ["p"], "tenants": ["t"],
			"modes": ["manual"], "day_parts": ["evening"],
			"tiers": [{"strategy": "least-cost", "lcr": "global-lpm", "trunks": [{"trunk": "a", "pool": "q"}]},
			          {"trunks": [{"carrier": "x", "weight": 3}]}]},
			{"block": true}],
		"admission": {"deny": ["1900"], "allow": ["1900555"], "allow_premium": true, "allow_toll_free": true,
			"allow_unassigned": true, "windows": [{"programs": ["p"], "from": "08:00", "to": "21:00"}]},
		"defaults": {"lcr": "per-carrier-lpm", "typical_call_seconds": 30, "quality": {"mean": 0.4, "strength": 10, "z": -1}}
	}`
	want := routing.Policy{
		Version: "7",
		Trunks:  []routing.Trunk{{Name: "a", Carrier: "x", Deck: "d"}},
		Decks: []routing.Deck{{Name: "d", Rates: []routing.Rate{
			{
				Prefix: 1212, PerMinute: 4200, Setup: 10_000, Increment: routing.Increment{First: 60, Next: 6},
				Effective: 1772323200, End: 1775001600,
			},
			{PerMinute: 10},
		}}},
		Rules: []routing.Rule{
			{
				Name: "r", Prefixes: []outdial.Prefix{1, 44}, Campaigns: []string{"c"}, Programs: []string{"p"}, Tenants: []string{"t"},
				Modes: []string{"manual"}, DayParts: []string{"evening"},
				Tiers: []routing.Tier{
					{Strategy: routing.LeastCost, LCR: routing.GlobalLPM, Trunks: []routing.Target{{Trunk: "a", Pool: "q"}}},
					{Trunks: []routing.Target{{Carrier: "x", Weight: 3}}},
				},
			},
			{Block: true},
		},
		Admission: routing.Admission{
			Deny: []outdial.Prefix{1900}, Allow: []outdial.Prefix{1900555}, AllowPremium: true, AllowTollFree: true, AllowUnassigned: true,
			Windows: []routing.Window{{Programs: []string{"p"}, From: hours(8), To: hours(21)}},
		},
		Defaults: routing.Defaults{
			LCR: routing.PerCarrierLPM, TypicalCall: 30, Quality: routing.QualityPrior{Mean: 0.4, Strength: 10, Z: -1},
		},
	}
	var got routing.Policy
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&got))
	require.Equal(t, want, got)
	written, err := json.Marshal(got)
	require.NoError(t, err)
	var again routing.Policy
	require.NoError(t, json.Unmarshal(written, &again))
	require.Equal(t, want, again)
}
