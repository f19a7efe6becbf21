// Package crew runs short tasks on goroutines that stay for the next task. A new goroutine begins with a small stack, and its first task
// grows that step by step, by copying: where a task is over within some hundred microseconds, that is a good part of it.
package crew

import (
	"sync"
	"time"
)

// keep is how often a Crew looks for members that it has not needed since it last looked; these leave. So, once nothing comes any more, all of
// them have left after twice as long.
const keep = 5 * time.Second

// Most is how many members of a Crew wait for a task at most. Where more tasks are over at a time, the others leave.
const Most = 64

// Crew is goroutines that run tasks. Each has a kit, a K of its own that it hands to its tasks one after another: what a task needs
// only while it runs, and the next one may use again. The zero Crew is ready to use; it must not be copied then. All methods are safe
// for concurrent use.
type Crew[K any] struct {
	mu     sync.Mutex
	idle   []*member[K] // who came to rest last goes first: its stack is warm, and those who are not needed stay at the bottom
	unused int          // at the bottom of idle, since the last look
	look   *time.Timer  // nil = nobody has come to rest yet
	armed  bool
	closed bool
}

type member[K any] struct {
	tasks chan func(*K) // has room for one; nil = leave
	kit   K
}

// Go runs a task, as a go statement would. After Close it is one.
func (c *Crew[K]) Go(task func(*K)) {
	c.mu.Lock()
	n := len(c.idle) - 1
	if n < 0 {
		c.mu.Unlock()
		go c.work(task)
		return
	}
	m := c.idle[n]
	c.idle[n] = nil
	c.idle = c.idle[:n]
	c.unused = min(c.unused, n)
	c.mu.Unlock()
	m.tasks <- task
}

// foot is how much of its stack a member takes for nothing, in bytes. A collection of garbage halves the stack of a goroutine that waits and
// uses less than a quarter of it, and the next task grows it again. So stacks of up to four times as much stay.
const foot = 4 << 10

func (c *Crew[K]) work(task func(*K)) {
	var room [foot]byte
	c.serve(task, &room)
}

// serve runs task and those that come after. It is not inlined, so that the room below it is there.
//
//go:noinline
func (c *Crew[K]) serve(task func(*K), _ *[foot]byte) {
	m := &member[K]{tasks: make(chan func(*K), 1)}
	for ; task != nil; task = c.rest(m) {
		task(&m.kit)
	}
}

// rest waits for the next task of a member; nil = there will be none.
func (c *Crew[K]) rest(m *member[K]) func(*K) {
	c.mu.Lock()
	if c.closed || len(c.idle) == Most {
		c.mu.Unlock()
		return nil
	}
	c.idle = append(c.idle, m)
	if !c.armed {
		c.armed = true
		if c.look == nil {
			c.look = time.AfterFunc(keep, c.thin)
		} else {
			c.look.Reset(keep)
		}
	}
	c.mu.Unlock()
	return <-m.tasks
}

// thin lets those go who have had nothing to do since the last look.
func (c *Crew[K]) thin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.dismiss(c.unused)
	c.unused = len(c.idle)
	if c.armed = c.unused > 0; c.armed {
		c.look.Reset(keep)
	}
}

// dismiss lets n members at the bottom go; the caller holds the lock.
func (c *Crew[K]) dismiss(n int) {
	for _, m := range c.idle[:n] {
		m.tasks <- nil // nobody else sends to one that is idle
	}
	left := copy(c.idle, c.idle[n:])
	clear(c.idle[left:])
	c.idle = c.idle[:left]
}

// Close lets everybody go who is idle, and the others when their tasks are over; it does not wait for them.
func (c *Crew[K]) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.dismiss(len(c.idle))
	c.idle, c.unused = nil, 0
	if c.look != nil {
		c.look.Stop()
	}
}
