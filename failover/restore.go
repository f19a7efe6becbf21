package failover

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/seal"
)

// ErrSaved says that what was given to Restore is nothing that Save has written for a Selector like this one.
var ErrSaved = errors.New("failover: not what a Selector has saved")

// Restore makes a new Selector know what Save wrote; Resumed tells the engine from where on to tell it more. Only a Selector that
// has learned nothing takes it. Trunks and groups are found by their names; thresholds follow the configuration of this
// Selector, what was learned stands. The error, which wraps ErrSaved where b is not fit, says what is wrong, and leaves the
// Selector as it is.
func (s *Selector) Restore(b []byte) error {
	in, err := readSaved(b)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSaved, err)
	}
	if s.resumed.Load() > 0 || s.orders.Load() != nil || slices.ContainsFunc(s.boards.all(), (*board).used) {
		return errors.New("failover: restore: the Selector has learned something already")
	}
	if s.ids == nil && in.named() {
		return fmt.Errorf("%w: it has names, and there is no registry", ErrSaved)
	}
	s.addNames(in)
	boards, err := s.restoreBoards(in)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSaved, err)
	}
	orders, err := s.restoreOrders(in)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSaved, err)
	}
	s.boards.replace(boards)
	if len(orders) > 0 {
		s.orders.Store(&orders)
	}
	s.slow(in.Slowest)
	s.resumed.Store(in.Seq)
	return nil
}

// Resumed implements outdial.Resumer: the sequence up to which a restored snapshot goes, 0 without one.
func (s *Selector) Resumed() uint64 { return s.resumed.Load() }

var _ outdial.Resumer = (*Selector)(nil)

func readSaved(b []byte) (*saved, error) {
	content, err := seal.Open(savedKind, b)
	if err != nil {
		return nil, err
	}
	in := new(saved)
	dec := json.NewDecoder(bytes.NewReader(content))
	dec.DisallowUnknownFields()
	if err := dec.Decode(in); err != nil {
		return nil, err
	}
	return in, in.check()
}

// used reports whether anything was learned of the trunk. It may be nil.
func (b *board) used() bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.whole.healthy+b.whole.failed+b.full+b.faults > 0 || b.open > 0 || b.groups.n > 0 || b.held || len(b.past) > 0
}

// named reports whether anything stands by its name.
func (in *saved) named() bool {
	named := len(in.Orders) > 0
	for i := range in.Trunks {
		t := &in.Trunks[i]
		named = named || t.Trunk.Name != "" || t.Carrier.Name != ""
		for k := range t.Targets {
			named = named || t.Targets[k].Group.Name != ""
		}
	}
	return named
}

// addNames gives every name an id, all at once, as each change of a registry copies it.
func (s *Selector) addNames(in *saved) {
	if s.ids == nil {
		return
	}
	var trunks, carriers, groups []string
	for i := range in.Trunks {
		t := &in.Trunks[i]
		trunks, carriers = append(trunks, t.Trunk.Name), append(carriers, t.Carrier.Name)
		for k := range t.Targets {
			groups = append(groups, t.Targets[k].Group.Name)
		}
	}
	for i := range in.Orders {
		trunks, groups = append(trunks, in.Orders[i].Order.To...), append(groups, in.Orders[i].Order.Group)
	}
	s.ids.Trunks.Add(trunks...)
	s.ids.Carriers.Add(carriers...)
	s.ids.Groups.Add(groups...)
}

// restoreBoards makes the boards of what was saved, and keeps those of trunks that are configured besides.
func (s *Selector) restoreBoards(in *saved) ([]*board, error) {
	table := slices.Clone(s.boards.all())
	for i := range in.Trunks {
		x := &in.Trunks[i]
		id := restoreID(trunkNames(s.ids), x.Trunk)
		if id == 0 || id > maxTrunk {
			return nil, fmt.Errorf("trunks[%d]: trunk: %d is not within 1 and %d", i, id, maxTrunk)
		}
		for len(table) <= int(id) {
			table = append(table, nil)
		}
		b := s.boards.fresh(id, s.cfg.baseline)
		if was := table[id]; was != nil { // it is configured
			b.gate.needed = was.gate.needed
			b.whole.test = was.whole.test
		}
		if err := b.restore(s, x); err != nil {
			return nil, fmt.Errorf("trunks[%d]: %w", i, err)
		}
		table[id] = b
	}
	return table, nil
}

