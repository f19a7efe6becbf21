package trunk

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/outdial/outdial/internal/window"
)

// saveVersion is the version of what Save writes.
const saveVersion = 1

// saved is what Save writes, as JSON. Times are wall times, durations nanoseconds.
type saved struct {
	Version int          `json:"version"`
	Seq     uint64       `json:"seq"`
	Trunks  []savedTrunk `json:"trunks"`
}

// savedTrunk is what Observe has folded of one trunk.
type savedTrunk struct {
	Name     string       `json:"name"`
	Begun    time.Time    `json:"begun"` // where its clock stands at 0
	Latest   time.Time    `json:"latest"`
	State    State        `json:"configured"`
	Order    *savedOrder  `json:"order,omitempty"`
	Channels *savedAmount `json:"channels,omitempty"`
	CPS      *savedAmount `json:"cps,omitempty"`
	Promoted bool         `json:"promoted,omitempty"`
	Trial    [2]int       `json:"trial"`
	Since    time.Time    `json:"trial_from,omitzero"`
	Changes  []Change     `json:"changes,omitempty"`
	Up       int          `json:"up"` // attempts that had not ended

	// How long before Latest calls were seized, and attempts started, oldest first.
	Seized  []time.Duration `json:"seized,omitempty"`
	Started []time.Duration `json:"started,omitempty"`

	Learned    savedCeiling  `json:"learned"`
	LearnedCPS savedCeiling  `json:"learned_cps"`
	Burst      savedBurst    `json:"burst"`
	Counted    time.Time     `json:"counted,omitzero"` // since when
	Minutes    []savedMinute `json:"minutes,omitempty"`
	Reclaimed  uint64        `json:"reclaimed"`
}

type savedOrder struct {
	State   State     `json:"state"`
	Expires time.Time `json:"expires,omitzero"`
}

type savedAmount struct {
	N       int       `json:"n"`
	Expires time.Time `json:"expires,omitzero"`
}

type savedCeiling struct {
	Limit, Hits, Pending          int
	At, Moved, PendingAt, ProbeAt time.Time
	Rejects, Probes               uint64
}

type savedBurst struct {
	Spent, Total   time.Duration
	Mark, DayEnd   time.Time
	Open           bool
	Opened, Closed time.Time
}

type savedMinute struct {
	At                      time.Time
	Started, Refused, Ended uint32
	Held                    time.Duration
}

// Save writes what Observe has folded: orders, trials, learned ceilings, the time above what is paid for, the traffic of the
// last hour; and the calls that its limits per second, and Sustain, look back at. Call it in outdial.Engine.Checkpoint, with
// the Waterline's Seq. Channels in use are not part of it, and neither are counts of this process.
func (s *Set) Save(seq uint64) ([]byte, error) {
	out := saved{Version: saveVersion, Seq: seq}
	all := s.table.Load().all
	for _, t := range all {
		t.lock() // all of them at once: one state of all trunks
	}
	for _, t := range all {
		out.Trunks = append(out.Trunks, t.save())
	}
	for _, t := range all {
		t.unlock()
	}
	b, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		return nil, fmt.Errorf("trunk: save: %w", err)
	}
	return b, nil
}

func (t *line) save() savedTrunk {
	t.bill(t.latest)
	x := savedTrunk{
		Name: t.name, Begun: t.time(0), Latest: t.time(t.latest), State: t.terms.limits.State, Promoted: t.promoted,
		Trial: [2]int{t.trial.good, t.trial.bad}, Since: t.trialFrom, Changes: append([]Change(nil), t.changes...), Up: t.up,
		Learned: t.saveCeiling(&t.learned), LearnedCPS: t.saveCeiling(&t.learnCPS), Reclaimed: t.reclaimed,
		Burst: savedBurst{
			Spent: t.burst.spent, Total: t.burst.total, Mark: t.time(t.burst.mark), DayEnd: t.time(t.burst.dayEnd),
			Open: t.burst.open, Opened: t.time(t.burst.opened), Closed: t.time(t.burst.closed),
		},
	}
	if t.order.given {
		x.Order = &savedOrder{t.order.state, t.order.to}
	}
	if t.channels.given {
		x.Channels = &savedAmount{t.channels.n, t.channels.to}
	}
	if t.rate.given {
		x.CPS = &savedAmount{t.rate.n, t.rate.to}
	}
	if t.pace.gate != nil {
		x.Seized = t.ages(t.pace.gate, t.terms.longest())
	}
	if t.pace.kept > 0 {
		x.Seized = append(x.Seized, t.ages(t.pace.side, t.terms.longest())...)
	}
	if t.starts != nil {
		x.Started = t.ages(t.starts, startsKept)
	}
	if t.traffic != nil {
		x.Counted = t.time(t.counted)
	}
	for ago := trafficMinutes - 1; ago >= 0 && t.traffic != nil; ago-- {
		at := t.latest - window.Instant(ago)*window.Instant(time.Minute)
		if m := t.traffic.At(at); m != nil && *m != (minute{}) {
			x.Minutes = append(x.Minutes, savedMinute{t.time(at), m.started, m.refused, m.ended, m.held})
		}
	}
	return x
}

