package decide

import (
	"sync"
	"time"

	"github.com/outdial/outdial"
)

// call is one that a switch places: the Session that decides, and what was answered. Its mutex is held while the Session is asked, which
// waits for nobody.
type call struct {
	token string
	key   string // by which the switch knows it; "" = by none
	asked string // the body of its decide
	place int    // in Server.live, whose lock is held where it is touched

	mu       sync.Mutex
	session  *outdial.Session // nil = it is over
	heard    time.Time        // when the switch was last heard
	answered bool
	hunting  outdial.AttemptID // the leg that hunting waits for; zero = none
	gap      bool              // the switch was told to wait
	first    []byte            // the answer to decide
	last     []byte            // the answer to the last next, while it still holds
	outcomes [outdial.MaxAttempts][]byte
	ended    [outdial.MaxAttempts]bool
}

// advance asks the Session what is to be done, and appends the answer. It returns true where the call is over.
func (s *Server) advance(b []byte, c *call, now time.Time) (_ []byte, over bool) {
	for {
		step, err := c.session.Next(now)
		switch {
		case err != nil:
			return s.refused(b, c, now, err), s.settled(c, now)
		case step.Kind == outdial.StepStop:
			return s.stopped(b, c, step.Stop), s.settled(c, now)
		case step.Kind == outdial.StepWait:
			c.gap = true
			return s.wait(b, c, step.Until.Sub(now)), false
		case step.Kind == outdial.StepRevive:
			c.hunting = step.Attempt.ID
			return s.leg(b, c, "revive", step.Attempt, "", "", 0), false
		}
		uri, identity, err := s.p.Route(step.Attempt)
		if err != nil { // the trunk was taken away meanwhile
			_ = c.session.End(now, step.Attempt.ID, outdial.Result{Origin: outdial.OriginNeverSent, Text: err.Error()})
			c.ended[step.Attempt.ID.Leg-1] = true
			continue
		}
		c.hunting = step.Attempt.ID
		delay := time.Duration(0)
		if !step.NotBefore.IsZero() {
			delay = max(step.NotBefore.Sub(now), 0)
		}
		_ = c.session.Progress(now.Add(delay), step.Attempt.ID, outdial.MarkInvite.Of())
		return s.leg(b, c, "dial", step.Attempt, uri, identity, delay), false
	}
}

// settled reports whether nothing of the call is left, and gives its Session back then.
func (s *Server) settled(c *call, now time.Time) bool {
	if c.session == nil {
		return true
	}
	if !c.session.Done() {
		return false
	}
	_ = c.session.Cancel(now)
	s.sessions.Put(c.session)
	c.session = nil
	return true
}

// end gives everything back that the call still holds.
func (s *Server) end(c *call, now time.Time, origin outdial.Origin) {
	if c.session == nil {
		return
	}
	for i := range c.session.Attempts() {
		a := &c.session.Attempts()[i]
		if a.State != outdial.AttemptEnded {
			_ = c.session.End(now, a.ID, outdial.Result{Origin: origin})
		}
		c.ended[i] = true
	}
	_ = c.session.Cancel(now)
	s.settled(c, now)
}
