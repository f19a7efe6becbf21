package numplan_test

import (
	"strings"
	"sync"
	"testing"
	_ "time/tzdata" // so that the tests do not depend on the host's tz database

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/numplan"
	"github.com/outdial/outdial/internal/race"
)

// plan is built once: it is immutable.
var plan = sync.OnceValue(func() *numplan.Plan {
	p, err := numplan.New(numplan.Config{})
	if err != nil {
		panic(err)
	}
	return p
})

// zoneNames lists the zones of a set as the data write them.
func zoneNames(p *numplan.Plan, set numplan.ZoneSet) string {
	var names []string
	for _, loc := range p.Locations(set) {
		names = append(names, loc.String())
	}
	return strings.Join(names, ",")
}

func TestLookup(t *testing.T) {
	for _, c := range []struct {
		number  uint64
		area    uint64
		country string
		region  string
		name    string
		group   string
		overlay uint16
		class   numplan.Class
		zones   string
		split   bool
	}{
		{12125550123, 1212, "US", "NY", "New York", "US/212", 212, numplan.General, "America/New_York", false},
		{13325550123, 1332, "US", "NY", "New York", "US/332", 212, numplan.General, "America/New_York", false},
		{14165550123, 1416, "CA", "ON", "Ontario", "CA/416", 416, numplan.General, "America/Toronto", false},
		{19025550123, 1902, "CA", "NS/PE", "Nova Scotia / Prince Edward Island", "CA/902", 902, numplan.General, "America/Halifax", false},
		{18505550123, 1850, "US", "FL", "Florida", "US/850", 850, numplan.General, "America/Chicago,America/New_York", true},
		{19285550123, 1928, "US", "AZ", "Arizona", "US/928", 0, numplan.General, "America/Phoenix,America/Denver", true},
		{18765550123, 1876, "JM", "", "Jamaica", "JM/876", 876, numplan.General, "America/Jamaica", false},
		{18005550123, 1800, "", "", "", "+1/800", 0, numplan.TollFree, "", false},
		{19005550123, 1900, "", "", "", "+1/900", 0, numplan.Premium, "", false},
		{15005550123, 1500, "", "", "", "+1/500", 0, numplan.Personal, "", false},
		{16005550123, 1600, "CA", "", "Canada", "CA/600", 0, numplan.NonGeographic, "", false},
		{442079460123, 44, "GB", "", "United Kingdom", "GB", 0, numplan.General, "Europe/London", false},
		{447700900123, 4477, "GB", "", "United Kingdom", "GB", 0, numplan.Mobile, "Europe/London", false},
		{441481960123, 441481, "GG", "", "Guernsey", "GG", 0, numplan.General, "Europe/Guernsey", false},
		{393123456789, 393, "IT", "", "Italy", "IT", 0, numplan.Mobile, "Europe/Rome", false},
		{390669812345, 3906698, "VA", "", "Vatican City", "VA", 0, numplan.General, "Europe/Vatican", false},
		{74951234567, 7495, "RU", "", "Russia", "RU", 0, numplan.General, "Europe/Moscow", false},
		{77272345678, 77, "KZ", "", "Kazakhstan", "KZ", 0, numplan.General, "Asia/Almaty,Asia/Qyzylorda,Asia/Aqtobe", false},
		{212528812345, 2125288, "EH", "", "Western Sahara", "EH", 0, numplan.General, "Africa/El_Aaiun", false},
		{61891621234, 6189162, "CC", "", "Cocos (Keeling) Islands", "CC", 0, numplan.General, "Indian/Cocos", false},
		{61891641234, 6189164, "CX", "", "Christmas Island", "CX", 0, numplan.General, "Indian/Christmas", false},
		{4779021234, 4779, "SJ", "", "Svalbard & Jan Mayen", "SJ", 0, numplan.General, "Arctic/Longyearbyen", false},
		{3581812345, 35818, "AX", "", "Aland Islands", "AX", 0, numplan.General, "Europe/Mariehamn", false},
		{262269123456, 262269, "YT", "", "Mayotte", "YT", 0, numplan.General, "Indian/Mayotte", false},
		{59059029123, 59059029, "MF", "", "Saint Martin (French part)", "MF", 0, numplan.General, "America/Marigot", false},
		{59997123456, 5999, "CW", "", "Curacao", "CW", 0, numplan.General, "America/Curacao", false},
		{551131234567, 5511, "BR", "SP", "Sao Paulo", "BR/11", 0, numplan.General, "America/Sao_Paulo", false},
		{34922123456, 34922, "ES", "", "Spain", "ES", 0, numplan.General, "Atlantic/Canary", false},
		{34612345678, 346, "ES", "", "Spain", "ES", 0, numplan.Mobile, "Europe/Madrid,Atlantic/Canary", true},
		{80012345678, 800, "", "", "", "+800", 0, numplan.TollFree, "", false},
		{870773123456, 870, "", "", "", "+870", 0, numplan.NonGeographic, "", false},
	} {
		e, ok := plan().Lookup(c.number)
		require.True(t, ok, c.number)
		require.Equal(t, c.area, e.Area, c.number)
		require.Equal(t, c.country, e.Country.String(), c.number)
		require.Equal(t, c.region, e.Region, c.number)
		require.Equal(t, c.name, plan().Name(e), c.number)
		require.Equal(t, c.group, e.Group(), c.number)
		require.Equal(t, c.overlay, e.Overlay, c.number)
		require.Equal(t, c.class, e.Class, c.number)
		require.Equal(t, c.zones, zoneNames(plan(), e.Zones), c.number)
		require.Equal(t, c.split, e.Split, c.number)
	}
}

