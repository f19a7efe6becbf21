package trunk

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// Defaults of a Queue, and its bounds.
const (
	DefaultQueueWait  = 2 * time.Second
	DefaultQueueRetry = 100 * time.Millisecond
	maxQueue          = 100_000

	// grace is how late a waiting call may ask again without losing its place.
	grace = time.Second / 2
)

// Queue lets calls wait for a channel, or for their turn in the calls per second: the highest priority first, and first
// come, first served within one. A refused call is told when to ask again and keeps its place until then; a Session
// does this by itself when outdial.Config.MaxWait is at least Wait. Newcomers do not pass those who wait, unless their
// priority is higher or their floor is not used. Nobody waits in this package: there is no goroutine and no timer.
type Queue struct {
	// Length is the number of calls that may wait; 0 or negative = refuse them. When it is full, a call of a higher
	// priority takes the place of the last one of the lowest.
	Length int

	// Wait is how long a call may wait; 0 = DefaultQueueWait. outdial.Call.Deadline may make it shorter.
	Wait time.Duration

	// Retry is how soon a call that waits for a channel asks again; 0 = DefaultQueueRetry. A call that waits for the calls
	// per second is told the moment of its turn.
	Retry time.Duration
}

func (q Queue) withDefaults() Queue {
	q.Length = max(q.Length, 0)
	if q.Wait <= 0 {
		q.Wait = DefaultQueueWait
	}
	if q.Retry <= 0 {
		q.Retry = DefaultQueueRetry
	}
	return q
}

func (q Queue) validate(bad func(format string, args ...any)) {
	if q.Length > maxQueue {
		bad("Queue.Length: %d is more than %d", q.Length, maxQueue)
	}
	if q.Wait < 0 {
		bad("Queue.Wait: %v is negative", q.Wait)
	}
	if q.Retry < 0 {
		bad("Queue.Retry: %v is negative", q.Retry)
	}
}

// Waiting counts what became of the calls that waited. A call counts as entered once.
type Waiting struct {
	Now      int // calls that wait
	Longest  int // the most that ever waited at once
	Entered  uint64
	Served   uint64 // left when it was their turn
	TimedOut uint64 // refused when their time was up
	Shed     uint64 // gave their place to a call of a higher priority
	Full     uint64 // found no place, and never entered
	Left     uint64 // went elsewhere, were cancelled, or did not ask again
}

// ticket is the place of one call.
type ticket struct {
	call       outdial.CallID
	lane       outdial.Priority
	next, prev int32 // in its lane, 1 + index; 0 = none
	deadline   window.Instant
	asks       window.Instant // when the call was told to ask again
	served     bool           // it was given a channel, and has not left yet
	turn       bool           // it waits for the calls per second, and not for a channel
}

// queue holds the tickets of one trunk. The zero value is empty.
type queue struct {
	all    []ticket
	free   []int32
	byCall map[outdial.CallID]int32
	lanes  [outdial.PriorityUrgent + 1]lane
	tidied window.Instant
	Waiting
}

// lane is the tickets of one priority in their order.
type lane struct {
	head, tail int32 // 1 + index; 0 = none
	waiting    int   // not served
	turns      int   // those of them that wait for the calls per second
}

// ahead counts the calls that come before w: for a channel, or with turn, for the calls per second. It counts no further
// than most + 1 in the lane of w, for where so many wait it does not matter how many more there are.
func (q *queue) ahead(w *want, turn bool, most int) (n int) {
	if q.Now == 0 {
		return 0
	}
	count := func(l *lane) int {
		if turn {
			return l.turns
		}
		return l.waiting
	}
	for p := w.priority + 1; p <= outdial.PriorityUrgent; p++ {
		n += count(&q.lanes[p])
	}
	l := &q.lanes[w.priority]
	k := q.find(w.call)
	if k == 0 {
		return n + count(l)
	}
	for i := l.head; i != k && i != 0 && n <= most; i = q.all[i-1].next {
		if x := &q.all[i-1]; !x.served && (!turn || x.turn) {
			n++
		}
	}
	return n
}

// find returns 1 + the index of a call's ticket; 0 = none.
func (q *queue) find(call *outdial.Call) int32 {
	if call == nil || len(q.byCall) == 0 {
		return 0
	}
	return q.byCall[call.ID]
}

