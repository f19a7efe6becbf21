package cli

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// life is what has happened to a number beyond its calls.
type life struct {
	hold    window.Instant // an operator's quarantine, until; Never = none
	since   int64          // of the state, Unix seconds
	until   window.Instant // of a quarantine by the rules, or of a callback hold; noWake = not by itself
	stage   uint8          // of the ramp
	stageAt window.Instant
	trial   float32 // of a number in rehab: evidence that it is still decayed
	rested  []int64 // when its quarantines began, Unix seconds, the newest last; those that count
	labels  []label

	reported []report       // attestation, by carrier
	redress  *Redress       // of its last block that named one
	shared   window.Instant // the Ledger has no room for it before; Never = it has not said so
	nets     map[outdial.NetworkID]*conduct
}

// label is what an engine said of a number last.
type label struct {
	engine string
	status outdial.LabelStatus
	until  int64 // Unix seconds
}

func (n *number) lived() *life {
	if n.life == nil {
		n.life = &life{hold: window.Never, until: noWake, stageAt: window.Never, shared: window.Never}
	}
	return n.life
}

// setHold sets an operator's quarantine, until an instant; Never = none.
func (n *number) setHold(until window.Instant) {
	l := n.lived()
	l.hold = until
	n.held = l.hold != window.Never || l.shared != window.Never
}

// setShared keeps the number until the Ledger may have room for it.
func (n *number) setShared(until window.Instant) { n.lived().shared, n.held = until, true }

// ripe is when a number that is not presented changes its state by itself.
func (n *number) ripe() window.Instant {
	if n.life == nil || n.state != StateQuarantined && n.state != StateRetiring {
		return noWake
	}
	return n.life.until
}

// enter moves a number to a state, with the figures that led to it, and notes it. The caller settles the number.
func (g *Governor) enter(now moment, n *number, to State, actor, reason string, figures ...Figure) {
	l := n.lived()
	e := Entry{
		Time: g.clock.time(now.at), Number: n.number, From: n.state, To: to, Actor: actor, Reason: reason, Figures: figures,
	}
	if n.pool != nil {
		e.Pool = n.pool.name
	}
	g.audit.add(e)
	if n.pool != nil && n.listed {
		n.pool.watch.moved(n.state, to)
	}
	n.state, l.since, l.until = to, now.unix, noWake
	switch to {
	case StateQuarantined:
		l.until = now.at + window.Instant(g.rules.rest)
		l.rested = append(l.rested, now.unix)
	case StateRehab:
		n.conduct.reset()
		l.trial = 0
		clear(l.nets)
	case StateWarming:
		l.stageAt = now.at
	case StateRetiring:
		l.until = max(n.uses.last, now.at-day*400) + window.Instant(g.rules.callback)
		if n.uses.last == window.Never {
			l.until = now.at + window.Instant(g.rules.callback)
		}
	}
	g.reshare(n)
}

// reshare sets how much of its caps a number may use, and how much it is preferred, by its state.
func (g *Governor) reshare(n *number) {
	n.share, n.weight = whole, whole
	if g.rules.off {
		return
	}
	switch n.state {
	case StateWarming:
		stage := 0
		if n.life != nil {
			stage = int(n.life.stage)
		}
		if stage < len(g.rules.ramp) {
			n.share = g.rules.ramp[stage]
		}
	case StateProbation, StateRehab:
		n.share = g.rules.suspect
	}
	n.weight = n.conduct.weight(&g.rules)
}

