package kpi

import (
	"slices"
	"time"

	"github.com/outdial/outdial"
)

// Estimate tells what share of legs on the candidate's trunk to a destination group is answered (ASR, per leg), for
// a router to read: also where little was seen of that trunk and group, by leaning on the rest of the trunk's
// traffic, and that on the rest of all traffic.
//
// Each level is a beta-binomial posterior: its answers and outcomes, and a prior with the mean of the level above
// that weighs what stands behind that level, at most Config.PriorStrength. The topmost prior is Jeffreys': half an
// answer of one leg. What a level has counted is taken out of the level above, so no leg is used twice. Mean and Var
// are of the posterior of the finest level; N is the outcomes seen there and the weight of its prior, less
// Jeffreys' one leg. Nothing seen at all gives the zero Estimate.
//
// It reads the views Total, ByTrunk and ByTrunk|ByGroup; one that the meter does not keep is passed over. It takes
// no lock but for the first reading of a cell in each bucket of time.
func (m *Meter) Estimate(now time.Time, c *outdial.Candidate, group outdial.GroupID) outdial.Estimate {
	epoch := m.tell(now)
	trunk, dest := uint64(c.Trunk), uint64(group)
	x := m.cells.Load()
	var cells [len(estimateViews)]*state
	cells[0] = m.total
	if m.levels[1] {
		cells[1] = x.find(&packed{ids: ids{trunk}, tag: uint64(ByTrunk)})
	}
	if m.levels[2] {
		cells[2] = x.find(&packed{ids: ids{trunk, dest}, tag: uint64(ByTrunk | ByGroup)})
	}
	var levels [len(estimateViews)]struct{ k, n float64 }
	for i, s := range cells {
		if s != nil {
			levels[i].k, levels[i].n = s.estimable(epoch)
		}
	}
	mean, weight := 0.5, 1.0
	for i, l := range levels {
		if !m.levels[i] {
			continue
		}
		for j := i + 1; j < len(levels); j++ { // the next finer level is part of this one
			if m.levels[j] {
				l.k, l.n = max(l.k-levels[j].k, 0), max(l.n-levels[j].n, 0)
				break
			}
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

// estimateViews are the levels of an estimate, coarsest first.
var estimateViews = [...]View{Total, ByTrunk, ByTrunk | ByGroup}

// setLevels notes which levels of an estimate the meter keeps.
func (m *Meter) setLevels() {
	for i, v := range estimateViews {
		m.levels[i] = slices.Contains(m.cfg.Views, v)
	}
	m.total = m.lookup(new(packed))
}
