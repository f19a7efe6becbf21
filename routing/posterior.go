package routing

import (
	"math"
	"sync/atomic"
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

// refresh is how long what was read of others for a posterior is taken to stand: one reading of kpi takes as long as the
// rest of the decision, and says the same a second later.
const refresh = 5 * time.Second

// cell keeps one posterior, so that a decision reads one line of the cache. A writer makes version odd while it writes; a
// reader that meets an odd or a changed version reads the sources itself.
type cell struct {
	version atomic.Uint32
	key     atomic.Uint64
	at      atomic.Int64 // when the sources were read, ns
	mean, n atomic.Uint64
	failed  atomic.Uint64
	_       [16]byte
}

// A megabyte of cells, in groups: a posterior may stand in each of a group, so that few take each other's place.
const (
	cellBits  = 14
	cellGroup = 4
)

// posterior of a candidate in a tier: from its cell while that is fresh, else from the sources.
func (t *Table) posterior(now time.Time, c *outdial.Candidate, dest *outdial.Destination, g *tier, m *memory) posterior {
	key := uint64(dest.DayPart)<<56 ^ uint64(c.Trunk)<<40 ^ uint64(dest.Group)<<16 ^ uint64(g.objective) + 1
	hash := key * 0x9e3779b97f4a7c15
	cells := t.cells[hash>>(64-cellBits)&^(cellGroup-1):][:cellGroup]
	ns := now.UnixNano()
	oldest := &cells[0]
	for i := range uint64(cellGroup) {
		k := &cells[(hash>>32+i)%cellGroup]
		if k.key.Load() != key {
			if k.at.Load() < oldest.at.Load() {
				oldest = k
			}
			continue
		}
		version := k.version.Load()
		age := ns - k.at.Load()
		p := posterior{math.Float64frombits(k.mean.Load()), math.Float64frombits(k.n.Load()), k.failed.Load()}
		if age >= 0 && age < int64(refresh) && version&1 == 0 && k.key.Load() == key && k.version.Load() == version {
			return p
		}
		oldest = k
		break
	}
	p := t.assess(now, c, dest, g, m)
	oldest.keep(key, ns, p)
	return p
}

// keep puts a posterior into the cell, unless somebody else is writing to it.
func (k *cell) keep(key uint64, ns int64, p posterior) {
	version := k.version.Load()
	if version&1 != 0 || !k.version.CompareAndSwap(version, version+1) {
		return
	}
	k.key.Store(key)
	k.at.Store(ns)
	k.mean.Store(math.Float64bits(p.mean))
	k.n.Store(math.Float64bits(p.n))
	k.failed.Store(p.failed)
	k.version.Store(version + 2)
}

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
