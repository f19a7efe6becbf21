package failover

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Alarms returns what an operator should know of now: targets that are out or whose figures are poor, trunks that wait for a
// test, trunks that refuse calls for a fault of configuration since they last carried one, and, of the trunks of
// Config.Trunks, those that no live call has reached for Config.UntestedAfter and those that were not drilled for
// Config.DrillEvery, both counted from since where it never was: when the Selector began to serve. Nothing is fired: the
// caller compares and tells. Findings are in the order of trunks. The caller owns the slice.
func (s *Selector) Alarms(now, since time.Time) []Finding {
	var list []Finding
	for _, t := range s.Snapshot(now) {
		name := s.nameOf(t.Trunk)
		what := name
		if t.GroupName != "" {
			what += " to " + t.GroupName
		}
		switch {
		case t.State == Out || t.State == Probing:
			list = append(list, Finding{
				Code: FindingOut, Group: t.GroupName, Trunks: []string{name}, Since: t.Since,
				Text: fmt.Sprintf("%s is %s: %s", what, t.State, t.Why),
			})
		case t.State == Held && t.Why == whyGate:
			list = append(list, gated("", name, t.Since))
		case t.State == Suspect && strings.HasPrefix(t.Why, poorPrefix):
			list = append(list, Finding{
				Code: FindingPoor, Group: t.GroupName, Trunks: []string{name}, Since: t.Since,
				Text: fmt.Sprintf("%s: %s", what, t.Why),
			})
		}
		if t.Group == 0 && t.Faulted.After(t.Reached) {
			list = append(list, Finding{
				Code: FindingConfigFault, Trunks: []string{name}, Since: t.Faulted,
				Text: fmt.Sprintf("%s refuses calls for a fault of configuration, and time does not heal that", name),
			})
		}
		if t.Group != 0 || !slices.ContainsFunc(s.trunks, func(known Trunk) bool { return known.Name == name }) {
			continue
		}
		if last := latest(t.Reached, since); s.cfg.untested > 0 && now.Sub(last) >= s.cfg.untested {
			list = append(list, Finding{
				Code: FindingUntested, Trunks: []string{name}, Since: last,
				Text: fmt.Sprintf("%s: no live call has reached a callee for %v", name, now.Sub(last).Truncate(time.Minute)),
			})
		}
		if last := latest(t.Drilled, since); s.cfg.drillEvery > 0 && now.Sub(last) >= s.cfg.drillEvery {
			list = append(list, Finding{
				Code: FindingDrillOverdue, Trunks: []string{name}, Since: last,
				Text: fmt.Sprintf("%s: not drilled for %v", name, now.Sub(last).Truncate(time.Hour)),
			})
		}
	}
	return list
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
