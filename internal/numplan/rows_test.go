package numplan_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/numplan"
)

// reader turns blanks into the tabs of the data files; "" gives no reader.
func reader(s string) io.Reader {
	if s == "" {
		return nil
	}
	return strings.NewReader(strings.ReplaceAll(s, " ", "\t"))
}

func TestNewAddsAndReplaces(t *testing.T) {
	p, err := numplan.New(numplan.Config{
		Countries: strings.NewReader("# a comment\r\n\r\n999\tXX\tmobile\t5\t7\tEurope/Paris\r\n"),
		Areas:     reader("1212 US NJ - 201 America/Chicago\n4930 DE BE - - -\n44117 none - premium - none"),
		Names:     strings.NewReader("DE-BE\tBerlin\nXX\tNowhere"),
	})
	require.NoError(t, err)

	e, ok := p.Lookup(9991234567)
	require.True(t, ok)
	require.Equal(t, "XX", e.Group())
	require.Equal(t, "Nowhere", p.Name(e))
	require.Equal(t, numplan.Mobile, e.Class)
	require.Equal(t, uint8(5), e.MinLen)
	require.NoError(t, p.Valid(99912345))
	require.ErrorIs(t, p.Valid(9991234), numplan.ErrLength)

	e, _ = p.Lookup(12125550123)
	require.Equal(t, "New Jersey", p.Name(e))
	require.Equal(t, uint16(201), e.Overlay)
	require.Equal(t, "America/Chicago", zoneNames(p, e.Zones))

	e, _ = p.Lookup(493012345678)
	require.Equal(t, "DE/30", e.Group())
	require.Equal(t, "Berlin", p.Name(e))
	require.Equal(t, "Europe/Berlin", zoneNames(p, e.Zones), "inherited")
	require.Equal(t, uint8(13), e.MaxLen, "inherited")

	e, _ = p.Lookup(441171234567)
	require.Equal(t, "+44", e.Group())
	require.Empty(t, p.Name(e))
	require.Zero(t, e.Zones)

	e, _ = p.Lookup(12135550123)
	require.Equal(t, "California", p.Name(e), "other rows stay")
}

func TestNewBare(t *testing.T) {
	p, err := numplan.New(numplan.Config{Bare: true})
	require.NoError(t, err)
	require.Zero(t, p.Len())
	_, ok := p.Lookup(12125550123)
	require.False(t, ok)

	p, err = numplan.New(numplan.Config{Bare: true, Countries: reader("1 US - 10 10 none"), Areas: reader("1212 - NY - - -")})
	require.NoError(t, err)
	e, ok := p.Lookup(12125550123)
	require.True(t, ok)
	require.Equal(t, "US/212", e.Group())
	require.Equal(t, "NY", p.Name(e), "a region without a name keeps its code")
}

