package numplan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial/internal/race"
)

func TestAllWithin(t *testing.T) {
	const h = time.Hour
	for _, c := range []struct {
		why      string
		number   uint64
		at       string // UTC
		from, to time.Duration
		want     bool
	}{
		{"one zone, before", 12125550123, "2026-01-15T12:59:59.999Z", 8 * h, 21 * h, false},
		{"one zone, opens", 12125550123, "2026-01-15T13:00:00Z", 8 * h, 21 * h, true},
		{"one zone, last", 12125550123, "2026-01-16T01:59:59.999Z", 8 * h, 21 * h, true},
		{"one zone, closed", 12125550123, "2026-01-16T02:00:00Z", 8 * h, 21 * h, false},

		{"850: 08:00 Eastern is 07:00 Central", 18505550123, "2026-01-15T13:00:00Z", 8 * h, 21 * h, false},
		{"850: 07:59:59 Central", 18505550123, "2026-01-15T13:59:59.999Z", 8 * h, 21 * h, false},
		{"850: 08:00 Central", 18505550123, "2026-01-15T14:00:00Z", 8 * h, 21 * h, true},
		{"850: 20:59:59 Eastern", 18505550123, "2026-01-16T01:59:59.999Z", 8 * h, 21 * h, true},
		{"850: 21:00 Eastern, 20:00 Central", 18505550123, "2026-01-16T02:00:00Z", 8 * h, 21 * h, false},
		{"208: 08:00 Mountain", 12085550123, "2026-07-15T14:00:00Z", 8 * h, 21 * h, false},
		{"208: 08:00 Pacific", 12085550123, "2026-07-15T15:00:00Z", 8 * h, 21 * h, true},
		{"208: 20:59:59 Mountain", 12085550123, "2026-07-16T02:59:59.999Z", 8 * h, 21 * h, true},
		{"208: 21:00 Mountain", 12085550123, "2026-07-16T03:00:00Z", 8 * h, 21 * h, false},
		{"605: 08:00 Central", 16055550123, "2026-07-15T13:00:00Z", 8 * h, 21 * h, false},
		{"605: 08:00 Mountain", 16055550123, "2026-07-15T14:00:00Z", 8 * h, 21 * h, true},
		{"605: 21:00 Central", 16055550123, "2026-07-16T02:00:00Z", 8 * h, 21 * h, false},
		{"907: 08:00 Alaska", 19075550123, "2026-01-15T17:00:00Z", 8 * h, 21 * h, false},
		{"907: 08:00 Adak", 19075550123, "2026-01-15T18:00:00Z", 8 * h, 21 * h, true},
		{"928 in winter: one time", 19285550123, "2026-01-15T15:00:00Z", 8 * h, 21 * h, true},
		{"928 in summer: 08:00 Navajo Nation", 19285550123, "2026-07-15T14:00:00Z", 8 * h, 21 * h, false},
		{"928 in summer: 08:00 Phoenix", 19285550123, "2026-07-15T15:00:00Z", 8 * h, 21 * h, true},
		{"928 in summer: 20:00 Phoenix, 21:00 Navajo Nation", 19285550123, "2026-07-16T03:00:00Z", 8 * h, 21 * h, false},

		// Clocks forward on 2026-03-08: Eastern at 07:00 UTC, Central at 08:00 UTC.
		{"850 forward: 01:59 and 00:59", 18505550123, "2026-03-08T06:59:00Z", 0, 2 * h, true},
		{"850 forward: 03:00 and 01:00", 18505550123, "2026-03-08T07:00:00Z", 1 * h, 4 * h, true},
		{"850 forward: the hour from 2 is skipped", 18505550123, "2026-03-08T07:30:00Z", 1 * h, 3 * h, false},
		{"850 forward: 04:00 and 03:00", 18505550123, "2026-03-08T08:00:00Z", 3 * h, 5 * h, true},
		{"850 forward: 08:00 Central comes an hour sooner", 18505550123, "2026-03-08T13:00:00Z", 8 * h, 21 * h, true},
		{"850 forward: 07:59 Central", 18505550123, "2026-03-08T12:59:59Z", 8 * h, 21 * h, false},
		{"850 forward: 21:00 Eastern", 18505550123, "2026-03-09T01:00:00Z", 8 * h, 21 * h, false},
		{"850 forward: 20:59 Eastern", 18505550123, "2026-03-09T00:59:59Z", 8 * h, 21 * h, true},
		{"928 forward: 07:00 Phoenix", 19285550123, "2026-03-08T14:00:00Z", 8 * h, 21 * h, false},

		// Clocks back on 2026-11-01: Eastern at 06:00 UTC, Central at 07:00 UTC.
		{"850 back: 01:30 and 00:30", 18505550123, "2026-11-01T05:30:00Z", 1 * h, 2 * h, false},
		{"850 back: 01:30 again and 01:30", 18505550123, "2026-11-01T06:30:00Z", 1 * h, 2 * h, true},
		{"850 back: 02:30 and 01:30 again", 18505550123, "2026-11-01T07:30:00Z", 1 * h, 2 * h, false},
		{"850 back: 07:59 Central", 18505550123, "2026-11-01T13:59:59Z", 8 * h, 21 * h, false},
		{"850 back: 08:00 Central", 18505550123, "2026-11-01T14:00:00Z", 8 * h, 21 * h, true},
		{"850 back: 20:59 Eastern", 18505550123, "2026-11-02T01:59:59Z", 8 * h, 21 * h, true},
		{"850 back: 21:00 Eastern", 18505550123, "2026-11-02T02:00:00Z", 8 * h, 21 * h, false},

		// London goes forward on 2026-03-29, three weeks after New York.
		{"London, the day before", 442079460123, "2026-03-28T08:00:00Z", 8 * h, 21 * h, true},
		{"London, the day itself", 442079460123, "2026-03-29T07:00:00Z", 8 * h, 21 * h, true},
		{"half-hour zone: 07:59 in Delhi", 911123456789, "2026-01-15T02:29:59Z", 8 * h, 21 * h, false},
		{"half-hour zone: 08:00 in Delhi", 911123456789, "2026-01-15T02:30:00Z", 8 * h, 21 * h, true},

		{"Spanish mobile: 09:00 in Madrid, 08:00 on the Canaries", 34612345678, "2026-01-15T08:00:00Z", 9 * h, 21 * h, false},
		{"across midnight, late", 12125550123, "2026-01-16T03:00:00Z", 22 * h, 6 * h, true},
		{"across midnight, early", 12125550123, "2026-01-15T10:59:59Z", 22 * h, 6 * h, true},
		{"across midnight, out", 12125550123, "2026-01-15T11:00:00Z", 22 * h, 6 * h, false},
		{"the whole day", 12125550123, "2026-01-15T11:00:00Z", 0, 24 * h, true},
		{"empty window", 12125550123, "2026-01-15T13:00:00Z", 8 * h, 8 * h, false},
		{"from below 0", 12125550123, "2026-01-15T13:00:00Z", -h, 24 * h, false},
		{"to above 24 h", 12125550123, "2026-01-15T13:00:00Z", 0, 25 * h, false},
		{"toll-free: place unknown", 18005550123, "2026-01-15T18:00:00Z", 0, 24 * h, false},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		require.NoError(t, err)
		e, ok := plan().Lookup(c.number)
		require.True(t, ok)
		require.Equal(t, c.want, plan().AllWithin(at, e.Zones, c.from, c.to), c.why)
	}
	require.False(t, plan().AllWithin(time.Unix(0, 0), 65535, 0, 24*h), "no such set")
}

