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
func (e *Engine) Recover(now time.Time) (Recovery, error) {
	var r Recovery
	if e.cfg.Journal == nil {
		return r, nil
	}
	if e.begun.Swap(true) {
		return r, errors.New("outdial: recover: calls have begun already, or it was called before")
	}
	open := map[AttemptID]Attempt{}
	err := e.cfg.Journal.Replay(0, func(ev *Event) error {
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
		e.tell(ev)
		return nil
	})
	if err != nil {
		return r, fmt.Errorf("outdial: recover: %w", err)
	}
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
