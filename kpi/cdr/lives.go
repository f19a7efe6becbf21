package cdr

import (
	"iter"

	"github.com/outdial/outdial"
)

// Lives turns attempts that ended, as ReadCSV gives them, into the events that they had: EventStarted, EventAnswered if
// answered, EventEnded, so that a meter counts them as it does live ones. Other events, and errors, pass. An event is valid
// until the next one.
func Lives(ended iter.Seq2[*outdial.Event, error]) iter.Seq2[*outdial.Event, error] {
	return func(yield func(*outdial.Event, error) bool) {
		for ev, err := range ended {
			if err != nil || !isEnded(ev) {
				if !yield(ev, err) {
					return
				}
				continue
			}
			if tellAttempt(ev.Attempt, yield) != nil {
				return
			}
		}
	}
}
