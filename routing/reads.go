package routing

import (
	"time"

	"github.com/outdial/outdial"
)

// What a Table reads of others, each nil when it is not given. All are called from many goroutines in the path of a
// call, must not block, and should answer from memory.

// Quality tells how well a candidate does: as a rule the answer seizure ratio of its trunk towards a destination
// group. *kpi.Meter is one. Estimate is called from many goroutines, once per candidate of a quality tier, and must
// not block. An estimate that is not Known, or whose mean is not a ratio in [0, 1], counts as no observations. For group
// 0 it tells of the whole trunk.
type Quality interface {
	Estimate(now time.Time, c *outdial.Candidate, group outdial.GroupID) outdial.Estimate
}

// Measures tells other quantities of a candidate. *kpi.Meter is one. The zero Estimate = nothing known.
type Measures interface {
	Measure(now time.Time, m outdial.Metric, c *outdial.Candidate, group outdial.GroupID) outdial.Estimate
}

// Headroom tells what a trunk could admit now. *trunk.Set is one. math.MaxInt32 = no limit.
type Headroom interface {
	Headroom(now time.Time, t outdial.TrunkID) (channels, cps int)
}

// BurstPrices tells what the next channel of a trunk costs a minute beyond the deck's price. *trunk.Set is one.
type BurstPrices interface {
	BurstPrice(now time.Time, t outdial.TrunkID) outdial.Micros
}

// Health tells how far a trunk is up towards a destination group: 0 = out, between = probing or coming back, 1 = up.
// *failover.Selector is one.
type Health interface {
	Health(now time.Time, t outdial.TrunkID, g outdial.GroupID) float64
}

// Risk tells how much a pool of caller IDs is under suspicion: 0 = healthy, 1 = not to be exposed. *cli.Governor is one.
type Risk interface {
	Risk(now time.Time, p outdial.PoolID) outdial.Estimate
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

// Regions knows the country and the state of a number. *outdial.NumberingPlan is one. It is asked once for every caller
// and callee of a rule that has decks with prices by jurisdiction.
type Regions interface {
	Region(n outdial.Number) (country, region string)
}

var (
	_ Numbering = (*outdial.NumberingPlan)(nil)
	_ Regions   = (*outdial.NumberingPlan)(nil)
)
