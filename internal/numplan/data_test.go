package numplan_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/digits"
	"github.com/outdial/outdial/internal/numplan"
)

// callingCodes are those that ITU-T has assigned (Operational Bulletin, list of
// recommendation E.164), typed here by zone, apart from the data.
const callingCodes = `1 7 20 27 211 212 213 216 218 220 221 222 223 224 225 226 227 228 229
230 231 232 233 234 235 236 237 238 239 240 241 242 243 244 245 246 247 248 249 250 251 252 253 254 255 256 257 258
260 261 262 263 264 265 266 267 268 269 290 291 297 298 299
30 31 32 33 34 36 39 350 351 352 353 354 355 356 357 358 359 370 371 372 373 374 375 376 377 378 380 381 382 383 385 386 387 389
40 41 43 44 45 46 47 48 49 420 421 423 51 52 53 54 55 56 57 58 500 501 502 503 504 505 506 507 508 509
590 591 592 593 594 595 596 597 598 599 60 61 62 63 64 65 66 670 672 673 674 675 676 677 678 679
680 681 682 683 685 686 687 688 689 690 691 692 81 82 84 86 800 808 850 852 853 855 856 870 878 880 881 882 883 886
90 91 92 93 94 95 98 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 979 992 993 994 995 996 998`

func TestCallingCodesAreThoseOfTheITU(t *testing.T) {
	var want, got []string
	want = strings.Fields(callingCodes)
	for e := range plan().Areas() {
		if e.Area == uint64(e.CallingCode) {
			got = append(got, itoa(e.Area))
		}
	}
	slices.Sort(want)
	require.Equal(t, want, got)
}

func TestEveryEntryIsComplete(t *testing.T) {
	p := plan()
	last := ""
	for e := range p.Areas() {
		require.Greater(t, itoa(e.Area), last, "in the order of digits, none twice")
		last = itoa(e.Area)

		require.True(t, strings.HasPrefix(last, itoa(uint64(e.CallingCode))), last)
		require.NotZero(t, e.MinLen, last)
		require.LessOrEqual(t, e.MinLen, e.MaxLen, last)
		require.LessOrEqual(t, digits.Len(uint64(e.CallingCode))+int(e.MaxLen), digits.MaxLen, last)
		require.LessOrEqual(t, digits.Len(e.Area), digits.Len(uint64(e.CallingCode))+int(e.MaxLen), last)
		if e.Country != (numplan.Country{}) {
			require.Greater(t, len(p.Name(e)), 2, "%s has no name", last)
			for part := range strings.SplitSeq(p.Name(e), " / ") {
				require.Greater(t, len(part), 2, "%s has no name", last)
			}
		}
		switch e.Class {
		case numplan.General, numplan.Mobile:
			require.NotEmpty(t, p.Locations(e.Zones), last)
			require.NotZero(t, e.Country, last)
		}
	}
}

// A zone name that the tz database does not have would make New fail on every host.
func TestEveryZoneLoads(t *testing.T) {
	for e := range plan().Areas() {
		for _, loc := range plan().Locations(e.Zones) {
			again, err := time.LoadLocation(loc.String())
			require.NoError(t, err)
			require.Equal(t, loc.String(), again.String())
		}
	}
}

// areaCodes returns the geographic area codes of calling code 1 by country.
func areaCodes() map[string][]numplan.Entry {
	byCountry := map[string][]numplan.Entry{}
	for e := range plan().Areas() {
		if e.CallingCode == 1 && e.Area != 1 && e.Class == numplan.General {
			byCountry[e.Country.String()] = append(byCountry[e.Country.String()], e)
		}
	}
	return byCountry
}

func TestAreaCodes(t *testing.T) {
	codes := areaCodes()
	require.Equal(t, 373, len(codes["US"]))
	require.Equal(t, 55, len(codes["CA"]))
	others := 0
	for country, list := range codes {
		for _, e := range list {
			require.Equal(t, 4, digits.Len(e.Area))
			require.GreaterOrEqual(t, e.Area, uint64(1201))
			require.NotEqual(t, uint64(9), e.Area/10%10, "%d: no area code has 9 in the middle", e.Area)
			require.NotEqual(t, uint64(11), e.Area%100, "%d: N11 is no area code", e.Area)
		}
		if country != "US" && country != "CA" {
			others += len(list)
		}
	}
	require.Equal(t, 27, others)
	require.Equal(t, 25, len(codes), "the United States, Canada and 23 others")

	var tollFree []uint64
	for e := range plan().Areas() {
		if e.CallingCode == 1 && e.Class == numplan.TollFree {
			tollFree = append(tollFree, e.Area%1000)
		}
	}
	require.Equal(t, []uint64{800, 833, 844, 855, 866, 877, 888}, tollFree)
}

