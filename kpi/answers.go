package kpi

import (
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/outdial/outdial"
)

// answers remembers the latest answered attempts, so that what becomes known of one later is counted where the attempt
// was, and once. Each has one place, by its call's number in the row, so that an engine's latest calls are all there.
type answers struct {
	list     []answered
	rows     rows // over the list
	unjoined atomic.Uint64
}

// answered is a place for an answer: a cache line with a lock of its own, so that cores meet only over one call. The lock is a
// bit, held for a few loads and stores, because a mutex would not fit in.
type answered struct {
	word atomic.Uint64 // answer.state shifted by one; the lowest bit is the lock
	call outdial.CallID
	ids  ids
}

// answer is an attempt as far as a disposition needs it.
type answer struct {
	call  outdial.CallID
	ids   ids
	state uint64 // start tick << 10 | leg << 2 | byMachine | disposed
}

const (
	wasDisposed = 1
	fromMachine = 2
)

func (a *answer) start() int64   { return int64(a.state) >> 10 }
func (a *answer) machine() bool  { return a.state&fromMachine != 0 }
func (a *answer) disposed() bool { return a.state&wasDisposed != 0 }

// answerState is the state of an attempt that started at a tick.
func answerState(start int64, of *outdial.Attempt) uint64 {
	state := uint64(start)<<10 | uint64(of.ID.Leg)<<2
	if m := of.Call.Mode; m == outdial.ModePredictive || m == outdial.ModePrerecorded {
		state |= fromMachine
	}
	return state
}

// same reports whether it is the attempt of another record.
func (a *answer) same(o *answer) bool {
	return a.call == o.call && uint8(a.state>>2) == uint8(o.state>>2)
}

// lock returns the state, which unlock gives back.
func (a *answered) lock() (state uint64) {
	for {
		if w := a.word.Load(); w&1 == 0 && a.word.CompareAndSwap(w, w|1) {
			return uint64(int64(w) >> 1) // a start is far below the topmost bit
		}
		runtime.Gosched()
	}
}

func (a *answered) unlock(state uint64) { a.word.Store(state << 1) }

func (a *answered) copy() answer {
	state := a.lock()
	defer a.unlock(state)
	return answer{a.call, a.ids, state}
}

// put replaces what is there; a nil d leaves the ids.
func (a *answered) put(call outdial.CallID, d *ids, state uint64) {
	a.lock()
	a.call = call
	if d != nil {
		a.ids = *d
	}
	a.unlock(state)
}

func newAnswers(n int) *answers {
	return &answers{list: make([]answered, n), rows: newRows(max(n, 1))}
}

func (t *answers) place(id outdial.CallID) *answered {
	_, row := t.rows.of(id)
	return &t.list[row]
}

// dispose takes the attempt of a disposition, and reports whether it is known and was not disposed of before. known says
// whether the event tells where the attempt belongs, or its id alone.
func (t *answers) dispose(from *answer, known bool) bool {
	if len(t.list) == 0 || from.call == 0 {
		return known
	}
	at := t.place(from.call)
	state := at.lock()
	defer func() { at.unlock(state) }()
	have := answer{at.call, at.ids, state}
	switch {
	case have.same(from):
		if have.disposed() {
			return false
		}
		*from = have
	case !known:
		return false
	}
	at.call, at.ids, state = from.call, from.ids, from.state|wasDisposed
	return true
}

// remember keeps an attempt that was answered in time.
func (t *answers) remember(start int64, a *outdial.Attempt, d *ids) {
	if len(t.list) == 0 || a.ID.Call == 0 {
		return
	}
	t.place(a.ID.Call).put(a.ID.Call, d, answerState(start, a))
}

// disposed counts a disposition where its attempt was counted; false where that is not known, or it was told before.
func (m *Meter) disposed(f *fact, start int64, ev *outdial.Event, of *ids) bool {
	a, d := ev.Attempt, ev.Disposition
	from := answer{a.ID.Call, *of, answerState(start, a)}
	if !m.answers.dispose(&from, !a.Start.IsZero()) {
		m.answers.unjoined.Add(1)
		return false
	}
	k := famDisposed | kind(min(d.AnsweredBy, outdial.AnsweredByScreening))<<disposedByShift |
		flag(d.Contact, disposedContact) | flag(from.machine(), disposedMachine) | flag(abandoned(m.cfg.AbandonedCodes, d), disposedAbandoned)
	f.add(from.start(), m.kinds.number(k)).sum = d.AgentTime.Milliseconds()
	*of = from.ids
	return true
}

// abandoned reports whether nobody took a person who had answered: by the host's own codes, or by no agent time.
func abandoned(codes []string, d *outdial.Disposition) bool {
	if len(codes) == 0 {
		return d.AgentTime <= 0
	}
	return slices.Contains(codes, d.Code)
}