func TestNewErrors(t *testing.T) {
	for _, c := range []struct{ countries, areas, names, want string }{
		{areas: "#\n\n1212 US NY - - America/Foo", want: `areas:3: zone "America/Foo": unknown time zone America/Foo`},
		{areas: "1212 US NY - - ,", want: `areas:1: zone "": not the name of an IANA time zone`},
		{areas: "1212 US NY - - Local", want: `areas:1: zone "Local": not the name of an IANA time zone`},
		{areas: "1212 US NY - - Asia/Tokyo,Asia/Tokyo", want: `areas:1: zone "Asia/Tokyo": given twice`},
		{areas: "1212 US NY - -", want: `areas:1: 5 columns instead of 6, tabs between them`},
		{areas: "x US NY - - -", want: `areas:1: prefix "x": not 1 to 15 digits, the first of them not 0`},
		{areas: " US NY - - -", want: `areas:1: prefix "": not 1 to 15 digits, the first of them not 0`},
		{areas: "+1212 US NY - - -", want: `areas:1: prefix "+1212": not 1 to 15 digits, the first of them not 0`},
		{areas: "0212 US NY - - -", want: `areas:1: prefix "0212": not 1 to 15 digits, the first of them not 0`},
		{areas: "1212555012345678 US NY - - -", want: `areas:1: prefix "1212555012345678": not 1 to 15 digits, the first of them not 0`},
		{areas: "1212 US NY - - -\n1212 US NY - - -", want: `areas:2: prefix 1212: given before, in line 1`},
		{areas: "2109 US NY - - -", want: `areas:1: prefix 2109: begins with no calling code, or is one`},
		{areas: "44 GB - - - -", want: `areas:1: prefix 44: begins with no calling code, or is one`},
		{areas: "1212 us NY - - -", want: `areas:1: country "us": not two capital letters`},
		{areas: "1212 US NEWYORK - - -", want: `areas:1: region "NEWYORK": not capitals or digits, up to three a region`},
		{areas: "1212 US NY/ - - -", want: `areas:1: region "NY/": not capitals or digits, up to three a region`},
		{areas: "1212 US NY landline - -", want: `areas:1: class "landline": unknown`},
		{areas: "1212 US NY - 70000 -", want: `areas:1: overlay "70000": not a number from 1 to 65535`},
		{countries: "44 GBR - 7 10 Europe/London", want: `countries:1: country "GBR": not two capital letters`},
		{countries: "44 GB fixed 7 10 Europe/London", want: `countries:1: class "fixed": unknown`},
		{countries: "44 GB - 7 10 -", want: `countries:1: zones: missing; where a place cannot be told write "none"`},
		{countries: "44 GB - 10 7 Europe/London", want: `countries:1: lengths "10" and "7": not 1 ≤ min ≤ max ≤ 13`},
		{countries: "44 GB - 7 14 Europe/London", want: `countries:1: lengths "7" and "14": not 1 ≤ min ≤ max ≤ 13`},
		{countries: "44 GB - 7 x Europe/London", want: `countries:1: lengths "7" and "x": not 1 ≤ min ≤ max ≤ 13`},
		{countries: "4412 GB - 7 10 Europe/London", want: `countries:1: calling code 4412: more than three digits`},
		{countries: "441 GB - 7 10 Europe/London", want: `countries:1: calling code 441: begins with the calling code 44`},
		{names: "GB", want: `names:1: 1 columns instead of 2, a tab between them`},
		{names: "gb Britain", want: `names:1: id "gb": not a country or a country, a hyphen and a region`},
		{names: "GB- Britain", want: `names:1: id "GB-": not a country or a country, a hyphen and a region`},
		{names: "US-NY/NJ Both", want: `names:1: id "US-NY/NJ": not a country or a country, a hyphen and a region`},
	} {
		p, err := numplan.New(numplan.Config{Countries: reader(c.countries), Areas: reader(c.areas), Names: reader(c.names)})
		require.Nil(t, p)
		require.EqualError(t, err, "numplan: "+c.want)
	}
}

func TestNewJoinsErrors(t *testing.T) {
	_, err := numplan.New(numplan.Config{
		Countries: reader("44 GB - 9 8 none"),
		Areas:     reader("x - - - - -\n1212 US NY what - Not/A_Zone"),
	})
	require.EqualError(t, err, `numplan: areas:1: prefix "x": not 1 to 15 digits, the first of them not 0
countries:1: lengths "9" and "8": not 1 ≤ min ≤ max ≤ 13
areas:2: class "what": unknown
areas:2: zone "Not/A_Zone": unknown time zone Not/A_Zone`)

	_, err = numplan.New(numplan.Config{Areas: strings.NewReader(strings.Repeat("a file of another kind\n", 1000))})
	require.Equal(t, 20, strings.Count(err.Error(), "areas:"), "the first lines tell enough")
}

func TestNewReadErrors(t *testing.T) {
	broken := errors.New("disk on fire")
	_, err := numplan.New(numplan.Config{Areas: io.MultiReader(reader("1212 US NY - - -\n"), iotest.ErrReader(broken))})
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "areas:2: ")

	_, err = numplan.New(numplan.Config{Areas: strings.NewReader(strings.Repeat("x", 1<<20))})
	require.ErrorContains(t, err, "areas:1: ", "a line without an end is refused, not stored")
}
