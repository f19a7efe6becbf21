package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

// attempt is one attempt as the journal tells it.
type attempt struct {
	ID        string
	Trunk     string
	Why       outdial.Why
	CLI       outdial.Number
	Start     time.Time
	Failed    time.Time // when hunting moved on or it ended without an answer
	Answered  time.Time
	Ended     time.Time
	Abandoned bool           // hunting moved on while it still lived
	Rang      bool           // a response beyond 100 came: the callee may have heard it
	Late      bool           // answered, but too late
	Result    outdial.Result // why hunting moved on, else how it ended
	Reported  outdial.Result // what the Session reports of it in the end
}

// refused is a bid that a stage refused.
type refused struct {
	At    time.Time
	Trunk string // "" = the call as a whole
	Stage outdial.Stage
	Code  string
}

// story is one call as the journal tells it.
type story struct {
	To       outdial.Number
	Attempts []*attempt
	Refused  []refused
}

// last returns the latest attempt, or nil.
func (s *story) last() *attempt {
	if s == nil || len(s.Attempts) == 0 {
		return nil
	}
	return s.Attempts[len(s.Attempts)-1]
}

// inTime returns how many attempts were answered while the call still hunted.
func (s *story) inTime() (n int) {
	for _, a := range s.Attempts {
		if !a.Answered.IsZero() && !a.Late {
			n++
		}
	}
	return n
}

// tally counts attempts of one trunk.
type tally struct {
	Started  int `json:"started"`
	Answered int `json:"answered"` // in time
	Late     int `json:"late"`     // answers that came too late
	Ended    int `json:"ended"`
	Unsent   int `json:"unsent"` // of those that ended: nothing left the host
	Open     int `json:"open"`
}

// ledger is a fold over the journal: every call, and counts by trunk. It is what anybody can know who has only the
// journal.
type ledger struct {
	ids    *outdial.Registry
	Events uint64
	Seq    uint64
	Calls  map[outdial.Number]*story
	Trunks map[string]*tally

	open      map[outdial.AttemptID]*attempt
	Failovers []advance // calls that went on to another trunk, in order
	Orders    []ordered // flips and drills
}

// advance is a call that went on after a failure.
type advance struct {
	At       time.Time
	To       outdial.Number
	From     string
	Why      string
	Next     string
	Duration time.Duration // from the start of the failed attempt to that of the next
}

func newLedger(ids *outdial.Registry) *ledger {
	return &ledger{
		ids: ids, Calls: make(map[outdial.Number]*story), Trunks: make(map[string]*tally),
		open: make(map[outdial.AttemptID]*attempt),
	}
}

// read folds what the journal has beyond what was folded before. The proxy may be writing it meanwhile.
func (g *ledger) read(dir string) error {
	r, err := cdr.NewReader(cdr.ReaderConfig{Dir: dir, IDs: g.ids, After: g.Seq})
	if err != nil {
		return err
	}
	for ev, err := range r.All() {
		if err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		g.Observe(ev)
	}
	return nil
}

// Observe implements outdial.Observer.
func (g *ledger) Observe(ev *outdial.Event) {
	g.Events++
	g.Seq = ev.Seq
	g.order(ev)
	if ev.Kind < outdial.EventRefused || ev.Kind > outdial.EventEnded {
		return
	}
	e := ev.Attempt
	trunk := g.ids.Trunks.Name(e.Candidate.Trunk)
	if ev.Kind == outdial.EventRefused {
		s := g.call(e.Call.To)
		s.Refused = append(s.Refused, refused{At: ev.Time, Trunk: trunk, Stage: ev.RefusalStage, Code: ev.Refusal})
		return
	}
	t := g.Trunks[trunk]
	if t == nil {
		t = new(tally)
		g.Trunks[trunk] = t
	}
	if ev.Kind == outdial.EventStarted {
		a := &attempt{ID: e.ID.String(), Trunk: trunk, Why: e.Choice.Why, CLI: e.CLI, Start: ev.Time}
		g.open[e.ID] = a
		g.start(g.call(e.Call.To), a)
		g.underOrders(a)
		t.Started++
		t.Open++
		return
	}
	a := g.open[e.ID]
	if a == nil {
		return
	}
	switch ev.Kind {
	case outdial.EventAbandoned:
		a.Failed, a.Abandoned, a.Result = ev.Time, true, *e.Outcome()
	case outdial.EventProgressed:
		a.Rang = e.Progressed()
	case outdial.EventAnswered:
		a.Answered, a.Late = ev.Time, e.Late
		if e.Late {
			t.Late++
		} else {
			t.Answered++
		}
	case outdial.EventEnded:
		a.Ended, a.Reported = ev.Time, *e.Outcome()
		if !a.Abandoned {
			a.Result = e.Result
		}
		if a.Failed.IsZero() && a.Answered.IsZero() {
			a.Failed = ev.Time
		}
		t.Ended++
		t.Open--
		if e.Result.Origin == outdial.OriginNeverSent {
			t.Unsent++
		}
		delete(g.open, e.ID)
	}
}

func (g *ledger) call(to outdial.Number) *story {
	s := g.Calls[to]
	if s == nil {
		s = &story{To: to}
		g.Calls[to] = s
	}
	return s
}

// attempt returns the attempt of a call on a trunk, of which there is at most one, or nil. to is the user part of a URI.
func (g *ledger) attempt(to, trunk string) *attempt {
	n, err := calleeOf(to)
	if s := g.Calls[n]; err == nil && s != nil {
		for _, a := range s.Attempts {
			if a.Trunk == trunk {
				return a
			}
		}
	}
	return nil
}

// start adds an attempt to its call.
func (g *ledger) start(s *story, a *attempt) {
	if prev := s.last(); prev != nil {
		g.Failovers = append(g.Failovers, advance{
			At: a.Start, To: s.To, From: prev.Trunk, Why: failureOf(prev.Result), Next: a.Trunk, Duration: a.Start.Sub(prev.Start),
		})
	}
	s.Attempts = append(s.Attempts, a)
}

// failureOf says in a few words how an attempt failed.
func failureOf(r outdial.Result) string {
	switch {
	case r.Code != 0:
		return fmt.Sprintf("%d", r.Code)
	case r.Origin == outdial.OriginNoTrying:
		return "silent"
	case r.Origin == outdial.OriginNoProgress:
		return "no progress"
	default:
		return r.Origin.String()
	}
}

// stories returns the calls in the order of their first attempt; those that never had one come first.
func (g *ledger) stories() []*story {
	list := make([]*story, 0, len(g.Calls))
	for _, s := range g.Calls {
		list = append(list, s)
	}
	first := func(s *story) time.Time {
		if len(s.Attempts) == 0 {
			return time.Time{}
		}
		return s.Attempts[0].Start
	}
	slices.SortFunc(list, func(a, b *story) int {
		if c := first(a).Compare(first(b)); c != 0 {
			return c
		}
		return int(int64(a.To) - int64(b.To))
	})
	return list
}
