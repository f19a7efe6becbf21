package kpi

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
)

// CalleesConfig configures Callees. The zero value is usable.
type CalleesConfig struct {
	Period time.Duration // what is counted together: the day, from midnight UTC, with 24 h; 0 = 24 h
	Max    int           // callees that are told apart in a period; 0 = 1,000,000 (some 60 bytes each)

	// Repeat is how soon after or before another attempt to the same callee one is a repeat; 0 = 1 h. The period before is looked
	// at too, and none further back.
	Repeat time.Duration

	// RecentAnswers is how many answered attempts are remembered, so that a disposition that brings only the attempt's id
	// counts, and each once. 0 = 65,536 (5 MB); negative = none.
	RecentAnswers int

	// AbandonedCodes are the host's disposition codes for a call that a person answered and no agent took, as in Config.
	AbandonedCodes []string
}

// Callees counts what callees get to hear: how often each is called, from how many numbers, how soon again, how long it rings
// in vain, and how often nobody speaks. It is an observer; give it to an engine beside a Meter. Numbers stay inside: a report
// has counts alone. Safe for concurrent use; NewCallees makes one.
//
// It keeps the present period and the last one before that had traffic; what belongs to an older one is left out.
type Callees struct {
	cfg     CalleesConfig
	answers *answers
	resumed atomic.Uint64 // sequence of the snapshot that was restored

	mu      sync.Mutex
	now     calleePeriod
	before  calleePeriod // the last one before that had anything
	started bool
}

type calleePeriod struct {
	number int64
	by     map[outdial.Number]*callee
	rest   CalleeReport // what is counted without telling callees apart
}

type callee struct {
	attempts uint32
	clis     []outdial.Number
	last     time.Time
}

