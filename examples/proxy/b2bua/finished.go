package b2bua

import (
	"context"
	"net/netip"
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
}

type final struct {
	packet []byte // nil = absorb the copy: a 2xx to an INVITE is repeated by its call, not here
	to     netip.AddrPort
}

type expiry struct {
	key string
	at  time.Time
}

// maxFinished bounds what is remembered: some 80 MiB. Beyond it the oldest is forgotten, and a copy of its request is
// answered as if it were new.
const maxFinished = 1 << 17

// put keeps a transaction for 64·T1.
func (f *finished) put(now time.Time, key string, packet []byte, to netip.AddrPort) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop(now)
	if f.byKey == nil {
		f.byKey = map[string]final{}
	}
	if _, known := f.byKey[key]; !known {
		f.queue = append(f.queue, expiry{key, now.Add(timeout)})
	}
	f.byKey[key] = final{packet, to}
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

func (f *finished) drop(now time.Time) {
	n := max(len(f.queue)-maxFinished+1, 0)
	for n < len(f.queue) && !f.queue[n].at.After(now) {
		n++
	}
	for i := range n {
		delete(f.byKey, f.queue[i].key)
		f.queue[i] = expiry{}
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