func TestEveryStateAndProvince(t *testing.T) {
	const states = "AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY " +
		"OH OK OR PA RI SC SD TN TX UT VA VT WA WI WV WY"
	const provinces = "AB BC MB NB NL NS NT NU ON PE QC SK YT"
	for country, want := range map[string]string{"US": states, "CA": provinces} {
		seen := map[string]bool{}
		for _, e := range areaCodes()[country] {
			for part := range strings.SplitSeq(e.Region, "/") {
				seen[part] = true
			}
		}
		var got []string
		for region := range seen {
			got = append(got, region)
		}
		slices.Sort(got)
		require.Equal(t, strings.Fields(want), got)
	}
}

// Overlay groups serve one region, so they share state and zones and are named for a member.
// (A code that overlays its whole province shares only a zone with the older ones.)
func TestOverlayGroups(t *testing.T) {
	groups := map[uint16][]numplan.Entry{}
	for e := range plan().Areas() {
		if e.Overlay != 0 {
			require.Equal(t, uint16(1), e.CallingCode)
			groups[e.Overlay] = append(groups[e.Overlay], e)
		}
	}
	for name, members := range groups {
		require.Greater(t, len(members), 1, "overlay %d", name)
		require.True(t, slices.ContainsFunc(members, func(e numplan.Entry) bool { return e.Area == 1000+uint64(name) }), "overlay %d", name)
		for _, e := range members {
			require.Equal(t, members[0].Country, e.Country, "overlay %d", name)
			require.Equal(t, members[0].Region, e.Region, "overlay %d", name)
			if name != 604 {
				require.Equal(t, members[0].Zones, e.Zones, "overlay %d", name)
			}
		}
	}
	members := func(name uint16) (codes []uint64) {
		for _, e := range groups[name] {
			codes = append(codes, e.Area%1000)
		}
		return codes
	}
	require.Equal(t, []uint64{208, 986}, members(208))
	require.Equal(t, []uint64{270, 364}, members(270))
	require.Equal(t, []uint64{402, 531}, members(402))
	require.Equal(t, []uint64{458, 541}, members(541))
	require.Equal(t, []uint64{448, 850}, members(850))
	require.Equal(t, []uint64{812, 930}, members(812))
	require.Subset(t, members(212), []uint64{212, 332, 646, 917})
}

// The area codes whose zone depends on the exchange, and their overlays.
func TestSplitAreaCodes(t *testing.T) {
	p := plan()
	for code, offsets := range map[uint64][2]int{ // hours from UTC in January, west and east
		208: {-8, -7}, 986: {-8, -7}, 219: {-6, -5}, 270: {-6, -5}, 364: {-6, -5}, 308: {-7, -6}, 423: {-6, -5}, 729: {-6, -5},
		541: {-8, -7}, 458: {-8, -7}, 574: {-6, -5}, 605: {-7, -6}, 606: {-6, -5}, 620: {-7, -6}, 701: {-7, -6},
		775: {-8, -7}, 785: {-7, -6}, 812: {-6, -5}, 930: {-6, -5}, 850: {-6, -5}, 448: {-6, -5}, 906: {-6, -5}, 907: {-10, -9},
	} {
		e, ok := p.Lookup(1e10 + code*1e7 + 5550123)
		require.True(t, ok)
		require.True(t, e.Split, code)
		require.GreaterOrEqual(t, len(p.Locations(e.Zones)), 2, code)
		require.Equal(t, offsets, offsetRange(p, e, time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)), code)
	}
	// 928 is split in summer only: Arizona has no daylight saving time, the Navajo Nation has.
	e, _ := p.Lookup(19285550123)
	require.True(t, e.Split)
	require.Equal(t, [2]int{-7, -7}, offsetRange(p, e, time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)))
	require.Equal(t, [2]int{-7, -6}, offsetRange(p, e, time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC)))

	// What is split holds two zones at least; what is not holds clocks that agree.
	for e := range p.Areas() {
		if e.Split {
			require.GreaterOrEqual(t, len(p.Locations(e.Zones)), 2, e.Area)
			continue
		}
		for day := range 365 {
			o := offsetRange(p, e, time.Date(2027, 1, 1+day, 12, 0, 0, 0, time.UTC))
			require.Equal(t, o[0], o[1], e.Area)
		}
	}
}

// offsetRange returns the least and the greatest offset from UTC in whole hours.
func offsetRange(p *numplan.Plan, e numplan.Entry, t time.Time) [2]int {
	lo, hi := 24, -24
	for _, loc := range p.Locations(e.Zones) {
		_, seconds := t.In(loc).Zone()
		lo, hi = min(lo, seconds/3600), max(hi, seconds/3600)
	}
	if lo > hi {
		return [2]int{}
	}
	return [2]int{lo, hi}
}
