package kpi

import "github.com/outdial/outdial"

// Counters is what a cell counts. All but the last group are bucketed by the time of the attempt (when it was
// started, or refused), so that numerator and denominator of a ratio speak of the same legs; the last group by the
// time when the leg ended. Counters of disjoint events merge exactly by addition. The zero value has counted
// nothing.
type Counters struct {
	// Calls and CallsAnswered count calls, each once however many legs it had. They are kept only in views whose
	// dimensions are the same for all legs of a call: not by trunk, carrier or pool. Both are bucketed by the call's
	// first bid.
	Calls         uint64
	CallsAnswered uint64

	Refused [Stages]uint64 // bids that a stage refused, by outdial.Stage
	Started uint64         // bids that were started; less the classes that never left, the seizures

	// Classes counts legs with a known outcome, by Class: an answered leg from its answer on, any other from its
	// end on. ClassUnknown includes Lost.
	Classes      [ClassCount]uint64
	ClassifiedBy [byCount]uint64 // the same legs by the fact that decided, by ClassifiedBy
	Lost         uint64          // legs whose end nobody saw: the process died; they are no known outcome

	Answers          uint64 // legs answered in time
	LateAnswers      uint64 // answered after hunting had moved on or the call was over; in ClassAnswer, not in Answers
	EarlyMedia       uint64 // legs with known outcome that had a session description before any final response
	EarlyMediaAnswer uint64 // those of them that were answered, late ones included
	AnswerNoRing     uint64 // answered legs, late ones included, without any response beyond 100 before the answer
	Effective        uint64 // legs that ended with 200, 480, 486, 600 or 603: the numerator of SEER, RFC 6076 §4.7
	Redirected       uint64 // legs that ended with 3xx, which RFC 6076 leaves out of its denominators

	// By end time, of legs answered in time whose end was seen:
	Ended      uint64
	ZeroSecond uint64            // lasted less than one second
	Short      [MaxShorts]uint64 // lasted no longer than the meter's threshold of the same index
}

// Sizes of the arrays in Counters.
const (
	Stages    = int(outdial.StageCount) // stages of outdial.Stage, StageEngine to StageJournal
	MaxShorts = 4                       // thresholds for short calls
)

// Merge adds what o counted.
func (c *Counters) Merge(o *Counters) {
	from := o.fields()
	for i, p := range c.fields() {
		*p += *from[i]
	}
}

// Bids is the number of attempts that were wanted, placed or not.
func (c *Counters) Bids() uint64 {
	n := c.Started
	for _, r := range c.Refused {
		n += r
	}
	return n
}

// Seizures is the number of legs that left the host, as far as is known yet.
func (c *Counters) Seizures() uint64 { return less(c.Started, c.notSent()) }

// Known is the number of seizures with a known outcome: answered (the conversation may still last) or ended.
func (c *Counters) Known() uint64 {
	var n uint64
	for i, k := range c.Classes {
		if Class(i).Seizure() {
			n += k
		}
	}
	return less(n, c.Lost)
}

// Open is the number of seizures without an outcome yet: ringing, or silent.
func (c *Counters) Open() uint64 { return less(c.Seizures(), c.Known()+c.Lost) }

func (c *Counters) notSent() uint64 {
	return c.Classes[ClassLocalLimit] + c.Classes[ClassNeverSent]
}

// less is a − b, and 0 where a meter met only the later part of some legs.
func less(a, b uint64) uint64 {
	if a < b {
		return 0
	}
	return a - b
}

// counter is the place of a count in a bucket; fields gives the same order to Counters.
type counter uint8

const (
	nCalls counter = iota
	nCallsAnswered
	nStarted
	nLost
	nAnswers
	nLateAnswers
	nEarlyMedia
	nEarlyMediaAnswer
	nAnswerNoRing
	nEffective
	nRedirected
	nEnded
	nZeroSecond
	nRefused
	nClass  = nRefused + counter(Stages)
	nBy     = nClass + counter(ClassCount)
	nShort  = nBy + counter(byCount)
	counted = nShort + MaxShorts
)

func (c *Counters) fields() *[counted]*uint64 {
	f := [counted]*uint64{
		&c.Calls, &c.CallsAnswered, &c.Started, &c.Lost, &c.Answers, &c.LateAnswers, &c.EarlyMedia,
		&c.EarlyMediaAnswer, &c.AnswerNoRing, &c.Effective, &c.Redirected, &c.Ended, &c.ZeroSecond,
	}
	for i := range c.Refused {
		f[int(nRefused)+i] = &c.Refused[i]
	}
	for i := range c.Classes {
		f[int(nClass)+i] = &c.Classes[i]
	}
	for i := range c.ClassifiedBy {
		f[int(nBy)+i] = &c.ClassifiedBy[i]
	}
	for i := range c.Short {
		f[int(nShort)+i] = &c.Short[i]
	}
	return &f
}
