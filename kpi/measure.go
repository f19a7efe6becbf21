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
// but for the first reading of a cell in each slice of time, or after cores met over it, and for MetricPDD when a sixteenth
// more calls have come.
func (m *Meter) Measure(now time.Time, metric outdial.Metric, c *outdial.Candidate, group outdial.GroupID) outdial.Estimate {
	if l := m.ladder(c.Trunk, group); l != nil {
		return m.estimate(now, metric, l)
	}
	return m.measure(now, metric, c.Trunk, group)
}

// measure is Measure without a ladder.
func (m *Meter) measure(now time.Time, metric outdial.Metric, trunk outdial.TrunkID, group outdial.GroupID) outdial.Estimate {
	l := ladder{trunk: trunk, group: group, generation: m.generation.Load()}
	var d ids
	d[0] = uint64(trunk) & id21
	d[1] = uint64(group) & id21
	m.placeOf(*m.countries.Load(), group, &d)
	m.climb(&d, false, &l)
	m.keepLadder(&l)
	return m.estimate(now, metric, &l)
}

// MeasureCall is Measure for one callee: the lowest level is the callee's block of numbers, where the meter keeps the view
// ByTrunk|ByBlock.
func (m *Meter) MeasureCall(now time.Time, metric outdial.Metric, c *outdial.Candidate, call *outdial.Call) outdial.Estimate {
	a := outdial.Attempt{Call: *call}
	a.Candidate.Trunk = c.Trunk
	var d ids
	m.idsOf(&a, &d)
	var l ladder
	m.climb(&d, true, &l)
	return m.estimate(now, metric, &l)
}

// estimateViews are the levels of an estimate, coarsest first.
var estimateViews = [...]View{
	Total, ByTrunk, ByTrunk | ByCountry, ByTrunk | ByRegion, ByTrunk | ByGroup, ByTrunk | ByBlock,
}

// climb finds the cells that an estimate goes through.
func (m *Meter) climb(d *ids, block bool, l *ladder) {
	x := m.cells.Load()
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
		l.add(rung{s, m.liveOf(s)})
	}
}

func (m *Meter) estimate(now time.Time, metric outdial.Metric, l *ladder) outdial.Estimate {
	epoch := m.spans[0].epoch(m.tell(now))
	if metric == outdial.MetricPDD {
		var delays [len(estimateViews)]outdial.Estimate
		for i := range l.rungs[:l.n] {
			if a := l.account(m, i, epoch); a != nil {
				delays[i] = m.delay(&l.rungs[i], a, epoch)
			}
		}
		return m.mixDelays(delays[:l.n])
	}
	k, n := sumsOf(metric)
	if k < 0 {
		return outdial.Estimate{}
	}
	return m.shrink(l, epoch, k, n)
}

// seen is what one level of an estimate has seen.
func (m *Meter) seen(l *ladder, i int, epoch int64, k, n int) (float64, float64) {
	a := l.account(m, i, epoch)
	if a == nil {
		return 0, 0
	}
	ks, ns := a.first.sums[k].Load(), a.first.sums[n].Load()
	for i := range a.more {
		sums := &a.more[i].sums
		ks, ns = ks+sums[k].Load(), ns+sums[n].Load()
	}
	return float64(int64(ks)) / one, float64(int64(ns)) / one
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

// shrink goes from the coarsest level to the finest; each is the prior of the next. What stands behind a level is kept as
// successes and trials, so that the divisions of the levels do not wait for each other.
func (m *Meter) shrink(l *ladder, epoch int64, kSum, nSum int) outdial.Estimate {
	k, n := 0.5, 1.0 // Jeffreys'
	most := max(m.cfg.PriorStrength, 1)
	var seenK, seenN, finerK, finerN float64
	rungs := min(int(l.n), len(l.rungs))
	if rungs > 0 {
		seenK, seenN = m.seen(l, 0, epoch, kSum, nSum)
	}
	for i := range rungs {
		ownK, ownN := seenK, seenN
		if i+1 < rungs { // the next finer level is part of this one
			finerK, finerN = m.seen(l, i+1, epoch, kSum, nSum)
			ownK, ownN = positive(seenK-finerK), positive(seenN-finerN)
		}
		if ownK > ownN {
			ownK = ownN
		}
		if m.cfg.PriorStrength == 0 {
			k, n = 0.5, 1
		}
		if n > most {
			k, n = k*(most/n), most
		}
		k, n = k+ownK, n+ownN
		seenK, seenN = finerK, finerN
	}
	if n == 1 {
		return outdial.Estimate{}
	}
	mean := k / n
	return outdial.Estimate{Mean: mean, Var: mean * (1 - mean) / (n + 1), N: n - 1}
}

// positive is v, and 0 for less. It costs less than max, which knows of what is no number.
func positive(v float64) float64 {
	if v < 0 {
		return 0
	}
	return v
}

// mixDelays mixes each level's quantile with what is known of the level above, which weighs at most PriorStrength.
func (m *Meter) mixDelays(levels []outdial.Estimate) (e outdial.Estimate) {
	for _, d := range levels {
		switch {
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
		m.weights = append(m.weights, weight{w, uint64(w*one + 0.5)})
	}
}

// weight is how much a slice weighs in an estimate, and what that is in the sums.
type weight struct {
	of  float64
	sum uint64
}
