package failover

import (
	"cmp"
	"slices"
	"time"

	"github.com/outdial/outdial"
)

// Target is how a trunk, or one destination group on it, stands. It is a plain value.
type Target struct {
	Trunk     outdial.TrunkID
	Name      string          // of the trunk, where the Selector knows names
	Group     outdial.GroupID // 0 = the trunk as a whole
	GroupName string

	State State
	Why   string    // why it is not simply up; "" while it is
	Since time.Time // when it came into its state; zero = it never was in another
	Until time.Time // Out: when the first probe may go; Suspended and Held: the end; zero = none, or not known

	Failures  int // failures in a row, while up
	Good      int // good probes in a row, while probing
	Ejections int // that count towards the next backoff

	Healthy uint64 // attempts that counted as healthy, ever
	Failed  uint64 // attempts that counted as soft or hard failures, ever

	Full         uint64 // attempts that found the trunk full (of the trunk as a whole)
	ConfigFaults uint64 // attempts that failed for a fault of configuration (of the trunk as a whole)
}

// Snapshot returns how every target stands of which anything is known, ordered by trunk, the trunk as a whole before
// its destination groups. A target that is not listed is up. The caller owns the slice.
func (s *Selector) Snapshot(now time.Time) []Target {
	var list []Target
	for _, b := range s.boards.all() {
		if b == nil {
			continue
		}
		b.mu.Lock()
		b.advance(now)
		b.settleAll()
		whole := b.whole.status(b.id, 0)
		whole.Full, whole.ConfigFaults = b.full, b.faults
		if b.held {
			whole.State, whole.Why, whole.Since, whole.Until = Held, whyHold, b.heldFrom, b.heldTo
		}
		first := len(list)
		list = append(list, whole)
		for g, t := range b.groups {
			list = append(list, t.status(b.id, g))
		}
		b.mu.Unlock()
		slices.SortFunc(list[first:], func(x, y Target) int { return cmp.Compare(x.Group, y.Group) })
	}
	if s.ids != nil {
		for i := range list {
			list[i].Name = s.ids.Trunks.Name(list[i].Trunk)
			list[i].GroupName = s.ids.Groups.Name(list[i].Group)
		}
	}
	return list
}

func (t *target) status(trunk outdial.TrunkID, g outdial.GroupID) Target {
	st := Target{
		Trunk: trunk, Group: g, State: t.state, Why: t.why, Since: t.since, Until: t.until,
		Failures: t.soft, Good: t.good, Ejections: t.ejections, Healthy: t.healthy, Failed: t.failed,
	}
	if t.state == Out && t.probe.out && t.probe.from.After(t.ejected) { // its first probe is on its way
		st.State, st.Until = Probing, time.Time{}
	}
	return st
}
