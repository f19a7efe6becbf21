package routing

import (
	"math"
	"time"

	"github.com/outdial/outdial"
)

// posterior is what is believed of a trunk towards a destination: its chance of success, how many observations stand
// behind that, and which floors it fails.
type posterior struct {
	mean, n float64
	failed  uint64
}

func (p *posterior) variance() float64 { return p.mean * (1 - p.mean) / (p.n + 1) }

// assess reads the sources.
func (t *Table) assess(now time.Time, c *outdial.Candidate, dest *outdial.Destination, g *tier, m *memory) (p posterior) {
	o, group := &t.objectives[g.objective], dest.Group
	var e outdial.Estimate
	switch {
	case o.contact:
		e = t.measures.Measure(now, outdial.MetricContact, c, group)
	case t.quality != nil:
		e = t.quality.Estimate(now, c, group)
	}
	e = usable(e)
	if level, n, young := t.young(now, c, m); young {
		e = outdial.Estimate{Mean: level, N: n}
	}
	if t.measures != nil {
		if !o.contact && e.Known() {
			if fas := usable(t.measures.Measure(now, outdial.MetricFAS, c, group)); fas.Known() {
				e.Mean *= 1 - fas.Mean
			}
		}
		p.failed = o.Floors.failed(now, t.measures, c, group)
	}
	var signs uint32
	e, signs = t.changed(now, c, dest, e, g, m)
	p.failed |= uint64(signs) * firstSign
	prior := &t.prior
	p.n = e.N + prior.Strength
	if p.n == 0 {
		p.mean = prior.Mean
		return p
	}
	p.mean = (e.Mean*e.N + prior.Mean*prior.Strength) / p.n
	return p
}

// young returns what a Router has seen of a trunk that is hardly known: kpi leans on all traffic then, and where that is bad, it
// would keep the calls from a trunk that is good for as long.
func (t *Table) young(now time.Time, c *outdial.Candidate, m *memory) (level, n float64, ok bool) {
	if m == nil || t.quality == nil {
		return 0, 0, false
	}
	if k := m.trackOf(place{trunk: c.Trunk}); k != nil {
		level, n, _ = k.now()
	}
	if n >= 2*firstMemory || t.quality.Estimate(now, c, 0).N >= 3*firstMemory {
		return 0, 0, false
	}
	return level, n, true
}

// usable turns an estimate that is no ratio, or of nothing, into the zero one, and takes its variance for the number of
// observations where that says less.
func usable(e outdial.Estimate) outdial.Estimate {
	if !e.Known() || !(e.Mean >= 0 && e.Mean <= 1) || math.IsInf(e.N, 1) {
		return outdial.Estimate{}
	}
	if spread := e.Mean * (1 - e.Mean); e.Var > 0 && spread > 0 {
		e.N = max(min(e.N, spread/e.Var-1), 0)
	}
	return e
}
