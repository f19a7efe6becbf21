package trunk

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// Defaults of a Trial.
const (
	DefaultTrialCalls    = 100
	DefaultTrialChannels = 5
	DefaultTrialCPS      = 1
	DefaultTrialGood     = 0.9
)

// Trial is the gate between canary and live: what a trunk on trial may carry, and what it must show. The zero value of a
// field is its default.
//
// An attempt is good when the carrier carried it as far as the callee's side: it rang, it was answered, or the callee's
// network answered for the callee (404, 410, 480, 484, 486, 600, 603, 604, 607, 608). It does not count when it never
// left, was given up by the caller, was refused for want of capacity, or when nobody knows. Everything else is bad.
type Trial struct {
	Calls    int     // attempts that are judged at a time; 0 = DefaultTrialCalls
	Good     float64 // share of them that must be good; 0 = DefaultTrialGood, negative = an operator decides
	Channels int     // 0 = DefaultTrialChannels, negative = all
	CPS      int     // 0 = DefaultTrialCPS, negative = all

	// From is when the trial began: attempts before it do not count when a journal is replayed. Zero = all count.
	From time.Time
}

func (c Trial) withDefaults() Trial {
	c.Calls = orDefault(c.Calls, DefaultTrialCalls)
	c.Good = orDefault(c.Good, DefaultTrialGood)
	c.Channels = orDefault(c.Channels, DefaultTrialChannels)
	c.CPS = orDefault(c.CPS, DefaultTrialCPS)
	return c
}

func (c Trial) validate(bad func(format string, args ...any)) {
	if c.Calls < 0 {
		bad("Trial.Calls: %d is negative", c.Calls)
	}
	if !(c.Good <= 1) {
		bad("Trial.Good: %v is not a share", c.Good)
	}
}

// tally counts the attempts of a trial.
type tally struct{ good, bad int }

// judge counts an attempt that ended on a trunk on trial; when enough were, the trunk goes live or is tried again.
func (t *line) judge(at window.Instant, a *outdial.Attempt, full bool) {
	trial := &t.terms.limits.Trial
	if a.Start.Before(trial.From) || a.Start.Before(t.trialFrom) {
		return
	}
	switch grade(a) {
	case good:
		t.trial.good++
	case bad:
		if full {
			return
		}
		t.trial.bad++
	default:
		return
	}
	if t.trial.good+t.trial.bad < trial.Calls || trial.Good < 0 {
		return
	}
	passed := float64(t.trial.good) >= trial.Good*float64(trial.Calls)
	last := t.trial
	t.trial = tally{}
	if !passed {
		t.alert(at, AlertTrialFailed, float64(last.good), float64(trial.Calls))
		return
	}
	t.promoted = true
	if t.order.state == Canary {
		t.order = order{}
	}
	t.alert(at, AlertTrialPassed, float64(last.good), float64(trial.Calls))
	t.restate(at, "trial", "")
}

// grades of an attempt on trial.
type verdict uint8

const (
	unclear verdict = iota
	good
	bad
)

func grade(a *outdial.Attempt) verdict {
	if a.Answered() || a.Progressed() {
		return good
	}
	switch res := a.Outcome(); res.Origin {
	case outdial.OriginUnknown, outdial.OriginCaller, outdial.OriginNeverSent, outdial.OriginHost:
		if a.WasAbandoned() && a.Abandoned.Origin != outdial.OriginCaller {
			return bad // hunting moved on from it before it was given up
		}
		return unclear
	case outdial.OriginCarrier:
		switch res.Code {
		case 404, 410, 480, 484, 486, 600, 603, 604, 607, 608:
			return good
		case 487:
			return unclear
		}
	}
	return bad
}
