package kpi

import (
	"math"
	"slices"
	"time"

	"github.com/outdial/outdial"
)

// Estimate tells what share of legs on the candidate's trunk to a destination group is answered (ASR, per leg), for
// a router to read: Measure of outdial.MetricASR.
func (m *Meter) Estimate(now time.Time, c *outdial.Candidate, group outdial.GroupID) outdial.Estimate {
	return m.Measure(now, outdial.MetricASR, c, group)
}

// Measure tells a metric of the candidate's trunk to a destination group, for routing and failover to read: also where
// little was seen of that trunk and group, by leaning on the rest of the trunk's traffic, and that on the rest of all
// traffic. The zero Estimate means that nothing is known: MetricMOS always, since no event tells it.
//
// Each level of a ratio is a beta-binomial posterior: its successes and trials, and a prior with the mean of the level
// above that weighs what stands behind that level, at most Config.PriorStrength. The topmost prior is Jeffreys': half a
// success of one trial. What a level has counted is taken out of the level above, so no leg is used twice. Mean and Var
// are of the posterior of the finest level; N is the trials seen there and the weight of its prior, less Jeffreys' one.
// Trials weigh by their age with Config.HalfLife, and N with them. Nothing seen at all gives the zero Estimate. For
// MetricPDD, which is a quantile, each level is mixed with the one above in the same proportions.
//
// The levels are the views Total, ByTrunk, ByTrunk|ByCountry, ByTrunk|ByRegion and ByTrunk|ByGroup; one that the meter
// does not keep is passed over. Which country and region a group lies in is learned from its attempts. It takes no lock
// but for the first reading of a cell in each slice of time, and for MetricPDD when a sixteenth more calls have come.
func (m *Meter) Measure(now time.Time, metric outdial.Metric, c *outdial.Candidate, group outdial.GroupID) outdial.Estimate {
	var room [len(estimateViews)]rung
	var rungs []rung
	if l := m.ladder(c.Trunk, group); l != nil {
		rungs = l.rungs
	} else {
		var d ids
		d[0] = uint64(c.Trunk) & id21
		d[1] = uint64(group) & id21
		places := m.countries.Load()
		m.placeOf(*places, group, &d)
		var x *index
		rungs, x = m.climb(&d, false, &room)
		m.keepLadder(c.Trunk, group, x, places, rungs)
	}
	return m.estimate(now, metric, rungs)
}

// MeasureCall is Measure for one callee: the lowest level is the callee's block of numbers, where the meter keeps the view
// ByTrunk|ByBlock.
func (m *Meter) MeasureCall(now time.Time, metric outdial.Metric, c *outdial.Candidate, call *outdial.Call) outdial.Estimate {
	a := outdial.Attempt{Call: *call}
	a.Candidate.Trunk = c.Trunk
	var d ids
	m.idsOf(&a, &d)
	var room [len(estimateViews)]rung
	rungs, _ := m.climb(&d, true, &room)
	return m.estimate(now, metric, rungs)
}

// estimateViews are the levels of an estimate, coarsest first.
var estimateViews = [...]View{
	Total, ByTrunk, ByTrunk | ByCountry, ByTrunk | ByRegion, ByTrunk | ByGroup, ByTrunk | ByBlock,
}

// level is what one level of an estimate has seen.
type level struct {
	k, n  float64
	delay outdial.Estimate
}

// climb finds the cells that an estimate goes through, with a nil for one that is not there yet.
func (m *Meter) climb(d *ids, block bool, room *[len(estimateViews)]rung) ([]rung, *index) {
	x := m.cells.Load()
	used := 0
	for i, v := range m.levels {
		if v == nil || i == len(m.levels)-1 && !block || m.unknown(v.view, d) {
			continue
		}
		s := v.other
		if v.view != Total {
			var key packed
			d.in(v, &key)
			s = x.find(&key)
		}
		room[used] = rung{s, m.liveOf(s)}
		used++
	}
	return room[:used], x
}

