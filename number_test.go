package outdial_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
)

func TestParseNumber(t *testing.T) {
	for _, tc := range []struct {
		in      string
		want    outdial.Number
		problem string
	}{
		{in: "+12125550123", want: 12125550123},
		{in: "+1 (212) 555-0123", want: 12125550123},
		{in: "  +44.20/7946 0123 ", want: 442079460123},
		{in: "+1\u00a0212\u2011555\u20110123", want: 12125550123},
		{in: "tel:+1-212-555-0123", want: 12125550123},
		{in: "TEL:+12125550123;ext=7;phone-context=+1", want: 12125550123},
		{in: "sip:+12125550123@carrier.example;user=phone", want: 12125550123},
		{in: "sips:+12125550123;npdi:secret@10.0.0.1:5061", want: 12125550123},
		{in: "sip:%2B12125550123@carrier.example", want: 12125550123},
		{in: "+123456789012345", want: 123456789012345},
		{in: "+6834000", want: 6834000},

		{in: "", problem: "no digits"},
		{in: "+", problem: "no digits"},
		{in: "12125550123", problem: "no leading +"},
		{in: "sip:12125550123@carrier.example", problem: "no leading +"},
		{in: "tel:5550123;phone-context=+1212", problem: "a local number"},
		{in: "+0441234567", problem: "begins with 0"},
		{in: "+1234567890123456", problem: "more than 15 digits"},
		{in: "+12345678901234567890123", problem: "more than 15 digits"},
		{in: "+911", problem: "fewer than 7 digits"},
		{in: "+44 (0)20 7946 0123", problem: `"(0)" may stand for`},
		{in: "+1212555O123", problem: `'O' is not a digit`},
		{in: "+1212555+0123", problem: `'+' is not a digit`},
		{in: "+1٢125550123", problem: "is not a digit"},
		{in: "sip:carrier.example", problem: "no user part"},
		{in: "mailto:+12125550123@example.org", problem: "scheme is not tel, sip or sips"},
		{in: "sip:+1212\r\nX: y@h", problem: "is not a digit"},
	} {
		got, err := outdial.ParseNumber(tc.in)
		if tc.problem == "" {
			require.NoError(t, err, tc.in)
			require.Equal(t, tc.want, got, tc.in)
			continue
		}
		var ne *outdial.NumberError
		require.ErrorAs(t, err, &ne, tc.in)
		require.Contains(t, ne.Problem, tc.problem, tc.in)
		require.Zero(t, got)
	}
}

func TestParseDigits(t *testing.T) {
	for _, in := range []string{"12125550123", "+12125550123", "1 212 555 0123", "sip:12125550123@h"} {
		n, err := outdial.ParseDigits(in)
		require.NoError(t, err, in)
		require.Equal(t, outdial.Number(12125550123), n)
	}
	_, err := outdial.ParseDigits("01144207946")
	require.ErrorContains(t, err, "begins with 0")
}

func TestDialPlan(t *testing.T) {
	us := outdial.DialPlan{CountryCode: 1, International: "011", National: "1", Subscriber: 10}
	de := outdial.DialPlan{CountryCode: 49, International: "00", National: "0"}
	require.NoError(t, us.Validate())
	require.NoError(t, de.Validate())
	for _, tc := range []struct {
		plan    outdial.DialPlan
		in      string
		want    outdial.Number
		problem string
	}{
		{us, "(212) 555-0123", 12125550123, ""},
		{us, "1 212 555 0123", 12125550123, ""},
		{us, "011 44 20 7946 0123", 442079460123, ""},
		{us, "+442079460123", 442079460123, ""},
		{us, "sip:2125550123@10.0.0.1", 12125550123, ""},
		{us, "5550123", 0, "has 10 digits"},
		{us, "911", 0, "has 10 digits"},
		{us, "0212555012", 0, "does not begin with 0"},
		{us, "tel:2079460123;phone-context=+44", 0, "a local number"},
		{us, "sip:2079460123;phone-context=example.com@10.0.0.1", 0, "a local number"},
		{us, "tel:+442079460123;Phone-Context=+1", 442079460123, ""},
		{us, "tel:2125550123;isub=7", 12125550123, ""},
		{de, "030 901820", 4930901820, ""},
		{de, "(030) 901820", 4930901820, ""},
		{de, "+49 (030) 901820", 0, "0 in brackets"},
		{de, "+49 ( 0 ) 30 901820", 0, `"(0)"`},
		{de, "0049 (0)30 901820", 0, `"(0)"`},
		{de, "0044 20 7946 0123", 442079460123, ""},
		{outdial.DialPlan{}, "2125550123", 0, "no country code"},
	} {
		got, err := tc.plan.Parse(tc.in)
		if tc.problem != "" {
			require.ErrorContains(t, err, tc.problem, tc.in)
			continue
		}
		require.NoError(t, err, tc.in)
		require.Equal(t, tc.want, got, tc.in)
	}
	err := outdial.DialPlan{CountryCode: 1000, International: "0a", Subscriber: -1}.Validate()
	for _, field := range []string{"CountryCode", "International", "Subscriber"} {
		require.ErrorContains(t, err, field)
	}
}

