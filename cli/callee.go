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

// calleeKey stands for a callee: the first 55 bits of the HMAC-SHA-256 of its number. Two callees in a million share one
// with a probability of 1 in 65,000; they would be counted as one.
type calleeKey uint64

const calleeKeyMask = 1<<55 - 1

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
		h.number, h.key = n, calleeKey(binary.BigEndian.Uint64(h.mac.Sum(h.out[:0]))&calleeKeyMask)
	}
	key := h.key
	k.pool.Put(h)
	return key
}

// callees is what one program remembers of its callees: when it called them, and what number they saw. It is bounded;
// the order of last use is a linked list. Times are whole seconds since the epoch, rounded up, so that a callee is at
// most called later than its caps would have it.
//
// A callee takes 20 bytes and 4 for each call that is remembered, in chunks, and about 5 in the index.
type callees struct {
	index   calleeIndex
	chunks  []*calleeChunk
	stamps  [][]uint32 // by chunk: depth for each callee, the newest first, 0 where there is none
	count   int32      // places made
	live    int32
	depth   int
	caps    []Cap
	longest uint32 // seconds: window of caps, what must not be forgotten
	memory  uint32 // seconds: longest, or the TTL where it is longer: what is worth remembering
	most    int
	oldest  int32
	newest  int32
	free    int32 // linked by newer
	evicted uint64
}

const calleeChunkSize = 1 << 10

type calleeChunk [calleeChunkSize]callee

type callee struct {
	high   uint32 // of the key, which has 55 bits: 32, 16 and 7
	low    uint16
	call   uint16 // of the call of the newest stamp: enough to tell it from another one of the same callee
	packed uint32 // the number that it knows, by its place (24 bits, all set = none); whether it has talked; 7 bits of the key
	older  int32
	newer  int32
}

const (
	none int32 = -1

	slotBits  = 24
	noSlot    = 1<<slotBits - 1
	hasTalked = 1 << slotBits // to the program: such a callee keeps its number
	keyShift  = slotBits + 1

	// maxNumbers is how many numbers a Governor can tell apart.
	maxNumbers = noSlot
)

func (e *callee) key() calleeKey {
	return calleeKey(e.high)<<23 | calleeKey(e.packed>>keyShift)<<16 | calleeKey(e.low)
}

func (e *callee) setKey(k calleeKey) {
	e.high, e.low = uint32(k>>23), uint16(k)
	e.packed = e.packed&(1<<keyShift-1) | uint32(k>>16&0x7f)<<keyShift
}

// slot is the number that the callee knows, none if it knows none.
func (e *callee) slot() int32 {
	if s := e.packed & noSlot; s != noSlot {
		return int32(s)
	}
	return none
}

func (e *callee) setSlot(s int32) {
	if s == none {
		s = noSlot
	}
	e.packed = e.packed&^noSlot | uint32(s)
}

func (e *callee) talked() bool { return e.packed&hasTalked != 0 }

func shortCall(id outdial.CallID) uint16 {
	x := uint64(id) * 0x9e3779b97f4a7c15
	return uint16(x >> 48)
}

// seconds rounds an instant up. 0 stands for "never", so that the epoch itself is 1.
func seconds(at window.Instant) uint32 {
	if at < 0 {
		return 1
	}
	return uint32((at+second-1)/second) + 1
}

func instantOf(s uint32) window.Instant {
	if s == 0 {
		return window.Never
	}
	return window.Instant(s-1) * second
}

func newCallees() callees { return callees{oldest: none, newest: none, free: none, depth: 1} }

func (c *callees) at(i int32) *callee {
	return &c.chunks[i/calleeChunkSize][i%calleeChunkSize]
}

func (c *callees) of(i int32) []uint32 {
	k := int(i%calleeChunkSize) * c.depth
	return c.stamps[i/calleeChunkSize][k : k+c.depth : k+c.depth]
}

// configure sets the caps and keeps the counts. Where the new caps count further back than the old ones remembered,
// what may have been forgotten counts as a call at the time of the oldest that is remembered.
func (c *callees) configure(caps []Cap, ttl window.Instant, most int) {
	depth, longest := 1, window.Instant(0)
	for _, p := range caps {
		depth = max(depth, p.Max)
		longest = max(longest, window.Instant(p.Window))
	}
	counted := len(c.caps) > 0
	c.caps, c.most = caps, most
	c.longest = uint32((longest + second - 1) / second)
	c.memory = max(c.longest, uint32((ttl+second-1)/second))
	if depth == c.depth {
		return
	}
	old, was := c.stamps, c.depth
	c.depth = depth
	c.stamps = make([][]uint32, len(old))
	for k := range old {
		c.stamps[k] = make([]uint32, calleeChunkSize*depth)
		for i := range calleeChunkSize {
			to, from := c.stamps[k][i*depth:(i+1)*depth], old[k][i*was:(i+1)*was]
			copy(to, from)
			for j := was; j < depth && counted; j++ {
				to[j] = from[was-1]
			}
		}
	}
}

