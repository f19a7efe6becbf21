package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/outdial/outdial/internal/siptest"
)

// Why the dialer ends a call.
var (
	errRangLong = errors.New("it rang too long")
	errNoAgent  = errors.New("answered, and no agent was free")
	errStopped  = errors.New("the campaign was stopped")
)

// line is one call of the dialer.
type line struct {
	callee callee
	callID string
	cancel context.CancelCauseFunc
	final  chan struct{} // closed at the final response

	mu       sync.Mutex
	placed   time.Time
	ringing  time.Time // first response beyond 100
	answered time.Time
	ended    time.Time
	code     int  // of the final response; 0 = none yet
	agent    bool // an agent talks, or talked
	gaveUp   error
	failure  error // the call could not be placed, or never ended
	limit    *time.Timer
}

// heard takes a response to the line's INVITE and reports whether it is the first that answers the call.
func (l *line) heard(now time.Time, code int, ring func() *time.Timer) (answered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.code != 0 || code <= 100:
		return false
	case code < 200:
		if l.ringing.IsZero() {
			l.ringing, l.limit = now, ring()
		}
		return false
	}
	l.code = code
	if l.limit != nil {
		l.limit.Stop()
	}
	if code < 300 {
		l.answered = now
	}
	close(l.final)
	return code < 300
}

// giveUp ends the call because the dialer wants so, unless it is over.
func (l *line) giveUp(why error) {
	l.mu.Lock()
	late := why == errRangLong && l.code != 0
	if !late {
		l.gaveUp = why
	}
	l.mu.Unlock()
	if !late {
		l.cancel(why)
	}
}

// fate is what the dialer knows of a call when it is over.
type fate struct {
	Callee   callee
	Code     int
	GaveUp   error // why the dialer ended it; nil = it did not
	Failure  error
	Agent    bool
	Placed   time.Time
	Ringing  time.Time
	Answered time.Time
	Ended    time.Time
}

func (l *line) fate() fate {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fate{
		Callee: l.callee, Code: l.code, GaveUp: l.gaveUp, Failure: l.failure, Agent: l.agent,
		Placed: l.placed, Ringing: l.ringing, Answered: l.answered, Ended: l.ended,
	}
}

// call places the call and returns when it is over. After giving up it waits for the final response, since the callee may
// have answered meanwhile.
func (l *line) call(ctx context.Context, caller *siptest.Caller, target string, talk time.Duration) {
	_, err := caller.Call(ctx, target, siptest.CallerCall{
		To: l.callee.Number.String(), From: dialerNumber, CallID: l.callID, HangupAfter: talk,
	})
	if err != nil && context.Cause(ctx) != nil {
		err = nil
		select {
		case <-l.final:
		case <-time.After(siptest.TimeoutB):
			err = errors.New("no final response")
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() != nil && l.gaveUp == nil {
		l.gaveUp = errStopped
	}
	l.ended, l.failure = time.Now(), err
	if l.limit != nil {
		l.limit.Stop()
	}
}
