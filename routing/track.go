package routing

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
)

// track follows how well a trunk does, as a whole or towards a destination, by the count of its outcomes rather than by
// time: a trunk that carries all the traffic shows an outage within seconds, and one that is only tried now and then is not
// forgotten meanwhile. Two sequential tests (E. S. Page's CUSUM, 1954) watch for the odds of success to fall to, or rise by, the factor oddsFactor; when
// one of them is sure, what came since it began to suspect is the trunk's level from then on.
//
// A destination is expected to do as it usually does beside the trunk's other ones of the same minutes: when in the evening fewer
// people answer everywhere, that is no news about any of them.
type track struct {
	up, down suspicion // written under the memory's lock
	p, n     float64
	beside   float64 // what p stood beside: the mean of the others' levels at the time of its outcomes
	was      float64 // the level before it fell; 0 = it has not
	daily    float64 // of a trunk as a whole: its level over a day, each minute of which weighs the same
	own      lately  // its latest outcomes

	level, weight atomic.Uint64 // p and n, to be read without the lock
	peers, day    atomic.Uint64 // beside and daily
	changed       atomic.Int64  // when, ns; 0 = never
	signs         atomic.Uint32 // of the latest outcomes
	rose          bool          // the latest change was a rise
}

// Signs that more of the calls are worth spending on finding out.
const (
	signHope     = 1 << iota // the latest outcomes give hope
	signMuchHope             // and much of it
	signFallen               // it was well before
)

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

// outcome adds what became of a seizure, while the others were at the level beside. For a trunk as a whole that is always the
// same, so that it is compared with its own past.
func (t *track) outcome(at int64, success bool, beside float64) {
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
		t.beside += (beside - t.beside) / t.n
		t.publish()
		return
	}
	odds := oddsOf(t.p) * oddsOf(beside) / oddsOf(t.beside)
	usual, less, more := odds/(1+odds), odds/oddsFactor/(1+odds/oddsFactor), odds*oddsFactor/(1+odds*oddsFactor)
	switch {
	case t.down.suspect(usual, less, s) > t.sureDown():
		if t.n >= 5*firstMemory { // else it had only seemed to be well
			t.was = max(t.was, t.p)
		}
		t.restart(at, &t.down, less, beside)
		t.rose = false
	case t.up.suspect(usual, more, s) > t.sureUp():
		t.restart(at, &t.up, more, beside)
		t.rose = true
	default:
		t.n = min(t.n+1, longMemory)
		t.p += (s - t.p) / t.n
		t.beside += (beside - t.beside) / t.n
		if t.was > 0 {
			t.was += (t.p - t.was) / (4 * longMemory) // it is what is usual, in the end
		}
	}
	t.publish()
}

// trunk adds an outcome of a trunk as a whole.
func (t *track) trunk(at int64, success bool) {
	passed := min(max(at-t.own.at, 0), int64(latelySpan))
	t.own.add(at, success)
	level := (t.own.k + fewOutcomes*t.daily) / (t.own.n + fewOutcomes)
	t.daily += (level - t.daily) * float64(passed) / float64(24*time.Hour)
	if t.n < firstMemory {
		t.daily = t.p
	}
	t.outcome(at, success, 0.5)
}

// oddsOf a ratio; what is nearly certain is taken as one in fifty off.
func oddsOf(p float64) float64 {
	p = min(max(p, 0.02), 0.98)
	return p / (1 - p)
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
func (t *track) restart(at int64, s *suspicion, p1, beside float64) {
	t.p, t.n, t.beside = (s.k+p1)/(s.n+1), max(s.n+1, firstMemory), beside
	t.up, t.down = suspicion{}, suspicion{}
	t.changed.Store(at)
}

// now is the level, how many outcomes it rests on, and when it changed; 0 = not since the first outcome.
func (t *track) now() (level, n float64, changed int64) {
	return math.Float64frombits(t.level.Load()), math.Float64frombits(t.weight.Load()), t.changed.Load()
}

// offset is how much better the level is than that of the others beside it, in log-odds.
func (t *track) offset() float64 {
	return logit(math.Float64frombits(t.level.Load())) - logit(math.Float64frombits(t.peers.Load()))
}

func (t *track) publish() {
	t.level.Store(math.Float64bits(t.p))
	t.weight.Store(math.Float64bits(t.n))
	t.peers.Store(math.Float64bits(t.beside))
	t.day.Store(math.Float64bits(t.daily))
	signs := uint32(0)
	if t.up.evidence > someHope {
		signs |= signHope
	}
	if t.up.evidence > muchHope {
		signs |= signMuchHope
	}
	if t.was > 0 && logit(t.was)-logit(t.p) >= leastShift {
		signs |= signFallen
	}
	t.signs.Store(signs)
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
