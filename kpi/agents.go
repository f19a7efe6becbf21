package kpi

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/outdial/outdial"
)

// IdleCause is why agents wait.
type IdleCause uint8

// Causes of waiting.
const (
	IdleNoCalls   IdleCause = iota // nobody wanted to call
	IdleChannels                   // bids were refused: no free channel
	IdleCPS                        // bids were refused: calls per second
	IdleNoRoute                    // bids were refused: nothing leads there, a rule forbids it, or everything rests
	IdleCallerIDs                  // bids were refused: no caller ID, or the callee may not be called now
	IdleLowASR                     // calls were under way, and nobody answered
	IdleCauses                     // number of causes, not a cause
)

// String returns "no_calls", "channels", "cps", "no_route", "caller_ids" or "low_asr".
func (c IdleCause) String() string {
	return name(int(c), []string{"no_calls", "channels", "cps", "no_route", "caller_ids", "low_asr"})
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (c IdleCause) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Agents books the time that agents wait to what they wait for. The host tells how many agents are idle and busy (Set) when
// that changes; the engine's events tell what became of the bids in between. The waiting time between two Sets is shared among
// the causes in proportion to the bids that each refused; where none was refused, agents waited for an answer while calls
// were under way, and for calls otherwise. Reading changes nothing. Times that go back count for nothing, until they have
// come to where they were.
//
// It is an observer, and safe for concurrent use. The zero value is ready to use. Agents' states are the dialer's,
// of no call, and not in the journal: after a restart it begins anew.
type Agents struct {
	mu sync.Mutex
	agentBook
}

// agentBook is what Agents knows.
type agentBook struct {
	at         time.Time
	idle, busy int
	open       int // attempts under way
	most       int // of them at a time since the last Set
	refused    [IdleCauses]int
	report     AgentReport
}

// AgentReport is how agents spent their time.
type AgentReport struct {
	Idle    [IdleCauses]time.Duration // by cause, summed over agents
	Busy    time.Duration
	Pacing  float64 // calls under way for each idle agent, now; 0 where nobody is idle
	Open    int     // calls under way
	Waiting int     // agents idle now
}

// MarshalJSON implements json.Marshaler: seconds, the waiting time by cause.
func (r AgentReport) MarshalJSON() ([]byte, error) {
	idle := map[string]float64{}
	for c, d := range r.Idle {
		idle[IdleCause(c).String()] = d.Seconds()
	}
	return json.Marshal(struct {
		Idle    map[string]float64 `json:"idle_seconds"`
		Busy    float64            `json:"busy_seconds"`
		Pacing  float64            `json:"pacing"`
		Open    int                `json:"open"`
		Waiting int                `json:"waiting"`
	}{idle, r.Busy.Seconds(), r.Pacing, r.Open, r.Waiting})
}

// Total is all waiting time.
func (r *AgentReport) Total() (sum time.Duration) {
	for _, d := range r.Idle {
		sum += d
	}
	return sum
}

// Set tells how many agents are idle and busy from now on.
func (a *Agents) Set(now time.Time, idle, busy int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.book(now)
	a.idle, a.busy = max(idle, 0), max(busy, 0)
}

// Report returns how the time went until now.
func (a *Agents) Report(now time.Time) AgentReport {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.agentBook // what happens before the next Set shares in the same waiting time
	b.book(now)
	r := b.report
	r.Open, r.Waiting = b.open, b.idle
	if b.idle > 0 {
		r.Pacing = float64(b.open) / float64(b.idle)
	}
	return r
}

// book shares out the time since it was called last.
func (a *agentBook) book(now time.Time) {
	if a.at.IsZero() {
		a.at = now
	}
	if !now.After(a.at) {
		return
	}
	d := now.Sub(a.at)
	a.at = now
	a.report.Busy += d * time.Duration(a.busy)
	waited := d * time.Duration(a.idle)
	all := 0
	for _, n := range a.refused {
		all += n
	}
	switch {
	case all > 0:
		for c, n := range a.refused {
			a.report.Idle[c] += time.Duration(float64(waited) * float64(n) / float64(all))
		}
	case a.most > 0:
		a.report.Idle[IdleLowASR] += waited
	default:
		a.report.Idle[IdleNoCalls] += waited
	}
	a.refused, a.most = [IdleCauses]int{}, a.open
}

// Observe implements outdial.Observer.
func (a *Agents) Observe(ev *outdial.Event) {
	if ev.Attempt == nil || ev.Replay {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch ev.Kind {
	case outdial.EventRefused:
		a.refused[idleCauseOf(ev)]++
	case outdial.EventStarted:
		a.open++
		a.most = max(a.most, a.open)
	case outdial.EventAnswered:
		a.open = max(a.open-1, 0)
	case outdial.EventEnded:
		if !ev.Attempt.Answered() {
			a.open = max(a.open-1, 0)
		}
	}
}

func idleCauseOf(ev *outdial.Event) IdleCause {
	switch ev.RefusalStage {
	case outdial.StageTrunk:
		switch ev.Refusal {
		case "cps":
			return IdleCPS
		case "staged", "draining", "out", "unknown_trunk":
			return IdleNoRoute
		}
		return IdleChannels // or what holds channels back: floors, reservations, quotas, learned ceilings
	case outdial.StageCLI:
		return IdleCallerIDs
	}
	return IdleNoRoute
}
