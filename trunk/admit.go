package trunk

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// want is what an admission is about. The zero want is a bulk call of nobody.
type want struct {
	priority outdial.Priority
	share    uint16 // index in line.shares
	tenant   outdial.TenantID
	call     *outdial.Call // nil = it cannot wait in the queue
}

// acquire takes a channel under the lock, or says why not and when to ask again.
func (t *line) acquire(now time.Time, call *outdial.Call) (outdial.Lease, time.Time, error) {
	t.lock()
	defer t.unlock()
	return t.acquireGuarded(now, call)
}

func (t *line) acquireGuarded(now time.Time, call *outdial.Call) (outdial.Lease, time.Time, error) {
	if !t.known {
		return 0, time.Time{}, ErrUnknownTrunk
	}
	at := t.clock(now)
	t.refresh(now)
	if t.terms.limits.Queue.Length > 0 {
		t.queue.tidy(at)
	}
	w := t.want(call)
	if refused := t.admit(at, &w); refused != nil {
		return 0, t.refuse(now, at, &w, refused), refused
	}
	if t.slots.used() >= t.base && t.top > t.base && !t.burst.open {
		t.burst.open, t.burst.opened = true, at
	}
	l := t.take(&w)
	t.queue.serve(call)
	t.note(at)
	return l, time.Time{}, nil
}

// want says what is asked for.
func (t *line) want(call *outdial.Call) want {
	if call == nil {
		return want{}
	}
	return want{priority: priorityOf(call), share: t.shareOf(call), tenant: call.Tenant, call: call}
}

// priorityOf is the priority of a call; nobody's is bulk.
func priorityOf(call *outdial.Call) outdial.Priority {
	if call == nil {
		return outdial.PriorityBulk
	}
	return min(call.Priority, outdial.PriorityUrgent)
}

// admit says whether there is a channel, nil = yes. It takes none.
func (t *line) admit(at window.Instant, w *want) *outdial.Refusal {
	if refused := t.closed(); refused != nil {
		return refused
	}
	if q, ok := t.terms.quota(w.tenant); ok && q.Channels > 0 && t.tenant(w.tenant).used >= q.Channels {
		return ErrQuota
	}
	if t.top > t.base {
		t.bill(at)
	}
	limit, why := t.base, t.why
	own := t.shares[w.share].used < t.shares[w.share].floor
	need := 0
	if !own {
		need = t.spare + t.reserve(w.priority) + t.queue.ahead(w, false, t.top-t.slots.used())
	}
	if t.slots.used()+need >= limit && t.top > t.base {
		if t.mayBurst(at, w.priority) {
			if limit = t.top; t.probing {
				why = ErrLearned
			}
		} else if w.priority >= t.terms.limits.Burst.From {
			why = ErrBurstBudget
		}
	}
	switch free := limit - t.slots.used(); {
	case free > need:
		return nil
	case free <= 0:
		if why == ErrLearned && free == 0 && need == 0 && t.learned.probe(at, !t.dry) {
			return nil
		}
		return why
	case free <= t.spare:
		return ErrFloor
	case free <= need-t.reserve(w.priority): // those who wait come first
		return why
	}
	return ErrReservation
}

// closed says why the state of the trunk lets no call in, nil = it does.
func (t *line) closed() *outdial.Refusal {
	switch t.state {
	case Staged:
		return ErrStaged
	case Draining:
		return ErrDraining
	case Out:
		return ErrOut
	}
	return nil
}

// reserve is how many channels are kept free from calls of a priority.
func (t *line) reserve(p outdial.Priority) int {
	l := &t.terms.limits
	n := 0
	switch p {
	case outdial.PriorityBulk:
		if n = l.Reserve; n <= 0 {
			n = t.load.reserve
		}
		n += l.ReserveUrgent
	case outdial.PriorityNormal:
		n = l.ReserveUrgent
	}
	return n
}

// refuse counts a refusal, unless the call waits; then it returns when to ask again.
func (t *line) refuse(now time.Time, at window.Instant, w *want, why *outdial.Refusal) (again time.Time) {
	if why == ErrShare {
		t.asked.refused++
	}
	if why.Class() == outdial.RefusedCapacity && why != ErrQuota {
		t.flow.refused[w.priority]++
		if ask, ok := t.wait(now, at, w, at+window.Instant(t.terms.limits.Queue.Retry), false); ok {
			return after(now, ask-at)
		}
	}
	*t.blocked.of(why)++
	return time.Time{}
}

// take takes a channel that there is.
func (t *line) take(w *want) outdial.Lease {
	i, gen := t.slots.take(w.share)
	p := t.slots.of(i, gen)
	p.share = w.share
	t.enter(w.share)
	t.asked.taken++
	if w.tenant != 0 && t.terms.quotas != nil {
		p.tenant = w.tenant
		t.tenant(w.tenant).used++
	}
	return leaseOf(gen, i, t.index)
}

// release gives a channel back under the lock, after giveCalmly has got as far as how says.
func (t *line) release(now time.Time, l outdial.Lease, how given) {
	t.lock()
	defer t.unlock()
	if how == locked {
		t.giveBack(now, l, false)
	} else if i := slotOf(l); genIn(t.slots.cell(i).Load()) == nextGen(genOf(l)) { // or the sweep has freed it
		t.free(now, i)
	}
}

// giveBack gives a channel back under the lock. With undo its seizure is taken back too.
func (t *line) giveBack(now time.Time, l outdial.Lease, undo bool) {
	p := t.slots.get(l)
	if p == nil {
		return
	}
	if undo {
		t.undo(p)
	}
	if t.slots.end(l) {
		t.free(now, slotOf(l))
	}
}

// free frees a slot whose lease has ended.
func (t *line) free(now time.Time, i int32) {
	p := &t.slots.info[i]
	t.exit(p.share)
	if p.tenant != 0 {
		t.tenant(p.tenant).used--
		p.tenant = 0
	}
	t.slots.free(i)
	if t.slots.used() >= int(t.slots.calm.Load()) || t.saturated {
		t.note(t.clock(now))
	}
}

// tenant returns what a tenant uses.
func (t *line) tenant(id outdial.TenantID) *tenant {
	for int(id) >= len(t.tenants) {
		t.tenants = append(t.tenants, tenant{})
	}
	return &t.tenants[id]
}

// note takes down what a change of use means: time above the base, saturation.
func (t *line) note(at window.Instant) {
	if t.burst.over > 0 || t.above() > 0 {
		t.bill(at)
	}
	t.saturate(at)
}

// saturate tells when use crosses the alarm on its way up, or a tenth of the ceiling below it on its way down.
func (t *line) saturate(at window.Instant) {
	if t.terms.limits.Alarm < 0 || t.base >= MaxChannels {
		return
	}
	used, ceiling := float64(t.slots.used()), float64(t.base)
	switch high := t.terms.limits.Alarm * ceiling; {
	case !t.saturated && used >= high && used > 0:
		t.saturated = true
		t.alert(at, AlertSaturated, used, ceiling)
	case t.saturated && used < high-ceiling/10:
		t.saturated = false
		t.alert(at, AlertRelieved, used, ceiling)
	}
}
