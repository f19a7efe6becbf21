package siptest

import (
	"runtime"
	"time"
)

// Timers of RFC 3261 §17 as they stand for UDP. They are constants here, not sipgo's package globals, so
// that a far end behaves by the RFC whatever the program under test does to its own.
const (
	T1 = 500 * time.Millisecond // round-trip time estimate
	T2 = 4 * time.Second        // longest interval between retransmissions
	T4 = 5 * time.Second        // longest life of a message in the network

	// TimeoutB is 64*T1: Timers B, F, H, J and L, and how long a 2xx is repeated for want of an ACK.
	TimeoutB = 64 * T1
	// retention is how long a call that is over is kept to answer what is repeated: longer than the other
	// end's Timers F and H.
	retention = TimeoutB + T4

	// DrainTime is longer than any transaction of a call that is over may live: Timer M or L after the 2xx,
	// then Timer F or J of a BYE.
	DrainTime = 2*TimeoutB + T4
)

// Drain sleeps for DrainTime. Call it at the end of a testing/synctest bubble, when all calls are over
// and before stacks are closed, so that the transactions of sipgo end by their own timers; it takes no
// real time there. Outside a bubble it takes 69 s: do not.
func Drain() { time.Sleep(DrainTime) }

// Goroutines is how many goroutines there are, with the world stopped: exact, where runtime.NumGoroutine adds up counts
// that change meanwhile, and may be dozens off for a moment after many goroutines have ended.
func Goroutines() int {
	n, _ := runtime.GoroutineProfile(make([]runtime.StackRecord, 1)) // it counts before it finds the room too small
	return n
}

// backoff yields the intervals T1, 2*T1, 4*T1 … up to a cap (0 = none), until 64*T1 have passed.
type backoff struct {
	interval, total, cap time.Duration
}

// next returns the wait before the next retransmission; false when the time is up after that wait.
func (b *backoff) next() (time.Duration, bool) {
	switch {
	case b.interval == 0:
		b.interval = T1
	case b.cap > 0 && b.interval*2 > b.cap:
		b.interval = b.cap
	default:
		b.interval *= 2
	}
	if b.total+b.interval >= TimeoutB {
		return TimeoutB - b.total, false
	}
	b.total += b.interval
	return b.interval, true
}
