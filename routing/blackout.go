package routing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// Blackout is days on which nobody is called: holidays, elections, mourning, Sundays. A day counts by the callee's clocks: it
// is one while any clock that the callee may live by shows it.
type Blackout struct {
	Name      string   `json:"name,omitempty"      yaml:"name,omitempty"` // for people
	Dates     []Date   `json:"dates,omitempty"     yaml:"dates,omitempty"`
	Weekdays  []string `json:"weekdays,omitempty"  yaml:"weekdays,omitempty"`  // "sunday" …
	Programs  []string `json:"programs,omitempty"  yaml:"programs,omitempty"`  // none = all
	Countries []string `json:"countries,omitempty" yaml:"countries,omitempty"` // of the callee, ISO 3166-1 alpha-2; none = all
}

// Date is a day of the calendar. Its text is "2026-12-25", or "12-25" for that day of every year.
type Date struct {
	Year  int // 0 = every year
	Month time.Month
	Day   int
}

// ParseDate reads the form of String.
func ParseDate(s string) (Date, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil && t.Year() > 0 {
		return Date{t.Year(), t.Month(), t.Day()}, nil
	}
	if t, err := time.Parse(time.DateOnly, "2000-"+s); err == nil { // a leap year
		return Date{0, t.Month(), t.Day()}, nil
	}
	return Date{}, fmt.Errorf("%.40q is not a date: want 2026-12-25, or 12-25 for every year", s)
}

// String returns "2026-12-25" or "12-25".
func (d Date) String() string {
	if d.Year == 0 {
		return fmt.Sprintf("%02d-%02d", int(d.Month), d.Day)
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler with ParseDate.
func (d *Date) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDate(string(text))
	return err
}

// blackout is a compiled Blackout.
type blackout struct {
	name      string
	dates     map[Date]bool
	weekdays  uint8
	programs  []outdial.ProgramID
	countries [][2]byte
}

func parseWeekday(name string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(d.String(), name) {
			return d, true
		}
	}
	return 0, false
}

func checkBlackouts(all []Blackout, hasNumbering bool, bad *problems) {
	for i := range all {
		k, place := &all[i], fmt.Sprintf("admission.blackouts[%d]", i)
		if len(k.Dates) == 0 && len(k.Weekdays) == 0 {
			bad.add(place, "names no day")
		}
		for j, d := range k.Dates {
			if _, err := ParseDate(d.String()); err != nil {
				bad.add(fmt.Sprintf("%s.dates[%d]", place, j), "%w", err)
			}
		}
		for j, name := range k.Weekdays {
			if _, ok := parseWeekday(name); !ok {
				bad.add(fmt.Sprintf("%s.weekdays[%d]", place, j), "%.20q is not a weekday", name)
			}
		}
		for j, name := range k.Programs {
			if name == "" {
				bad.add(fmt.Sprintf("%s.programs[%d]", place, j), "empty name")
			}
		}
		checkCountries(place, k.Countries, bad)
	}
	if len(all) > 0 && !hasNumbering {
		bad.add("admission.blackouts", "need CompileConfig.Numbering, which knows the callee's clocks")
	}
}

func newBlackouts(ids *outdial.Registry, all []Blackout) (out []blackout) {
	for i := range all {
		from := &all[i]
		k := blackout{name: from.Name, dates: map[Date]bool{}}
		if k.name == "" {
			k.name = fmt.Sprintf("blackouts[%d]", i)
		}
		for _, d := range from.Dates {
			k.dates[d] = true
		}
		for _, name := range from.Weekdays {
			w, _ := parseWeekday(name)
			k.weekdays |= 1 << w
		}
		for _, p := range from.Programs {
			k.programs = append(k.programs, ids.Programs.ID(p))
		}
		for _, c := range from.Countries {
			k.countries = append(k.countries, [2]byte{c[0], c[1]})
		}
		out = append(out, k)
	}
	return out
}

// on reports whether a local time is on one of the days.
func (k *blackout) on(local time.Time) bool {
	y, m, d := local.Date()
	return k.weekdays>>local.Weekday()&1 != 0 || k.dates[Date{y, m, d}] || k.dates[Date{0, m, d}]
}

// blackedOut returns the first blackout that a call falls into, or nil. Of a callee whose zones are not known every clock
// on earth counts.
func (t *Table) blackedOut(now time.Time, call *outdial.Call) *blackout {
	for i := range t.gate.blackouts {
		k := &t.gate.blackouts[i]
		if len(k.programs) > 0 && !slices.Contains(k.programs, call.Program) ||
			len(k.countries) > 0 && !slices.Contains(k.countries, call.Dest.Country) {
			continue
		}
		zones := t.numbering.Locations(call.Dest.Zones)
		for _, loc := range zones {
			if k.on(now.In(loc)) {
				return k
			}
		}
		if u := now.UTC(); len(zones) == 0 && (k.on(u) || k.on(u.Add(-12*time.Hour)) || k.on(u.Add(14*time.Hour))) {
			return k
		}
	}
	return nil
}

// allowed reports whether a call is within its window and on no day of a blackout.
func (t *Table) allowed(now time.Time, call *outdial.Call, h hours, limited bool) bool {
	return (!limited || t.numbering.AllWithin(now, call.Dest.Zones, h.from, h.to)) && t.blackedOut(now, call) == nil
}

// opening returns when the call may next be made as far as windows and blackouts go. That is when a day's window opens in
// one of the callee's zones, as its clocks show the hour or as they are changed. Zero = not within a fortnight, or never,
// because the zones are too far apart.
func (t *Table) opening(now time.Time, call *outdial.Call, h hours, limited bool) time.Time {
	const day = 24 * time.Hour
	var next time.Time
	for ahead := range 15 {
		for _, loc := range t.numbering.Locations(call.Dest.Zones) {
			y, m, d := now.In(loc).Date()
			clock := time.Date(y, m, d+ahead, 0, 0, 0, 0, time.UTC).Add(h.from) // what the clocks show, as if in UTC
			before, after := clock.Add(-day).In(loc), clock.Add(day).In(loc)
			_, first := before.Zone()
			_, last := after.Zone()
			_, change := before.ZoneBounds() // zero where the clocks are never changed again
			for _, at := range [...]time.Time{
				clock.Add(-time.Duration(first) * time.Second), clock.Add(-time.Duration(last) * time.Second), change,
			} {
				sooner := at.After(now) && at.Sub(now) < time.Duration(ahead+1)*day && (next.IsZero() || at.Before(next))
				if sooner && t.allowed(at, call, h, limited) {
					next = at
				}
			}
		}
		if !next.IsZero() && ahead >= 2 {
			break
		}
	}
	return next
}
