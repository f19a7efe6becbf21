package failover

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/outdial/outdial"
)

// Incident is the record of one outage of a target, from the first call that failed to its full return. It is a plain
// value; times that have not come are zero.
type Incident struct {
	Trunk     outdial.TrunkID
	Name      string          // of the trunk, where the Selector knows names
	Group     outdial.GroupID // 0 = the trunk as a whole
	GroupName string
	Why       string // what ejected it

	Began     time.Time // the first failure of the run that ejected it
	Detected  time.Time // when the evidence was half way there
	Isolated  time.Time // when it was ejected
	Noticed   time.Time // the first sign that it was back, after the last time it was ejected: by OPTIONS or a call; in a replay, a call
	Returned  time.Time // when it began to get its share again
	Recovered time.Time // when it had all of it

	Calls    int     // calls of the run that ejected it
	Failed   int     // … that failed
	Relapses int     // times that it was ejected again before it had recovered
	Probes   int     // calls that failed while it was tried
	Baseline float64 // its failure rate before
}

// TimeToShift is how long calls went on failing until they were sent elsewhere; 0 while nothing was isolated.
func (i *Incident) TimeToShift() time.Duration {
	if i.Isolated.IsZero() {
		return 0
	}
	return i.Isolated.Sub(i.Began)
}

// Cliff is how deep the answers fell before calls went elsewhere, as the share of them that failed beyond the baseline, and for
// how long (TimeToShift).
func (i *Incident) Cliff() (depth float64, width time.Duration) {
	if i.Calls == 0 {
		return 0, i.TimeToShift()
	}
	return max(float64(i.Failed)/float64(i.Calls)-i.Baseline, 0), i.TimeToShift()
}

// Learned says in a sentence what the outage showed.
func (i *Incident) Learned() string {
	s := fmt.Sprintf("%s: %d of %d calls failed against a baseline of %.1f %%", i.Why, i.Failed, i.Calls, 100*i.Baseline)
	if i.Relapses > 0 {
		s += fmt.Sprintf("; it came back too soon %d times", i.Relapses)
	}
	if i.Probes > 0 {
		s += fmt.Sprintf("; %d calls failed while it was tried", i.Probes)
	}
	return s
}

// maxIncidents is how many closed incidents a trunk keeps.
const maxIncidents = 32

// keepIncident moves a closed incident of a target to the trunk's record.
func (b *board) keepIncident(t *target) {
	if t.incident.Recovered.IsZero() {
		return
	}
	if len(b.past) >= maxIncidents {
		copy(b.past, b.past[1:])
		b.past = b.past[:maxIncidents-1]
	}
	b.past = append(b.past, t.incident)
	t.incident = Incident{}
}

// Incidents returns the outages that are on record, at most 32 closed ones a trunk, by trunk and time of isolation within
// it. The caller owns the slice.
func (s *Selector) Incidents(now time.Time) []Incident {
	var list []Incident
	for _, b := range s.boards.all() {
		if b == nil {
			continue
		}
		b.mu.Lock()
		b.advance(now, &s.cfg)
		b.settleAll()
		first := len(list)
		list = append(list, b.past...)
		for t := range b.targets() {
			if !t.incident.Isolated.IsZero() {
				list = append(list, t.incident)
			}
		}
		b.mu.Unlock()
		slices.SortFunc(list[first:], func(x, y Incident) int {
			return cmp.Or(x.Isolated.Compare(y.Isolated), cmp.Compare(x.Group, y.Group))
		})
	}
	if s.ids != nil {
		for i := range list {
			list[i].Name, list[i].GroupName = s.ids.Trunks.Name(list[i].Trunk), s.ids.Groups.Name(list[i].Group)
		}
	}
	return list
}
