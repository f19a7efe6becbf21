package main

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// invariant is something that must hold whatever the seed, the pace and the load of the machine.
type invariant struct {
	name  string
	check func(e *evidence) error
}

// invariants in the order in which they are listed.
var invariants = []invariant{
	{"every call got one final response", everyCallEnded},
	{"every end is explained by the callee, the dialer or a refusal with its reason", everyEndExplained},
	{"no call was lost: none failed while a trunk was left that could have carried it", noneLost},
	{"few calls were refused or failed on every trunk: no more than the carriers account for", fewFailed},
	{"each callee was connected at most once, and no late answer was left up", answeredOnce},
	{"what the callee decided was never tried again elsewhere", neverAround},
	{"channels: no carrier saw more calls at a time than agreed", channelsKept},
	{"calls per second: no trunk was given more in any second than configured", cpsKept},
	{"caller IDs: only the campaign's own were presented", ownNumbers},
	{"caller IDs: no number was used more often than its cap, as the carriers count", capsKept},
	{"caller IDs: a number that is blocked rests, with its evidence, and is shown no more", blockedRests},
	{"caller IDs: a callee sees another number only where the first rests or has reached its cap", numbersKept},
	{"journal = live: attempts, answers and ends by trunk", journalIsLive},
	{"journal = live: every figure of the summary", summaryIsLive},
	{"journal = carriers: INVITEs and answers by trunk", journalIsCarriers},
	{"journal = dialer: answered calls", journalIsDialer},
	{"no attempt is open at the end", nothingOpen},
	{"no channel and no call is left up at the end", nothingHeld},
	{"a failing carrier rests after as few failures in a row as configured", noticedSoon},
	{"a resting carrier gets nothing but probes and last resorts", restKept},
	{"an outage for one destination: the carrier rests for that one, and for no other", partMoved},
	{"flips and drills send what was ordered, and end by themselves", ordersKept},
	{"goroutines are back where they were", goroutinesBack},
}

// checked is an invariant that was checked.
type checked struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Fault string `json:"fault,omitempty"`
}

// check checks all invariants.
func (e *evidence) check() []checked {
	list := make([]checked, 0, len(invariants))
	for _, inv := range invariants {
		c := checked{Name: inv.name, OK: true}
		if err := inv.check(e); err != nil {
			c.OK, c.Fault = false, err.Error()
		}
		list = append(list, c)
	}
	return list
}

func everyCallEnded(e *evidence) error {
	for _, f := range e.Fates {
		switch {
		case f.GaveUp == errStopped && f.Failure == nil:
		case f.Failure != nil:
			return fmt.Errorf("%s: %w", f.Callee.Number, f.Failure)
		case f.Code < 200:
			return fmt.Errorf("%s: %d", f.Callee.Number, f.Code)
		}
	}
	return nil
}

func everyEndExplained(e *evidence) error { return none(e, unexplained) }

func noneLost(e *evidence) error { return none(e, wasLost) }

// none fails when a call has the verdict.
func none(e *evidence, v verdict) error {
	var n int
	var first error
	for _, j := range e.judged() {
		if j.Verdict != v {
			continue
		}
		if n++; first == nil {
			first = fmt.Errorf("%s: %s", j.Callee.Number, j.Why)
		}
	}
	if n > 0 {
		return fmt.Errorf("%d calls; the first is %w", n, first)
	}
	return nil
}

func answeredOnce(e *evidence) error {
	for n, by := range recordsByCallee(e.Carriers) {
		answers := 0
		for _, rs := range by {
			for _, r := range rs {
				if r.Code/100 == 2 {
					answers++
				}
			}
		}
		s, late := e.Ledger.Calls[n], 0
		if s == nil {
			return fmt.Errorf("%s was called, and the journal does not know it", n)
		}
		for _, a := range s.Attempts {
			if a.Late {
				late++
			}
			if a.Late && a.Ended.IsZero() {
				return fmt.Errorf("%s: the late answer of %s was not ended", n, a.Trunk)
			}
		}
		if in := s.inTime(); in > 1 || answers != in+late {
			return fmt.Errorf("%s: %d answers at the carriers, %d connected, %d late", n, answers, in, late)
		}
	}
	return nil
}