// The oracle formats the local time and compares text.
func TestAllWithinOracle(t *testing.T) {
	p := plan()
	entries := entriesOf(p)
	rapid.Check(t, func(t *rapid.T) {
		e := entries[rapid.IntRange(0, len(entries)-1).Draw(t, "entry")]
		at := time.Unix(rapid.Int64Range(1767225600, 1924992000).Draw(t, "at"), 0) // 2026 to 2030
		from := rapid.IntRange(0, 24*60).Draw(t, "from")
		to := rapid.IntRange(0, 24*60).Draw(t, "to")

		want := len(p.Locations(e.Zones)) > 0
		for _, loc := range p.Locations(e.Zones) {
			now := at.In(loc).Format("15:04:05")
			after, before := now >= text(from), now < text(to)
			if from > to && !after && !before || from <= to && !(after && before) {
				want = false
			}
		}
		got := p.AllWithin(at, e.Zones, time.Duration(from)*time.Minute, time.Duration(to)*time.Minute)
		require.Equal(t, want, got)
	})
}

// text returns minutes after midnight as hh:mm:00; 24:00:00 is greater than any time of day.
func text(minutes int) string {
	return string([]byte{
		byte('0' + minutes/600), byte('0' + minutes/60%10), ':', byte('0' + minutes%60/10), byte('0' + minutes%10), ':', '0', '0',
	})
}

func TestAllWithinAllocatesNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector changes allocation counts")
	}
	e, _ := plan().Lookup(79161234567)
	at := time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC)
	zones := e.Zones
	require.Zero(t, testing.AllocsPerRun(100, func() { plan().AllWithin(at, zones, 8*time.Hour, 21*time.Hour) }))
}
