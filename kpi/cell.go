package kpi

import (
	"cmp"
	"slices"
	"time"

	"github.com/outdial/outdial"
)

// Cell is what a meter knows about one key within its window: counts and distributions from which every KPI is
// derived. It is a copy and shares nothing with the meter. Cells of disjoint events merge exactly, in any order.
//
// Ratios of a cell are taken over legs whose outcome is known at the time of the snapshot: a leg that still rings
// counts neither as a success nor as a failure. Failures of some kinds are known sooner than answers, and no-answers
// later, so the newest bucket leans a little; Open says how many legs are still out.
type Cell struct {
	Key Key
	Counters

	// Delays from the INVITE, of legs with known outcome. PDD, post-dial delay, is what people mean as a rule; Ringing goes to the
	// first 180, and Audible to what the caller may have heard first: a 180, early media (a session description, or leave to send by
	// P-Early-Media) or the first packet. Legs without such a moment are in none.
	PDD     Sketch // to the first response beyond 100
	Ringing Sketch
	Audible Sketch

	// Session request delay, RFC 6076 §4.3: to the first response beyond 100, or else the final one. Answered legs and failed ones
	// must not be mixed. A leg that ended without any response is in neither.
	SRD       Sketch
	SRDFailed Sketch

	Ring     Sketch // first 180 to the answer, of answered legs: by attempt time; late answers left out
	Duration Sketch // answer to the BYE, of legs answered in time whose end was seen: by end time

	// Session disconnect delay, RFC 6076 §4.4: the host's BYE to its 2xx, or to another final response, by end time. A BYE without
	// an answer is in neither.
	SDD       Sketch
	SDDFailed Sketch

	CohortTime time.Duration // sum of the durations in CohortEnded

	Refusals []RefusalCount // bids refused, by stage and code, ascending
	Statuses []StatusCount  // seizures that ended unanswered, by their final SIP status, ascending

	Cost      outdial.Micros // of the conversations in Ended: minutes and surcharges, by the price and Tariff of each
	AgentTime time.Duration  // of the dispositions in Disposed
}

// StatusCount is how many legs ended with a SIP status.
type StatusCount struct {
	Code uint16
	N    uint64
}

// RefusalCount is how often a stage refused for one reason.
type RefusalCount struct {
	Stage outdial.Stage
	Code  string // of the outdial.Refusal; "other" beyond the number of codes that a meter tells apart
	N     uint64
}

// Merge adds what o holds to c, which keeps its key. Both must come from meters with the same thresholds for short
// calls.
func (c *Cell) Merge(o *Cell) {
	c.Counters.Merge(&o.Counters)
	from := o.sketches()
	for i, s := range c.sketches() {
		s.Merge(from[i])
	}
	c.CohortTime += o.CohortTime
	for _, r := range o.Refusals {
		c.refused(r, r.N)
	}
	for _, s := range o.Statuses {
		c.status(s.Code, s.N)
	}
	c.Cost += o.Cost
	c.AgentTime += o.AgentTime
}

// sketches lists the distributions. A new one belongs here.
func (c *Cell) sketches() [9]*Sketch {
	return [9]*Sketch{
		&c.PDD, &c.Ringing, &c.Audible, &c.SRD, &c.SRDFailed, &c.Ring, &c.Duration, &c.SDD, &c.SDDFailed,
	}
}

// ASR is the answer seizure ratio (ITU-T E.411, E.425 §1.3): seizures that were answered, of all seizures; per leg.
// The seizures are those with a known outcome. A late answer counts as a seizure that was not answered, since
// nobody was connected. Unlike RFC 6076's SER it counts legs, not INVITEs: a digest challenge is no second seizure.
func (c *Cell) ASR() Ratio { return Ratio{K: c.Answers, N: c.Known()} }

// ABR is the answer bid ratio (ITU-T E.425 §1.4): answers of all bids, placed or refused; not, as some pages have
// it, an "answer busy ratio". In views whose dimensions are the same for all legs of a call, a bid is a call: the
// share of calls that were answered on any leg, which is what the caller sees. By trunk, carrier or pool a bid is an
// attempt wanted there. Calls and bids still open are in the denominator.
func (c *Cell) ABR() Ratio {
	if c.Key.View&perLeg == 0 {
		return Ratio{K: c.CallsAnswered, N: c.Calls}
	}
	return Ratio{K: c.Answers, N: c.Bids()}
}

// NER is the network effectiveness ratio (ITU-T E.425, 2002): seizures that the network delivered (answered, user
// busy, rung without an answer, rejected, unavailable, or given up by the caller while it rang) of all seizures
// with a known outcome. It rests on Classify, that is on Q.850 causes where carriers send them; "NER" of other
// products, from SIP status alone, is not comparable.
func (c *Cell) NER() Ratio { return Ratio{K: c.delivered(), N: c.Known()} }

// ClassRatio is the share of one class among seizures with a known outcome; of ClassUnknown without the lost legs.
// For the two classes that never left the host, it is their share of the bids.
func (c *Cell) ClassRatio(class Class) Ratio {
	switch {
	case class >= ClassCount:
		return Ratio{}
	case !class.Seizure():
		return Ratio{K: c.Classes[class], N: c.Bids()}
	case class == ClassUnknown:
		return Ratio{K: less(c.Classes[class], c.Lost), N: c.Known()}
	}
	return Ratio{K: c.Classes[class], N: c.Known()}
}

// ACD is the average call duration (also ALOC): the mean of answer to end, RFC 6076 §4.5 SDT, of the calls that
// ended within the window; false where there are none. Bucketed by end time it is not biased against long calls,
// whose end a window by attempt time would miss; but at start-up it is, until the window is longer than the calls.
func (c *Cell) ACD() (time.Duration, bool) { return c.Duration.Mean() }

// CohortACD is the average duration of the calls that were started within the window, as far as they have ended, and how many
// of them have: a mean that the long ones are still missing from is too small, and the completeness says so. It is kept with
// Config.Cohorts; false where none has ended.
func (c *Cell) CohortACD() (mean time.Duration, completeness Ratio, ok bool) {
	completeness = ratioOfSums(c.CohortEnded, c.Answers)
	mean, ok = per(c.CohortTime, c.CohortEnded)
	return mean, completeness, ok
}

// ShortCalls is the share of calls that lasted no longer than the meter's i-th threshold, of all that ended within
// the window. There is no standard: carriers set thresholds of 6 to 15 s, of connected calls. It is undefined for an
// i without a threshold.
func (c *Cell) ShortCalls(i int) Ratio {
	if i < 0 || i >= MaxShorts {
		return Ratio{}
	}
	return Ratio{K: c.Short[i], N: c.Ended}
}

// ZeroSecondCalls is the share of calls that lasted less than a second, of all that ended within the window.
func (c *Cell) ZeroSecondCalls() Ratio { return Ratio{K: c.ZeroSecond, N: c.Ended} }

// refused counts n refusals of the stage and code of r.
func (c *Cell) refused(r RefusalCount, n uint64) {
	i, ok := slices.BinarySearchFunc(c.Refusals, r, compareRefusals)
	if !ok {
		c.Refusals = slices.Insert(c.Refusals, i, RefusalCount{Stage: r.Stage, Code: r.Code})
	}
	c.Refusals[i].N += n
}

func compareRefusals(a, b RefusalCount) int {
	return cmp.Or(cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Code, b.Code))
}
