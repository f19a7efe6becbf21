package b2bua

import (
	"context"
	"sync"
	"time"
)

// Timers of RFC 3261 for UDP. sipgo's are package variables of the whole process and concern the carriers' side only.
const (
	t1      = 500 * time.Millisecond
	t2      = 4 * time.Second
	timeout = 64 * t1 // Timers F, H, J and L, and how long a 2xx is repeated for want of an ACK
)

// finished remembers server transactions that are over, for as long as copies of their requests may still come: the
// copy gets the same response, and starts nothing. The zero value is ready to use.
type finished struct {
	mu    sync.Mutex
	byKey map[string]final
	queue []expiry // in the order in which they expire
	bytes int      // of keys and packets
}

type final struct {
	packet []byte // nil = absorb the copy: a 2xx to an INVITE is repeated by its call, not here
	to     place
}

type expiry struct {
	key string
	at  time.Time
}

// maxFinished and maxFinishedBytes bound what is remembered. Beyond them the oldest is forgotten, and a copy of its request
// is answered as if it were new.
const (
	maxFinished      = 1 << 17
	maxFinishedBytes = 80 << 20
)

// put keeps a transaction for 64·T1.
func (f *finished) put(now time.Time, key string, packet []byte, to place) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byKey == nil {
		f.byKey = map[string]final{}
	}
	old, known := f.byKey[key]
	if !known {
		f.queue = append(f.queue, expiry{key, now.Add(timeout)})
		f.bytes += len(key)
	}
	f.byKey[key] = final{packet, to}
	f.bytes += len(packet) - len(old.packet)
	f.drop(now)
}

// sweep forgets what is too old, until ctx is done: put does so too, but nothing may come after a burst.
func (f *finished) sweep(ctx context.Context, now func() time.Time) {
	tick := time.NewTicker(timeout)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.mu.Lock()
			f.drop(now())
			f.mu.Unlock()
		}
	}
}

// drop forgets what is too old, and what is too much.
func (f *finished) drop(now time.Time) {
	n := 0
	for ; n < len(f.queue); n++ {
		oldest := f.queue[n]
		if oldest.at.After(now) && len(f.queue)-n <= maxFinished && f.bytes <= maxFinishedBytes {
			break
		}
		f.bytes -= len(oldest.key) + len(f.byKey[oldest.key].packet)
		delete(f.byKey, oldest.key)
		f.queue[n] = expiry{}
	}
	if f.queue = f.queue[n:]; len(f.queue) == 0 { // a map never shrinks
		f.byKey, f.queue = nil, nil
	}
}

// get returns the response of a transaction that is over, and whether it is one.
func (f *finished) get(key string) (final, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, ok := f.byKey[key]
	return r, ok
}
