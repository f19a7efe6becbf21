package main

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// detection is how outdial came to know that a trunk fails. It is found by replaying the journal through a selector of
// its own: the same events make the same health.
type detection struct {
	Trunk    string
	Allowed  int       // failures in a row that should be enough
	Row      int       // failures in a row that it took; the most that were seen, where it never came to that
	Noticed  time.Time // zero = never
	Ordinary int       // attempts that were sent there more than a second later, other than probes and last resorts

	from, until time.Time // what is looked at; zero = no bound

	before   failover.Target // at the event before
	selector *failover.Selector
	id       outdial.TrunkID
}

// newDetection looks for the trunk's first ejection from a moment on. Attempts after the ejection are counted up to until,
// since what is repaired gets its share again.
func newDetection(ids *outdial.Registry, trunk string, allowed int, from, until time.Time) (*detection, error) {
	selector, err := failover.New(failover.Config{IDs: ids})
	if err != nil {
		return nil, err
	}
	return &detection{
		Trunk: trunk, Allowed: allowed, from: from, until: until, selector: selector, id: ids.Trunks.ID(trunk),
	}, nil
}

// Observe implements outdial.Observer.
func (d *detection) Observe(ev *outdial.Event) {
	d.selector.Observe(ev)
	if ev.Attempt == nil || ev.Attempt.Candidate.Trunk != d.id {
		return
	}
	if !d.Noticed.IsZero() {
		ordinary := ev.Attempt.Choice.Why == outdial.WhyWeight || ev.Attempt.Choice.Why == outdial.WhyOrder
		open := d.until.IsZero() || ev.Time.Before(d.until)
		if ev.Kind == outdial.EventStarted && ordinary && open && ev.Time.Sub(d.Noticed) > time.Second {
			d.Ordinary++
		}
		return
	}
	for _, t := range d.selector.Snapshot(ev.Time) {
		if t.Trunk != d.id || t.Group != 0 {
			continue
		}
		before := d.before
		d.before = t
		if ev.Time.Before(d.from) {
			return
		}
		if before.State <= failover.Suspect && t.Failed > before.Failed { // what fails while it rests is no row
			d.Row = max(d.Row, before.Failures+1)
		}
		if t.State == failover.Out {
			d.Noticed = ev.Time
		}
	}
}
