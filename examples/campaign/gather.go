package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/kpi/cdr"
)

// Failures in a row after which a trunk must rest, by the defaults of package failover: a baseline of 10 % failures, and
// one false alarm in a million runs. Silence takes half of it.
const (
	softFailures = 6
	hardFailures = 3
)

// opening is what is said before the first call.
func (c *campaign) opening() []string {
	lines := []string{
		"outdial campaign: simulated carriers on loopback, nothing leaves the machine.",
		fmt.Sprintf("  %d calls, %d seats, seed %d, %s calls/s; people ring and talk %s times faster, SIP does not",
			c.opts.Calls, c.opts.Seats, c.opts.Seed, trim(c.opts.CPS), trim(c.opts.Scale)),
		fmt.Sprintf("  proxy     dialers %s, carriers %s", c.proxy.Addr(), c.proxy.CarrierAddr()),
	}
	if addr := c.page.addr(); addr != nil {
		lines = append(lines, fmt.Sprintf("  page      http://%s/", addr))
	}
	lines = append(lines, "  carriers  calls/s: what the proxy may send, of what is agreed with the carrier")
	for _, p := range c.carriers {
		lines = append(lines, fmt.Sprintf("  %s  %s  weight %d, %d channels, %d of %d calls/s: %s",
			fit(p.Name, 8), p.sip.Addr(), p.Weight, p.Channels, p.CPS, p.Contract, p.About))
	}
	if c.opts.Keep {
		lines = append(lines, "  kept in   "+c.dir)
	}
	return append(lines, "")
}

// gather asks everybody what happened, when all is over.
func (c *campaign) gather(e *evidence) error {
	now, ids, s := time.Now(), c.proxy.IDs(), c.scenario
	e.Fates, e.Notices, e.Decision, e.Decided = c.dialer.fates(), s.notices, c.decision, c.decided
	e.Incidents, e.Drills = c.proxy.Failover().Incidents(now), c.proxy.Failover().Drills(now)
	e.Broken, e.Noticed, e.Healed, e.Back = s.broken, s.noticed, s.healed, s.back
	e.Total, _ = c.proxy.Meter().Cell(now, kpi.Key{View: kpi.Total})
	e.Live = make(map[string]liveFacts)
	for _, p := range c.carriers {
		var l liveFacts
		id := ids.Trunks.ID(p.Name)
		l.Cell, _ = c.proxy.Meter().Cell(now, kpi.Key{View: kpi.ByTrunk, Trunk: id})
		l.Status, _ = c.proxy.Trunks().Status(now, id)
		e.Live[p.Name] = l
		e.Carriers = append(e.Carriers, carrierFacts{profile: p.profile, Stats: p.sip.Stats(), Records: p.sip.Records()})
	}
	c.labelled(e)
	if err := c.detections(e); err != nil {
		return err
	}
	if err := e.replay(filepath.Join(c.dir, journalDir), ids, now); err != nil {
		return err
	}
	e.objections()
	return nil
}

// detections are the failing trunks whose ejection is looked for in the journal.
func (c *campaign) detections(e *evidence) error {
	add := func(trunk string, allowed int, from, until time.Time) error {
		d, err := newDetection(c.proxy.IDs(), trunk, allowed, from, until)
		e.Detections = append(e.Detections, d)
		return err
	}
	for _, p := range c.carriers {
		if p.Dead {
			if err := add(p.Name, hardFailures, time.Time{}, time.Time{}); err != nil {
				return err
			}
		}
	}
	if e.Broken.IsZero() {
		return nil
	}
	return add(good, softFailures, e.Broken, e.Healed)
}

// replay folds the whole journal: into a ledger, and into a meter like the proxy's, which is read as of now.
func (e *evidence) replay(dir string, ids *outdial.Registry, now time.Time) error {
	e.Ledger = newLedger(ids)
	meter, err := kpi.New(kpi.Config{IDs: ids})
	if err != nil {
		return err
	}
	other, err := otherPolicy(e.Carriers, ids, meter)
	if err != nil {
		return err
	}
	r, err := cdr.NewReader(cdr.ReaderConfig{Dir: dir, IDs: ids})
	if err != nil {
		return err
	}
	for ev, err := range r.All() {
		if err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		e.Ledger.Observe(ev)
		other.Observe(ev)
		meter.Observe(ev)
		for _, d := range e.Detections {
			d.Observe(ev)
		}
	}
	e.Other = tellPolicy(other.Policies()[0], ids)
	e.Told = told{Trunk: map[string]kpi.Cell{}}
	e.Told.Total, _ = meter.Cell(now, kpi.Key{View: kpi.Total})
	for _, c := range e.Carriers {
		e.Told.Trunk[c.Name], _ = meter.Cell(now, kpi.Key{View: kpi.ByTrunk, Trunk: ids.Trunks.ID(c.Name)})
	}
	return nil
}
