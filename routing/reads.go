package routing

import (
	"time"

	"github.com/outdial/outdial"
)

// Quality tells how well a candidate does: as a rule the answer seizure ratio of its trunk towards a destination
// group. *kpi.Meter is one. Estimate is called from many goroutines, once per candidate of a quality tier, and must
// not block. An estimate that is not Known, or whose mean is not a ratio in [0, 1], counts as no observations.
type Quality interface {
	Estimate(now time.Time, c *outdial.Candidate, group outdial.GroupID) outdial.Estimate
}

// Suppressor is a list of people who are not to be called: do-not-call registers, opt-outs, litigators. Suppressed is
// called from many goroutines in the path of every call, so it should answer from memory; an error refuses the call.
type Suppressor interface {
	Suppressed(now time.Time, to outdial.Number, program outdial.ProgramID) (bool, error)
}

// Numbering knows what the callee's clocks show. *outdial.NumberingPlan is one.
type Numbering interface {
	// AllWithin reports whether every clock of the set shows a time in [from, to), counted from midnight; false for an
	// empty set.
	AllWithin(now time.Time, zones outdial.ZoneSet, from, to time.Duration) bool
	// Locations returns the zones of a set.
	Locations(zones outdial.ZoneSet) []*time.Location
}

var _ Numbering = (*outdial.NumberingPlan)(nil)
