package main

import (
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// When the good carrier breaks and is repaired, in shares of the calls placed.
const (
	breakAt = 0.5
	healAt  = 0.75
)

// scenario breaks the good carrier and repairs it, and watches what outdial makes of it.
type scenario struct {
	opts    options
	carrier *carrier
	begin   time.Time
	notices []notice

	states map[outdial.TrunkID]failover.State
	failed uint64 // failures of the good carrier's trunk that were known when it broke

	broken  time.Time
	noticed time.Time
	healed  time.Time
	back    time.Time
}

func newScenario(o options, c *carrier, begin time.Time) *scenario {
	return &scenario{opts: o, carrier: c, begin: begin, states: make(map[outdial.TrunkID]failover.State)}
}

// step breaks or repairs the carrier when its time has come.
func (s *scenario) step(now time.Time, placed int, targets []failover.Target) error {
	share := float64(placed) / float64(s.opts.Calls)
	switch {
	case s.broken.IsZero() && share >= breakAt:
		for _, t := range targets {
			if t.Name == s.carrier.Name && t.Group == 0 {
				s.failed = t.Failed
			}
		}
		if err := s.carrier.breakDown(s.opts.Fault); err != nil {
			return err
		}
		s.broken = time.Now()
		how := "answers 503 to every new call"
		if s.opts.Fault == faultSilent {
			how = "answers nothing any more"
		}
		s.note(s.broken, "%s breaks: it %s", s.carrier.Name, how)
	case !s.broken.IsZero() && s.healed.IsZero() && share >= healAt:
		if err := s.carrier.heal(); err != nil {
			return err
		}
		s.healed = time.Now()
		s.note(s.healed, "%s is repaired; outdial learns that from its next probe", s.carrier.Name)
	}
	return nil
}

// watch notes what failover thinks of each trunk, whenever it has changed its mind.
func (s *scenario) watch(targets []failover.Target) {
	for _, t := range targets {
		if t.Group != 0 || t.State == s.states[t.Trunk] {
			continue
		}
		before := s.states[t.Trunk]
		s.states[t.Trunk] = t.State
		at := t.Since
		if at.Before(s.begin) {
			at = s.begin
		}
		broke := t.Name == s.carrier.Name && !s.broken.IsZero()
		switch {
		case t.State == failover.Out && before <= failover.Suspect && broke && s.noticed.IsZero():
			s.noticed = at
			s.note(at, "noticed %s after the fault: %s rests (%s, %d calls had failed)",
				ms(at.Sub(s.broken)), t.Name, t.Why, t.Failed-s.failed)
		case t.State == failover.Suspect || before == failover.Suspect && t.State == failover.Up:
		case t.State == failover.Probing || t.State == failover.Out && before == failover.Probing:
		case t.State == failover.Out:
			s.note(at, "%s rests until a probe succeeds (%s)", t.Name, t.Why)
		case t.State == failover.Ramping && broke && !s.healed.IsZero() && s.back.IsZero():
			s.back = at
			s.note(at, "%s gets its share again, %s after the repair", t.Name, ms(at.Sub(s.healed)))
		default:
			s.note(at, "%s is %s", t.Name, t.State)
		}
	}
}

func (s *scenario) note(at time.Time, format string, args ...any) {
	s.notices = append(s.notices, notice{At: at.Sub(s.begin), Text: fmt.Sprintf(format, args...)})
}

// latest returns the last n of a list.
func latest[T any](list []T, n int) []T { return list[max(len(list)-n, 0):] }