func TestLookupUnknown(t *testing.T) {
	for _, number := range []uint64{0, 210, 2105550123, 9991234567, 8881234567} {
		_, ok := plan().Lookup(number)
		require.False(t, ok, number)
	}
	e, ok := plan().Lookup(12115550123)
	require.True(t, ok)
	require.Equal(t, numplan.Unassigned, e.Class)
	require.Equal(t, uint64(1), e.Area)
	require.True(t, e.Split, "who dials an area code opened since the data were compiled keeps the hours of all North America")

	var zero numplan.Plan
	_, ok = zero.Lookup(12125550123)
	require.False(t, ok)
	require.Empty(t, zero.Locations(3))
	require.Zero(t, zero.Len())
}

func TestAreasAreOrderedByID(t *testing.T) {
	n := 0
	for e := range plan().Areas() {
		require.Equal(t, uint32(n), e.ID)
		n++
	}
	require.Equal(t, plan().Len(), n)
	for range plan().Areas() {
		break // a consumer may stop early
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector changes allocation counts")
	}
	p := plan()
	require.Zero(t, testing.AllocsPerRun(100, func() { p.Lookup(12125550123) }))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if p.Valid(12125550123) != nil {
			panic("invalid")
		}
	}))
}

func TestValid(t *testing.T) {
	for _, number := range []uint64{
		12125550123, 442079460123, 4915112345678, 33123456789, 74951234567, 390612345678, 551131234567, 80012345678,
		18005550123, 8613812345678, 919812345678, 35312345678, 6512345678, 29022158, 6834002,
	} {
		require.NoError(t, plan().Valid(number), number)
	}
	for _, c := range []struct {
		number uint64
		want   error
		text   string
	}{
		{0, numplan.ErrLength, "numplan: wrong number of digits: +0 has 0, E.164 has 1 to 15"},
		{1234567890123456, numplan.ErrLength, "numplan: wrong number of digits: +1234567890123456 has 16, E.164 has 1 to 15"},
		{2105550123, numplan.ErrCallingCode, "numplan: country code is not assigned: +2105550123"},
		{1212555012, numplan.ErrLength, "numplan: wrong number of digits: +1212555012 has 9 after the country code 1, which has 10"},
		{3221, numplan.ErrLength, "numplan: wrong number of digits: +3221 has 2 after the country code 32, which has 8 to 9"},
		{121255501234, numplan.ErrLength, "numplan: wrong number of digits: +121255501234 has 11 after the country code 1, which has 10"},
		{12115550123, numplan.ErrArea, "numplan: area is not assigned: +12115550123"},
		{12121550123, numplan.ErrExchange, "numplan: exchange code does not begin with 2 to 9: +12121550123"},
	} {
		err := plan().Valid(c.number)
		require.ErrorIs(t, err, c.want)
		require.EqualError(t, err, c.text)
	}
}

func TestClassString(t *testing.T) {
	require.Equal(t, "general", numplan.Class(0).String())
	require.Equal(t, "unassigned", numplan.Unassigned.String())
	require.Equal(t, "class(?)", (numplan.Unassigned + 1).String())
}
