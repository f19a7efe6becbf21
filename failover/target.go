package failover

import (
	"fmt"
	"time"

	"github.com/outdial/outdial"
)

// State is how a target stands.
type State uint8

// States of a target. Up is the only one in which it gets its share.
const (
	Up        State = iota
	Out             // ejected, until its backoff is over
	Probing         // one live call at a time shows whether it is back
	Suspended       // it asked to be left alone (503 with Retry-After)
	Held            // an operator took it out of the choice
)

var stateNames = [...]string{"up", "out", "probing", "suspended", "held"}

// String returns "up", "out", "probing", "suspended" or "held".
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "invalid"
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *State) UnmarshalText(text []byte) error {
	for i, name := range stateNames {
		if string(text) == name {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("failover: state %q: want one of %v", text, stateNames)
}

// Reasons why a target does not stand as up, as in Target.Why.
const (
	whySoft       = "soft failures in a row"
	whyHard       = "hard failures in a row"
	whyProbe      = "a probe failed"
	whyRetryAfter = "retry after"
	whyHold       = "hold"
)

// target is the health of a trunk, or of one destination group on it: a fold over evidence with its time. It is a
// pure state machine; its board holds the lock.
type target struct {
	salt  uint64 // tells targets apart in the jitter
	noted bool   // counted in the board's sick
	state State  // Probing from the first good probe; never Held: a hold is the board's
	why   string
	since time.Time // when it came into its state
	until time.Time // Out: the first probe; Suspended: the end

	soft, hard int       // failures in a row
	good       int       // good probes in a row
	ejections  int       // in a row, less what time has healed
	ejected    time.Time // the last time; what started before is no news after it
	probe      claim     // the live call that is out to show whether it is back

	healthy, failed uint64 // calls ever
}

// claim is a probe that is out: the attempt of a call that started at or after the claim, which tells it from a probe
// that was given up before. The zero value is none.
type claim struct {
	out  bool
	call outdial.CallID // 0 = not known
	from time.Time
	to   time.Time // when it is given up
}

// by reports whether the probe is that of an attempt of a call which started at the given time.
func (c *claim) by(call outdial.CallID, start time.Time) bool {
	return c.out && (c.call == 0 || call == 0 || c.call == call) && !start.Before(c.from)
}

// wake ends what time alone ends: a suspension, and a probe that nobody reported on.
func (t *target) wake(now time.Time) {
	if t.state == Suspended && !now.Before(t.until) {
		t.state, t.why, t.since, t.until = Up, "", t.until, time.Time{}
	}
	if t.probe.out && !now.Before(t.probe.to) {
		t.probe = claim{}
	}
}

// due reports whether a probe may go now.
func (t *target) due(now time.Time) bool {
	return !t.probe.out && (t.state == Out && !now.Before(t.until) || t.state == Probing)
}

// claim sends a probe. What comes of it changes the state; the claim ends with the probe, or when it is given up, and
// with nothing else: a target that another call sends out meanwhile is not probed a second time.
func (t *target) claim(now time.Time, call outdial.CallID, start time.Time, cfg *settings) {
	t.probe = claim{out: true, call: call, from: start, to: now.Add(cfg.probeTimeout)}
}

// unclaim ends the probe of an attempt; the probe of another stays out.
func (t *target) unclaim(call outdial.CallID, start time.Time) {
	if t.probe.by(call, start) {
		t.probe = claim{}
	}
}

// learn folds the evidence of an attempt that started at start.
func (t *target) learn(now, start time.Time, e Evidence, cfg *settings) {
	t.wake(now)
	switch {
	case e.good():
		t.healthy++
	case e.bad():
		t.failed++
	default:
		return
	}
	stale := start.Before(t.ejected)
	switch {
	case t.state == Suspended:
	case t.state != Up && stale: // left before the ejection: one of many that failed together, or a late success
	case t.state != Up && e.good():
		if t.state == Out { // a last resort that worked: no need to wait longer
			t.state, t.since, t.until = Probing, now, time.Time{}
		}
		if t.good++; t.good >= cfg.probeGood {
			t.state, t.why, t.since, t.until = Up, "", now, time.Time{}
			t.soft, t.hard, t.good = 0, 0, 0
		}
	case t.state == Probing, t.state == Out && !now.Before(t.until):
		t.eject(now, whyProbe, cfg)
	case t.state == Out:
	case e.good():
		t.soft, t.hard = 0, 0
	default:
		t.soft++
		if t.hard++; e == EvidenceSoft {
			t.hard = 0 // it answers: not silent
		}
		switch {
		case cfg.hard > 0 && t.hard >= cfg.hard:
			t.eject(now, whyHard, cfg)
		case cfg.soft > 0 && t.soft >= cfg.soft:
			t.eject(now, whySoft, cfg)
		}
	}
}

// eject sends the target out for its backoff.
func (t *target) eject(now time.Time, why string, cfg *settings) {
	if t.state == Up {
		healed := int(now.Sub(t.since) / max(cfg.backoffMax, 1))
		t.ejections = max(t.ejections-max(healed, 0), 0)
	}
	rest := cfg.backoff
	for range t.ejections {
		if rest *= 2; rest >= cfg.backoffMax {
			break
		}
	}
	rest = min(rest, cfg.backoffMax)
	t.ejections++
	rest = min(rest+time.Duration(float64(rest)*cfg.jitter*spread(cfg.seed, t.salt, t.ejections)), cfg.backoffMax)
	t.state, t.why, t.since, t.until, t.ejected = Out, why, now, now.Add(rest), now
	t.soft, t.hard, t.good = 0, 0, 0
}

// suspend leaves the target alone until the given time. One that is out stays so for at least as long.
func (t *target) suspend(now, until time.Time) {
	t.wake(now)
	switch t.state {
	case Up, Suspended:
		if t.state == Up {
			t.since = now
		}
		t.state, t.why = Suspended, whyRetryAfter
	case Probing:
		t.state, t.why, t.since, t.good = Out, whyRetryAfter, now, 0
	}
	if until.After(t.until) {
		t.until = until
	}
}

// clean reports whether forgetting the target changes no decision to come.
func (t *target) clean() bool {
	return t.state == Up && t.soft == 0 && t.hard == 0 && t.ejections == 0 && !t.probe.out
}

// spread returns a number within [-1, 1) that depends on its arguments alone (splitmix64).
func spread(seed, salt uint64, n int) float64 {
	x := seed + salt*0x9e3779b97f4a7c15 + uint64(n)*0xd1b54a32d192ed03
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	return float64(x>>11)/(1<<52) - 1
}