func (m *Meter) estimate(now time.Time, metric outdial.Metric, rungs []rung) outdial.Estimate {
	k, n := sumsOf(metric)
	if k < 0 && metric != outdial.MetricPDD {
		return outdial.Estimate{}
	}
	epoch := m.spans[0].epoch(m.tell(now))
	var levels [len(estimateViews)]level
	for i := range rungs {
		r := &rungs[i]
		if r.s == nil {
			continue
		}
		if r.l.at.Load() != epoch {
			m.moveOn(r.s, r.l, epoch)
		}
		if metric == outdial.MetricPDD {
			levels[i].delay = m.delay(r.s, r.l, epoch)
		} else {
			levels[i].k, levels[i].n = r.l.ratio(k, n)
		}
	}
	if metric == outdial.MetricPDD {
		return m.mixDelays(levels[:len(rungs)])
	}
	return m.shrink(levels[:len(rungs)])
}

// unknown reports whether the place that a level is about is not known: then it says nothing.
func (m *Meter) unknown(v View, d *ids) bool {
	switch v {
	case ByTrunk | ByCountry:
		return d.get(9) == 0
	case ByTrunk | ByRegion:
		return d.get(10) == 0
	}
	return false
}

// sumsOf returns which sums a metric is the ratio of; negative = none.
func sumsOf(metric outdial.Metric) (k, n int) {
	switch metric {
	case outdial.MetricASR:
		return sumAnswers, sumKnown
	case outdial.MetricNER:
		return sumDelivered, sumKnown
	case outdial.MetricShort:
		return sumShort, sumEnded
	case outdial.MetricDrop:
		return sumAbnormal, sumEnded
	case outdial.MetricContact:
		return sumContacts, sumKnown
	case outdial.MetricFAS:
		return sumFAS, sumAnswers
	}
	return -1, -1
}

// shrink goes from the coarsest level to the finest; each is the prior of the next.
func (m *Meter) shrink(levels []level) outdial.Estimate {
	mean, weight := 0.5, 1.0
	for i, l := range levels {
		if i+1 < len(levels) { // the next finer level is part of this one
			l.k, l.n = max(l.k-levels[i+1].k, 0), max(l.n-levels[i+1].n, 0)
		}
		if m.cfg.PriorStrength == 0 {
			mean, weight = 0.5, 1
		}
		prior := min(weight, max(m.cfg.PriorStrength, 1))
		weight = prior + l.n
		mean = (mean*prior + min(l.k, l.n)) / weight
	}
	if weight == 1 {
		return outdial.Estimate{}
	}
	return outdial.Estimate{Mean: mean, Var: mean * (1 - mean) / (weight + 1), N: weight - 1}
}

// mixDelays mixes each level's quantile with what is known of the level above, which weighs at most PriorStrength.
func (m *Meter) mixDelays(levels []level) (e outdial.Estimate) {
	for _, l := range levels {
		switch d := l.delay; {
		case !d.Known() && m.cfg.PriorStrength == 0:
			e = outdial.Estimate{}
		case !d.Known():
			if e.N > m.cfg.PriorStrength {
				e.Var *= e.N / m.cfg.PriorStrength
				e.N = m.cfg.PriorStrength
			}
		default:
			prior := min(e.N, m.cfg.PriorStrength)
			n := d.N + prior
			spread := d.Mean - e.Mean
			e = outdial.Estimate{
				Mean: (d.Mean*d.N + e.Mean*prior) / n,
				Var:  (d.Var*d.N*d.N+e.Var*e.N*prior)/(n*n) + spread*spread*d.N*prior/(n*n*n),
				N:    n,
			}
		}
	}
	return e
}

// setLevels notes which levels of an estimate the meter keeps, and how much each slice weighs in one.
func (m *Meter) setLevels() {
	for i, v := range estimateViews {
		if at := slices.Index(m.cfg.Views, v); at >= 0 {
			m.levels[i] = &m.views[at]
		}
	}
	span := &m.spans[0]
	width := m.tick * time.Duration(span.ticks)
	for age := range span.Buckets {
		w := 1.0
		if m.cfg.HalfLife > 0 {
			w = math.Exp2(-float64(age) * float64(width) / float64(m.cfg.HalfLife))
		}
		m.weights = append(m.weights, w)
	}
}
