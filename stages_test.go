package outdial_test

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/outdial/outdial"
)

// The stages below are as plain as can be: they count what is held, refuse where a test tells them to, and keep a
// log of what the engine asked of them.

var (
	errFull  = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedCapacity, "full", "no free channel")
	errRate  = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedCapacity, "rate", "too many calls per second")
	errNoCLI = outdial.NewRefusal(outdial.StageCLI, outdial.RefusedByPolicy, "no_number", "no number may be presented")
	errDeny  = outdial.NewRefusal(outdial.StageRouting, outdial.RefusedByPolicy, "denied", "the callee is on the deny list")
	errDisk  = errors.New("disk full")
)

type testRouter struct {
	plan outdial.Plan
	deny map[outdial.Number]bool
}

func (r *testRouter) Admit(_ time.Time, c *outdial.Call) (time.Time, error) {
	if r.deny[c.To] {
		return time.Time{}, errDeny
	}
	return time.Time{}, nil
}

func (r *testRouter) Route(_ time.Time, c *outdial.Call, dst []outdial.Candidate) ([]outdial.Candidate, error) {
	c.Record().Num(outdial.StageRouting, 0, "candidates", float64(len(r.plan)))
	return append(dst, r.plan...), nil
}

type testFailover struct{ picks, returns int }

func (f *testFailover) Pick(_ time.Time, c *outdial.Call, plan []outdial.Candidate, eligible uint64) (int, outdial.Choice) {
	for i := range plan {
		if eligible&(1<<i) != 0 {
			f.picks++
			c.Record().Num(outdial.StageFailover, plan[i].Trunk, "weight", float64(plan[i].Weight))
			return i, outdial.Choice{Why: outdial.WhyOrder, Probability: 1}
		}
	}
	return -1, outdial.Choice{}
}

func (f *testFailover) Return(time.Time, *outdial.Call, []outdial.Candidate, uint64, int, outdial.Choice) {
	f.returns++
}

func (f *testFailover) Verdict(a *outdial.Attempt) outdial.Verdict {
	res := a.Outcome()
	switch {
	case res.Origin == outdial.OriginCarrier && res.Code/100 != 5:
		return outdial.VerdictStop
	case res.Origin == outdial.OriginNoAnswer:
		return outdial.VerdictStop
	}
	return outdial.VerdictAdvance
}

func (f *testFailover) Observe(*outdial.Event) {}

// holds counts what is held; giving back what is not held, or twice, is a fault.
type holds struct {
	mu     sync.Mutex
	next   outdial.Lease
	held   map[outdial.Lease]bool
	undone int
	faults int
}

func (h *holds) take() outdial.Lease {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held == nil {
		h.held = map[outdial.Lease]bool{}
	}
	h.next++
	h.held[h.next] = true
	return h.next
}

func (h *holds) give(l outdial.Lease, undo bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l != 0 && !h.held[l] {
		h.faults++
	}
	delete(h.held, l)
	if undo {
		h.undone++
	}
}

type testTrunks struct {
	holds
	full    map[outdial.TrunkID]time.Time // refuses a channel; the time says when to ask again
	rate    map[outdial.TrunkID]time.Time // refuses the call per second
	spacing time.Duration
	left    []outdial.TrunkID // trunks that were told that a call will not ask again
}

func (t *testTrunks) Leave(_ time.Time, _ *outdial.Call, c *outdial.Candidate) {
	t.left = append(t.left, c.Trunk)
}

func (t *testTrunks) Acquire(now time.Time, _ *outdial.Call, c *outdial.Candidate) (outdial.Lease, time.Time, error) {
	if again, ok := t.full[c.Trunk]; ok && (again.IsZero() || now.Before(again)) {
		return 0, again, errFull
	}
	return t.take(), time.Time{}, nil
}

func (t *testTrunks) Seize(now time.Time, _ *outdial.Call, c *outdial.Candidate, _ outdial.Lease) (time.Time, error) {
	if again, ok := t.rate[c.Trunk]; ok && now.Before(again) {
		return again, errRate
	}
	return now.Add(t.spacing), nil
}
func (t *testTrunks) Release(_ time.Time, l outdial.Lease) { t.give(l, false) }
func (t *testTrunks) Undo(_ time.Time, l outdial.Lease)    { t.give(l, true) }
func (t *testTrunks) Observe(*outdial.Event)               {}

type testCLIs struct {
	holds
	none map[outdial.TrunkID]bool
	prev []outdial.Number
}

func (c *testCLIs) Admit(time.Time, *outdial.Call) (time.Time, error) { return time.Time{}, nil }