// wait gives a call that was refused a place, or keeps the one that it has, and returns when it is to ask again: at
// ask, or at the end of its time. False = it is not to wait.
func (t *line) wait(now time.Time, at window.Instant, w *want, ask window.Instant, turn bool) (window.Instant, bool) {
	q, terms := &t.queue, &t.terms.limits.Queue
	if terms.Length == 0 || w.call == nil || w.call.ID == 0 || t.dry {
		return 0, false
	}
	k := q.find(w.call)
	if k == 0 {
		deadline := at + window.Instant(terms.Wait)
		if d := w.call.Deadline; !d.IsZero() {
			deadline = min(deadline, at+window.Instant(d.Sub(now)))
		}
		if deadline <= at {
			q.TimedOut++
			return 0, false
		}
		if !q.makeRoom(terms.Length, w.priority) {
			q.Full++
			return 0, false
		}
		k = q.enter(w, deadline)
	}
	t.guard() // from now on every call must look who waits
	x := &q.all[k-1]
	if at >= x.deadline {
		q.drop(k)
		q.TimedOut++
		return 0, false
	}
	q.count(x, -1)
	x.served, x.turn, x.asks = false, turn, min(ask, x.deadline)
	q.count(x, +1)
	return x.asks, true
}

// makeRoom reports whether one more call of a priority may wait; it may take the place of another.
func (q *queue) makeRoom(length int, p outdial.Priority) bool {
	if q.Now < length {
		return true
	}
	for low := outdial.PriorityBulk; low < p; low++ {
		if last := q.lanes[low].tail; last != 0 {
			q.drop(last)
			q.Shed++
			return true
		}
	}
	return false
}

func (q *queue) enter(w *want, deadline window.Instant) int32 {
	if q.byCall == nil {
		q.byCall = map[outdial.CallID]int32{}
	}
	var k int32
	if n := len(q.free); n > 0 {
		k, q.free = q.free[n-1], q.free[:n-1]
	} else {
		q.all = append(q.all, ticket{})
		k = int32(len(q.all))
	}
	l := &q.lanes[w.priority]
	q.all[k-1] = ticket{call: w.call.ID, lane: w.priority, prev: l.tail, deadline: deadline}
	if l.tail != 0 {
		q.all[l.tail-1].next = k
	} else {
		l.head = k
	}
	l.tail = k
	q.byCall[w.call.ID] = k
	q.count(&q.all[k-1], +1)
	q.Now++
	q.Entered++
	q.Longest = max(q.Longest, q.Now)
	return k
}

// count keeps the lane's sums.
func (q *queue) count(x *ticket, by int) {
	if !x.served {
		q.lanes[x.lane].waiting += by
		if x.turn {
			q.lanes[x.lane].turns += by
		}
	}
}

// serve notes that a call was given a channel. Its place is kept until it leaves, for it may have to wait for its turn.
func (q *queue) serve(call *outdial.Call) {
	if k := q.find(call); k != 0 {
		x := &q.all[k-1]
		q.count(x, -1)
		x.served = true
		q.count(x, +1)
	}
}

// leave takes the ticket of a call out, if it has one, and counts it in n.
func (q *queue) leave(call *outdial.Call, n *uint64) {
	if k := q.find(call); k != 0 {
		q.drop(k)
		*n++
	}
}

func (q *queue) drop(k int32) {
	x := &q.all[k-1]
	l := &q.lanes[x.lane]
	q.count(x, -1)
	if x.prev != 0 {
		q.all[x.prev-1].next = x.next
	} else {
		l.head = x.next
	}
	if x.next != 0 {
		q.all[x.next-1].prev = x.prev
	} else {
		l.tail = x.prev
	}
	delete(q.byCall, x.call)
	q.free = append(q.free, k)
	q.Now--
}

// tidy drops the tickets of calls that have not asked again. It looks at all of them, now and then.
func (q *queue) tidy(at window.Instant) {
	if q.Now == 0 || at-q.tidied < window.Instant(grace/2) {
		return
	}
	q.tidied = at
	for p := range q.lanes {
		for k := q.lanes[p].head; k != 0; {
			x := &q.all[k-1]
			next := x.next
			if at > x.asks+window.Instant(grace) {
				q.drop(k)
				q.Left++
			}
			k = next
		}
	}
}
