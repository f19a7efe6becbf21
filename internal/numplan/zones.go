package numplan

import (
	"math"
	"strings"
	"time"
)

// zoneSets interns sets of time zones. Set 0 is the empty one.
type zoneSets struct {
	sets  [][]*time.Location
	split []bool             // by set
	byKey map[string]ZoneSet // by the list as it is written
	locs  map[string]*time.Location
}

// add returns the set that list names, and whether its zones ever differ.
func (z *zoneSets) add(at place, list string, errs *problems) (ZoneSet, bool) {
	if z.byKey == nil {
		z.byKey = map[string]ZoneSet{none: 0}
		z.locs = make(map[string]*time.Location, 512)
		z.sets, z.split = [][]*time.Location{nil}, []bool{false}
	}
	if set, ok := z.byKey[list]; ok {
		return set, z.split[set]
	}
	var set []*time.Location
	for name := range strings.SplitSeq(list, ",") {
		loc, err := z.load(name)
		if err != nil {
			errs.add(at, "zone %q: %w", name, err)
			return 0, false
		}
		for _, other := range set {
			if other == loc {
				errs.add(at, "zone %q: given twice", name)
				return 0, false
			}
		}
		set = append(set, loc)
	}
	if len(z.sets) > math.MaxUint16 {
		errs.add(at, "zones: more than %d different sets", math.MaxUint16)
		return 0, false
	}
	id := ZoneSet(len(z.sets))
	z.byKey[list] = id
	z.sets = append(z.sets, set[:len(set):len(set)])
	z.split = append(z.split, differ(set))
	return id, z.split[id]
}

// load returns the location of an IANA name, the same one each time.
func (z *zoneSets) load(name string) (*time.Location, error) {
	if loc, ok := z.locs[name]; ok {
		return loc, nil
	}
	if name == "" || name == "Local" {
		// time.LoadLocation would take them for UTC and for the zone of this host.
		return nil, errNotIANA
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, err
	}
	z.locs[name] = loc
	return loc, nil
}

// differ reports whether the clocks of the zones disagree at any instant of the years
// 2026 to 2030. It goes from change to change, so it misses no short disagreement.
func differ(set []*time.Location) bool {
	if len(set) < 2 {
		return false
	}
	t := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	end := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	for t.Before(end) {
		// At most a day on: at the end of a leap year ZoneBounds can give a change that
		// is not after t, for zones whose file holds a rule instead of each change.
		next := t.Add(day)
		var change time.Time
		_, first := t.In(set[0]).Zone()
		for i, loc := range set {
			local := t.In(loc)
			if _, offset := local.Zone(); offset != first {
				return true
			}
			_, bound := local.ZoneBounds()
			if bound.IsZero() {
				bound = end
			}
			if i == 0 || bound.Before(change) {
				change = bound
			}
		}
		if change.After(next) {
			next = change
		}
		t = next
	}
	return false
}
