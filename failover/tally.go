package failover

import (
	"math"
	"time"

	"github.com/outdial/outdial"
)

const (
	tallyMinutes = 60
	groupMinutes = 5  // of a slot of a destination group
	liveMinutes  = 10 // what "answered real calls lately" looks back over
)

// Tally counts attempts that left: what a drill compares, and what shows that a standby works. The zero value is ready to
// use. It is a plain value.
type Tally struct {
	Started  uint64 // attempts that left
	Reached  uint64 // … and reached the callee's network: rang, were answered, busy, declined
	Answered uint64

	pdd, pddSquares float64 // sums, in seconds
	pdds            uint64
}

// ASR is the share of attempts that were answered, with its uncertainty (ITU-T E.411).
func (t *Tally) ASR() outdial.Estimate { return ratio(t.Answered, t.Started) }

// NER is the share of attempts that reached the callee's network, with its uncertainty (ITU-T E.425).
func (t *Tally) NER() outdial.Estimate { return ratio(t.Reached, t.Started) }

// PDD is the mean time from the INVITE to the first response beyond 100, in seconds, with its uncertainty.
func (t *Tally) PDD() outdial.Estimate {
	if t.pdds == 0 {
		return outdial.Estimate{}
	}
	n := float64(t.pdds)
	mean := t.pdd / n
	return outdial.Estimate{Mean: mean, Var: max(t.pddSquares/n-mean*mean, 0) / n, N: n}
}

// ratio estimates a share by the mean of the Beta distribution that k of n leave of a uniform one.
func ratio(k, n uint64) outdial.Estimate {
	if n == 0 {
		return outdial.Estimate{}
	}
	p := float64(min(k, n)+1) / float64(n+2)
	return outdial.Estimate{Mean: p, Var: p * (1 - p) / float64(n+3), N: float64(n)}
}

func (t *Tally) add(o *Tally) {
	t.Started, t.Reached, t.Answered = t.Started+o.Started, t.Reached+o.Reached, t.Answered+o.Answered
	t.pdd, t.pddSquares, t.pdds = t.pdd+o.pdd, t.pddSquares+o.pddSquares, t.pdds+o.pdds
}

// count adds what an event says of an attempt.
func (t *Tally) count(ev *outdial.Event, fresh bool) {
	a := ev.Attempt
	switch ev.Kind {
	case outdial.EventStarted:
		t.Started++
	case outdial.EventProgressed:
		if fresh {
			t.Reached++
			if d, ok := a.Timeline.PDD(); ok {
				t.pdd, t.pddSquares, t.pdds = t.pdd+d.Seconds(), t.pddSquares+d.Seconds()*d.Seconds(), t.pdds+1
			}
		}
	case outdial.EventAnswered:
		if !a.Late {
			t.Answered++
			if !a.Progressed() {
				t.Reached++
			}
		}
	case outdial.EventEnded:
		if fresh { // it never rang, but the callee has decided
			t.Reached++
		}
	}
}

// tally is what went to a target in the last hour. For the trunk as a whole a slot is a minute, for a destination group, of
// which there may be many, five. The zero value counts nothing.
type tally struct {
	minutes int64 // of a slot
	slots   []tallySlot
}

type tallySlot struct {
	n int64 // its number since 1970
	Tally
}

func newTally(minutes int64) tally { return tally{minutes, make([]tallySlot, tallyMinutes/minutes)} }

// slot is the count of the slot of a minute; nil = it is over an hour old.
func (t *tally) slot(minute int64) *Tally {
	n := minute / t.minutes
	s := &t.slots[uint64(n)%uint64(len(t.slots))]
	if s.n != n {
		if s.n > n {
			return nil
		}
		*s = tallySlot{n: n}
	}
	return &s.Tally
}

// last sums up the slot of now and those before it, as many minutes in all.
func (t *tally) last(now time.Time, minutes int64) (sum Tally) {
	n := minuteOf(now) / t.minutes
	for i := range t.slots {
		if s := &t.slots[i]; s.n > n-minutes/t.minutes && s.n <= n {
			sum.add(&s.Tally)
		}
	}
	return sum
}

// rate is how many attempts a second start, by the last two minutes of a trunk.
func (t *tally) rate(now time.Time) float64 {
	sum := t.last(now, 2)
	over := 60 + float64(now.Unix()%60+1)
	return float64(sum.Started) / over
}

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

// count adds what an event says of an attempt to the trunk and to its destination group.
func (b *board) count(ev *outdial.Event, fresh bool) {
	m := minuteOf(ev.Time)
	if s := b.whole.tally.slot(m); s != nil {
		s.count(ev, fresh)
	}
	if t := b.group(ev.Attempt.Call.Dest.Group); t != nil {
		if s := t.tally.slot(m); s != nil {
			s.count(ev, fresh)
		}
	}
}

// apart returns how far two estimates are from each other, in standard errors; 0 where one is not known.
func apart(a, b outdial.Estimate) float64 {
	v := a.Var + b.Var
	if !a.Known() || !b.Known() || v <= 0 {
		return 0
	}
	return (b.Mean - a.Mean) / math.Sqrt(v)
}
