package routing

import (
	"math"
	"sync/atomic"

	"github.com/outdial/outdial"
)

// track follows how well a trunk does, as a whole or towards a destination, by the count of its outcomes rather than by
// time: a trunk that carries all the traffic shows an outage within seconds, and one that is only tried now and then is not
// forgotten meanwhile. Two sequential tests (E. S. Page's CUSUM, 1954) watch for the odds of success to fall to, or rise by, the factor oddsFactor; when
// one of them is sure, what came since it began to suspect is the trunk's level from then on.
type track struct {
	up, down suspicion // written under the memory's lock
	p, n     float64

	level, weight atomic.Uint64 // p and n, to be read without the lock
	changed       atomic.Int64  // when, ns; 0 = never
	hope          atomic.Uint32 // in the latest outcomes: none, some or much
	rose          bool          // the latest change was a rise
}

// suspicion is a test: the evidence for a change, and the outcomes since it was nought.
type suspicion struct{ evidence, k, n float64 }

const (
	oddsFactor  = 8
	sure        = 10   // of evidence: 30 calls of a trunk that falls from 50 % to 10 %
	low         = 0.25 // below this level
	sureLow     = 4.5  // nine calls of one that rises from 10 % to 50 %: only a few are spent on trying it
	someHope    = 1.0  // a success of one that is at 10 %
	muchHope    = 2.4  // two of three
	longMemory  = 500  // outcomes that a level rests on at most
	firstMemory = 20   // outcomes before changes are looked for
)

// outcome adds what became of a seizure.
func (t *track) outcome(at int64, success bool) {
	s := 0.0
	if success {
		s = 1
	}
	if t.n < firstMemory {
		t.p = (t.p*(t.n+1) + s) / (t.n + 2)
		if t.n == 0 {
			t.p = (0.5 + s) / 2
		}
		t.n++
		t.publish()
		return
	}
	usual := min(max(t.p, 0.02), 0.98)
	odds := usual / (1 - usual)
	less, more := odds/oddsFactor/(1+odds/oddsFactor), odds*oddsFactor/(1+odds*oddsFactor)
	switch {
	case t.down.suspect(usual, less, s) > t.sureDown():
		t.restart(at, &t.down, less)
		t.rose = false
	case t.up.suspect(usual, more, s) > t.sureUp():
		t.restart(at, &t.up, more)
		t.rose = true
	default:
		t.n = min(t.n+1, longMemory)
		t.p += (s - t.p) / t.n
	}
	t.publish()
}

// sureDown is less while a risen level is new: what came up by chance goes down again soon.
func (t *track) sureDown() float64 {
	if t.rose && t.n < 3*firstMemory {
		return sure / 2
	}
	return sure
}

// sureUp is less while the level is low: little is lost by trusting a trunk that may be well again.
func (t *track) sureUp() float64 {
	if t.p < low {
		return sureLow
	}
	return sure
}

// suspect adds an outcome to a test of p1 against p0.
func (s *suspicion) suspect(p0, p1, outcome float64) float64 {
	if outcome > 0 {
		s.evidence += math.Log(p1 / p0)
	} else {
		s.evidence += math.Log((1 - p1) / (1 - p0))
	}
	if s.evidence <= 0 {
		*s = suspicion{}
		return 0
	}
	s.k, s.n = s.k+outcome, s.n+1
	return s.evidence
}

// restart makes what came since the suspicion began the level.
func (t *track) restart(at int64, s *suspicion, p1 float64) {
	t.p, t.n = (s.k+p1)/(s.n+1), max(s.n+1, firstMemory)
	t.up, t.down = suspicion{}, suspicion{}
	t.changed.Store(at)
}

// now is the level, how many outcomes it rests on, and when it changed; 0 = not since the first outcome.
func (t *track) now() (level, n float64, changed int64) {
	return math.Float64frombits(t.level.Load()), math.Float64frombits(t.weight.Load()), t.changed.Load()
}

func (t *track) publish() {
	t.level.Store(math.Float64bits(t.p))
	t.weight.Store(math.Float64bits(t.n))
	t.hope.Store(uint32(btoi(t.up.evidence > someHope) + btoi(t.up.evidence > muchHope)))
}

// seized returns what an event says of a trunk's success, and whether it says anything. An answer without ringing is none:
// nobody was reached (false answer supervision).
func seized(ev *outdial.Event) (success, ok bool) {
	a := ev.Attempt
	switch ev.Kind {
	case outdial.EventAnswered:
		return a.Progressed(), !a.Late || !a.WasAbandoned()
	case outdial.EventAbandoned: // known now, and not only when the leg ends
		return false, true
	case outdial.EventEnded:
		switch a.Result.Origin {
		case outdial.OriginNeverSent, outdial.OriginUnknown, outdial.OriginHost, outdial.OriginCaller:
			return false, false
		}
		return false, !a.Answered() && !a.WasAbandoned()
	}
	return false, false
}
