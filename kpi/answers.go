package kpi

import (
	"sync"
	"sync/atomic"

	"github.com/outdial/outdial"
)

// answers remembers the latest answered attempts, so that what becomes known of one later is counted where the attempt
// was, and once. Each has one place, by its call's number in the row, so that an engine's latest calls are all there.
type answers struct {
	list     []answered
	locks    [64]sync.Mutex // by place
	unjoined atomic.Uint64
}

// answered is an attempt as far as a disposition needs it; it fills a cache line.
type answered struct {
	call  outdial.CallID
	ids   ids
	state uint64 // start tick << 10 | leg << 2 | byMachine | disposed
}

const (
	wasDisposed = 1
	fromMachine = 2
)

func (a *answered) start() int64   { return int64(a.state) >> 10 }
func (a *answered) machine() bool  { return a.state&fromMachine != 0 }
func (a *answered) disposed() bool { return a.state&wasDisposed != 0 }

// set fills in an attempt that started at a tick.
func (a *answered) set(start int64, of *outdial.Attempt) {
	a.call = of.ID.Call
	a.state = uint64(start)<<10 | uint64(of.ID.Leg)<<2
	if m := of.Call.Mode; m == outdial.ModePredictive || m == outdial.ModePrerecorded {
		a.state |= fromMachine
	}
}

// same reports whether it is the attempt of another record.
func (a *answered) same(o *answered) bool {
	return a.call == o.call && uint8(a.state>>2) == uint8(o.state>>2)
}

func newAnswers(n int) *answers { return &answers{list: make([]answered, n)} }

func (t *answers) place(id outdial.CallID) (*answered, *sync.Mutex) {
	i := inRow(id) % uint64(len(t.list))
	return &t.list[i], &t.locks[i%uint64(len(t.locks))]
}

// dispose takes the attempt of a disposition, and reports whether it is known and was not disposed of before. known says
// whether the event tells where the attempt belongs, or its id alone.
func (t *answers) dispose(from *answered, known bool) bool {
	if len(t.list) == 0 || from.call == 0 {
		return known
	}
	have, mu := t.place(from.call)
	mu.Lock()
	defer mu.Unlock()
	switch {
	case have.same(from):
		if have.disposed() {
			return false
		}
		*from = *have
	case !known:
		return false
	}
	*have = *from
	have.state |= wasDisposed
	return true
}

// rememberAnswer keeps an attempt that was answered in time.
func (m *Meter) rememberAnswer(start int64, a *outdial.Attempt) {
	if len(m.answers.list) == 0 || a.ID.Call == 0 {
		return
	}
	at, mu := m.answers.place(a.ID.Call)
	mu.Lock()
	at.set(start, a)
	m.idsOf(a, &at.ids)
	mu.Unlock()
}

// disposed counts a disposition where its attempt was counted.
func (m *Meter) disposed(f *fact, ev *outdial.Event) {
	a, d := ev.Attempt, ev.Disposition
	var from answered
	known := !a.Start.IsZero()
	from.set(m.tickOf(a.Start), a)
	if known {
		m.idsOf(a, &from.ids)
	}
	if !m.answers.dispose(&from, known) {
		m.answers.unjoined.Add(1)
		return
	}
	k := famDisposed | kind(min(d.AnsweredBy, outdial.AnsweredByScreening))<<disposedByShift |
		flag(d.Contact, disposedContact) | flag(from.machine(), disposedMachine) | flag(m.abandoned(d), disposedAbandoned)
	f.add(from.start(), m.kinds.number(k)).sum = d.AgentTime.Milliseconds()
	m.count(f, &from.ids)
}

// abandoned reports whether nobody took a person who had answered: by the host's own codes, or by no agent time.
func (m *Meter) abandoned(d *outdial.Disposition) bool {
	if len(m.cfg.AbandonedCodes) == 0 {
		return d.AgentTime <= 0
	}
	for _, code := range m.cfg.AbandonedCodes {
		if d.Code == code {
			return true
		}
	}
	return false
}
