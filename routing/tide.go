package routing

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
)

// lately is a count of outcomes that weigh less with their age.
type lately struct {
	k, n float64 // successes, all
	at   int64   // as of when, ns
}

const (
	latelySpan  = float64(20 * time.Minute) // in which an outcome's weight falls to 1/e
	fewOutcomes = 10                        // what the usual level weighs beside those of the latest minutes
)

// faded is the count as of a time.
func (l lately) faded(at int64) lately {
	if d := at - l.at; d > 0 {
		f := math.Exp(-float64(d) / latelySpan)
		l.k, l.n, l.at = l.k*f, l.n*f, at
	}
	return l
}

// add takes an outcome.
func (l *lately) add(at int64, success bool) {
	*l = l.faded(at)
	l.k, l.n = l.k+float64(btoi(success)), l.n+1
}

// tide is how calls on a trunk do at present, towards callees in one part of their day.
type tide struct {
	lately // written under the memory's lock

	succeeded, all atomic.Uint64 // to be read without the lock
	asOf           atomic.Int64
}

// tideKey names a tide. Day-part 0 is callees without one.
type tideKey struct {
	trunk outdial.TrunkID
	part  outdial.DayPartID
}

func (t *tide) publish() {
	t.succeeded.Store(math.Float64bits(t.k))
	t.all.Store(math.Float64bits(t.n))
	t.asOf.Store(t.at)
}

// now is the count as of a time.
func (t *tide) now(at int64) (succeeded, all float64) {
	l := lately{math.Float64frombits(t.succeeded.Load()), math.Float64frombits(t.all.Load()), t.asOf.Load()}.faded(at)
	return l.k, l.n
}

// tideOf returns a tide, or nil.
func (m *memory) tideOf(trunk outdial.TrunkID, part outdial.DayPartID) *tide {
	return (*m.tides.Load())[tideKey{trunk, part}]
}