func (c *testCLIs) Reserve(_ time.Time, _ *outdial.Call, cand *outdial.Candidate, prev outdial.Number) (outdial.Presentation, time.Time, error) {
	c.prev = append(c.prev, prev)
	if c.none[cand.Trunk] {
		return outdial.Presentation{}, time.Time{}, errNoCLI
	}
	return outdial.Presentation{Number: 13125550100, Pool: 1, Lease: c.take()}, time.Time{}, nil
}
func (c *testCLIs) Release(_ time.Time, l outdial.Lease) { c.give(l, false) }
func (c *testCLIs) Undo(_ time.Time, l outdial.Lease)    { c.give(l, true) }
func (c *testCLIs) Observe(*outdial.Event)               {}

// testJournal keeps copies of what is appended, and fails when it is told to.
type testJournal struct {
	mu     sync.Mutex
	events []outdial.Event
	broken bool
}

func (j *testJournal) Append(ev *outdial.Event) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken {
		return errDisk
	}
	ev.Seq = uint64(len(j.events)) + 1
	j.events = append(j.events, copyEvent(ev))
	return nil
}

func (j *testJournal) Replay(after uint64, fn func(*outdial.Event) error) error {
	for i := range j.events {
		ev := copyEvent(&j.events[i])
		ev.Replay = true
		if ev.Attempt != nil {
			ev.Attempt.Channel, ev.Attempt.Use = 0, 0
		}
		if ev.Seq > after {
			if err := fn(&ev); err != nil {
				return err
			}
		}
	}
	return nil
}

func (j *testJournal) kinds() (ks []outdial.EventKind) {
	for i := range j.events {
		ks = append(ks, j.events[i].Kind)
	}
	return ks
}

func copyEvent(ev *outdial.Event) outdial.Event {
	c := *ev
	if ev.Attempt != nil {
		a := *ev.Attempt
		c.Attempt = &a
	}
	return c
}

// watcher keeps copies of what it observes.
type watcher struct{ events []outdial.Event }

func (w *watcher) Observe(ev *outdial.Event) { w.events = append(w.events, copyEvent(ev)) }

// world is an engine over plain stages, with two trunks "a" and "b".
type world struct {
	ids      *outdial.Registry
	router   *testRouter
	failover *testFailover
	trunks   *testTrunks
	clis     *testCLIs
	journal  *testJournal
	watcher  *watcher
	engine   *outdial.Engine
	now      time.Time
}

var start = time.Date(2026, 11, 3, 15, 0, 0, 0, time.UTC)

func newWorld(change func(*outdial.Config)) *world {
	w := &world{
		ids: new(outdial.Registry), failover: new(testFailover), journal: new(testJournal), watcher: new(watcher),
		trunks: &testTrunks{full: map[outdial.TrunkID]time.Time{}, rate: map[outdial.TrunkID]time.Time{}},
		clis:   &testCLIs{none: map[outdial.TrunkID]bool{}}, now: start,
	}
	w.router = &testRouter{deny: map[outdial.Number]bool{12125550199: true}, plan: outdial.Plan{
		{Trunk: w.ids.Trunks.ID("a"), Carrier: w.ids.Carriers.ID("alpha"), Weight: 1, Cost: 4000, Matched: 1212},
		{Trunk: w.ids.Trunks.ID("b"), Carrier: w.ids.Carriers.ID("beta"), Tier: 1, Weight: 1, Cost: 6000, Matched: 1},
	}}
	cfg := outdial.Config{
		IDs: w.ids, Router: w.router, Failover: w.failover, Trunks: w.trunks, CLIs: w.clis, Journal: w.journal,
		Observers: []outdial.Observer{w.watcher}, Now: func() time.Time { return w.now },
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if w.engine, err = outdial.New(cfg); err != nil {
		panic(err)
	}
	return w
}

func (w *world) trunk(name string) outdial.TrunkID { return w.ids.Trunks.ID(name) }

// tick moves the clock and returns it.
func (w *world) tick(d time.Duration) time.Time {
	w.now = w.now.Add(d)
	return w.now
}

// clean reports whether nothing is held and nothing was given back that was not held.
func (w *world) clean() bool {
	return len(w.trunks.held) == 0 && len(w.clis.held) == 0 && w.trunks.faults == 0 && w.clis.faults == 0
}

func (w *world) skippedTrunks(err error) (names []string) {
	var no *outdial.NoRouteError
	if errors.As(err, &no) {
		for _, s := range no.Skipped {
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	return names
}