// startsKept is how far back starts are saved: a rejection comes no later after its start, as a rule.
const startsKept = 5 * time.Second

// ages says how long ago the events of a gate were, of those within a time. What has its time in the future is as of now.
func (t *line) ages(g *window.Gate, within time.Duration) (list []time.Duration) {
	for at := range g.Since(t.latest - window.Instant(within)) {
		list = append(list, time.Duration(max(t.latest-at, 0)))
	}
	return list
}

func (t *line) saveCeiling(c *ceiling) savedCeiling {
	return savedCeiling{
		Limit: c.limit, Hits: c.hits, Pending: c.pending, Rejects: c.rejects, Probes: c.probes,
		At: t.time(c.at), Moved: t.time(c.moved), PendingAt: t.time(c.pendingAt), ProbeAt: t.time(c.probeAt),
	}
}

// Restore makes a new Set know what Save wrote; Resumed tells the engine from where on to tell it more. Trunks are found by
// their names; what is saved of others is dropped, and a trial counts only where the configured state is still the same. Call
// it before the first call: a Set that has been asked or told something is not restored. The error names what is wrong with
// what was saved, and leaves the Set as it is.
func (s *Set) Restore(b []byte) error {
	var in saved
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return fmt.Errorf("trunk: restore: %w", err)
	}
	if in.Version != saveVersion {
		return fmt.Errorf("trunk: restore: version %d is not %d", in.Version, saveVersion)
	}
	var errs []error
	for i := range in.Trunks {
		if err := in.Trunks[i].validate(); err != nil {
			errs = append(errs, fmt.Errorf("trunk: restore: trunks[%d] %q: %w", i, in.Trunks[i].Name, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	byName := map[string]*line{}
	for _, t := range s.table.Load().all {
		t.lock()
		defer t.unlock()
		if t.begun {
			return fmt.Errorf("trunk: restore: %q is in use already", t.name)
		}
		byName[t.name] = t
	}
	for i := range in.Trunks {
		if t := byName[in.Trunks[i].Name]; t != nil {
			t.restore(&in.Trunks[i])
			delete(byName, t.name) // a name that is saved twice counts once
		}
	}
	s.resumed.Store(in.Seq)
	return nil
}

// Resumed implements outdial.Resumer: the sequence up to which what was restored goes, 0 if nothing was.
func (s *Set) Resumed() uint64 { return s.resumed.Load() }

// validate finds what no Save has written.
func (x *savedTrunk) validate() error {
	var errs []error
	bad := func(what string) { errs = append(errs, errors.New(what)) }
	for _, n := range []int{x.Trial[0], x.Trial[1], x.Up, x.Learned.Limit, x.LearnedCPS.Limit, x.Learned.Hits, x.LearnedCPS.Hits, x.Learned.Pending, x.LearnedCPS.Pending} {
		if n < 0 || n > MaxChannels {
			bad(fmt.Sprintf("%d is out of range", n))
		}
	}
	for _, a := range []*savedAmount{x.Channels, x.CPS} {
		if a != nil && (a.N < 1 || a.N > MaxChannels) {
			bad(fmt.Sprintf("a limit of %d is out of range", a.N))
		}
	}
	const age = 100 * 365 * 24 * time.Hour
	if x.Begun.After(x.Latest) || x.Latest.Sub(x.Begun) > age {
		bad("it does not begin before its latest time")
	}
	for _, at := range []time.Time{
		x.Learned.At, x.Learned.Moved, x.Learned.PendingAt, x.Learned.ProbeAt, x.LearnedCPS.At, x.LearnedCPS.Moved,
		x.LearnedCPS.PendingAt, x.LearnedCPS.ProbeAt, x.Burst.Opened, x.Burst.Closed, x.Counted,
	} {
		if !at.IsZero() && at.Sub(x.Latest).Abs() > age {
			bad(fmt.Sprintf("%v is out of range", at))
		}
	}
	if left := x.Burst.DayEnd.Sub(x.Latest); !x.Latest.IsZero() && (left <= 0 || left > 48*time.Hour || !x.Burst.Mark.Equal(x.Latest)) {
		bad("the day of the burst budget is not the one that it was saved on")
	}
	for _, list := range [][]time.Duration{x.Seized, x.Started} {
		if len(list) > maxSustain {
			bad("more calls than can be remembered")
		}
		for _, ago := range list {
			if ago < 0 || ago > time.Hour {
				bad(fmt.Sprintf("a call %v before it was saved is out of range", ago))
				break
			}
		}
	}
	if len(x.Changes) > maxChanges {
		bad("too many changes")
	}
	if x.Burst.Spent < 0 || x.Burst.Total < 0 || x.Burst.Spent > x.Burst.Total {
		bad("the time above the base is not possible")
	}
	for _, m := range x.Minutes {
		if m.Held < 0 || m.At.After(x.Latest) || x.Latest.Sub(m.At) > trafficMinutes*time.Minute {
			bad("a minute is not of the last hour")
		}
	}
	return errors.Join(errs...)
}

func (t *line) restore(x *savedTrunk) {
	if x.Latest.IsZero() {
		return
	}
	t.replaying = true // its clock is that of a journal
	t.clock(x.Begun)
	at := t.clock(x.Latest)
	t.replaying = false
	instant := func(w time.Time) window.Instant {
		if w.IsZero() {
			return 0
		}
		return t.shift + t.epoch.Instant(w)
	}
	if x.Order != nil {
		t.order = order{true, x.Order.State, x.Order.Expires}
	}
	if x.Channels != nil {
		t.channels = amount{true, x.Channels.N, x.Channels.Expires}
	}
	if x.CPS != nil {
		t.rate = amount{true, x.CPS.N, x.CPS.Expires}
	}
	if x.State == t.terms.limits.State {
		t.promoted, t.trial, t.trialFrom = x.Promoted, tally{x.Trial[0], x.Trial[1]}, x.Since
	}
	t.changes = append(t.changes[:0], x.Changes...)
	t.up, t.replayed, t.reclaimed = x.Up, x.Up, x.Reclaimed
	ceilingOf := func(c savedCeiling) ceiling {
		return ceiling{
			limit: c.Limit, hits: c.Hits, at: instant(c.At), moved: instant(c.Moved), pending: c.Pending,
			pendingAt: instant(c.PendingAt), probeAt: instant(c.ProbeAt), rejects: c.Rejects, probes: c.Probes,
		}
	}
	t.learned, t.learnCPS = ceilingOf(x.Learned), ceilingOf(x.LearnedCPS)
	for _, m := range x.Minutes {
		*t.minute(instant(m.At)) = minute{m.Started, m.Refused, m.Ended, m.Held}
	}
	if !x.Counted.IsZero() {
		t.minute(at)
		t.counted = instant(x.Counted)
	}
	t.burst = burst{
		mark: instant(x.Burst.Mark), spent: x.Burst.Spent, total: x.Burst.Total, dayEnd: instant(x.Burst.DayEnd),
		open: x.Burst.Open, opened: instant(x.Burst.Opened), closed: instant(x.Burst.Closed),
	}
	t.relimit(at)
	slices.SortFunc(x.Seized, func(a, b time.Duration) int { return cmp.Compare(b, a) })
	for _, ago := range x.Seized {
		t.pace.gate.Add(at - window.Instant(ago))
	}
	t.remembered = t.memory()
	t.starts, t.startsFrom = window.NewGate(window.Caps{}, t.remembered), at-window.Instant(startsKept)
	for _, ago := range x.Started {
		t.starts.Add(at - window.Instant(ago))
	}
}
