package failover

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/seal"
)

// Save writes all that the Selector has learned from events, as of one of the journal: call it in outdial.Engine.Checkpoint,
// with the Waterline's Seq. A Selector that is restored from it and told the events behind seq is as one that was told all of
// them, whatever the journal keeps of those before.
func (s *Selector) Save(seq uint64) ([]byte, error) {
	out := saved{Seq: seq, Slowest: time.Duration(s.slowest.Load())}
	for _, b := range s.boards.all() {
		if b == nil {
			continue
		}
		b.mu.Lock()
		out.Trunks = append(out.Trunks, b.save(s.ids))
		b.mu.Unlock()
	}
	for _, f := range s.flips() {
		out.Orders = append(out.Orders, f.save())
	}
	body, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("failover: save: %w", err)
	}
	return seal.Close(savedKind, append(seal.Begin(savedKind), body...)), nil
}

func (b *board) save(ids *outdial.Registry) savedTrunk {
	x := savedTrunk{
		Launch: b.launchTo, Drilled: b.drilled, Full: b.full, Faults: b.faults, Faulted: b.faultAt, Open: b.open,
		Answered: b.answered, Reached: b.reached, Trunk: saveID(trunkNames(ids), b.id), Carrier: saveID(carrierNames(ids), b.carrier),
	}
	for i := range b.past {
		x.Past = append(x.Past, b.past[i].save(ids))
	}
	if b.held {
		x.Hold = &savedHold{b.heldFrom, b.heldTo}
	}
	if !b.gate.at.IsZero() {
		x.Gate = &savedGate{b.gate.passed, b.gate.at, b.gate.until}
	}
	for t := range b.targets() {
		x.Targets = append(x.Targets, t.save(ids))
	}
	return x
}

func (t *target) save(ids *outdial.Registry) savedTarget {
	x := savedTarget{
		Group: saveID(groupNames(ids), t.group), State: t.state, Why: t.why, Since: t.since, Until: t.until,
		Doubt: t.doubt, SilentAt: t.silentAt,
		Good: t.good, Ejections: t.ejections, Ejected: t.ejected, Returned: t.returned, Healthy: t.healthy, Failed: t.failed,
		RunFrom: t.runFrom, Suspected: t.suspected, Setup: savedSetup{t.setup.n, t.setup.mean, t.setup.dev},
		Test: savedTest{
			Calls: t.test.calls, Failed: t.test.failed, Since: t.test.since, P0: t.test.p0, Alarm: t.test.alarm,
			SoftAt: t.test.softAt, HardAt: t.test.hardAt, Soft: t.test.soft, Hard: t.test.hard, Sum: t.test.sum,
			RunCalls: t.test.runCalls, RunFailed: t.test.runFailed,
		},
	}
	if t.probe.out {
		x.Probe = &savedProbe{t.probe.call, t.probe.from, t.probe.to}
	}
	if t.incident != (Incident{}) {
		i := t.incident.save(ids)
		x.Incident = &i
	}
	for _, s := range t.tally.slots {
		if s.Tally != (Tally{}) {
			x.Slots = append(x.Slots, savedSlot{s.n, s.save()})
		}
	}
	return x
}

func (i *Incident) save(ids *outdial.Registry) savedIncident {
	return savedIncident{
		Group: saveID(groupNames(ids), i.Group), Why: i.Why, Began: i.Began, Detected: i.Detected, Isolated: i.Isolated,
		Noticed: i.Noticed, Returned: i.Returned, Recovered: i.Recovered, Calls: i.Calls, Failed: i.Failed, Relapses: i.Relapses,
		Probes: i.Probes, Baseline: i.Baseline,
	}
}

func (t *Tally) save() savedTally {
	return savedTally{t.Started, t.Reached, t.Answered, t.pdd, t.pddSquares, t.pdds}
}

func (f *flip) save() savedOrder {
	x := savedOrder{Order: f.order, From: f.from, Expires: f.expires, Ended: f.ended}
	if f.drill {
		f.report.mu.Lock()
		d := f.report.Drill
		f.report.mu.Unlock()
		x.Drill = &savedDrill{
			Actor: d.Actor, Reason: d.Reason, Until: d.Until, Over: d.Over, Cut: d.Cut,
			Before: savedSides{d.Before.To.save(), d.Before.Others.save()}, During: savedSides{d.During.To.save(), d.During.Others.save()},
		}
	}
	return x
}
