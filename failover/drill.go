package failover

import (
	"slices"
	"sync"
	"time"

	"github.com/outdial/outdial"
)

// Drill is the report of a drill: a flip that ends by itself and compares. What became of its attempts is added for ten
// minutes after its end, so that the report is not final before. It is a plain value.
type Drill struct {
	Order  Flip
	Actor  string
	Reason string
	From   time.Time
	Until  time.Time // when it ends, or has ended
	Over   bool
	Cut    bool // an operator ended it before its time

	// Before is the hour until From, During what started within the drill: on the receiving trunks, and on all others, to the
	// destination group of the order where it has one.
	Before, During Sides
}

// Sides are counts of the receiving trunks and of all others.
type Sides struct{ To, Others Tally }

// Change compares the receiving trunks during the drill with all trunks before it, for calls to the same destinations: the
// difference of a figure (ASR, NER, or the mean PDD in seconds) with its uncertainty, and how many standard errors it is.
// Unknown while either is.
func (d *Drill) Change(m outdial.Metric) (difference outdial.Estimate, errors float64) {
	before := d.Before.To
	before.add(&d.Before.Others)
	figure := func(t *Tally) outdial.Estimate {
		switch m {
		case outdial.MetricASR:
			return t.ASR()
		case outdial.MetricNER:
			return t.NER()
		case outdial.MetricPDD:
			return t.PDD()
		}
		return outdial.Estimate{}
	}
	a, b := figure(&before), figure(&d.During.To)
	if !a.Known() || !b.Known() {
		return outdial.Estimate{}, 0
	}
	return outdial.Estimate{Mean: b.Mean - a.Mean, Var: a.Var + b.Var, N: min(a.N, b.N)}, apart(a, b)
}

// drillBook is a report that is being written.
type drillBook struct {
	mu sync.Mutex
	Drill
}

const (
	maxDrills = 32               // kept
	drillTail = 10 * time.Minute // how long after a drill the outcomes of its attempts still count
)

// flips returns the orders, which are not to be changed.
func (s *Selector) flips() []*flip {
	if l := s.orders.Load(); l != nil {
		return *l
	}
	return nil
}

// change replaces the orders by what edit makes of a copy.
func (s *Selector) change(edit func([]*flip) []*flip) {
	s.ordering.Lock()
	defer s.ordering.Unlock()
	list := edit(slices.Clone(s.flips()))
	drills := 0
	for i := len(list) - 1; i >= 0; i-- { // the oldest reports go
		if list[i].drill {
			if drills++; drills > maxDrills {
				list = slices.Delete(list, i, i+1)
			}
		}
	}
	if len(list) == 0 {
		s.orders.Store(nil)
		return
	}
	s.orders.Store(&list)
}

// order puts an order in force: in place of an earlier one to the same first trunk and group.
func (s *Selector) order(now time.Time, c *outdial.Control) {
	parsed, err := ParseFlip(c)
	if err != nil {
		return
	}
	f, err := s.resolve(parsed)
	if err != nil {
		return
	}
	f.drill, f.from, f.expires = c.Action == ActionDrill, now, c.Expires
	if f.drill && f.expires.IsZero() {
		return
	}
	if f.drill {
		f.report = &drillBook{Drill: Drill{Order: parsed, Actor: c.Actor, Reason: c.Reason, From: now, Until: c.Expires}}
		f.report.Before = s.sides(now, f.to, f.group)
		s.drilled(now, f.to)
	}
	s.change(func(list []*flip) []*flip {
		list = end(list, now, func(o *flip) bool { return o.to[0] == f.to[0] && o.group == f.group })
		return append(list, f)
	})
}

// revert ends the orders to a trunk, or all.
func (s *Selector) revert(now time.Time, target string) {
	id := outdial.TrunkID(0)
	if s.ids != nil && target != "" {
		var ok bool
		if id, ok = s.ids.Trunks.Lookup(target); !ok {
			return
		}
	}
	s.change(func(list []*flip) []*flip {
		return end(list, now, func(o *flip) bool { return id == 0 || slices.Contains(o.to, id) })
	})
}

