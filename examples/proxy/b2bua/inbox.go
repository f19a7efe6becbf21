package b2bua

import "sync"

// maxInbox bounds what waits for a call that is busy. Beyond it, what a network may lose is lost: requests and
// responses of the dialer, and provisional responses of a carrier. Answers and ends of legs always get in; there
// are a handful of them in a call.
const maxInbox = 64

// inbox is what has happened to a call and is not yet dealt with, in order. Anybody posts, the call's goroutine takes.
type inbox struct {
	wake chan struct{} // has room for one: something came

	mu     sync.Mutex
	items  []any // *request, *sip.Response, *siptrunk.Event, passed, *wish, inquiry, hangup, shutdown, dismissal
	closed bool
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

// post adds an item, or drops it when too much waits; false when the call is over.
func (b *inbox) post(item any, droppable bool) bool {
	_, open := b.add(item, droppable)
	return open
}

// offer adds an item; false when too much waits, or the call is over.
func (b *inbox) offer(item any) bool {
	taken, _ := b.add(item, true)
	return taken
}

func (b *inbox) add(item any, droppable bool) (taken, open bool) {
	b.mu.Lock()
	if b.closed || droppable && len(b.items) >= maxInbox {
		defer b.mu.Unlock()
		return false, !b.closed
	}
	b.items = append(b.items, item)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
	return true, true
}

// take returns everything that waits, in the room of spare.
func (b *inbox) take(spare []any) []any {
	clear(spare)
	b.mu.Lock()
	defer b.mu.Unlock()
	items := b.items
	b.items = spare[:0]
	return items
}

// close takes no more items, and returns those that still wait.
func (b *inbox) close() []any {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return b.items
}
