package failover

import (
	"errors"
	"fmt"
	"time"

	"github.com/outdial/outdial"
)

// Signals tells how the calls of a target go. *kpi.Meter meets it. Measure takes no lock and does not allocate; the zero
// Estimate says that nothing is known. Only Trunk and Carrier of c are set.
type Signals interface {
	Measure(now time.Time, m outdial.Metric, c *outdial.Candidate, group outdial.GroupID) outdial.Estimate
}

// Limit is how poor a figure may be. A target becomes suspect when the figure is beyond Poor with confidence, and is
// no more when it is better than Good by its mean; between the two it stays what it is. For NER, ASR, MOS and contacts
// less is worse, for the others more is. It is data.
type Limit struct {
	Metric outdial.Metric
	Poor   float64 // in the unit of the metric
	Good   float64
	Least  float64 // observations that there must be; 0 = 50
}

const (
	limitLeast      = 50
	limitConfidence = 2.326 // standard errors: 99 %, one-sided
)

// DefaultLimits are what a target is held to where Config.Limits is nil: NER not below 50 %, 95 % of post-dial delays
// within 8 s, short calls and drops not beyond 35 % and 8 % of answers. The caller owns the slice.
func DefaultLimits() []Limit {
	return []Limit{
		{Metric: outdial.MetricNER, Poor: 0.50, Good: 0.60},
		{Metric: outdial.MetricPDD, Poor: 8, Good: 6},
		{Metric: outdial.MetricShort, Poor: 0.35, Good: 0.25},
		{Metric: outdial.MetricDrop, Poor: 0.08, Good: 0.05},
	}
}

// more reports whether a greater figure is the worse one.
func (l *Limit) more() bool {
	switch l.Metric {
	case outdial.MetricNER, outdial.MetricASR, outdial.MetricMOS, outdial.MetricContact:
		return false
	}
	return true
}

// poor and good say how a figure stands; neither does in between, or where too little is known.
func (l *Limit) poor(e outdial.Estimate) bool {
	switch {
	case e.N < l.Least:
		return false
	case l.more():
		return e.Lower(limitConfidence) > l.Poor
	}
	return e.Upper(limitConfidence) < l.Poor
}

func (l *Limit) good(e outdial.Estimate) bool {
	return !e.Known() || l.more() == (e.Mean <= l.Good) && e.Mean != l.Good || e.Mean == l.Good
}

func limitsOf(limits []Limit) ([]Limit, error) {
	if limits == nil {
		limits = DefaultLimits()
	}
	limits = append([]Limit(nil), limits...)
	var errs []error
	for i := range limits {
		l := &limits[i]
		if l.Least == 0 {
			l.Least = limitLeast
		}
		switch {
		case l.Metric >= outdial.MetricCount:
			errs = append(errs, fmt.Errorf("failover: Limits[%d]: Metric: %d is not a metric", i, l.Metric))
		case l.more() && !(l.Good <= l.Poor), !l.more() && !(l.Good >= l.Poor):
			errs = append(errs, fmt.Errorf("failover: Limits[%d]: Good: %v of %s is worse than Poor %v", i, l.Good, l.Metric, l.Poor))
		}
	}
	return limits, errors.Join(errs...)
}

// review looks at the figures of every target that is up, and returns when to do so again.
func (s *Selector) review(now time.Time) time.Time {
	if s.signals == nil {
		return time.Time{}
	}
	if last := s.reviewed.Load(); last != 0 && now.Before(time.Unix(0, last).Add(s.cfg.signalEvery)) {
		return time.Unix(0, last).Add(s.cfg.signalEvery)
	}
	s.reviewed.Store(now.UnixNano())
	for _, b := range s.boards.all() {
		if b == nil {
			continue
		}
		c := outdial.Candidate{Trunk: b.id, Carrier: b.carrier}
		b.mu.Lock()
		list := make([]outdial.GroupID, 0, 1+b.groups.n)
		for t := range b.targets() {
			list = append(list, t.group)
		}
		b.mu.Unlock()
		for _, g := range list { // outside the lock: it is another's code
			s.reviewTarget(now, b, &c, g)
		}
	}
	return now.Add(s.cfg.signalEvery)
}

func (s *Selector) reviewTarget(now time.Time, b *board, c *outdial.Candidate, g outdial.GroupID) {
	poor, good := "", true
	for i := range s.limits {
		l := &s.limits[i]
		e := s.signals.Measure(now, l.Metric, c, g)
		if poor == "" && l.poor(e) {
			poor = l.Metric.String()
		}
		good = good && l.good(e)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	t := &b.whole
	if g != 0 {
		if t = b.group(g); t == nil {
			return
		}
	}
	switch {
	case now.Sub(t.weakSince) < s.cfg.dwell:
	case poor != "" && t.weak == "" && t.state <= Suspect:
		t.weak, t.weakSince = poor, now
	case t.weak != "" && good:
		t.weak, t.weakSince, t.gate = "", now, 0
		t.easing = now.Add(s.cfg.ramp)
		t.wake(now, &s.cfg) // where there is no ramp
	}
	b.settle(g)
}
