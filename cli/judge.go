package cli

import (
	"math"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// What happens in a good and in a bad number: blocks, short calls and complaints. Where peers have more, theirs count.
const (
	blockRate, blockBad         = .002, .03
	shortRate, shortBad         = .10, .25
	complaintRate, complaintBad = .001, .005

	netsMargin = 1.1 // logarithm of the networks that a number is compared in: three share most callees
	maxNets    = 64  // networks that are kept apart for one number

	// Bounds of Wald's sequential test of a number in rehab: sound again, and still decayed. The second means retirement as a
	// rule, so it takes more.
	trialSound, trialBad = -2.94, 6
)

// tooMany is from which share on something that all of a pool's calls do tells nothing of one number.
const tooMany = .8

// worse is the probability that stands to p as bad stands to good, by their odds.
func worse(p, good, bad float64) float64 {
	odds := p / (1 - p) * (bad / (1 - bad)) / (good / (1 - good))
	return odds / (1 + odds)
}

// blocking is what a block tells of a number, among the calls of the pool.
func (w *watch) blocking(r *ruleset) (trial, bool) {
	if w.all.calls < baselineLeast || w.all.blocks <= blockRate*w.all.calls {
		return r.blocking, true
	}
	rate := w.all.blocks / w.all.calls
	return trialOf(rate, worse(rate, blockRate, blockBad)), rate < tooMany
}

// shortness is what a short call tells of a number, among the answered calls of the pool.
func (w *watch) shortness(r *ruleset) (trial, bool) {
	switch {
	case w.all.answers < baselineLeast:
		return trial{}, false
	case w.all.shorts <= shortRate*w.all.answers:
		return r.shortness, true
	}
	rate := w.all.shorts / w.all.answers
	return trialOf(rate, worse(rate, shortRate, shortBad)), rate < tooMany
}

// counts reports whether an attempt says anything of its number: it left, and neither host nor carrier failed it.
func counts(a *outdial.Attempt) bool {
	if a.Answered() {
		return true
	}
	switch a.Result.Origin {
	case outdial.OriginCarrier, outdial.OriginNoAnswer, outdial.OriginNoProgress:
		return a.Result.Code < 500 || a.Result.Code >= 600 || a.Progressed()
	case outdial.OriginCaller:
		return a.Progressed()
	}
	return false
}

// judge learns from an attempt that is over.
func (g *Governor) judge(now moment, a *outdial.Attempt) {
	if g.rules.off || !counts(a) {
		return
	}
	slot := g.slotOf(a)
	if slot == none {
		return
	}
	g.due(now, slot)
	n := &g.numbers[slot]
	if n.pool == nil || n.pool.id != a.Pool || !n.state.Presentable() {
		return
	}
	r, w := &g.rules, n.pool.watch
	answered, blocked, short := a.Answered(), a.Result.Blocked(), false
	if d, ok := a.Timeline.Duration(); ok && answered {
		short = d <= r.shortCall
	}
	c, b, net := &n.conduct, w.stratum(a, n), n.net(a.Call.Dest.Network)
	if net != nil {
		net.expected, net.answered = c.expected, c.answered // one ratio for all networks
	}
	if c.calls < math.MaxUint32 {
		c.calls++
	}
	peers, known := w.peers(b, &r.detect)
	if known {
		llr := c.answers(&r.detect, answered, peers)
		if n.state == StateRehab {
			n.life.trial += llr
		}
		c.answer = climb(c.answer, llr)
		if net != nil {
			net.answer = climb(net.answer, llr)
		}
		c.calibrate(&r.detect, answered, peers)
	}
	if blocking, ok := w.blocking(r); ok {
		llr := blocking.of(blocked)
		c.block = climb(c.block, llr)
		if net != nil {
			net.block = climb(net.block, llr)
		}
	}
	c.complaint = climb(c.complaint, r.complaining.of(a.Result.Code == 607 || a.Result.SIPCause == 607))
	if answered && known { // how long calls are is for peers to tell
		if shortness, ok := w.shortness(r); ok {
			c.short = climb(c.short, shortness.of(short))
		}
	}
	if blocked {
		if redress := ParseRedress(a.Result.Text); redress != nil {
			n.lived().redress = redress
		}
	}
	if net != nil && net.calls < math.MaxUint32 {
		net.calls++
	}
	b.add(now.at, answered, blocked, short)
	w.all.add(now.at, answered, blocked, short)
	g.verdict(now, slot, a, net)
	g.warm(now, slot)
}

// net is the conduct of a number's calls to one network, nil where that is not known.
func (n *number) net(id outdial.NetworkID) *conduct {
	if id == 0 {
		return nil
	}
	l := n.lived()
	c := l.nets[id]
	if c == nil && len(l.nets) < maxNets {
		if l.nets == nil {
			l.nets = map[outdial.NetworkID]*conduct{}
		}
		c = &conduct{}
		l.nets[id] = c
	}
	return c
}

// verdict changes the state of a number where its sums call for it.
func (g *Governor) verdict(now moment, slot int32, a *outdial.Attempt, net *conduct) {
	n := &g.numbers[slot]
	r, was := &g.rules, n.state
	d := &r.detect
	switch {
	case n.state == StateProbation && now.at < n.pool.watch.shut && !n.conduct.calm():
		// A quarantine would be withheld.
	case n.conduct.worst(r) >= 1:
		cause, figures := n.conduct.cause(r)
		g.condemn(now, n, cause, figures)
	case net != nil && (net.answer >= d.quarantine+netsMargin || net.block >= d.block+netsMargin):
		cause, figures := net.cause(r)
		name := g.ids.Networks.Name(a.Call.Dest.Network)
		g.condemn(now, n, cause+" in network "+name, figures)
	case n.state == StateRehab && n.life.trial >= trialBad:
		_, figures := n.conduct.cause(r)
		g.condemn(now, n, "still decayed after its rest", append(figures, Figure{"trial", float64(n.life.trial)}))
	case n.state == StateRehab && n.life.trial <= trialSound && n.conduct.calm():
		g.enter(now, n, StateActive, byRules, "sound again", Figure{"trial", float64(n.life.trial)})
	case (n.state == StateActive || n.state == StateWarming) && n.conduct.suspicious(d):
		cause, figures := n.conduct.cause(r)
		g.enter(now, n, StateProbation, byRules, "suspected for its "+cause, figures...)
	case n.state == StateProbation && n.conduct.calm() && (n.life == nil || n.life.worst(now.unix) < outdial.LabelMixed):
		to := StateActive
		if n.life != nil && n.life.stageAt != window.Never && int(n.life.stage) < len(r.ramp) {
			to = StateWarming
		}
		_, figures := n.conduct.cause(r)
		g.enter(now, n, to, byRules, "nothing left of the suspicion", figures...)
	}
	n.weight = n.conduct.weight(r)
	if n.state != was {
		g.settle(slot, now, false)
	}
}

// condemn puts a number in quarantine, or retires it; where too many of its pool go at once, it stays on probation and the
// breaker says so.
func (g *Governor) condemn(now moment, n *number, cause string, figures []Figure) {
	w, r := n.pool.watch, &g.rules
	if n.state == StateProbation && now.at < w.shut {
		return // withheld, and said so
	}
	for i := range n.pool.classes { // whose rest is over rests no more
		c := &n.pool.classes[i]
		g.wake(c, now, len(c.wakeups))
	}
	for len(w.alarms) > 0 && w.alarms[0]+day <= now.at {
		w.alarms = w.alarms[1:]
	}
	daily, resting := max(1, w.size()*r.daily/100), max(1, w.size()*r.resting/100)
	if len(w.alarms) >= daily || int(w.resting) >= resting {
		g.breaker(now, n, w, cause, append(figures,
			Figure{"alarms_24h", float64(len(w.alarms))}, Figure{"alarms_most", float64(daily)},
			Figure{"resting", float64(w.resting)}, Figure{"resting_most", float64(resting)}))
		return
	}
	w.alarms = append(w.alarms, now.at)
	l := n.lived()
	recent := 0
	for _, t := range l.rested {
		if now.unix-t < r.retireWithin {
			recent++
		}
	}
	if r.retireAfter > 0 && recent+1 >= r.retireAfter {
		g.enter(now, n, StateRetiring, byRules, "again: "+cause, append(figures, Figure{"quarantines", float64(recent + 1)})...)
		g.notify(now, n, NoticeRetire, "again: "+cause, figures...)
		return
	}
	g.enter(now, n, StateQuarantined, byRules, cause, figures...)
	g.notify(now, n, NoticeQuarantine, cause, figures...)
}

// breaker withholds a quarantine.
func (g *Governor) breaker(now moment, n *number, w *watch, cause string, figures []Figure) {
	if n.state != StateProbation && n.state != StateRehab {
		g.enter(now, n, StateProbation, byRules, "quarantine withheld: "+cause, figures...)
	}
	w.shut = now.at + window.Instant(time.Hour) // then it is looked at again
	w.open.Store(g.clock.time(now.at + day).UnixNano())
	if w.told != window.Never && now.at < w.told+day {
		return
	}
	w.told = now.at
	g.audit.add(Entry{
		Time: g.clock.time(now.at), Pool: n.pool.name, Actor: byRules, Reason: "breaker: the list or the carrier, not the numbers",
		Figures: figures,
	})
	if !g.replaying {
		g.notices = append(g.notices, Notice{
			Kind: NoticeBreaker, Time: g.clock.time(now.at), Pool: n.pool.name,
			Text: "too many numbers look bad at once: the list or the carrier, not the numbers", Figures: figures,
		})
	}
}

// labelsRise says that a pool's numbers are labelled more than usual.
func (g *Governor) labelsRise(now moment, p *pool) {
	l := &p.watch.labels
	figures := []Figure{
		{"labels_cusum", float64(l.sum)}, {"observations", float64(l.seen)}, {"labelled", float64(l.labelled)}, {"usual", labelsRate},
	}
	const text = "labels are rising: look at what is called and how, before the answers fall"
	g.audit.add(Entry{Time: g.clock.time(now.at), Pool: p.name, Actor: byRules, Reason: text, Figures: figures})
	if !g.replaying && len(g.notices) < maxNotices {
		g.notices = append(g.notices, Notice{Kind: NoticeLabels, Time: g.clock.time(now.at), Pool: p.name, Text: text, Figures: figures})
	}
}

// labelled learns what an engine says of a number.
func (g *Governor) labelled(now moment, x *outdial.Label) {
	slot, ok := g.slots[x.Number]
	if !ok || x.Status == outdial.LabelUnknown {
		return
	}
	g.due(now, slot)
	n := &g.numbers[slot]
	l := n.lived()
	ttl := x.TTL
	if ttl <= 0 {
		ttl = defaultLabelTTL
	}
	until := now.unix + int64(ttl.Seconds())
	found := false
	for i := range l.labels {
		if l.labels[i].engine == x.Engine {
			l.labels[i].status, l.labels[i].until, found = x.Status, until, true
		}
	}
	if !found && len(l.labels) < maxEngines {
		l.labels = append(l.labels, label{x.Engine, x.Status, until})
	}
	if g.rules.off || n.pool == nil {
		return
	}
	if n.pool.watch.labelled(&g.rules, now.at, x.Status >= outdial.LabelLabelled) {
		g.labelsRise(now, n.pool)
	}
	if !n.state.Presentable() {
		return
	}
	to := StateActive
	switch {
	case x.Status >= outdial.LabelLabelled:
		to = g.rules.labelled
	case x.Status == outdial.LabelMixed:
		to = g.rules.mixed
	}
	figures := []Figure{{"label", float64(x.Status)}}
	reason := x.Status.String() + " by " + x.Engine
	if x.Category != "" {
		reason += ": " + x.Category
	}
	switch {
	case to == StateQuarantined:
		g.condemn(now, n, reason, figures)
	case to == StateProbation && (n.state == StateActive || n.state == StateWarming):
		g.enter(now, n, StateProbation, byRules, reason, figures...)
	default:
		return
	}
	g.settle(slot, now, false)
}
