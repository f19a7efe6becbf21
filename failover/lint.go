package failover

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// Route is what Lint looks at: the candidates that calls to a destination group get. It is data.
type Route struct {
	Group string // name of the destination group
	Plan  []outdial.Candidate
}

// Finding is something that Lint or Alarms found. It is a plain value.
type Finding struct {
	Code   FindingCode
	Group  string   // destination group; "" = none
	Trunks []string // names, or ids where there are none
	Since  time.Time
	Text   string // for people
}

// FindingCode tells findings apart. Its text is stable.
type FindingCode string

// Codes of findings: of Lint, and of Alarms.
const (
	FindingFewTargets    FindingCode = "few_targets"    // a destination group with fewer than two live targets
	FindingSharedAddress FindingCode = "shared_address" // two trunks that share an address, and so their fate
	FindingSharedCarrier FindingCode = "shared_carrier" // a destination group whose targets are all one carrier's
	FindingNoBaseline    FindingCode = "no_baseline"    // a standby that too few calls have gone to
	FindingGated         FindingCode = "gated"          // a trunk that waits for a test to be passed
	FindingUntested      FindingCode = "untested"       // a trunk that no live call has reached for long
	FindingDrillOverdue  FindingCode = "drill_overdue"  // a trunk that was not drilled for long
	FindingConfigFault   FindingCode = "config_fault"   // a trunk that refuses calls for credentials, account or rights
	FindingOut           FindingCode = "out"            // a trunk, or a destination group on it, that is out
	FindingPoor          FindingCode = "poor"           // … whose figures are poor
)

// baselineLeast is how many live calls make a baseline.
const baselineLeast = 100

// Lint looks for what makes a failure worse than it need be. A target is live unless it is out, suspended, held or does not
// answer; a standby has a baseline when at least 100 of its calls are known.
func (s *Selector) Lint(now time.Time, routes []Route) []Finding {
	var list []Finding
	for _, r := range routes {
		var names []string
		carriers := map[outdial.CarrierID]int{}
		for i := range r.Plan {
			c := &r.Plan[i]
			g := outdial.GroupID(0)
			if s.ids != nil {
				g, _ = s.ids.Groups.Lookup(r.Group)
			}
			if s.Health(now, c.Trunk, g) > 0 {
				names = append(names, s.nameOf(c.Trunk))
				carriers[c.Carrier]++
			}
			if shut, since := s.shut(now, c.Trunk); shut {
				list = append(list, gated(r.Group, s.nameOf(c.Trunk), since))
			}
			if i > 0 && s.known(c.Trunk) < baselineLeast {
				list = append(list, Finding{
					Code: FindingNoBaseline, Group: r.Group, Trunks: []string{s.nameOf(c.Trunk)},
					Text: fmt.Sprintf("%s: the standby %s has had %.0f calls, too few to know what is usual there", r.Group, s.nameOf(c.Trunk), s.known(c.Trunk)),
				})
			}
		}
		switch {
		case len(names) < 2:
			list = append(list, Finding{
				Code: FindingFewTargets, Group: r.Group, Trunks: names,
				Text: fmt.Sprintf("%s: %d live targets, where there should be two at least", r.Group, len(names)),
			})
		case len(carriers) == 1 && carriers[0] == 0:
			list = append(list, Finding{
				Code: FindingSharedCarrier, Group: r.Group, Trunks: names,
				Text: fmt.Sprintf("%s: all targets are of one carrier: %s", r.Group, strings.Join(names, ", ")),
			})
		}
	}
	return append(list, s.sharedFate()...)
}

// Diversity is the effective number of carriers that a plan spreads over: the inverse of the chance that two candidates,
// each drawn by its share, are of the same carrier (E. H. Simpson, Nature 163, 1949). A tier in a fixed order counts as if
// its candidates had equal shares. 0 = there is no candidate.
func Diversity(plan []outdial.Candidate) float64 {
	shares, sum := map[outdial.CarrierID]float64{}, 0.0
	heavy := false
	for i := range plan {
		heavy = heavy || plan[i].Weight > 0
	}
	for i := range plan {
		w := float64(plan[i].Weight)
		if !heavy {
			w = 1
		}
		shares[plan[i].Carrier] += w
		sum += w
	}
	same := 0.0
	for _, w := range shares {
		same += w / sum * (w / sum)
	}
	if same == 0 {
		return 0
	}
	return 1 / same
}

// sharedFate finds trunks that are reached at the same address.
func (s *Selector) sharedFate() (list []Finding) {
	at := map[string][]string{}
	var addresses []string
	for _, t := range s.trunks {
		for _, a := range t.Addresses {
			a = strings.ToLower(strings.TrimSpace(a))
			if len(at[a]) == 0 {
				addresses = append(addresses, a)
			}
			if !slices.Contains(at[a], t.Name) {
				at[a] = append(at[a], t.Name)
			}
		}
	}
	for _, a := range addresses {
		if len(at[a]) > 1 {
			list = append(list, Finding{
				Code: FindingSharedAddress, Trunks: at[a],
				Text: fmt.Sprintf("%s are reached at the same address %s", strings.Join(at[a], " and "), a),
			})
		}
	}
	return list
}

func gated(group, name string, since time.Time) Finding {
	return Finding{
		Code: FindingGated, Group: group, Trunks: []string{name}, Since: since,
		Text: fmt.Sprintf("%s is left out until a test of it was passed", name),
	}
}

// shut reports whether a trunk waits for a test, and since when.
func (s *Selector) shut(now time.Time, t outdial.TrunkID) (bool, time.Time) {
	b := s.boards.get(t)
	if b == nil {
		return false, time.Time{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.gate.shut(now), b.gate.since()
}

// known is how many calls are behind what is known of a trunk.
func (s *Selector) known(t outdial.TrunkID) float64 {
	b := s.boards.get(t)
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return float64(b.whole.healthy + b.whole.failed)
}

func (s *Selector) nameOf(t outdial.TrunkID) string {
	if s.ids != nil {
		if name := s.ids.Trunks.Name(t); name != "" {
			return name
		}
	}
	return fmt.Sprintf("trunk %d", t)
}
