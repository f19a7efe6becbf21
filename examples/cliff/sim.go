package main

import (
	"container/heap"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

const (
	rate     = 10 // calls a second
	broken   = 30 * time.Second
	repaired = 150 * time.Second
	ends     = 240 * time.Second
	column   = 5 * time.Second
	prompt   = time.Second
	rings    = 500 * time.Millisecond // after the INVITE, where a carrier is well
	timerB   = 32 * time.Second       // RFC 3261 §17.1.1.2: when a silent INVITE has failed
)

// way is how a dialer deals with a carrier that says nothing.
type way struct {
	name     string
	patience time.Duration // how long a silent carrier is waited for
	hunts    bool          // then the next one is tried
	rests    bool          // and it is left alone: package failover
}

var ways = []way{
	{"one carrier a call", timerB, false, false},
	{"the next one after Timer B", timerB, true, false},
	{"the next one after a second (T100)", time.Second, true, false},
	{"package failover", time.Second, true, true},
}

// outcome is what became of the calls.
type outcome struct {
	placed, prompt [ends / column]int // by the column in which they were placed
	lost, delayed  int
	longest        time.Duration
}

// happening is something that is due at a time.
type happening struct {
	at time.Duration
	do func(at time.Duration)
}

type agenda []happening

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].at < a[j].at }
func (a agenda) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)        { *a = append(*a, x.(happening)) }
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// world is a simulated dialer.
type world struct {
	way
	outcome
	agenda agenda
	began  time.Time
	s      *failover.Selector
	plan   []outdial.Candidate
}

func simulate(w way) (outcome, error) {
	cfg := failover.Config{}
	if !w.rests { // turns by weight and nothing else
		cfg = failover.Config{Baseline: -1, HardCount: -1, PingEvery: -1, KeepWarm: -1}
	}
	s, err := failover.New(cfg)
	if err != nil {
		return outcome{}, err
	}
	x := &world{way: w, began: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), s: s, plan: []outdial.Candidate{
		{Trunk: 1, Weight: 95}, {Trunk: 2, Weight: 5},
	}}
	for i := range int(ends/time.Second) * rate {
		at := time.Duration(i) * time.Second / rate
		x.later(at, func(at time.Duration) { x.try(at, at, outdial.CallID(i+1), 0b11) })
	}
	for at := time.Duration(0); at < ends; at += time.Second {
		x.later(at, x.ping)
	}
	for len(x.agenda) > 0 {
		h := heap.Pop(&x.agenda).(happening)
		h.do(h.at)
	}
	return x.outcome, nil
}

func (x *world) later(at time.Duration, do func(time.Duration)) {
	heap.Push(&x.agenda, happening{at, do})
}

func silent(trunk outdial.TrunkID, at time.Duration) bool {
	return trunk == 1 && at >= broken && at < repaired
}

// try sends a call that was placed before to one of the carriers that are left.
func (x *world) try(at, placed time.Duration, id outdial.CallID, left uint64) {
	call := outdial.Call{ID: id}
	i, choice := x.s.Pick(x.began.Add(at), &call, x.plan, left)
	left &^= 1 << i
	a := &outdial.Attempt{
		ID: outdial.AttemptID{Call: id, Leg: 1}, Call: call, Candidate: x.plan[i], Choice: choice, Start: x.began.Add(at),
		State: outdial.AttemptOpen,
	}
	x.tell(at, outdial.EventStarted, a)
	if !silent(a.Candidate.Trunk, at) {
		x.later(at+rings, func(at time.Duration) {
			a.Timeline.Set(outdial.MarkProvisional, rings)
			x.tell(at, outdial.EventProgressed, a)
			x.rang(placed, at-placed)
		})
		return
	}
	x.later(at+x.patience, func(at time.Duration) {
		a.State, a.Abandoned = outdial.AttemptAbandoned, outdial.Result{Origin: outdial.OriginNoTrying}
		x.tell(at, outdial.EventAbandoned, a)
		if !x.hunts || left == 0 {
			x.placed[placed/column]++
			x.lost++
			return
		}
		x.try(at, placed, id, left)
	})
}

func (x *world) tell(at time.Duration, kind outdial.EventKind, a *outdial.Attempt) {
	ev := outdial.Event{Kind: kind, Time: x.began.Add(at), Attempt: a}
	if kind == outdial.EventProgressed {
		ev.Marks = outdial.MarkProvisional.Of()
	}
	x.s.Observe(&ev)
}

// ping answers the OPTIONS that are due.
func (x *world) ping(at time.Duration) {
	due, _ := x.s.DuePings(x.began.Add(at), nil)
	for _, trunk := range due {
		code := 200
		if silent(trunk, at) {
			code = 0
		}
		x.s.Pinged(x.began.Add(at), trunk, code)
	}
}

// rang counts a call that rings.
func (x *world) rang(placed, after time.Duration) {
	x.placed[placed/column]++
	if after <= prompt {
		x.prompt[placed/column]++
	}
	if late := after - rings; late > 0 {
		x.delayed++
		x.longest = max(x.longest, late)
	}
}

func (o *outcome) share(i int) float64 { return float64(o.prompt[i]) / float64(max(o.placed[i], 1)) }

// plot draws the share of the calls that ring promptly.
func (o *outcome) plot() string {
	levels := []rune("·▁▂▃▄▅▆▇█")
	var b strings.Builder
	for i := range o.placed {
		b.WriteRune(levels[int(o.share(i)*float64(len(levels)-1)+0.5)])
	}
	return b.String()
}

// cliff is how far that share fell, and for how long less than 95 % of it was left.
func (o *outcome) cliff() (depth float64, width time.Duration) {
	for i := range o.placed {
		depth = max(depth, 1-o.share(i))
		if o.share(i) < 0.95 {
			width += column
		}
	}
	return depth, width
}