// ripen makes the changes of state that time makes, as at the instant that they are due: whoever asks later finds the same.
func (g *Governor) ripen(now moment, n *number) {
	if n.state != StateQuarantined && n.state != StateRetiring || g.rules.off || now.at < n.ripe() {
		return
	}
	due := moment{n.life.until, g.clock.time(n.life.until).Unix()}
	switch n.state {
	case StateQuarantined:
		if worst := n.life.worst(due.unix); worst >= g.rules.onLabel && g.rules.onLabel != 0 {
			g.enter(due, n, StateRetiring, byRules, "still labelled after its rest",
				Figure{"label", float64(worst)}, Figure{"rest_days", float64(g.rules.rest / day)})
			g.notify(due, n, NoticeRetire, "still labelled after its rest")
			return
		}
		g.enter(due, n, StateRehab, byRules, "rested", Figure{"rest_days", float64(g.rules.rest / day)})
	case StateRetiring:
		g.enter(due, n, StateReleased, byRules, "no call for as long as calls back are taken",
			Figure{"hold_days", float64(g.rules.callback / day)})
		g.notify(due, n, NoticeRelease, "give it back to its carrier")
	}
}

// due makes the changes of state that a number is due, before something is learned of it.
func (g *Governor) due(now moment, slot int32) {
	if n := &g.numbers[slot]; n.pool != nil && now.at >= n.ripe() {
		g.settle(slot, now, false)
	}
}

// idled moves a warming number a stage down whose last use before the one at a stamp is long ago. The use has left, or is about
// to: one that is taken back says nothing.
func (g *Governor) idled(now moment, slot int32, stamp window.Instant) {
	n, r := &g.numbers[slot], &g.rules
	if n.pool == nil || n.state != StateWarming || r.off || len(r.ramp) == 0 {
		return
	}
	l := n.lived()
	if l.stageAt == window.Never {
		l.stageAt = now.at
	}
	last := n.uses.before(stamp)
	if last == window.Never || now.at-last <= r.idle {
		return
	}
	if l.stage > 0 {
		l.stage--
	}
	l.stageAt = now.at
	g.staged(now, slot, "idle: a stage back", Figure{"stage", float64(l.stage)}, Figure{"idle_days", float64((now.at - last) / day)})
}

// warm moves a number a stage up its ramp when the stage has lasted, was used and shows nothing suspicious. It is called when an
// attempt is over that left.
func (g *Governor) warm(now moment, slot int32) {
	n, r := &g.numbers[slot], &g.rules
	if n.state != StateWarming || len(r.ramp) == 0 {
		return
	}
	l := n.lived()
	if l.stageAt == window.Never {
		l.stageAt = now.at
	}
	if now.at-l.stageAt < r.stage {
		return
	}
	most := share(n.pool.rules.within(r.stage), r.ramp[min(int(l.stage), len(r.ramp)-1)])
	used := n.uses.count(now.at, time.Duration(r.stage))
	if used*100 < most*int(r.used) || n.conduct.worst(r) >= .5 {
		return
	}
	figures := []Figure{{"stage", float64(l.stage)}, {"uses", float64(used)}, {"cap", float64(most)}, {"suspicion", float64(n.conduct.worst(r))}}
	l.stage++
	l.stageAt = now.at
	if int(l.stage) >= len(r.ramp) {
		g.enter(now, n, StateActive, byRules, "warmed", figures...)
		g.settle(slot, now, false)
		return
	}
	g.staged(now, slot, "a stage up", figures...)
}

// staged puts another stage of the ramp in force, and notes it.
func (g *Governor) staged(now moment, slot int32, reason string, figures ...Figure) {
	n := &g.numbers[slot]
	g.reshare(n)
	g.audit.add(Entry{
		Time: g.clock.time(now.at), Number: n.number, Pool: n.pool.name, From: n.state, To: n.state, Actor: byRules,
		Reason: reason, Figures: figures,
	})
	g.settle(slot, now, false)
}

// within is the smallest of the caps on uses in a window of w or longer, the most uses in w if there is none.
func (r *rules) within(w window.Instant) int {
	most := 0
	for _, c := range r.list {
		if window.Instant(c.Window) >= w && (most == 0 || c.Max < most) {
			most = c.Max
		}
	}
	if most == 0 {
		most = r.most
	}
	return most
}

// worst is the worst label that still counts.
func (l *life) worst(unix int64) (worst outdial.LabelStatus) {
	for _, x := range l.labels {
		if x.until > unix {
			worst = max(worst, x.status)
		}
	}
	return worst
}
