package cli

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// calleeKey stands for a callee: the first 64 bits of the HMAC-SHA-256 of its number. Two callees in a million share one
// with a probability of 1 in 30 million; they would be counted as one.
type calleeKey uint64

// keys computes callee keys. It is safe for concurrent use.
type keys struct{ pool sync.Pool }

type keyHasher struct {
	mac hash.Hash
	in  [8]byte
	out [sha256.Size]byte

	number outdial.Number // the last one, and its key: a call asks for the same callee in Admit and in every Reserve
	key    calleeKey
}

func newKeys(secret []byte) *keys {
	return &keys{pool: sync.Pool{New: func() any { return &keyHasher{mac: hmac.New(sha256.New, secret)} }}}
}

func (k *keys) of(n outdial.Number) calleeKey {
	h := k.pool.Get().(*keyHasher)
	if h.number != n || n == 0 {
		h.mac.Reset()
		binary.BigEndian.PutUint64(h.in[:], uint64(n))
		h.mac.Write(h.in[:])
		h.number, h.key = n, calleeKey(binary.BigEndian.Uint64(h.mac.Sum(h.out[:0])))
	}
	key := h.key
	k.pool.Put(h)
	return key
}

// callees is what one program remembers of its callees: when it called them, and what number they saw. It is bounded;
// the order of last use is a linked list.
type callees struct {
	index   map[calleeKey]int32
	list    []callee
	stamps  []window.Instant // depth for each callee, the newest first, Never where there is none
	depth   int
	caps    []Cap
	longest window.Instant // window of caps: what must not be forgotten
	memory  window.Instant // longest, or the TTL where it is longer: what is worth remembering
	most    int
	oldest  int32
	newest  int32
	free    int32 // linked by newer
	evicted uint64
}

type callee struct {
	key   calleeKey
	call  outdial.CallID // the call of the newest stamp
	bound binding
	older int32
	newer int32
}

// binding is the number that a callee knows, by its place, which never changes, and when it was presented last.
type binding struct {
	at   window.Instant
	slot int32 // none = it knows none
}

const none int32 = -1

func newCallees() callees {
	return callees{index: map[calleeKey]int32{}, oldest: none, newest: none, free: none}
}

// configure sets the caps and keeps the counts. Where the new caps count further back than the old ones remembered,
// what may have been forgotten counts as a call at the time of the oldest that is remembered.
func (c *callees) configure(caps []Cap, ttl window.Instant, most int) {
	depth := 0
	c.caps, c.longest, c.most = caps, 0, most
	for _, p := range caps {
		depth = max(depth, p.Max)
		c.longest = max(c.longest, window.Instant(p.Window))
	}
	c.memory = max(c.longest, ttl)
	if depth == c.depth {
		return
	}
	old, was := c.stamps, c.depth
	c.stamps, c.depth = make([]window.Instant, len(c.list)*depth), depth
	for i := range c.list {
		to, from := c.of(int32(i)), old[i*was:(i+1)*was]
		copy(to, from)
		fill := window.Never
		if was > 0 {
			fill = from[was-1]
		}
		for k := was; k < depth; k++ {
			to[k] = fill
		}
	}
}

func (c *callees) of(i int32) []window.Instant { return c.stamps[int(i)*c.depth : (int(i)+1)*c.depth] }

func (c *callees) find(key calleeKey) int32 {
	if i, ok := c.index[key]; ok {
		return i
	}
	return none
}

// freeAt returns the instant from which callee i may be called, which is not after now if it may be now.
func (c *callees) freeAt(i int32) window.Instant {
	at := window.Never
	if i == none {
		return at
	}
	stamps := c.of(i)
	for _, p := range c.caps {
		if s := stamps[p.Max-1]; s != window.Never {
			at = max(at, s+window.Instant(p.Window))
		}
	}
	return at
}

// sameCall reports whether the newest call counted for callee i is this one, so that a further attempt of it counts no
// more; a stamp that no cap counts any longer is of no call. Without an id, a number presented earlier on the call
// says so.
func (c *callees) sameCall(i int32, call outdial.CallID, prev outdial.Number, now window.Instant) bool {
	if i == none || c.depth == 0 || c.of(i)[0]+c.longest <= now {
		return false
	}
	if call == 0 {
		return prev != 0
	}
	return c.list[i].call == call
}

// room returns when a further callee can be remembered: now, or the instant at which the oldest is no longer counted.
func (c *callees) room(now window.Instant) (at window.Instant, ok bool) {
	if len(c.index) < c.most {
		return now, true
	}
	if c.oldest == none {
		return noWake, false
	}
	at = c.last(c.oldest) + c.longest
	return at, at <= now
}

// add begins to remember key. What is worth nothing any more makes room first; then the oldest, which is counted.
func (c *callees) add(key calleeKey, now window.Instant) int32 {
	for range 2 {
		if c.oldest != none && c.last(c.oldest)+c.memory <= now {
			c.drop(c.oldest)
		}
	}
	if len(c.index) >= c.most && c.oldest != none && c.last(c.oldest)+c.longest <= now {
		c.drop(c.oldest)
		c.evicted++
	}
	i := c.free
	if i != none {
		c.free = c.list[i].newer
	} else {
		i = int32(len(c.list))
		c.list = append(c.list, callee{})
		for range c.depth {
			c.stamps = append(c.stamps, window.Never)
		}
	}
	c.list[i] = callee{key: key, bound: binding{window.Never, none}, older: none, newer: none}
	c.index[key] = i
	c.append(i)
	return i
}

// count stamps a call.
func (c *callees) count(i int32, call outdial.CallID, at window.Instant) {
	c.list[i].call = call
	if s := c.of(i); len(s) > 0 {
		copy(s[1:], s)
		s[0] = at
	}
}

// uncount takes a stamp back. It was admitted, so the one that it pushed out counted no more.
func (c *callees) uncount(i int32, former outdial.CallID, at window.Instant) {
	c.list[i].call = former
	s := c.of(i)
	for k := range s {
		if s[k] == at {
			copy(s[k:], s[k+1:])
			s[len(s)-1] = window.Never
			return
		}
	}
}

// bind remembers the number that callee i saw, and moves it to the newest.
func (c *callees) bind(i int32, b binding) {
	c.list[i].bound = b
	if i != c.newest {
		c.unlink(i)
		c.append(i)
	}
}

// last is when callee i was called last.
func (c *callees) last(i int32) window.Instant {
	last := c.list[i].bound.at
	if c.depth > 0 {
		last = max(last, c.stamps[int(i)*c.depth])
	}
	return last
}

// forgettable reports whether nothing is remembered of callee i.
func (c *callees) forgettable(i int32) bool {
	return c.list[i].bound.slot == none && (c.depth == 0 || c.stamps[int(i)*c.depth] == window.Never)
}

func (c *callees) drop(i int32) {
	delete(c.index, c.list[i].key)
	c.unlink(i)
	c.list[i] = callee{newer: c.free}
	for k := range c.of(i) {
		c.of(i)[k] = window.Never
	}
	c.free = i
}

func (c *callees) append(i int32) {
	e := &c.list[i]
	e.older, e.newer = c.newest, none
	if c.newest != none {
		c.list[c.newest].newer = i
	} else {
		c.oldest = i
	}
	c.newest = i
}

func (c *callees) unlink(i int32) {
	e := &c.list[i]
	if e.older != none {
		c.list[e.older].newer = e.newer
	} else {
		c.oldest = e.newer
	}
	if e.newer != none {
		c.list[e.newer].older = e.older
	} else {
		c.newest = e.older
	}
}
