package kpi_test

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// course is what differs between answered attempts.
type course struct {
	trunk     outdial.TrunkID
	group     outdial.GroupID
	start     time.Time
	pdd, talk time.Duration
}

// newCourses makes n of them, so far apart in the model's time.
func newCourses(n, trunks, groups int, pace time.Duration) []course {
	rng := rand.New(rand.NewPCG(1, 2))
	list := make([]course, n)
	for i := range list {
		list[i] = course{
			trunk: outdial.TrunkID(rng.IntN(trunks) + 1), group: outdial.GroupID(rng.IntN(groups) + 1),
			start: t0.Add(time.Duration(i) * pace), pdd: min(time.Duration(rng.ExpFloat64()*2e9), 9*time.Second),
			talk: time.Duration(rng.ExpFloat64() * 90e9),
		}
	}
	return list
}

// host makes one attempt after the other, and takes the courses in turn. Its attempt is used again, as a Session does.
type host struct {
	m       *kpi.Meter
	courses []course
	n       int            // attempts made
	id      outdial.CallID // of the last one
	apart   outdial.CallID // calls of other hosts between two of its own
	a       outdial.Attempt
	ev      outdial.Event
	_       [128]byte // two hosts share no cache line
}

// newHosts makes hosts that share the ids of one engine.
func newHosts(m *kpi.Meter, courses []course, n int) []*host {
	const nodeBits = 12
	hosts := make([]*host, n)
	for i := range hosts {
		hosts[i] = &host{
			m: m, courses: courses, n: i * 1777, id: outdial.CallID(i+1) << nodeBits, apart: outdial.CallID(n) << nodeBits,
		}
	}
	return hosts
}

// attempt makes one: Started, Progressed, Answered, Ended.
func (h *host) attempt() {
	c := &h.courses[h.n%len(h.courses)]
	h.n++
	h.id += h.apart
	a := &h.a
	a.ID = outdial.AttemptID{Call: h.id, Leg: 1}
	a.Call.ID, a.Start, a.State = h.id, c.start, outdial.AttemptOpen
	a.Candidate.Trunk, a.Candidate.Carrier, a.Call.Dest.Group = c.trunk, outdial.CarrierID(c.trunk), c.group
	a.Call.Program, a.Pool = 1, 1
	a.Timeline, a.Result = outdial.Timeline{}, outdial.Result{}
	h.observe(outdial.EventStarted, 0)
	a.Timeline.Set(outdial.MarkProvisional, c.pdd)
	a.Timeline.Set(outdial.MarkRinging, c.pdd)
	h.observe(outdial.EventProgressed, c.pdd)
	const answer = 10 * time.Second
	a.Timeline.Set(outdial.MarkAnswer, answer)
	a.State = outdial.AttemptAnswered
	h.observe(outdial.EventAnswered, answer)
	a.Timeline.Set(outdial.MarkEnd, answer+c.talk)
	a.State, a.Result.Origin = outdial.AttemptEnded, outdial.OriginCalleeHangup
	h.observe(outdial.EventEnded, answer+c.talk)
}

func (h *host) observe(kind outdial.EventKind, after time.Duration) {
	h.ev = outdial.Event{Kind: kind, Time: h.a.Start.Add(after), Attempt: &h.a}
	h.m.Observe(&h.ev)
}

// attempts makes so many.
func (h *host) attempts(n int) {
	for range n {
		h.attempt()
	}
}

// meet has hosts, one a core, at work for a while, so that they have met over the cells.
func meet(hosts []*host) {
	var all sync.WaitGroup
	for _, h := range hosts {
		all.Go(func() { h.attempts(400_000) })
	}
	all.Wait()
}

// estimate reads an estimate of every trunk and group.
func estimate(m *kpi.Meter, courses []course) {
	now := courses[len(courses)-1].start
	for i := range courses {
		c := outdial.Candidate{Trunk: courses[i].trunk}
		m.Estimate(now, &c, courses[i].group)
	}
}

func cores() int { return runtime.GOMAXPROCS(0) }