func neverAround(e *evidence) error {
	records := recordsByCallee(e.Carriers)
	for n, s := range e.Ledger.Calls {
		for i, a := range s.Attempts[:max(len(s.Attempts)-1, 0)] {
			for _, r := range records[n][a.Trunk] {
				if isCalleeOutcome(r.Script) && a.Result.Origin == outdial.OriginCarrier && !a.Abandoned {
					return fmt.Errorf("%s: %s on %s, and then tried on %s", n, r.Script, a.Trunk, s.Attempts[i+1].Trunk)
				}
			}
		}
	}
	return nil
}

func channelsKept(e *evidence) error {
	var errs []error
	for _, c := range e.Carriers {
		peak, full := c.Stats.PeakChannels, c.Stats.ChannelsFull
		if peak > c.Channels && !c.Dead || full > 0 || e.Live[c.Name].Status.Peak > c.Channels {
			errs = append(errs, fmt.Errorf("%s: %d at a time and %d refused, of %d agreed (%d held at a time)",
				c.Name, peak, full, c.Channels, e.Live[c.Name].Status.Peak))
		}
	}
	return errors.Join(errs...)
}

// cpsKept does not trust in a quick machine. An INVITE was counted at some time between the decision (the journal's time) and
// its arrival (the carrier's), so INVITEs for which both lie within one second were counted in that second.
func cpsKept(e *evidence) error {
	var errs []error
	for _, c := range e.Carriers {
		var spans []passage
		for _, r := range c.Records {
			if a := e.Ledger.attempt(r.To, c.Name); a != nil {
				spans = append(spans, passage{a.Start, r.InvitedAt})
			}
		}
		if n := within(spans, time.Second-clockSlack); n > c.CPS {
			errs = append(errs, fmt.Errorf("%s: %d in one second, of %d configured", c.Name, n, c.CPS))
		}
	}
	return errors.Join(errs...)
}

// clockSlack is how much a second of the wall clock, which the journal keeps, may differ from one of the monotonic clock,
// which is counted by: 500 ppm while the clock is slewed, and some.
const clockSlack = time.Millisecond

// passage is from a decision to the arrival of its INVITE.
type passage struct{ from, to time.Time }

