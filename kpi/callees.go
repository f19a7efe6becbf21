package kpi

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/outdial/outdial"
)

// CalleesConfig configures Callees. The zero value is usable.
type CalleesConfig struct {
	Period time.Duration // what is counted together: the day, from midnight UTC, with 24 h; 0 = 24 h
	Max    int           // callees that are told apart in a period; 0 = 1,000,000 (some 60 bytes each)
	Repeat time.Duration // an attempt within this after the last one is a repeat; 0 = 1 h
}

// Callees counts what callees get to hear: how often each is called, from how many numbers, how soon again, how long it rings
// in vain, and how often nobody speaks. It is an observer; give it to an engine beside a Meter. Numbers stay inside: a report
// has counts alone. Safe for concurrent use; NewCallees makes one.
type Callees struct {
	cfg CalleesConfig

	mu      sync.Mutex
	now     calleePeriod
	before  calleePeriod // the period before
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

var _ outdial.Observer = (*Callees)(nil)

// NewCallees returns a Callees; the error names every bad field.
func NewCallees(cfg CalleesConfig) (*Callees, error) {
	cfg.Period, cfg.Max, cfg.Repeat = orDefault(cfg.Period, 24*time.Hour), orDefault(cfg.Max, 1_000_000), orDefault(cfg.Repeat, time.Hour)
	var errs []error
	for name, bad := range map[string]bool{
		"Period": cfg.Period < time.Minute, "Max": cfg.Max < 1, "Repeat": cfg.Repeat < 0,
	} {
		if bad {
			errs = append(errs, fmt.Errorf("kpi: CalleesConfig.%s: out of range", name))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Callees{cfg: cfg}, nil
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
	if a == nil || a.Call.To == 0 || a.Start.IsZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.period(a.Start)
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
		if d := ev.Disposition; d != nil && d.AnsweredBy == outdial.AnsweredByHuman && d.AgentTime <= 0 {
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
	}
	if !who.last.IsZero() && a.Start.Sub(who.last) < c.cfg.Repeat && a.ID.Leg <= 1 { // legs of one hunt are no repeats
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

// period returns the period of a time: the present one, which a later time ends, or the one before; nil for an older one.
func (c *Callees) period(at time.Time) *calleePeriod {
	n := floorDiv(at.UnixNano(), int64(c.cfg.Period))
	switch {
	case !c.started || n > c.now.number:
		if c.started && n == c.now.number+1 {
			c.before = c.now
		} else {
			c.before = calleePeriod{number: n - 1, by: map[outdial.Number]*callee{}}
		}
		c.now, c.started = calleePeriod{number: n, by: map[outdial.Number]*callee{}}, true
		return &c.now
	case n == c.now.number:
		return &c.now
	case n == c.before.number:
		return &c.before
	}
	return nil
}

// Report returns what was counted in the period of a time, which is the present or the one before; false for any other.
func (c *Callees) Report(at time.Time) (CalleeReport, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := floorDiv(at.UnixNano(), int64(c.cfg.Period))
	p := &c.now
	if n == c.before.number {
		p = &c.before
	}
	if !c.started || n != p.number {
		return CalleeReport{}, false
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
