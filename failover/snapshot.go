package failover

import (
	"time"

	"github.com/outdial/outdial"
)

// Target is how a trunk, or one destination group on it, stands. It is a plain value.
type Target struct {
	Trunk     outdial.TrunkID
	Name      string          // of the trunk, where the Selector knows names
	Group     outdial.GroupID // 0 = the trunk as a whole
	GroupName string

	State State
	Why   string    // why it is not simply up; "" while it is
	Since time.Time // when it came into its state; zero = it never was in another
	Until time.Time // when the state ends by time alone; Out: when the first probe may go. Zero = it does not, or that is not known
	Share float64   // of its share of the calls that it gets now: Selector.Health

	Failures  int // failures in a row, while up
	Good      int // good probes in a row, while probing
	Ejections int // that count towards the next backoff

	Baseline      float64 // share of calls that fail when nothing is wrong, as it is known
	BaselineCalls float64 // calls behind that: those of the last Config.BaselineCalls that were no outage
	Setup         time.Duration

	Healthy uint64 // attempts that counted as healthy, ever
	Failed  uint64 // attempts that counted as soft or hard failures, ever

	// Of the trunk as a whole:
	Full         uint64    // attempts that found the trunk full
	ConfigFaults uint64    // attempts that failed for a fault of configuration
	Faulted      time.Time // the last of them; zero = none
	Lately       Tally     // attempts of the last ten minutes
	Answered     time.Time // the last answer; zero = none
	Reached      time.Time // the last call that reached a callee's network; zero = none
	Open         int       // attempts that have not ended
	Launch       time.Time // until when its thresholds are those of a launch; zero = it is not launched
	Drilled      time.Time // the last drill; zero = none
	Tested       time.Time // the last test of it that an operator has told of (ActionPass, ActionFail); zero = none

	// OPTIONS, which tell of availability, not of performance, and are not part of what a replay restores: the share of
	// good answers, how many were asked, the last status (0 = none came).
	Availability float64
	Pings        uint64
	PingCode     int
}

// Snapshot returns how every target stands of which anything is known, ordered by trunk, the trunk as a whole before
// its destination groups. A target that is not listed is up. The caller owns the slice.
func (s *Selector) Snapshot(now time.Time) []Target {
	var list []Target
	for _, b := range s.boards.all() {
		if b == nil {
			continue
		}
		b.mu.Lock()
		b.advance(now, &s.cfg)
		b.settleAll()
		list = append(list, b.status(now, &s.cfg))
		for t := range b.groups.all() {
			list = append(list, t.status(now, &s.cfg))
		}
		b.mu.Unlock()
	}
	if s.ids != nil {
		for i := range list {
			list[i].Name = s.ids.Trunks.Name(list[i].Trunk)
			list[i].GroupName = s.ids.Groups.Name(list[i].Group)
		}
	}
	return list
}

// status is how the trunk as a whole stands.
func (b *board) status(now time.Time, cfg *settings) Target {
	st := b.whole.status(now, cfg)
	st.Full, st.ConfigFaults, st.Faulted = b.full, b.faults, b.faultAt
	st.Open, st.Drilled, st.Tested = b.open, b.drilled, b.gate.at
	st.Lately, st.Answered, st.Reached = b.whole.tally.last(now, liveMinutes), b.answered, b.reached
	if now.Before(b.launchTo) {
		st.Launch = b.launchTo
	}
	if st.Pings, st.PingCode = b.ping.total, b.ping.code; st.Pings > 0 {
		st.Availability = float64(b.ping.ok) / float64(st.Pings)
	}
	silent, _ := b.ping.out(now, cfg)
	switch {
	case b.held:
		st.State, st.Why, st.Since, st.Until, st.Share = Held, whyHold, b.heldFrom, b.heldTo, 0
	case b.gate.shut(now):
		st.State, st.Why, st.Since, st.Until, st.Share = Held, whyGate, b.gate.since(), time.Time{}, 0
	case silent:
		st.State, st.Why, st.Share = Out, whyPing, 0
	}
	return st
}

func (t *target) status(now time.Time, cfg *settings) Target {
	st := Target{
		Trunk: t.id, Group: t.group, State: t.state, Why: t.why, Since: t.since, Until: t.until, Share: t.share(now, cfg),
		Failures: t.test.soft, Good: t.good, Ejections: t.ejections, Healthy: t.healthy, Failed: t.failed,
		Baseline: t.test.baseline(), Setup: t.setup.typical(),
	}
	st.BaselineCalls = t.test.calls
	switch {
	case t.state == Out && t.probe.out && t.probe.from.After(t.ejected): // its first probe is on its way
		st.State, st.Until = Probing, time.Time{}
	case t.state <= Suspect && t.weak != "":
		st.State, st.Why, st.Since = Suspect, poorPrefix+t.weak, t.weakSince
	}
	return st
}
