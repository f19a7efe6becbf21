package b2bua

import (
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

// put keeps a transaction for 64·T1.
func (f *finished) put(now time.Time, key string, packet []byte, to netip.AddrPort) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byKey == nil {
		f.byKey = map[string]final{}
	}
	n := 0
	for n < len(f.queue) && !f.queue[n].at.After(now) {
		delete(f.byKey, f.queue[n].key)
		n++
	}
	f.queue = f.queue[n:]
	if _, known := f.byKey[key]; !known {
		f.queue = append(f.queue, expiry{key, now.Add(timeout)})
	}
	f.byKey[key] = final{packet, to}
}

// get returns the response of a transaction that is over, and whether it is one.
func (f *finished) get(key string) (final, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, ok := f.byKey[key]
	return r, ok
}
