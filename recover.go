package outdial

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Recovery says what Recover found.
type Recovery struct {
	Events  int    // replayed
	LastSeq uint64 // of the last of them
	Unknown int    // attempts that the journal left open, now ended with OriginUnknown
}

// Recover rebuilds what the observers know from the journal, and ends every attempt of this node that it left open:
// the process died with it, and what became of it is not known. Call it once, after New and before the first
// Begin; later it is an error. Without a journal it does nothing.
//
// Usage is counted by the Started event, which is written before an attempt leaves, so a crash can only over-count
// what was presented and attempted.
func (e *Engine) Recover(now time.Time) (Recovery, error) { return e.RecoverFrom(now, Waterline{}) }

// RecoverFrom is Recover after snapshots that were taken at a Waterline (Checkpoint): an observer that was restored, and says so
// as a Resumer, is told only what came after its snapshot. One that was not is told everything, so that the replay begins
// where the first of them needs it, or with the oldest attempt that was open at the Waterline.
func (e *Engine) RecoverFrom(now time.Time, mark Waterline) (Recovery, error) {
	var r Recovery
	if e.cfg.Journal == nil {
		return r, nil
	}
	if e.begun.Swap(true) {
		return r, errors.New("outdial: recover: calls have begun already, or it was called before")
	}
	after := mark.Since
	for _, o := range e.observers {
		after = min(after, resumed(o))
	}
	e.ids.seen(mark.LastCall, now)
	open := map[AttemptID]Attempt{}
	r.LastSeq = after
	err := e.cfg.Journal.Replay(after, func(ev *Event) error {
		r.Events++
		r.LastSeq = ev.Seq
		if ev.Attempt != nil {
			e.ids.seen(ev.Attempt.ID.Call, now)
		} else if ev.Kind.ofAttempt() {
			return fmt.Errorf("event %d: %s without an attempt", ev.Seq, ev.Kind)
		}
		switch ev.Kind {
		case EventStarted, EventProgressed, EventAbandoned, EventAnswered:
			if e.ids.own(ev.Attempt.ID.Call) {
				open[ev.Attempt.ID] = *ev.Attempt
			}
		case EventEnded:
			delete(open, ev.Attempt.ID)
		}
		for _, o := range e.observers {
			if ev.Seq > resumed(o) {
				o.Observe(ev)
			}
		}
		return nil
	})
	if err != nil {
		return r, fmt.Errorf("outdial: recover: %w", err)
	}
	if r.LastSeq < mark.Seq {
		return r, fmt.Errorf("outdial: recover: the journal ends with %d, the snapshots were taken at %d", r.LastSeq, mark.Seq)
	}
	e.last.Store(r.LastSeq)
	r.Unknown = len(open)
	for _, id := range slices.SortedFunc(maps.Keys(open), compareAttemptIDs) {
		a := open[id]
		a.State, a.Result = AttemptEnded, Result{Origin: OriginUnknown}
		a.Timeline.Set(MarkEnd, now.Sub(a.Start))
		err = errors.Join(err, e.emit(&Event{Kind: EventEnded, Time: now, Attempt: &a}))
	}
	if err != nil {
		return r, fmt.Errorf("outdial: recover: %w", err)
	}
	return r, nil
}

func compareAttemptIDs(a, b AttemptID) int {
	return cmp.Or(cmp.Compare(a.Call, b.Call), cmp.Compare(a.Leg, b.Leg))
}
