package trunk

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// Observe implements outdial.Observer. It folds operator orders, what rejections teach, trials, traffic and, of attempts
// that hold no channel here (those of a journal), the time above what is paid for. An event of a trunk that was never
// configured is dropped.
func (s *Set) Observe(ev *outdial.Event) {
	switch {
	case ev.Kind == outdial.EventControl && ev.Control != nil && isOrder(ev.Control.Action):
		for _, t := range s.table.Load().all {
			if t.name == ev.Control.Target {
				t.lock()
				t.replaying = ev.Replay
				t.obey(t.clock(ev.Time), ev.Control)
				t.replaying = false
				t.unlock()
			}
		}
	case ev.Attempt != nil:
		if t := s.line(ev.Attempt.Candidate.Trunk); t != nil {
			t.mu.Lock()
			t.replaying = ev.Replay
			t.observe(s.table.Load().shortages, ev)
			t.replaying = false
			t.unlock()
		}
	}
}

// observe folds an event of an attempt.
func (t *line) observe(shortages Shortages, ev *outdial.Event) {
	a := ev.Attempt
	if !t.expiry.IsZero() { // no later than in a replay, which has nothing else to go by
		t.clock(ev.Time)
		t.refresh(ev.Time)
	}
	switch ev.Kind {
	case outdial.EventRefused:
		if ev.RefusalStage == outdial.StageTrunk && ev.Refusal != ErrStaged.Code() && ev.Refusal != ErrDraining.Code() &&
			ev.Refusal != ErrOut.Code() {
			t.minute(t.clock(ev.Time)).refused++
		}
	case outdial.EventStarted:
		t.start(t.clock(ev.Time), a)
	case outdial.EventProgressed, outdial.EventAnswered:
		if t.learned.limit > 0 || t.learnCPS.limit > 0 {
			t.accepted(t.clock(ev.Time), a)
		}
	case outdial.EventEnded:
		t.end(t.clock(ev.Time), shortages, a)
	}
}

func (t *line) start(at window.Instant, a *outdial.Attempt) {
	t.up++
	t.minute(at).started++
	if n := t.memory(); t.starts == nil || n > t.remembered {
		first := t.starts == nil
		t.starts, t.remembered, t.startsFrom = window.NewGate(window.Caps{}, n), n, window.Never
		if !first { // of what was before nothing is known now
			t.startsFrom = at
		}
	}
	t.starts.Add(at)
	if a.Channel == 0 {
		t.guard()
		t.replayed++
		t.note(at)
		t.pace.gate.Add(at)
	}
	if t.learned.limit > 0 && t.up > t.learned.limit { // a probe
		t.learned.probeAt = max(t.learned.probeAt, at+window.Instant(probeEvery))
	}
}

func (t *line) end(at window.Instant, shortages Shortages, a *outdial.Attempt) {
	t.up = max(t.up-1, 0)
	if a.Channel == 0 && t.replayed > 0 {
		t.guard()
		t.bill(at)
		t.replayed--
		t.note(at)
	}
	m := t.minute(at)
	m.ended++
	m.held += max(a.Timeline[outdial.MarkEnd], 0)
	var short outdial.Shortage
	if t.known && a.Result.Origin == outdial.OriginCarrier && !a.Answered() && t.terms.limits.Learning != LearnOff {
		if shortages != nil {
			short = shortages.Shortage(a.Candidate.Carrier, &a.Result)
		} else {
			short = DefaultShortage(&a.Result)
		}
		if short != outdial.ShortageNone {
			t.learn(at, short, t.up, t.rateAt(a.Start))
		}
	}
	if t.state == Canary {
		t.judge(at, a, short != outdial.ShortageNone)
	}
}

// memory is how many starts are remembered: those of four seconds, for a rejection comes later than its start.
func (t *line) memory() int {
	cps := t.contractCPS()
	if cps < 0 {
		cps = 2 * history
	}
	return max(history, 4*cps)
}

// rateAt counts the other attempts that started in the second up to the start of one; negative = it is not remembered.
func (t *line) rateAt(start time.Time) int {
	to := t.shift + t.epoch.Instant(start)
	from := to - window.Instant(second)
	if t.starts == nil || from < t.startsFrom || !t.starts.Remembers(from) {
		return -1
	}
	return t.starts.CountAt(to, second) - 1
}

// learn takes a rejection that says the trunk is full: up other calls were up, and rate others had left within its second;
// negative = not known.
func (t *line) learn(at window.Instant, short outdial.Shortage, up, rate int) {
	_, top, _ := t.contract()
	cps := t.contractCPS()
	if cps < 0 {
		cps = MaxCPS
	}
	if short == outdial.ShortageUnknown { // of that which is used the most
		short = outdial.ShortageChannels
		if float64(rate)/float64(cps) > float64(up)/float64(top) {
			short = outdial.ShortageCPS
		}
	}
	if short == outdial.ShortageCPS {
		if rate >= 0 && t.learnCPS.reject(at, rate, cps, 1) {
			t.relimit(at)
			t.alert(at, AlertLearnedCPS, float64(t.learnCPS.limit), float64(cps))
		}
		return
	}
	if t.learned.reject(at, up, top, t.terms.guaranteed) {
		t.relimit(at)
		t.alert(at, AlertLearned, float64(t.learned.limit), float64(top))
	}
}

// accepted takes that the carrier let an attempt in: it went beyond 100 Trying.
func (t *line) accepted(at window.Instant, a *outdial.Attempt) {
	_, top, _ := t.contract()
	moved := t.learned.accept(at, t.up, top)
	if cps := t.contractCPS(); t.learnCPS.limit > 0 {
		if cps < 0 {
			cps = MaxCPS
		}
		moved = t.learnCPS.accept(at, t.rateAt(a.Start)+1, cps) || moved
	}
	if moved {
		t.relimit(at)
	}
}

// Reject tells the Set of a rejection that says that a trunk is full, for hosts without an Engine, whose attempts are not
// observed: call it after the channel of the rejected call was given back.
func (s *Set) Reject(now time.Time, id outdial.TrunkID, short outdial.Shortage) {
	t := s.line(id)
	if t == nil || short == outdial.ShortageNone {
		return
	}
	t.lock()
	defer t.unlock()
	if t.known && t.terms.limits.Learning != LearnOff {
		at := t.clock(now)
		t.learn(at, short, t.slots.used(), t.pace.gate.Count(at, second)-1)
	}
}
