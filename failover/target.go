package failover

import (
	"time"

	"github.com/outdial/outdial"
)

// target is the health of a trunk, or of one destination group on it: a fold over evidence with its time. It is a
// pure state machine; its board holds the lock.
type target struct {
	id    outdial.TrunkID
	group outdial.GroupID // 0 = the trunk as a whole
	noted bool            // counted in the board's sick
	state State           // Probing from the first good probe; never Held: a hold is the board's
	why   string
	since time.Time // when it came into its state
	until time.Time // Out: the first probe; else when the state ends by time alone, zero = it does not

	test      test
	doubt     bool      // it may have fallen silent: one call at a time until the next sign of life
	silentAt  time.Time // start of the latest call that counted as hard evidence
	good      int       // good probes in a row
	ejections int       // in a row, less what time has healed
	ejected   time.Time // the last time; what started before is no news after it
	returned  time.Time // the last time that it began to ramp
	gate      float64   // share of a turn that it has saved up, while it gets less than all
	probe     claim     // the live call that is out to show whether it is back

	healthy, failed uint64 // calls ever
	runFrom         time.Time
	suspected       time.Time
	incident        Incident // the open one, or the last
	setup           setup
	tally           tally     // of the last hour
	weak            string    // which of its figures is poor; "" = none. No part of the fold: see Config.Signals
	weakSince       time.Time // when it became so, or ceased to be
	easing          time.Time // until when its share grows again after that; zero = it does not
}

// claim is a probe that is out: the attempt of a call that started at or after the claim, which tells it from a probe
// that was given up before. The zero value is none.
type claim struct {
	out  bool
	call outdial.CallID // 0 = not known
	from time.Time
	to   time.Time // when it is given up
}

// by reports whether the probe is that of an attempt of a call which started at the given time.
func (c *claim) by(call outdial.CallID, start time.Time) bool {
	return c.out && (c.call == 0 || call == 0 || c.call == call) && !start.Before(c.from)
}

// salt tells targets apart in the jitter.
func (t *target) salt() uint64 { return uint64(t.id)<<32 | uint64(t.group) }

// wake ends what time alone ends: a suspension, a ramp, the dwell of a target that did well meanwhile, and a probe that
// nobody reported on.
func (t *target) wake(now time.Time, cfg *settings) {
	if !t.until.IsZero() && !now.Before(t.until) {
		switch t.state {
		case Suspended:
			t.recover(t.until) // where it was suspended in its ramp
			t.rise(t.until)
		case Suspect:
			t.rise(t.until)
		case Probing:
			t.comeBack(t.until, cfg)
			t.wake(now, cfg)
		case Ramping:
			t.recover(t.until)
			t.rise(t.until)
		}
	}
	if t.probe.out && !now.Before(t.probe.to) {
		t.probe = claim{}
	}
	if !t.easing.IsZero() && !now.Before(t.easing) {
		t.easing = time.Time{}
	}
}

// rise makes the target up.
func (t *target) rise(at time.Time) { t.state, t.why, t.since, t.until = Up, "", at, time.Time{} }

// recover closes the incident.
func (t *target) recover(now time.Time) {
	if i := &t.incident; !i.Isolated.IsZero() && i.Recovered.IsZero() {
		i.Recovered = now
	}
}

// share is how much of its share of the calls it gets: 1 while it is up.
func (t *target) share(now time.Time, cfg *settings) float64 {
	share := 1.0
	switch t.state {
	case Out, Probing, Suspended:
		return 0
	case Ramping:
		share = cfg.rampShare(now.Sub(t.since))
	}
	switch {
	case t.weak != "":
		share = min(share, cfg.rampFrom)
	case !t.easing.IsZero():
		share = min(share, cfg.rampShare(now.Sub(t.weakSince)))
	}
	return share
}

// rampShare is the share of a target so long after it began to ramp.
func (cfg *settings) rampShare(d time.Duration) float64 {
	done := float64(d) / float64(max(cfg.ramp, 1))
	return cfg.rampFrom + (1-cfg.rampFrom)*min(max(done, 0), 1)
}

// due reports whether a probe may go now.
func (t *target) due(now time.Time) bool {
	return !t.probe.out && (t.state == Out && !now.Before(t.until) || t.state == Probing || t.doubt)
}

// simple reports whether nothing needs to be known of it to choose it.
func (t *target) simple() bool {
	return t.state <= Suspect && !t.doubt && t.weak == "" && t.easing.IsZero()
}

// send claims a probe. What comes of it changes the state; the claim ends with the probe, or when it is given up, and
// with nothing else: a target that another call sends out meanwhile is not probed a second time.
func (t *target) send(now time.Time, call outdial.CallID, start time.Time, cfg *settings) {
	t.probe = claim{out: true, call: call, from: start, to: now.Add(cfg.probeTimeout)}
}

// unclaim ends the probe of an attempt; the probe of another stays out.
func (t *target) unclaim(call outdial.CallID, start time.Time) {
	if t.probe.by(call, start) {
		t.probe = claim{}
	}
}

// learn folds the evidence of an attempt that started at start, and returns why it was ejected for it; "" = it was
// not. Soft evidence is weighed against that which is somebody else's.
func (t *target) learn(now, start time.Time, e Evidence, others blame, cfg *settings) (why string) {
	t.wake(now, cfg)
	switch {
	case e.good():
		t.healthy++
	case e.bad():
		t.failed++
	default:
		return ""
	}
	switch {
	case t.state == Suspended, start.Before(t.ejected):
		return "" // it left before the ejection: one of many that failed together, or a late success
	case t.state == Out || t.state == Probing:
		return t.tried(now, e, cfg)
	case e.good():
		t.test.pass(cfg)
		t.weigh(now, cfg)
		return ""
	}
	if t.test.runFailed == 0 {
		t.runFrom, t.suspected = start, time.Time{}
	}
	why = t.test.fail(e == EvidenceHard, cfg)
	if e == EvidenceHard {
		t.silentAt = start
	}
	if why == whySoft || why == whyRate {
		if others.explain(&t.test, why) || !t.returned.IsZero() && now.Sub(t.returned) < cfg.dwell {
			why = ""
		}
	}
	if why != "" {
		t.eject(now, why, cfg)
		return why
	}
	t.weigh(now, cfg)
	return ""
}

