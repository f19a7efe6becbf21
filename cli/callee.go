package cli

import (
	"slices"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// callees is what one program remembers of its callees: when it called them, and what number they saw. It is bounded;
// the order of last use is a linked list. Times are whole seconds since the epoch, rounded up, so that a callee is at
// most called later than its caps would have it.
//
// A callee takes 20 bytes and 4 for each call that is remembered, in chunks (32 bytes, half a cache line, at three calls), and
// about 7 in the index.
type callees struct {
	index calleeIndex
	calleeChunks
	count   int32 // places made
	live    int32
	caps    []Cap
	longest uint32 // seconds: window of caps, what must not be forgotten
	memory  uint32 // seconds: longest, or the TTL where it is longer: what is worth remembering
	most    int
	oldest  int32
	newest  int32
	free    int32 // linked by newer
	evicted uint64
}

// callee is what is remembered of one callee: some words, and then its stamps, the newest first, 0 where there is none.
type callee []uint32

const (
	calleeHigh   = iota // of the key, which has 55 bits: 32 here, 7 in calleePacked, 16 in calleeLow
	calleeLow           // and the call of the newest stamp: 14 bits, enough to tell it from another one of the same callee, and two flags
	calleePacked        // the number that it knows, by its place (24 bits, all set = none); whether it has talked; of the key
	calleeOlder         // in the order of last use
	calleeNewer
	calleeStamps
)

const (
	none int32 = -1

	slotBits  = 24
	noSlot    = 1<<slotBits - 1
	hasTalked = 1 << slotBits // to the program: such a callee keeps its number
	keyShift  = slotBits + 1

	// maxNumbers is how many numbers a Governor can tell apart.
	maxNumbers = noSlot
)

func (e callee) key() calleeKey {
	return calleeKey(e[calleeHigh])<<23 | calleeKey(e[calleePacked]>>keyShift)<<16 | calleeKey(e[calleeLow]>>16)
}

// begin makes e a callee of which nothing is known but its key.
func (e callee) begin(k calleeKey) {
	clear(e)
	e[calleeHigh], e[calleeLow] = uint32(k>>23), uint32(k)<<16
	e[calleePacked] = noSlot | uint32(k>>16&0x7f)<<keyShift
	e.link(none, none)
}

// Flags of the call of the newest stamp, which stand with it in 16 bits. A further attempt of a call counts no more for the
// callee, so what is taken back of the first must know of it.
const (
	hasFollowed = 1 << 15 // a further attempt was reserved
	hasLeft     = 1 << 14 // and one of them left the host
	callMask    = hasLeft - 1
)

func (e callee) call() uint16        { return uint16(e[calleeLow]) & callMask }
func (e callee) callWord() uint16    { return uint16(e[calleeLow]) }
func (e callee) setCall(word uint16) { e[calleeLow] = e[calleeLow]&^0xffff | uint32(word) }
func (e callee) mark(flag uint16)    { e[calleeLow] |= uint32(flag) }
func (e callee) is(flag uint16) bool { return e[calleeLow]&uint32(flag) != 0 }

// slot is the number that the callee knows, none if it knows none.
func (e callee) slot() int32 {
	if s := e[calleePacked] & noSlot; s != noSlot {
		return int32(s)
	}
	return none
}

func (e callee) setSlot(s int32) {
	if s == none {
		s = noSlot
	}
	e[calleePacked] = e[calleePacked]&^noSlot | uint32(s)
}

func (e callee) talked() bool { return e[calleePacked]&hasTalked != 0 }
func (e callee) talk()        { e[calleePacked] |= hasTalked }

func (e callee) older() int32     { return int32(e[calleeOlder]) }
func (e callee) newer() int32     { return int32(e[calleeNewer]) }
func (e callee) setOlder(i int32) { e[calleeOlder] = uint32(i) }
func (e callee) setNewer(i int32) { e[calleeNewer] = uint32(i) }
func (e callee) link(older, newer int32) {
	e.setOlder(older)
	e.setNewer(newer)
}

func (e callee) stamps() []uint32 { return e[calleeStamps:] }

func shortCall(id outdial.CallID) uint16 {
	x := uint64(id) * 0x9e3779b97f4a7c15
	return uint16(x >> 50)
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

func newCallees() callees {
	return callees{oldest: none, newest: none, free: none, calleeChunks: newCalleeChunks(2)}
}

// of returns the stamps of callee i.
func (c *callees) of(i int32) []uint32 { return c.at(i).stamps() }

// configure sets the caps and keeps the counts. Where the new caps count further back than the old ones remembered,
// what may have been forgotten counts as a call at the time of the oldest that is remembered.
func (c *callees) configure(caps []Cap, ttl window.Instant, most int) {
	// Two at least: where the newest is taken back, the one before still says how long the callee's number is remembered.
	depth, longest := 2, window.Instant(0)
	for _, p := range caps {
		depth = max(depth, p.Max)
		longest = max(longest, window.Instant(p.Window))
	}
	counted := len(c.caps) > 0
	c.caps, c.most = caps, most
	c.longest = uint32((longest + second - 1) / second)
	c.memory = max(c.longest, uint32((ttl+second-1)/second))
	if depth == c.depth() {
		return
	}
	was := c.calleeChunks
	c.calleeChunks = newCalleeChunks(depth)
	for i := range c.count {
		c.reach(i)
		to, from := c.at(i), was.at(i)
		copy(to, from)
		for j := len(from); j < len(to) && counted; j++ {
			to[j] = from[len(from)-1]
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
	return call == 0 || c.at(i).call() == shortCall(call)
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
		c.free = c.at(i).newer()
	} else {
		i = c.count
		c.reach(i)
		c.count++
	}
	c.at(i).begin(key)
	c.live++
	c.index.add(key, i)
	c.append(i)
	return i
}

// stamp counts a call.
func (c *callees) stamp(i int32, call outdial.CallID, at window.Instant) {
	e := c.at(i)
	e.setCall(shortCall(call))
	s := e.stamps()
	copy(s[1:], s)
	s[0] = max(seconds(at), s[0])
}

// newest reports whether a use is of the newest call.
func (e callee) newest(l *lease) bool {
	return e.call() == l.call && (!l.counted || e.stamps()[0] == l.called)
}

// forget takes a use back. Its stamp was admitted, so the one that it pushed out counted no more.
func (e callee) forget(l *lease) {
	s := e.stamps()
	newest := e.newest(l)
	if newest && e.slot() == l.slot {
		e.setSlot(l.knew)
	}
	if !l.counted {
		return
	}
	if newest {
		e.setCall(l.former)
	}
	if k := slices.Index(s, l.called); k >= 0 {
		copy(s[k:], s[k+1:])
		s[len(s)-1] = 0
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
	e := c.at(i)
	clear(e)
	e.setNewer(c.free)
	c.free = i
	c.live--
}

func (c *callees) append(i int32) {
	c.at(i).link(c.newest, none)
	if c.newest != none {
		c.at(c.newest).setNewer(i)
	} else {
		c.oldest = i
	}
	c.newest = i
}

func (c *callees) unlink(i int32) {
	e := c.at(i)
	older, newer := e.older(), e.newer()
	if older != none {
		c.at(older).setNewer(newer)
	} else {
		c.oldest = newer
	}
	if newer != none {
		c.at(newer).setOlder(older)
	} else {
		c.newest = older
	}
}
