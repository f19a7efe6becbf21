package routing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TimeOfDay is a wall-clock time, counted from midnight: 0 to 24 h. Its text is "08:00", "24:00" or "08:00:30".
type TimeOfDay time.Duration

// Day is the greatest TimeOfDay, "24:00".
const Day = TimeOfDay(24 * time.Hour)

// ParseTimeOfDay reads the form of String.
func ParseTimeOfDay(s string) (TimeOfDay, error) {
	parts := strings.Split(s, ":")
	units := []time.Duration{time.Hour, time.Minute, time.Second}
	limits := []uint64{24, 59, 59}
	var d time.Duration
	ok := len(parts) == 2 || len(parts) == 3
	for i := 0; ok && i < len(parts); i++ {
		v, err := strconv.ParseUint(parts[i], 10, 8)
		ok = err == nil && v <= limits[i] && len(parts[i]) <= 2 && (i == 0 || len(parts[i]) == 2)
		d += time.Duration(v) * units[i]
	}
	if t := TimeOfDay(d); ok && t <= Day {
		return t, nil
	}
	return 0, fmt.Errorf("%.20q is not a time of day: want 00:00 to 24:00", s)
}

// String returns "08:00", with seconds where there are any.
func (t TimeOfDay) String() string {
	d := time.Duration(t)
	s := fmt.Sprintf("%02d:%02d", d/time.Hour, d/time.Minute%60)
	if sec := d / time.Second % 60; sec != 0 {
		s += fmt.Sprintf(":%02d", sec)
	}
	return s
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (t TimeOfDay) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler with ParseTimeOfDay.
func (t *TimeOfDay) UnmarshalText(text []byte) (err error) {
	*t, err = ParseTimeOfDay(string(text))
	return err
}

// Instant is a moment in whole seconds since 1970-01-01 UTC; 0 = none. Its text is RFC 3339 ("2026-03-01T00:00:00Z")
// or a date ("2026-03-01"), which stands for its first moment in UTC.
type Instant int64

// InstantOf returns the Instant of t, without parts of a second.
func InstantOf(t time.Time) Instant { return Instant(t.Unix()) }

// Time returns the moment as a time in UTC.
func (i Instant) Time() time.Time { return time.Unix(int64(i), 0).UTC() }

// ParseInstant reads a date or RFC 3339; "" is 0.
func ParseInstant(s string) (Instant, error) {
	if s == "" {
		return 0, nil
	}
	layout := time.DateOnly
	if len(s) > len(layout) {
		layout = time.RFC3339
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return 0, fmt.Errorf("%.40q is not a date (2026-03-01) or a time of RFC 3339 (2026-03-01T00:00:00Z)", s)
	}
	return InstantOf(t), nil
}

// DateOrder is how carriers write dates with slashes.
type DateOrder uint8

// Orders of the parts of a date.
const (
	DateUnknown  DateOrder = iota // dates with slashes are taken only where one reading is possible: 3/31/2026
	MonthDayYear                  // 3/1/2026 is the first of March
	DayMonthYear                  // 3/1/2026 is the third of January
)

// String returns "unknown", "mdy" or "dmy".
func (o DateOrder) String() string { return [...]string{"unknown", "mdy", "dmy"}[min(o, DayMonthYear)] }

// clocks are what may follow a date. Of time zones only UTC is taken: the letters of others (EST) stand for different ones, and which
// of them a machine knows depends on where it stands.
var clocks = [...]string{
	"", " 15:04", " 15:04:05", "T15:04:05", " 3:04 PM", " 3:04:05 PM", " 15:04:05 UTC", " 15:04:05 GMT", " 15:04:05 -0700",
}

// parse reads the dates that carriers write, in UTC: those of ParseInstant, with a time after a space, with slashes, dots
// between day, month and year, and without separators (20260301).
func (o DateOrder) parse(s string) (Instant, error) {
	if i, err := ParseInstant(s); err == nil {
		return i, nil
	}
	var found []time.Time
	for _, date := range o.layouts() {
		for _, clock := range clocks {
			if t, err := time.Parse(date+clock, s); err == nil && !slices.ContainsFunc(found, t.Equal) {
				found = append(found, t)
			}
		}
	}
	switch len(found) {
	case 0:
		return 0, fmt.Errorf("%.40q is not a date: want 2026-03-01, 20260301, 01.03.2026, 3/1/2026 or a time of RFC 3339", s)
	case 1:
		return InstantOf(found[0]), nil
	}
	return 0, fmt.Errorf("%.40q may be %s or %s: say whether the month or the day comes first", s,
		found[0].Format(time.DateOnly), found[1].Format(time.DateOnly))
}

func (o DateOrder) layouts() []string {
	all := []string{
		"2006-01-02", "20060102", "2006/1/2", "2.1.2006", "2-Jan-2006", "2-Jan-06", "2 Jan 2006", "Jan 2, 2006", "January 2, 2006",
	}
	if o != DayMonthYear {
		all = append(all, "1/2/2006", "1/2/06", "1-2-2006")
	}
	if o != MonthDayYear {
		all = append(all, "2/1/2006", "2/1/06", "2-1-2006")
	}
	return all
}

// String returns RFC 3339 in UTC, or "" for 0.
func (i Instant) String() string {
	if i == 0 {
		return ""
	}
	return i.Time().Format(time.RFC3339)
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (i Instant) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler with ParseInstant.
func (i *Instant) UnmarshalText(text []byte) (err error) {
	*i, err = ParseInstant(string(text))
	return err
}

// ParseIncrement reads "60/6", or "60" for "60/60"; "" is the zero value.
func ParseIncrement(s string) (Increment, error) {
	if s == "" {
		return Increment{}, nil
	}
	first, next, both := strings.Cut(s, "/")
	if !both {
		next = first
	}
	f, err1 := strconv.ParseUint(first, 10, 16)
	n, err2 := strconv.ParseUint(next, 10, 16)
	if err1 != nil || err2 != nil || f == 0 || n == 0 {
		return Increment{}, fmt.Errorf("%.20q is not a billing increment in seconds: want 60/60, 6/6, 1/1 …", s)
	}
	return Increment{First: uint16(f), Next: uint16(n)}, nil
}

// String returns "60/6".
func (i Increment) String() string {
	i = i.normal()
	return strconv.Itoa(int(i.First)) + "/" + strconv.Itoa(int(i.Next))
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (i Increment) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler with ParseIncrement.
func (i *Increment) UnmarshalText(text []byte) (err error) {
	*i, err = ParseIncrement(string(text))
	return err
}
