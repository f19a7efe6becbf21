package window_test

import (
	"slices"
	"time"

	"github.com/outdial/outdial/internal/window"
)

// list is the slow gate: all events, in the order of their stamps.
type list struct {
	caps   []window.Cap
	events []window.Instant
}

func (l *list) held(now window.Instant) window.Instant {
	if len(l.events) > 0 {
		return max(now, l.events[len(l.events)-1])
	}
	return now
}

// within counts the events in (end−w, end].
func (l *list) within(end window.Instant, w time.Duration) int {
	n := 0
	for _, e := range l.events {
		if e > end-window.Instant(w) && e <= end {
			n++
		}
	}
	return n
}

func (l *list) allowed(now window.Instant) bool {
	for _, c := range l.caps {
		if l.within(l.held(now), c.Window) >= c.Limit {
			return false
		}
	}
	return true
}

// allowedAt returns the first instant from now on at which an event is allowed. It tries now and
// each instant at which an event leaves a window.
func (l *list) allowedAt(now window.Instant) window.Instant {
	tries := []window.Instant{l.held(now)}
	for _, c := range l.caps {
		for _, e := range l.events {
			if at := e + window.Instant(c.Window); at > l.held(now) {
				tries = append(tries, at)
			}
		}
	}
	slices.Sort(tries)
	for _, at := range tries {
		if l.allowed(at) {
			return at
		}
	}
	panic("the last try is after all windows")
}

func (l *list) add(now window.Instant) window.Instant {
	at := l.held(now)
	l.events = append(l.events, at)
	return at
}

func (l *list) undo(at window.Instant) bool {
	i := slices.Index(l.events, at)
	if i >= 0 {
		l.events = slices.Delete(l.events, i, i+1)
	}
	return i >= 0
}

// most returns the greatest number of events in any half-open window [t, t+w).
func (l *list) most(w time.Duration) int {
	most := 0
	for _, start := range l.events {
		most = max(most, l.within(start+window.Instant(w)-1, w))
	}
	return most
}