// end ends orders in force: a drill leaves its report, a flip goes.
func end(list []*flip, now time.Time, which func(*flip) bool) []*flip {
	kept := list[:0:0]
	for _, f := range list {
		if !f.inForce(now) || !which(f) {
			if f.drill || f.inForce(now) {
				kept = append(kept, f)
			}
			continue
		}
		if f.drill {
			over := &flip{order: f.order, to: f.to, group: f.group, drill: true, from: f.from, expires: f.expires, ended: now, report: f.report}
			f.report.mu.Lock()
			f.report.Until, f.report.Over, f.report.Cut = now, true, true
			f.report.mu.Unlock()
			kept = append(kept, over)
		}
	}
	return kept
}

// sides sums up the last hour, of a destination group or, where that is 0, of all calls.
func (s *Selector) sides(now time.Time, to []outdial.TrunkID, g outdial.GroupID) (sum Sides) {
	for _, b := range s.boards.all() {
		if b == nil {
			continue
		}
		var t Tally
		b.mu.Lock()
		if g == 0 {
			t = b.whole.tally.last(now, tallyMinutes)
		} else if own := b.group(g); own != nil {
			t = own.tally.last(now, tallyMinutes)
		}
		b.mu.Unlock()
		if slices.Contains(to, b.id) {
			sum.To.add(&t)
		} else {
			sum.Others.add(&t)
		}
	}
	return sum
}

// drilled notes that trunks are being drilled.
func (s *Selector) drilled(now time.Time, to []outdial.TrunkID) {
	for _, t := range to {
		if b := s.boards.open(t, s.cfg.baseline); b != nil {
			b.mu.Lock()
			b.drilled = now
			b.mu.Unlock()
		}
	}
}

// drillCount counts an event of an attempt that started within a drill. good says that the attempt has just reached its callee.
func (s *Selector) drillCount(ev *outdial.Event, good bool) {
	list := s.flips()
	if len(list) == 0 || ev.Kind == outdial.EventProgressed && !good || ev.Kind == outdial.EventEnded && !good {
		return
	}
	a := ev.Attempt
	for _, f := range list {
		if !f.drill || ev.Time.Sub(f.expires) > drillTail || a.Start.Before(f.from) || !a.Start.Before(f.expires) ||
			!f.ended.IsZero() && !a.Start.Before(f.ended) || f.group != 0 && f.group != a.Call.Dest.Group {
			continue
		}
		if good && ev.Kind == outdial.EventAnswered {
			continue // counted as the answer
		}
		f.report.mu.Lock()
		side := &f.report.During.Others
		if slices.Contains(f.to, a.Candidate.Trunk) {
			side = &f.report.During.To
		}
		side.count(ev, good)
		f.report.mu.Unlock()
	}
}

// Drills returns the reports of the drills on record, at most 32, the oldest first. The caller owns the slice.
func (s *Selector) Drills(now time.Time) []Drill {
	var list []Drill
	for _, f := range s.flips() {
		if !f.drill {
			continue
		}
		f.report.mu.Lock()
		d := f.report.Drill
		f.report.mu.Unlock()
		d.Over = d.Over || !now.Before(d.Until)
		list = append(list, d)
	}
	return list
}

// expireOrders drops the flips whose time is over, and returns when the next one's is.
func (s *Selector) expireOrders(now time.Time) (next time.Time) {
	stale := false
	for _, f := range s.flips() {
		switch {
		case f.inForce(now):
			if !f.expires.IsZero() && (next.IsZero() || f.expires.Before(next)) {
				next = f.expires
			}
		case !f.drill:
			stale = true
		}
	}
	if stale {
		s.change(func(list []*flip) []*flip {
			return slices.DeleteFunc(list, func(f *flip) bool { return !f.drill && !f.inForce(now) })
		})
	}
	return next
}