// weigh makes of a target that is neither out nor ramping what the evidence says: up or suspect, and in doubt after silence. One
// that was suspect stays so for the dwell, without further consequence.
func (t *target) weigh(now time.Time, cfg *settings) {
	suspicious := t.test.suspicious()
	if suspicious && t.suspected.IsZero() {
		t.suspected = now
	}
	t.doubt = t.test.silent()
	switch {
	case t.state == Up && suspicious:
		t.state, t.since = Suspect, now
	case t.state == Suspect && suspicious:
		t.until = time.Time{}
	case t.state == Suspect:
		t.until = latest(now, t.since.Add(cfg.dwell))
		t.wake(now, cfg)
	}
	if t.state == Suspect {
		t.why = whySuspect
		if t.doubt {
			t.why = whySilent
		}
	}
}

// tried folds what became of a call while the target was out.
func (t *target) tried(now time.Time, e Evidence, cfg *settings) (why string) {
	switch {
	case e.good():
		if t.state == Out { // a last resort that worked: no need to wait longer
			t.state, t.since, t.until = Probing, now, time.Time{}
			if t.incident.Noticed.IsZero() {
				t.incident.Noticed = now
			}
		}
		if t.good++; t.good >= cfg.probeGood {
			t.until = latest(now, t.since.Add(cfg.dwell))
			t.wake(now, cfg)
		}
	case t.state == Probing || !now.Before(t.until):
		t.eject(now, whyProbe, cfg)
		return whyProbe
	}
	return ""
}

// comeBack lets the target have its share again, little by little.
func (t *target) comeBack(now time.Time, cfg *settings) {
	t.state, t.why, t.since, t.until = Ramping, whyBack, now, now.Add(cfg.ramp)
	t.returned, t.incident.Returned, t.good, t.gate = now, now, 0, 0
	t.test.clear()
	t.wake(now, cfg) // where there is no ramp
}

// eject sends the target out for its backoff. One that has come back just now rests at least until a minute after
// that, so that a carrier which flaps is taken back once a minute at most.
func (t *target) eject(now time.Time, why string, cfg *settings) {
	if t.state == Up || t.state == Suspect || t.state == Ramping {
		healed := int(now.Sub(t.returned) / max(cfg.backoffMax, 1))
		t.ejections = max(t.ejections-max(healed, 0), 0)
	}
	t.report(now, why)
	rest := cfg.backoff
	for range t.ejections {
		if rest *= 2; rest >= cfg.backoffMax {
			break
		}
	}
	rest = min(rest, cfg.backoffMax)
	t.ejections++
	rest = min(rest+time.Duration(float64(rest)*cfg.jitter*spread(cfg.seed, t.salt(), t.ejections)), cfg.backoffMax)
	if !t.returned.IsZero() {
		rest = max(rest, t.returned.Add(cfg.flap).Sub(now))
	}
	t.state, t.why, t.since, t.until, t.ejected = Out, why, now, now.Add(rest), now
	t.good, t.gate, t.doubt = 0, 0, false
	t.test.clear()
}

// report notes an ejection in the incident: a new one, unless the last is still open.
func (t *target) report(now time.Time, why string) {
	if i := &t.incident; !i.Isolated.IsZero() && i.Recovered.IsZero() {
		if why == whyProbe {
			i.Probes++
		} else {
			i.Relapses++
		}
		i.Noticed, i.Returned = time.Time{}, time.Time{}
		return
	}
	detected := t.suspected
	if detected.IsZero() {
		detected = now
	}
	t.incident = Incident{
		Trunk: t.id, Group: t.group, Why: why, Began: t.runFrom, Detected: detected, Isolated: now,
		Calls: int(t.test.runCalls), Failed: int(t.test.runFailed), Baseline: t.test.p0,
	}
}

// hear takes a first response to an attempt as a sign that the target is not silent, no more.
func (t *target) hear(now, start time.Time, cfg *settings) {
	if t.test.hard > 0 && start.After(t.silentAt) {
		t.test.hard = 0
		t.weigh(now, cfg)
	}
}

// suspend leaves the target alone until the given time. One that is out stays so for at least as long.
func (t *target) suspend(now, until time.Time, cfg *settings) {
	t.wake(now, cfg)
	switch t.state {
	case Up, Suspect, Ramping, Suspended:
		if t.state != Suspended {
			t.since, t.until = now, time.Time{}
		}
		t.state, t.why, t.doubt = Suspended, whyRetryAfter, false
	case Probing:
		t.state, t.why, t.since, t.good = Out, whyRetryAfter, now, 0
	}
	if until.After(t.until) {
		t.until = until
	}
}

// clean reports whether forgetting the target changes no decision to come, but for what it has learned of its baseline.
func (t *target) clean() bool {
	return t.state == Up && t.simple() && t.test.sum == 0 && t.test.soft == 0 && t.ejections == 0 && !t.probe.out
}

// spread returns a number within [-1, 1) that depends on its arguments alone (splitmix64).
func spread(seed, salt uint64, n int) float64 {
	x := seed + salt*0x9e3779b97f4a7c15 + uint64(n)*0xd1b54a32d192ed03
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	return float64(x>>11)/(1<<52) - 1
}
