package outdial

import "sync"

// Waterline is a place in the journal from which a restart may go on, if the observers' snapshots were taken there. The zero
// Waterline is the beginning.
type Waterline struct {
	Seq      uint64 `json:"seq"`       // the last event that every observer has seen; none has seen a later one
	Since    uint64 `json:"since"`     // no attempt that was open then was started before this one or with it
	LastCall CallID `json:"last_call"` // ids up to here may have been issued
}

// Resumer is an observer that can be restored from a snapshot of its own. Recover leaves out for it what the snapshot
// contains.
type Resumer interface {
	Observer
	// Resumed is the Waterline.Seq of the snapshot that was restored; 0 = none was.
	Resumed() uint64
}

// Checkpoint calls take at a moment when every event in the journal was observed by all, and none was observed that is not in
// it: events of different attempts may be observed in another order than they are journalled in, so that at other moments
// there is no such place. take is for snapshots in memory; meanwhile every call waits that has something to tell, so it
// must not wait for a disk. Write the snapshots and the Waterline after it, and give the Waterline to RecoverFrom.
func (e *Engine) Checkpoint(take func(m Waterline)) {
	e.gate.Lock()
	defer e.gate.Unlock()
	m := Waterline{Seq: e.last.Load(), LastCall: CallID(e.ids.last.Load()<<nodeBits | e.ids.node)}
	m.Since = m.Seq
	if first := e.open.first(); first != 0 {
		m.Since = min(m.Since, first-1)
	}
	take(m)
}

// written notes that an event is in the journal.
func (e *Engine) written(ev *Event) {
	for {
		last := e.last.Load()
		if last >= ev.Seq || e.last.CompareAndSwap(last, ev.Seq) {
			break
		}
	}
	e.open.note(ev)
}

// openAttempts knows in which event each open attempt was started. It is made of parts so that calls do not wait for each
// other.
type openAttempts struct {
	parts [32]struct {
		mu  sync.Mutex
		seq map[AttemptID]uint64
	}
}

func (o *openAttempts) note(ev *Event) {
	if ev.Kind != EventStarted && ev.Kind != EventEnded || ev.Attempt == nil {
		return
	}
	id := ev.Attempt.ID
	p := &o.parts[(uint64(id.Call)>>nodeBits+uint64(id.Leg))%uint64(len(o.parts))]
	p.mu.Lock()
	if ev.Kind == EventEnded {
		delete(p.seq, id)
	} else {
		if p.seq == nil {
			p.seq = map[AttemptID]uint64{}
		}
		p.seq[id] = ev.Seq
	}
	p.mu.Unlock()
}

// first is the least of their sequences, 0 where nothing is open.
func (o *openAttempts) first() (first uint64) {
	for i := range o.parts {
		p := &o.parts[i]
		p.mu.Lock()
		for _, seq := range p.seq {
			if first == 0 || seq < first {
				first = seq
			}
		}
		p.mu.Unlock()
	}
	return first
}

// resumed is where an observer goes on.
func resumed(o Observer) uint64 {
	if r, ok := o.(Resumer); ok {
		return r.Resumed()
	}
	return 0
}
