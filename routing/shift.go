package routing

import (
	"math"
	"time"

	"github.com/outdial/outdial"
)

// changed corrects an estimate by what the router's past says of the trunk as a whole, or towards the destination, where that
// has changed (see track) and kpi's hours do not show it yet. Less than leastShift of the log-odds is taken as the hour's
// rather than the carrier's, and so is what other trunks show in the same minutes. It also returns the signs that more calls are
// worth spending on finding out.
func (t *Table) changed(
	now time.Time, c *outdial.Candidate, dest *outdial.Destination, e outdial.Estimate, g *tier, m *memory,
) (_ outdial.Estimate, signs uint32) {
	whole := m.trackOf(place{trunk: c.Trunk})
	if whole == nil || t.quality == nil {
		return e, 0
	}
	level, n, since := whole.now()
	signs = whole.signs.Load()
	var here *track
	if dest.Group != 0 {
		here = m.trackOf(place{c.Trunk, dest.Group})
	}
	if here != nil && level >= low { // the trunk as a whole is well: it is about this destination
		signs = here.signs.Load()
	}
	own := here != nil && here.changed.Load() != 0
	if since == 0 && !own {
		return e, signs
	}
	usual, shift := usable(t.quality.Estimate(now, c, 0)), 0.
	switch {
	case !usual.Known():
		usual = outdial.Estimate{Mean: level, N: n}
	case since != 0:
		shift = beyondPeers(now, c.Trunk, dest.DayPart, logit(level)-logit(usual.Mean), g, m)
	}
	if math.Abs(shift) >= leastShift {
		if !e.Known() {
			e = usual
		}
		e.Mean, e.N = ratio(logit(e.Mean)+shift), min(e.N, n)
	} else {
		shift = 0
	}
	if own {
		_, k, _ := here.now()
		mean := ratio(logit(usual.Mean) + shift + here.offset())
		if !e.Known() || math.Abs(logit(mean)-logit(e.Mean)) >= leastShift {
			e.Mean, e.N = mean, k
		}
	}
	return e, signs
}

const leastShift = 1.3 // of log-odds: 50 % becomes 21 %

// beyondPeers takes from a trunk's shift what the other trunks of the tier show as well, towards callees in the same part of their
// day in the latest minutes: that is the hour's. Those with a change of their own say nothing about the hour.
func beyondPeers(
	now time.Time, trunk outdial.TrunkID, part outdial.DayPartID, shift float64, g *tier, m *memory,
) float64 {
	if math.Abs(shift) < leastShift {
		return shift
	}
	k, n, expected := 0., 0., 0.
	for i := range g.targets {
		other := g.targets[i].candidate.Trunk
		tide, whole := m.tideOf(other, part), m.trackOf(place{trunk: other})
		if other == trunk || tide == nil || whole == nil {
			continue
		}
		daily := math.Float64frombits(whole.day.Load())
		level, _, since := whole.now()
		if since != 0 && math.Abs(logit(level)-logit(daily)) >= leastShift {
			continue
		}
		succeeded, all := tide.now(now.UnixNano())
		k, n, expected = k+succeeded, n+all, expected+all*daily
	}
	if n == 0 {
		return shift
	}
	usual := expected / n
	hours := logit((k+fewOutcomes*usual)/(n+fewOutcomes)) - logit(usual)
	if shift < 0 {
		return min(shift-min(hours, 0), 0)
	}
	return max(shift-max(hours, 0), 0)
}

// logit of a ratio; what is certain is taken as one in a thousand off.
func logit(p float64) float64 {
	p = min(max(p, 0.001), 0.999)
	return math.Log(p / (1 - p))
}

// ratio of a logit.
func ratio(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
