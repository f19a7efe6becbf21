package trunk

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// Status is how one trunk stands. It is a plain value.
type Status struct {
	Trunk outdial.TrunkID
	Name  string
	State State

	InUse      int     // channels held
	Peak       int     // the most ever held at once
	Channels   int     // the base ceiling in force; -1 = none
	Ceiling    int     // with bursts, where they are allowed now; -1 = none
	Contracted int     // the base ceiling by contract and order, whatever was learned; -1 = none
	Headroom   int     // channels that a call of normal priority and without a floor could take now, as Set.Headroom tells
	Free       int     // channels that nobody holds, below Ceiling: those that are kept free count
	Saturation float64 // InUse of Channels; 0 without a limit
	Saturated  bool    // use has reached Limits.Alarm, and is not yet a tenth of the ceiling below it again
	Guaranteed int     // channels that are kept free for floors
	Reserved   int     // channels that are kept free from bulk calls, beside those

	CPS           int    // the limit in force; -1 = none
	ContractedCPS int    // by contract and order, whatever was learned; -1 = none
	LastSecond    int    // seizures in the second that ends with the latest one or now; without a limit at most 1024
	Seized        uint64 // seizures ever, less those undone

	Burst      Bursting
	Learned    Learned // channels
	LearnedCPS Learned

	Blocked   Blocked
	Waiting   Waiting
	Pressure  [outdial.PriorityUrgent + 1]float64 // by priority: share of the bids that are refused for want of room, of late
	Reclaimed uint64                              // channels that Advance took back as leaks
	Traffic   Traffic

	Trial  [2]int // in state canary: good and bad attempts so far
	Change Change // the latest change of state or limits
	Source string // of the figures, as configured
	AsOf   time.Time
}

// Bursting is what was used above the base.
type Bursting struct {
	Allowed bool          // a call of the highest priority could take a channel above the base now
	Over    int           // channels above the base
	Today   time.Duration // channel time above the base, of the day that the budget is for
	Total   time.Duration // ever, as the process and the journal that it replayed know
	Left    time.Duration // of the day's budget; negative = no limit
}

// Snapshot returns how every trunk stands, in the order in which they were first configured, those included that
// are no longer configured but still hold channels (their State is Out). Each Status is consistent in itself.
func (s *Set) Snapshot(now time.Time) []Status {
	all := s.table.Load().all
	list := make([]Status, 0, len(all))
	for _, t := range all {
		t.lock()
		if t.known || t.slots.used() > 0 {
			list = append(list, t.status(now))
		}
		t.unlock()
	}
	return list
}

// Status returns how one trunk stands, and whether it was ever configured. It does not allocate.
func (s *Set) Status(now time.Time, id outdial.TrunkID) (Status, bool) {
	t := s.line(id)
	if t == nil {
		return Status{}, false
	}
	t.lock()
	defer t.unlock()
	return t.status(now), true
}

func (t *line) status(now time.Time) Status {
	at := t.clock(now)
	t.refresh(now)
	t.bill(at)
	l := &t.terms.limits
	contracted, _, _ := t.contract()
	st := Status{
		Trunk: t.id, Name: t.name, State: t.state,
		InUse: t.slots.used(), Peak: int(t.slots.peak.Load()), Channels: shown(t.base), Contracted: shown(contracted),
		Saturated: t.saturated, Guaranteed: t.spare, Reserved: t.reserve(outdial.PriorityBulk),
		CPS: t.cps, ContractedCPS: t.contractCPS(), LastSecond: t.pace.counted(at, second), Seized: t.seized,
		Burst: t.bursting(at), Learned: t.learnedOf(&t.learned, at), LearnedCPS: t.learnedOf(&t.learnCPS, at),
		Blocked: t.blocked, Waiting: t.queue.Waiting, Pressure: t.load.pressure, Reclaimed: t.reclaimed,
		Traffic: t.lastHour(at), Trial: [2]int{t.trial.good, t.trial.bad}, Source: l.Source, AsOf: l.AsOf,
	}
	if n := len(t.changes); n > 0 {
		st.Change = t.changes[n-1]
	}
	if t.base < MaxChannels {
		st.Saturation = float64(t.slots.used()) / float64(max(t.base, 1))
	}
	ceiling := t.base
	if st.Burst.Allowed {
		ceiling = t.top
	}
	st.Ceiling, st.Free = shown(ceiling), max(ceiling-t.slots.used(), 0)
	st.Headroom = t.headroom(at)
	if !t.known || t.closed() != nil {
		st.Free = 0
	}
	return st
}

func shown(limit int) int {
	if limit >= MaxChannels {
		return -1
	}
	return limit
}

func (t *line) bursting(at window.Instant) Bursting {
	b := Bursting{
		Allowed: t.mayBurst(at, outdial.PriorityUrgent), Over: t.burst.over, Today: t.burst.spent, Total: t.burst.total, Left: -1,
	}
	if budget := t.terms.limits.Burst.Budget; budget >= 0 {
		b.Left = max(budget-b.Today, 0)
	}
	return b
}