func (b *board) restore(s *Selector, x *savedTrunk) error {
	b.carrier = restoreID(carrierNames(s.ids), x.Carrier)
	b.launchTo, b.drilled, b.full, b.faults, b.faultAt = x.Launch, x.Drilled, x.Full, x.Faults, x.Faulted
	b.open, b.answered, b.reached = x.Open, x.Answered, x.Reached
	if x.Hold != nil {
		b.held, b.heldFrom, b.heldTo = true, x.Hold.From, x.Hold.Until
	}
	if x.Gate != nil {
		b.gate.tell(x.Gate.At, x.Gate.Passed, x.Gate.Until)
	}
	for i := range x.Past {
		b.past = append(b.past, x.Past[i].restore(b.id, s.ids))
	}
	for i := range x.Targets {
		t := &b.whole
		if i > 0 {
			g := restoreID(groupNames(s.ids), x.Targets[i].Group)
			if b.groups.get(g) != nil {
				return fmt.Errorf("targets[%d]: group: it is there twice", i)
			}
			if t = b.openGroup(g); t == nil {
				return fmt.Errorf("targets[%d]: group: %d is none, or they are too many", i, g)
			}
		}
		t.restore(s, &x.Targets[i])
	}
	b.silence.Store(b.inRow())
	return nil
}

func (t *target) restore(s *Selector, x *savedTarget) {
	t.state, t.why, t.since, t.until = x.State, x.Why, x.Since, x.Until
	t.doubt, t.silentAt, t.good, t.ejections, t.ejected, t.returned = x.Doubt, x.SilentAt, x.Good, x.Ejections, x.Ejected, x.Returned
	t.healthy, t.failed, t.runFrom, t.suspected = x.Healthy, x.Failed, x.RunFrom, x.Suspected
	t.setup = setup{x.Setup.N, x.Setup.Mean, x.Setup.Dev}
	if x.Probe != nil {
		t.probe = claim{out: true, call: x.Probe.Call, from: x.Probe.From, to: x.Probe.To}
	}
	if x.Incident != nil {
		t.incident = x.Incident.restore(t.id, s.ids)
	}
	for i := range x.Slots {
		if at := t.tally.slot(x.Slots[i].N * t.tally.minutes); at != nil {
			*at = x.Slots[i].restore()
		}
	}
	y := &x.Test
	given := t.test
	t.test = test{
		calls: y.Calls, failed: y.Failed, since: y.Since, soft: y.Soft, hard: y.Hard, sum: y.Sum, runCalls: y.RunCalls,
		runFailed: y.RunFailed,
	}
	if s.cfg.learn <= 0 { // a baseline that is not learned is the configured one
		t.test.calls, t.test.failed = given.calls, given.failed
		if t.test.baseline() != y.Failed/y.Calls {
			return
		}
	}
	for _, cfg := range [2]*settings{&s.cfg, &s.launch} { // the thresholds, where the configuration still gives the same
		again := t.test
		again.p0, again.alarm = y.P0, y.Alarm
		if y.P0 == 0 || cfg.falseAlarm != y.Alarm {
			continue
		}
		if again.thresholds(cfg); again.softAt == y.SoftAt && again.hardAt == y.HardAt {
			t.test = again
			return
		}
	}
}

func (x *savedIncident) restore(trunk outdial.TrunkID, ids *outdial.Registry) Incident {
	return Incident{
		Trunk: trunk, Group: restoreID(groupNames(ids), x.Group), Why: x.Why, Began: x.Began, Detected: x.Detected,
		Isolated: x.Isolated, Noticed: x.Noticed, Returned: x.Returned, Recovered: x.Recovered, Calls: x.Calls, Failed: x.Failed,
		Relapses: x.Relapses, Probes: x.Probes, Baseline: x.Baseline,
	}
}

func (x *savedTally) restore() Tally {
	return Tally{x.Started, x.Reached, x.Answered, x.PDD, x.Squares, x.PDDs}
}

func (s *Selector) restoreOrders(in *saved) (list []*flip, err error) {
	for i := range in.Orders {
		x := &in.Orders[i]
		f, err := s.resolve(x.Order)
		if err != nil {
			return nil, fmt.Errorf("orders[%d]: %w", i, err)
		}
		f.from, f.expires, f.ended = x.From, x.Expires, x.Ended
		if d := x.Drill; d != nil {
			f.drill = true
			f.report = &drillBook{Drill: Drill{
				Order: x.Order, Actor: d.Actor, Reason: d.Reason, From: x.From, Until: d.Until, Over: d.Over, Cut: d.Cut,
				Before: Sides{d.Before.To.restore(), d.Before.Others.restore()}, During: Sides{d.During.To.restore(), d.During.Others.restore()},
			}}
		}
		list = append(list, f)
	}
	return list, nil
}