// within returns the most spans that lie in any window of length w, as a whole.
func within(spans []passage, w time.Duration) (most int) {
	slices.SortFunc(spans, func(a, b passage) int { return a.from.Compare(b.from) })
	for i := range spans {
		end, n := spans[i].from.Add(w), 0
		for _, s := range spans[i:] {
			if !s.from.Before(end) {
				break
			}
			if s.to.Before(end) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func ownNumbers(e *evidence) error {
	for from := range e.uses() {
		n, err := calleeOf(from)
		if err != nil || !slices.Contains(e.Callers, n) {
			return fmt.Errorf("%q was presented", from)
		}
	}
	return nil
}

func capsKept(e *evidence) error {
	most := e.cap()
	if most == 0 {
		return nil
	}
	for from, n := range e.uses() {
		if n > most {
			return fmt.Errorf("%s was presented %d times, its cap is %d", from, n, most)
		}
	}
	return nil
}

func journalIsLive(e *evidence) error {
	var errs []error
	for _, c := range e.Carriers {
		live, t := e.Live[c.Name].Cell, e.tally(c.Name)
		l := tally{
			Started: int(live.Started), Answered: int(live.Answers), Late: int(live.LateAnswers),
			Ended: int(live.Started - live.Open()), Open: int(live.Open()),
			Unsent: int(live.Classes[kpi.ClassNeverSent] + live.Classes[kpi.ClassLocalLimit]),
		}
		if l != t {
			errs = append(errs, fmt.Errorf("%s: the journal has %+v, the meter %+v", c.Name, t, l))
		}
	}
	return errors.Join(errs...)
}

// summaryIsLive holds the cells that the summary is made of, from the journal alone, against the proxy's own.
func summaryIsLive(e *evidence) error {
	same := func(name string, a, b *kpi.Cell) error {
		if !reflect.DeepEqual(a, b) {
			return fmt.Errorf("%s: the journal makes %+v, the meter has %+v", name, a.Counters, b.Counters)
		}
		return nil
	}
	errs := []error{same("all", &e.Told.Total, &e.Total)}
	for _, c := range e.Carriers {
		a, b := e.Told.Trunk[c.Name], e.Live[c.Name].Cell
		errs = append(errs, same(c.Name, &a, &b))
	}
	return errors.Join(errs...)
}

func journalIsCarriers(e *evidence) error {
	var errs []error
	for _, c := range e.Carriers {
		t := e.tally(c.Name)
		if c.Stats.Invites != t.Started-t.Unsent || c.Stats.Answered != t.Answered+t.Late {
			errs = append(errs, fmt.Errorf("%s: the carrier saw %d INVITEs and answered %d, the journal has %+v",
				c.Name, c.Stats.Invites, c.Stats.Answered, t))
		}
	}
	return errors.Join(errs...)
}

func journalIsDialer(e *evidence) error {
	heard, told := 0, 0
	for _, f := range e.Fates {
		if f.Code/100 == 2 {
			heard++
		}
	}
	for _, s := range e.Ledger.Calls {
		told += s.inTime()
	}
	if heard != told {
		return fmt.Errorf("the dialer heard %d answers, the journal has %d", heard, told)
	}
	return nil
}

func nothingOpen(e *evidence) error {
	for _, c := range e.Carriers {
		if t := e.tally(c.Name); t.Open != 0 {
			return fmt.Errorf("%s: %d of %d", c.Name, t.Open, t.Started)
		}
	}
	return nil
}

func nothingHeld(e *evidence) error {
	var errs []error
	for _, c := range e.Carriers {
		if n := e.Live[c.Name].Status.InUse; n != 0 {
			errs = append(errs, fmt.Errorf("%s: %d channels are held", c.Name, n))
		}
		for _, r := range c.Records {
			if r.Code/100 == 2 && r.EndedAt.IsZero() {
				errs = append(errs, fmt.Errorf("%s: the call to %s is still up", c.Name, r.To))
			}
		}
	}
	return errors.Join(errs...)
}

func noticedSoon(e *evidence) error {
	var errs []error
	for _, d := range e.Detections {
		if d.Row > d.Allowed {
			errs = append(errs, fmt.Errorf("%s failed %d times in a row, %d should do", d.Trunk, d.Row, d.Allowed))
		}
		if d.Row == d.Allowed && d.Noticed.IsZero() {
			errs = append(errs, fmt.Errorf("%s failed %d times in a row and does not rest", d.Trunk, d.Row))
		}
	}
	return errors.Join(errs...)
}

func restKept(e *evidence) error {
	var errs []error
	for _, d := range e.Detections {
		if d.Ordinary > 0 {
			errs = append(errs, fmt.Errorf("%s got %d ordinary calls", d.Trunk, d.Ordinary))
		}
	}
	return errors.Join(errs...)
}

func goroutinesBack(e *evidence) error {
	if e.Goroutines > e.Baseline {
		return fmt.Errorf("%d at the end, %d at the start", e.Goroutines, e.Baseline)
	}
	return nil
}

// tally returns what the journal counts for a trunk.
func (e *evidence) tally(trunk string) tally {
	if t := e.Ledger.Trunks[trunk]; t != nil {
		return *t
	}
	return tally{}
}
