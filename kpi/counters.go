package kpi

import "github.com/outdial/outdial"

// Counters is what a cell counts. The counts of an attempt and of what is learned about it later are bucketed by the time
// of the attempt (when it was started, or refused), so that numerator and denominator of a ratio speak of the same legs;
// the group Ended by the time when the leg ended. Counters of disjoint events merge exactly by addition. The zero value
// has counted nothing.
type Counters struct {
	// Calls and CallsAnswered count calls, each once however many legs it had. They are kept only in views whose
	// dimensions are the same for all legs of a call: not by trunk, carrier, pool or caller ID. Both are bucketed by the
	// call's first bid.
	Calls         uint64
	CallsAnswered uint64

	Refused [Stages]uint64        // bids that a stage refused, by outdial.Stage
	Started uint64                // bids that were started; less the classes that never left, the seizures
	Labels  [LabelStatuses]uint64 // the same by how their caller ID was labelled then, by outdial.LabelStatus

	// Classes counts legs with a known outcome, by Class: an answered leg from its answer on, any other from its
	// end on. ClassUnknown includes Lost.
	Classes      [ClassCount]uint64
	ClassifiedBy [byCount]uint64 // the same legs by the fact that decided, by ClassifiedBy
	Lost         uint64          // legs whose end nobody saw: the process died; they are no known outcome

	Answers          uint64 // legs answered in time
	LateAnswers      uint64 // answered after hunting had moved on or the call was over; in ClassAnswer, not in Answers
	EarlyMedia       uint64 // legs with known outcome that had a session description, or leave to send (RFC 5009), before any final response
	EarlyMediaAnswer uint64 // those of them that were answered, late ones included
	AnswerNoRing     uint64 // answered legs, late ones included, without any response beyond 100 before the answer
	AnswerAtOnce     uint64 // answered legs whose answer came within a second of the INVITE or of the first 180
	Blocked          uint64 // refused by the callee's word or an analytics engine: 607, 608, "603+" (outdial.Result.Blocked)

	// Seizures with a known outcome by their final status, as RFC 6076 and other products group them:
	Effective   uint64 // 200, 480, 486, 600 or 603: the numerator of SEER, RFC 6076 §4.7
	Redirected  uint64 // 3xx, which RFC 6076 leaves out of the denominators of SER and SEER
	Ineffective uint64 // 408, 500, 503 or 504: the numerator of ISA, RFC 6076 §4.8
	Uncompleted uint64 // any 5xx or 6xx: not completed in the sense of OpenSIPS' CCR
	Silent      uint64 // no final status at all: a timer of the host or the transport ended it, or the caller gave up
	SilentGiven uint64 // those of them that the caller gave up
	ClientError uint64 // any 4xx, and 600, 603, 604, 607, 608: with the answers, what VoIPmonitor counts for NER

	// By what was learned of an answered attempt later (outdial.Disposition):
	Disposed    [AnswerKinds]uint64 // by outdial.AnsweredBy
	Contacts    uint64              // the right person was reached
	LiveAnswers uint64              // answered by a human, of calls that a machine dialled: the denominator of Abandoned
	Abandoned   uint64              // those of them that no agent took

	CohortEnded uint64 // by attempt time, of legs answered in time: those whose end was seen. Kept with Config.Cohorts

	// By end time, of legs answered in time whose end was seen:
	Ended      uint64
	ZeroSecond uint64            // lasted less than one second
	Short      [MaxShorts]uint64 // lasted no longer than the meter's threshold of the same index
	Abnormal   uint64            // ended by loss of media or signalling, or with a Q.850 cause other than normal clearing
}

// Sizes of the arrays in Counters.
const (
	Stages        = int(outdial.StageCount)              // stages of outdial.Stage, StageEngine to StageJournal
	MaxShorts     = 4                                    // thresholds for short calls
	LabelStatuses = int(outdial.LabelBlocked) + 1        // of outdial.LabelStatus
	AnswerKinds   = int(outdial.AnsweredByScreening) + 1 // of outdial.AnsweredBy
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

func (c *Counters) delivered() (n uint64) {
	for i, k := range c.Classes {
		if Class(i).Delivered() {
			n += k
		}
	}
	return n
}

// addStatus counts the final status of n seizures with a known outcome.
func (c *Counters) addStatus(code uint16, class Class, n uint64) {
	answered := class == ClassAnswer
	switch {
	case answered, code == 480, code == 486, code == 600, code == 603:
		c.Effective += n
	case code >= 300 && code < 400:
		c.Redirected += n
	}
	switch code {
	case 408, 500, 503, 504:
		c.Ineffective += n
	}
	switch {
	case answered:
	case code == 0:
		c.Silent += n
		if class == ClassAbandonEarly || class == ClassAbandonRinging {
			c.SilentGiven += n
		}
	case code >= 500:
		c.Uncompleted += n
	}
	switch {
	case answered:
	case code >= 400 && code < 500, code == 600, code == 603, code == 604, code == 607, code == 608:
		c.ClientError += n
	}
}

// less is a − b, and 0 where a meter met only the later part of some legs.
func less(a, b uint64) uint64 {
	if a < b {
		return 0
	}
	return a - b
}

// fields lists the counts in a fixed order. A new field belongs here; TestMergeAddsEveryField finds one that is missing.
func (c *Counters) fields() []*uint64 {
	f := make([]*uint64, 0, 96)
	f = append(f, &c.Calls, &c.CallsAnswered, &c.Started, &c.Lost, &c.Answers, &c.LateAnswers, &c.EarlyMedia,
		&c.EarlyMediaAnswer, &c.AnswerNoRing, &c.AnswerAtOnce, &c.Blocked, &c.Effective, &c.Redirected, &c.Ineffective,
		&c.Uncompleted, &c.Silent, &c.SilentGiven, &c.ClientError, &c.Contacts, &c.LiveAnswers, &c.Abandoned, &c.Ended, &c.ZeroSecond,
		&c.Abnormal, &c.CohortEnded)
	for _, list := range [][]uint64{
		c.Refused[:], c.Labels[:], c.Classes[:], c.ClassifiedBy[:], c.Disposed[:], c.Short[:],
	} {
		for i := range list {
			f = append(f, &list[i])
		}
	}
	return f
}
