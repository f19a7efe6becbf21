package siptrunk

import (
	"time"

	"github.com/emiago/sipgo/sip"
)

// input is something that happens to a leg: a response, a task, or, with neither, the timer.
type input struct {
	res *sip.Response
	at  time.Time
	run func()
}

// maxQueue bounds what waits for a sink that does not return: beyond it responses are dropped, as a network may.
const maxQueue = 256

// receive queues a response. It runs on the goroutine that reads the socket.
func (l *Leg) receive(res *sip.Response, at time.Time) { l.post(input{res: res, at: at}) }

func (l *Leg) tick() { l.post(input{}) }

// post queues in and sees to it that somebody drains the queue; false when it was dropped. What is queued when the Dialer
// closes may be dropped later: who waits for it waits for gone too.
func (l *Leg) post(in input) bool {
	l.mu.Lock()
	if in.res != nil && len(l.queue) >= maxQueue {
		l.mu.Unlock()
		return false
	}
	l.queue = append(l.queue, in)
	idle := !l.busy
	l.busy = true
	l.mu.Unlock()
	if !idle || l.d.start(l.drain) {
		return true
	}
	l.mu.Lock()
	l.queue, l.busy = nil, false
	l.mu.Unlock()
	return false
}

// drain works the queue off. Nobody holds a lock while it does.
func (l *Leg) drain() {
	for {
		l.mu.Lock()
		if len(l.queue) == 0 {
			l.mu.Unlock()
			l.arm()
			l.mu.Lock()
			if len(l.queue) == 0 {
				l.busy, l.queue = false, nil
				l.mu.Unlock()
				return
			}
		}
		in := l.queue[0]
		l.queue = l.queue[1:]
		l.mu.Unlock()
		switch {
		case in.res != nil:
			l.onResponse(in.res, in.at)
		case in.run != nil:
			in.run()
		default:
			l.onTimer(time.Now())
		}
	}
}
