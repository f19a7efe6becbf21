package numplan

import "time"

const day = 24 * time.Hour

// AllWithin reports whether at the instant t the wall clock shows a time in [from, to) in
// every zone of the set. From and to count from midnight by the wall clock (8 * time.Hour is
// 08:00 on each day, also when clocks change); they lie in 0 … 24 h. From above to means
// a window across midnight, from equal to to an empty one.
//
// The empty set gives false, because nothing is known about where the callee is; so do limits
// out of range. An hour that a change of clocks repeats is within both times, and one that it
// skips never comes. AllWithin does not allocate.
func (p *Plan) AllWithin(t time.Time, zones ZoneSet, from, to time.Duration) bool {
	set := p.Locations(zones)
	if len(set) == 0 || from < 0 || to < 0 || from > day || to > day {
		return false
	}
	for _, loc := range set {
		if !within(clock(t.In(loc)), from, to) {
			return false
		}
	}
	return true
}

// clock returns what a wall clock shows, as the time since a midnight without changes.
func clock(t time.Time) time.Duration {
	h, m, s := t.Clock()
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second + time.Duration(t.Nanosecond())
}

func within(now, from, to time.Duration) bool {
	if from <= to {
		return from <= now && now < to
	}
	return from <= now || now < to
}