// NewCallees returns a Callees; the error names every bad field.
func NewCallees(cfg CalleesConfig) (*Callees, error) {
	cfg.Period, cfg.Max, cfg.Repeat = orDefault(cfg.Period, 24*time.Hour), orDefault(cfg.Max, 1_000_000), orDefault(cfg.Repeat, time.Hour)
	cfg.RecentAnswers = max(orDefault(cfg.RecentAnswers, 1<<16), 0)
	cfg.AbandonedCodes = slices.Clone(cfg.AbandonedCodes)
	var errs []error
	for _, field := range []struct {
		name string
		bad  bool
	}{
		{"Period", cfg.Period < time.Minute},
		{"Max", cfg.Max < 1},
		{"Repeat", cfg.Repeat < 0},
		{"RecentAnswers", cfg.RecentAnswers > 1<<28},
	} {
		if field.bad {
			errs = append(errs, fmt.Errorf("kpi: CalleesConfig.%s: out of range", field.name))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Callees{cfg: cfg, answers: newAnswers(cfg.RecentAnswers)}, nil
}

// CalleeReport says what callees got to hear in one period.
type CalleeReport struct {
	From     time.Time     `json:"from"`
	Callees  int           `json:"callees"`
	Attempts uint64        `json:"attempts"`
	Repeats  uint64        `json:"repeats"`       // attempts within Repeat of the one before to the same callee
	Ringing  time.Duration `json:"ringing_ns"`    // of attempts that nobody answered
	Silent   uint64        `json:"silent"`        // answered by a person, and no agent spoke
	Untold   uint64        `json:"untold"`        // attempts to callees beyond Max, not in the distributions
	ByCount  [10]uint64    `json:"by_attempts"`   // callees by attempts: 1, 2 … 9, 10 and more
	ByCLIs   [5]uint64     `json:"by_caller_ids"` // callees by caller IDs they were called from: 1 … 4, 5 and more
	Most     uint32        `json:"most"`          // attempts to one callee
}

// Mean is attempts per callee; false where there were none.
func (r *CalleeReport) Mean() (float64, bool) {
	if r.Callees == 0 {
		return 0, false
	}
	return float64(r.Attempts-r.Untold) / float64(r.Callees), true
}

// Observe implements outdial.Observer.
func (c *Callees) Observe(ev *outdial.Event) {
	a := ev.Attempt
	if a == nil {
		return
	}
	start := a.Start
	if ev.Kind == outdial.EventDisposed {
		if ev.Disposition == nil {
			return
		}
		from := answer{call: a.ID.Call, state: answerState(start.UnixMilli(), a)}
		if !c.answers.dispose(&from, !start.IsZero()) {
			return
		}
		start = time.UnixMilli(from.start())
	} else if a.Call.To == 0 || start.IsZero() {
		return
	}
	if ev.Kind == outdial.EventAnswered && !a.Late {
		c.answers.remember(start.UnixMilli(), a, nil)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.period(start)
	if p == nil {
		return
	}
	switch ev.Kind {
	case outdial.EventStarted:
		c.attempt(p, a)
	case outdial.EventEnded:
		if d, ok := a.Timeline.RingTime(); ok && !a.Answered() {
			p.rest.Ringing += d
		}
	case outdial.EventDisposed:
		if d := ev.Disposition; d.AnsweredBy == outdial.AnsweredByHuman && abandoned(c.cfg.AbandonedCodes, d) {
			p.rest.Silent++
		}
	}
}

func (c *Callees) attempt(p *calleePeriod, a *outdial.Attempt) {
	p.rest.Attempts++
	who := p.by[a.Call.To]
	if who == nil {
		if len(p.by) >= c.cfg.Max {
			p.rest.Untold++
			return
		}
		who = new(callee)
		p.by[a.Call.To] = who
		if was := c.before.by[a.Call.To]; was != nil && p.number == c.before.number+1 {
			who.last = was.last
		}
	}
	if !who.last.IsZero() && a.Start.Sub(who.last).Abs() < c.cfg.Repeat && a.ID.Leg <= 1 { // legs of one hunt are no repeats
		p.rest.Repeats++
	}
	who.attempts++
	if a.Start.After(who.last) {
		who.last = a.Start
	}
	if len(who.clis) < len(p.rest.ByCLIs) && !slices.Contains(who.clis, a.CLI) {
		who.clis = append(who.clis, a.CLI)
	}
}

// period returns the period of a time: the present one, which a later time ends, or the one before; nil for an older one. A
// period that a clock far ahead has begun is given up again when the true one comes.
func (c *Callees) period(at time.Time) *calleePeriod {
	n := c.number(at)
	next := calleePeriod{number: n, by: map[outdial.Number]*callee{}}
	switch {
	case !c.started:
		c.now, c.before, c.started = next, calleePeriod{number: math.MinInt64}, true
	case n > c.now.number:
		c.before, c.now = c.now, next
	case n == c.now.number:
	case n == c.before.number:
		return &c.before
	case n == c.now.number-1: // nothing came in it, until now
		c.before = next
		return &c.before
	case n > c.before.number:
		c.now = next
	default:
		return nil
	}
	return &c.now
}

func (c *Callees) number(at time.Time) int64 { return floorDiv(nanos(at), int64(c.cfg.Period)) }

// Report returns what was counted in the period of a time: the present one, the last one before that had traffic, or one
// between them, in which there was none; false for any other.
func (c *Callees) Report(at time.Time) (CalleeReport, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.number(at)
	if !c.started || n > c.now.number || n < c.now.number && (c.before.by == nil || n < c.before.number) {
		return CalleeReport{}, false
	}
	var p calleePeriod
	switch n {
	case c.now.number:
		p = c.now
	case c.before.number:
		p = c.before
	}
	r := p.rest
	r.From = time.Unix(0, n*int64(c.cfg.Period)).UTC()
	r.Callees = len(p.by)
	for _, who := range p.by {
		r.ByCount[min(int(who.attempts), len(r.ByCount))-1]++
		r.ByCLIs[min(len(who.clis), len(r.ByCLIs))-1]++
		r.Most = max(r.Most, who.attempts)
	}
	return r, true
}