func TestNumberText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := outdial.Number(rapid.Uint64Range(1_000_000, 999_999_999_999_999).Draw(t, "n"))
		back, err := outdial.ParseNumber(n.String())
		require.NoError(t, err)
		require.Equal(t, n, back)
		require.True(t, n.Valid())
		data, err := json.Marshal(n)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &back))
		require.Equal(t, n, back)
	})
	require.Empty(t, outdial.Number(0).String())
	n := outdial.MustNumber("+12125550123")
	require.NoError(t, n.UnmarshalText(nil))
	require.Zero(t, n)
	require.Panics(t, func() { outdial.MustNumber("911") })
}

func TestPrefix(t *testing.T) {
	p, err := outdial.ParsePrefix("+1212")
	require.NoError(t, err)
	require.Equal(t, 4, p.Len())
	require.Equal(t, "+1212", p.String())
	require.True(t, p.Contains(12125550123))
	require.False(t, p.Contains(12135550123))
	require.False(t, p.Contains(121))
	require.True(t, outdial.Prefix(0).Contains(12125550123))
	require.True(t, outdial.Prefix(1).Covers(p))
	require.False(t, p.Covers(1))
	_, err = outdial.ParsePrefix("0044")
	require.ErrorContains(t, err, "begins with 0")
	for _, junk := range []string{"+", " ", "-", "()", "+-"} {
		_, err = outdial.ParsePrefix(junk)
		require.ErrorContains(t, err, "no digits", junk)
	}
	_, err = outdial.ParsePrefix("1234567890123456")
	require.ErrorContains(t, err, "more than 15")
	for _, in := range []string{"", "+1", "44 20"} {
		var q outdial.Prefix
		require.NoError(t, q.UnmarshalText([]byte(in)))
		text, err := q.MarshalText()
		require.NoError(t, err)
		var back outdial.Prefix
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, q, back)
	}
}

func TestParseNumberAllocatesNothing(t *testing.T) {
	require.Zero(t, testing.AllocsPerRun(100, func() {
		n, err := outdial.ParseNumber("+12125550123")
		if err != nil || n != 12125550123 {
			t.Fail()
		}
	}))
	buf := make([]byte, 0, 32)
	require.Zero(t, testing.AllocsPerRun(100, func() { buf = outdial.Number(12125550123).AppendTo(buf[:0]) }))
}

func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"+12125550123", "tel:+1-212-555-0123;ext=1", "sip:%2b12125550123@h", "(0)", "+44 (0)20", "\u00a0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := outdial.ParseNumber(s)
		if (err == nil) != n.Valid() {
			t.Fatalf("ParseNumber(%q) = %d, %v", s, n, err)
		}
		if d, derr := outdial.ParseDigits(s); err == nil && (derr != nil || d != n) {
			t.Fatalf("ParseDigits(%q) = %d, %v; ParseNumber gives %d", s, d, derr, n)
		}
	})
}

func BenchmarkParseNumber(b *testing.B) {
	for _, s := range []string{"+12125550123", "+1 (212) 555-0123", "sip:+12125550123@carrier.example"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := outdial.ParseNumber(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
