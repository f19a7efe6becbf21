package outdial

import (
	"context"
	"time"
)

// idleAdvance is how long Run lets pass when no stage names a time.
const idleAdvance = time.Second

// Advance lets every stage and observer that is an Advancer do what is due, and returns when to call it again.
func (e *Engine) Advance(now time.Time) (next time.Time) {
	next = now.Add(idleAdvance)
	for stage := range e.stages() {
		a, ok := stage.(Advancer)
		if !ok {
			continue
		}
		if t := a.Advance(now); !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	return next
}

// Run calls Advance when it is due until ctx is done, and then returns ctx's error. It is a loop for hosts that
// have none of their own; the host starts it and waits for it.
func (e *Engine) Run(ctx context.Context) error {
	for {
		now := e.cfg.Now()
		if err := sleepUntil(ctx, now, e.Advance(now), nil); err != nil {
			return err
		}
	}
}

// systemClock is the default of Config.Now.
func systemClock() time.Time { return time.Now() }

// sleepUntil waits until the clock that read now reads t, at least a millisecond, until something comes from wake, or
// until ctx is done; nil never wakes.
func sleepUntil(ctx context.Context, now, t time.Time, wake <-chan struct{}) error {
	timer := time.NewTimer(max(t.Sub(now), time.Millisecond))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	case <-wake:
		return nil
	}
}
