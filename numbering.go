package outdial

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/outdial/outdial/internal/numplan"
)

// NumberingConfig is what a NumberingPlan is built from. The zero value but for IDs is the built-in plan.
type NumberingConfig struct {
	IDs *Registry // required: destination groups and day-parts get their ids here

	// Countries, Areas and Names add rows to the built-in data or replace them; their columns are those of
	// internal/numplan/data/*.tsv. nil = nothing to add.
	Countries, Areas, Names io.Reader

	// DayParts name spans of callee-local time. The first one that fits counts; none is day-part 0.
	DayParts []DayPart
}

// DayPart is a named span of the callee's local day. From and To count from midnight by the wall clock, 0 to 24 h; To is
// not included. From above To spans midnight, and then Days are the days on which it begins. No Days = every day.
type DayPart struct {
	Name     string
	From, To time.Duration
	Days     []time.Weekday
}

// NumberingPlan looks numbers up in the world's numbering plan: country, area, destination group, plausible time
// zones, callee-local day-part. It is immutable and safe for concurrent use.
type NumberingPlan struct {
	plan   *numplan.Plan
	groups []GroupID // by numplan entry
	parts  []dayPart
}

type dayPart struct {
	id       DayPartID
	from, to time.Duration
	days     uint8 // bit per weekday
}

var _ Numbering = (*NumberingPlan)(nil)

const allDays = 1<<7 - 1

// NewNumberingPlan builds a plan. It needs the tz database, of the host or linked in by importing time/tzdata. The
// error names every field, file and line that does not fit.
func NewNumberingPlan(cfg NumberingConfig) (*NumberingPlan, error) {
	if cfg.IDs == nil {
		return nil, errors.New("outdial: numbering plan: IDs: required")
	}
	plan, err := numplan.New(numplan.Config{Countries: cfg.Countries, Areas: cfg.Areas, Names: cfg.Names})
	errs := []error{err}
	n := &NumberingPlan{plan: plan}
	for i, d := range cfg.DayParts {
		part, err := newDayPart(cfg.IDs, d)
		if err != nil {
			errs = append(errs, fmt.Errorf("DayParts[%d]: %w", i, err))
		}
		n.parts = append(n.parts, part)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("outdial: numbering plan: %w", err)
	}
	names := make([]string, 0, plan.Len())
	for e := range plan.Areas() {
		names = append(names, e.Group())
	}
	cfg.IDs.Groups.Add(names...)
	for _, name := range names {
		n.groups = append(n.groups, cfg.IDs.Groups.ID(name))
	}
	return n, nil
}

func newDayPart(ids *Registry, d DayPart) (dayPart, error) {
	const day = 24 * time.Hour
	var errs []error
	if d.Name == "" {
		errs = append(errs, errors.New("Name: required"))
	}
	if d.From < 0 || d.From > day || d.To < 0 || d.To > day || d.From == d.To {
		errs = append(errs, fmt.Errorf("From %v, To %v: want two different times between 0 and 24 h", d.From, d.To))
	}
	p := dayPart{id: ids.DayParts.ID(d.Name), from: d.From, to: d.To}
	for _, w := range d.Days {
		if w < time.Sunday || w > time.Saturday {
			errs = append(errs, fmt.Errorf("Days: %d is not a weekday", w))
			continue
		}
		p.days |= 1 << w
	}
	if len(d.Days) == 0 {
		p.days = allDays
	}
	return p, errors.Join(errs...)
}

// Locate implements Numbering. A number outside the plan gets a Destination with Unassigned set.
func (n *NumberingPlan) Locate(now time.Time, to Number) Destination {
	e, ok := n.plan.Lookup(uint64(to))
	if !ok {
		return Destination{Unassigned: true}
	}
	d := Destination{
		Country: e.Country, Area: Prefix(e.Area), Group: n.groups[e.ID], Zones: ZoneSet(e.Zones),
		TollFree: e.Class == numplan.TollFree, Premium: e.Class == numplan.Premium,
		Unassigned: e.Class == numplan.Unassigned,
	}
	if len(n.parts) > 0 {
		if zones := n.Locations(d.Zones); len(zones) > 0 {
			d.DayPart = n.dayPart(now.In(zones[0]))
		}
	}
	return d
}

// Region returns the country of a number (ISO 3166-1 alpha-2) and its state or province (as in ISO 3166-2, after the hyphen;
// "NS/PE" where an area serves several); empty where the plan does not know.
func (n *NumberingPlan) Region(to Number) (country, region string) {
	e, ok := n.plan.Lookup(uint64(to))
	if !ok {
		return "", ""
	}
	return e.Country.String(), e.Region
}

// Area is what the plan knows about the numbers that begin with one prefix.
type Area struct {
	Prefix  Prefix
	Country [2]byte // ISO 3166-1 alpha-2; zero where the prefix belongs to no one country
	Region  string  // state or province, as in ISO 3166-2 after the hyphen: "NY"; "NS/PE" where it serves several; "" = unknown
	Overlay uint16  // areas of one country with the same value, other than 0, serve the same region
}

// Areas iterates over what the plan knows, in the order of the digits of the prefixes.
func (n *NumberingPlan) Areas() iter.Seq[Area] {
	return func(yield func(Area) bool) {
		for e := range n.plan.Areas() {
			if !yield(Area{Prefix: Prefix(e.Area), Country: e.Country, Region: e.Region, Overlay: e.Overlay}) {
				return
			}
		}
	}
}

// Check returns why a number cannot be in service, as far as the plan knows (country or area code not assigned,
// wrong length), or nil.
func (n *NumberingPlan) Check(to Number) error { return n.plan.Valid(uint64(to)) }

// Locations returns the zones of a set of this plan, the most likely first; none for the set 0. The slice is
// shared: do not change it.
func (n *NumberingPlan) Locations(z ZoneSet) []*time.Location {
	return n.plan.Locations(numplan.ZoneSet(z))
}

// AllWithin reports whether the callee's wall clock shows a time in [from, to) in every plausible zone: false when
// no zone is known. from above to spans midnight.
func (n *NumberingPlan) AllWithin(t time.Time, z ZoneSet, from, to time.Duration) bool {
	return n.plan.AllWithin(t, numplan.ZoneSet(z), from, to)
}

// Zones returns the names of the zones of a set, for people.
func (n *NumberingPlan) Zones(z ZoneSet) []string {
	var names []string
	for _, loc := range n.Locations(z) {
		names = append(names, loc.String())
	}
	return slices.Clip(names)
}

func (n *NumberingPlan) dayPart(local time.Time) DayPartID {
	h, m, s := local.Clock()
	clock := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
	today := uint8(1) << local.Weekday()
	yesterday := uint8(1) << ((local.Weekday() + 6) % 7)
	for _, p := range n.parts {
		switch {
		case p.from < p.to && clock >= p.from && clock < p.to && p.days&today != 0,
			p.from > p.to && clock >= p.from && p.days&today != 0,
			p.from > p.to && clock < p.to && p.days&yesterday != 0:
			return p.id
		}
	}
	return 0
}