func (c *callees) find(key calleeKey) int32 { return c.index.find(c, key) }

// freeAt returns the instant from which callee i may be called under caps, which is not after now if it may be now.
func (c *callees) freeAt(i int32, caps []Cap) window.Instant {
	at := window.Never
	if i == none {
		return at
	}
	stamps := c.of(i)
	for _, p := range caps {
		if s := stamps[p.Max-1]; s != 0 {
			at = max(at, instantOf(s)+window.Instant(p.Window))
		}
	}
	return at
}

// sameCall reports whether the newest call counted for callee i is this one, so that a further attempt of it, which has a
// number presented before, counts no more; a stamp that no cap counts any longer is of no call.
func (c *callees) sameCall(i int32, call outdial.CallID, prev outdial.Number, now window.Instant) bool {
	if i == none || prev == 0 {
		return false
	}
	if s := c.of(i)[0]; s == 0 || c.longest != 0 && instantOf(s)+window.Instant(c.longest)*second <= now {
		return false
	}
	return call == 0 || c.at(i).call == shortCall(call)
}

// room returns when a further callee can be remembered: now, or the instant at which the oldest is no longer counted.
func (c *callees) room(now window.Instant) (at window.Instant, ok bool) {
	if int(c.live) < c.most {
		return now, true
	}
	if c.oldest == none {
		return noWake, false
	}
	at = c.last(c.oldest) + window.Instant(c.longest)*second
	return at, at <= now
}

// add begins to remember key. What is worth nothing any more makes room first; then the oldest, which is counted.
func (c *callees) add(key calleeKey, now window.Instant) int32 {
	for range 2 {
		if c.oldest != none && c.last(c.oldest)+window.Instant(c.memory)*second <= now {
			c.drop(c.oldest)
		}
	}
	if int(c.live) >= c.most && c.oldest != none && c.last(c.oldest)+window.Instant(c.longest)*second <= now {
		c.drop(c.oldest)
		c.evicted++
	}
	i := c.free
	if i != none {
		c.free = c.at(i).newer
	} else {
		i = c.count
		if i%calleeChunkSize == 0 {
			c.chunks = append(c.chunks, new(calleeChunk))
			c.stamps = append(c.stamps, make([]uint32, calleeChunkSize*c.depth))
		}
		c.count++
	}
	e := c.at(i)
	*e = callee{packed: noSlot, older: none, newer: none}
	e.setKey(key)
	c.live++
	c.index.add(c, key, i)
	c.append(i)
	return i
}

// stamp counts a call.
func (c *callees) stamp(i int32, call outdial.CallID, at window.Instant) {
	c.at(i).call = shortCall(call)
	s := c.of(i)
	copy(s[1:], s)
	s[0] = max(seconds(at), s[0])
}

// unstamp takes a stamp back. It was admitted, so the one that it pushed out counted no more.
func (c *callees) unstamp(i int32, former uint16, stamp uint32) {
	c.at(i).call = former
	s := c.of(i)
	for k := range s {
		if s[k] == stamp {
			copy(s[k:], s[k+1:])
			s[len(s)-1] = 0
			return
		}
	}
}

// bind remembers the number that callee i saw, and moves it to the newest.
func (c *callees) bind(i, slot int32) {
	c.at(i).setSlot(slot)
	if i != c.newest {
		c.unlink(i)
		c.append(i)
	}
}

// last is when callee i was called last, Never if that was taken back.
func (c *callees) last(i int32) window.Instant { return instantOf(c.of(i)[0]) }

// forgettable reports whether nothing is remembered of callee i.
func (c *callees) forgettable(i int32) bool { return c.at(i).slot() == none && c.of(i)[0] == 0 }

func (c *callees) drop(i int32) {
	c.index.remove(c, c.at(i).key())
	c.unlink(i)
	*c.at(i) = callee{newer: c.free}
	clear(c.of(i))
	c.free = i
	c.live--
}

func (c *callees) append(i int32) {
	e := c.at(i)
	e.older, e.newer = c.newest, none
	if c.newest != none {
		c.at(c.newest).newer = i
	} else {
		c.oldest = i
	}
	c.newest = i
}

func (c *callees) unlink(i int32) {
	e := c.at(i)
	if e.older != none {
		c.at(e.older).newer = e.newer
	} else {
		c.oldest = e.newer
	}
	if e.newer != none {
		c.at(e.newer).older = e.older
	} else {
		c.newest = e.older
	}
}
