package kpi

import (
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/outdial/outdial"
)

// kind is what one count is a count of, with everything about it that any KPI asks for, packed in a word: a leg that ended
// with 486 by its status after an 18x is one kind. Cells count kinds, and a reader spreads them over Counters; so an
// event costs one increment, and a KPI that is thought of later needs no new counter.
type kind uint32

// Families of kinds, in the topmost bits.
const (
	famStarted    kind = iota << 28 // flags: first bid of its call, how its caller ID is labelled
	famCall                         // a call whose first bid was counted elsewhere
	famCallAnswer                   // the first answer of a call, in the bucket of the call's first bid
	famRefused                      // flags: first; stage, code
	famOutcome                      // the outcome of a leg: class, by, SIP status, flags
	famEnded                        // the end of a conversation: length class, origin, flags
	famDisposed                     // what a conversation was worth
	famCohort                       // the end of a conversation, in the bucket of its attempt
	famMasked     kind = 0xf << 28
)

// Fields of kinds.
const (
	kindFirst kind = 1 << 27 // of its call

	startLabelShift = 0 // famStarted: outdial.LabelStatus, 3 bits

	refusedStageShift = 16 // famRefused: 4 bits
	refusedCodeMask   = 1<<16 - 1

	outcomeClassShift = 0  // 4 bits
	outcomeByShift    = 4  // 3 bits
	outcomeCodeShift  = 7  // SIP status, 10 bits
	outcomeLate       = 17 // bits
	outcomeEarly      = 18 // a session description before any final response
	outcomeProv       = 19 // a response beyond 100: there is a PDD
	outcomeRang       = 20 // a 180: of an answer in time there is a ring time
	outcomeBlocked    = 21 // outdial.Result.Blocked
	outcomeFAS        = 22 // answered as no person answers: within a second of the first response
	outcomeRangFirst  = 23 // the 180 was the first response beyond 100
	outcomeHeardFirst = 24 // the caller may have heard that response
	outcomeHeardLater = 25 // the caller may have heard something, but not that response first
	outcomeFinal      = 26 // no response beyond 100, and it is known when the final one came

	endedOverShift   = 0 // thresholds of short calls that it exceeded, 3 bits
	endedOriginShift = 3 // outdial.Origin, 4 bits
	mostOrigin       = 1<<4 - 1
	endedZero        = 7
	endedAbnormal    = 8
	endedBye         = 9  // the host's BYE was answered with 2xx
	endedByeFailed   = 10 // or with another final response

	disposedByShift   = 0 // outdial.AnsweredBy, 3 bits
	disposedContact   = 3
	disposedAbandoned = 4
	disposedMachine   = 5 // dialled by a machine
)

func (k kind) family() kind            { return k & famMasked }
func (k kind) has(bit uint) bool       { return k&(1<<bit) != 0 }
func (k kind) field(at, n uint) uint32 { return uint32(k>>at) & (1<<n - 1) }
func (k kind) class() Class            { return Class(k.field(outcomeClassShift, 4)) }
func (k kind) code() uint16            { return uint16(k.field(outcomeCodeShift, 10)) }

func flag(yes bool, bit uint) kind {
	if yes {
		return 1 << bit
	}
	return 0
}

// coarse is the kind to count when there is no room for another one: without status and flags, which are the many. It
// keeps what says which durations there are.
func (k kind) coarse() kind {
	switch k.family() {
	case famOutcome:
		const keep = famMasked | kindFirst | 0x7f | 1<<outcomeProv | 1<<outcomeRang | 1<<outcomeLate | 1<<outcomeRangFirst |
			1<<outcomeHeardFirst | 1<<outcomeHeardLater | 1<<outcomeFinal
		return k & keep
	case famRefused:
		return k &^ refusedCodeMask
	}
	return k
}

// Bounds of the table of kinds. A meter knows some fifty as a rule; those that come beyond fineKinds are counted coarse.
const (
	maxKinds  = 1 << 12
	fineKinds = maxKinds - 1024
)

// kindTable numbers the kinds that a meter met, from 0, commonest first as a rule. Reading takes no lock: the arrays are
// written before the count that makes them visible.
type kindTable struct {
	mu    sync.Mutex
	n     atomic.Uint32
	kinds [maxKinds]kind
	does  [maxKinds]effects
	slots [2 * maxKinds]atomic.Uint32 // 0 = free, else the number plus one
}

// number returns the number of k, which it issues at the first meeting.
func (t *kindTable) number(k kind) uint16 {
	if n, ok := t.find(k); ok {
		return n
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n.Load() >= fineKinds {
		k = k.coarse()
	}
	if n, ok := t.find(k); ok {
		return n
	}
	n := t.n.Load()
	if n == maxKinds {
		return uint16(n - 1)
	}
	t.kinds[n], t.does[n] = k, effectsOf(k)
	i := k.hash()
	for t.slots[i%uint32(len(t.slots))].Load() != 0 {
		i++
	}
	t.n.Store(n + 1)
	t.slots[i%uint32(len(t.slots))].Store(n + 1)
	return uint16(n)
}

func (t *kindTable) find(k kind) (uint16, bool) {
	for i := k.hash(); ; i++ {
		switch n := t.slots[i%uint32(len(t.slots))].Load(); {
		case n == 0:
			return 0, false
		case t.kinds[n-1] == k:
			return uint16(n - 1), true
		}
	}
}

func (k kind) hash() uint32 {
	h, l := bits.Mul32(uint32(k)^0x9e3779b9, 0x85ebca6b)
	return h ^ l
}

// effects is what counting a kind adds to the sums that estimates are read from, as a set of bits by sum, and what comes
// with it: durations, in the order of part.q, and what part.sum is.
type effects struct {
	sums  uint16
	pdd   bool
	n     uint8
	dists [maxDists]dist
	sum   sumKind
	size  uint8 // bytes of a diary's record behind its head, with one for the sum
}

// sumKind is what a count's sum is.
type sumKind uint8

const (
	sumNone   sumKind = iota
	sumCost           // micros
	sumAgent          // agent time, ms
	sumCohort         // duration, ms
	sumKinds
)

func effectsOf(k kind) (e effects) {
	for _, d := range k.dists() {
		e.dists[e.n] = d
		e.n++
		e.pdd = e.pdd || pddDists.has(d)
	}
	switch k.family() {
	case famEnded:
		e.sum = sumCost
	case famDisposed:
		e.sum = sumAgent
	case famCohort:
		e.sum = sumCohort
	}
	e.size = 2 * e.n
	if e.sum != sumNone {
		e.size++
	}
	var c Counters
	k.addTo(&c, 1, MaxShorts)
	for i, n := range [sumCount]uint64{
		sumKnown: c.Known(), sumAnswers: c.Answers, sumDelivered: c.delivered(), sumEnded: c.Ended, sumShort: c.Short[0],
		sumAbnormal: c.Abnormal, sumContacts: c.Contacts, sumFAS: c.AnswerNoRing,
	} {
		if n > 0 {
			e.sums |= 1 << i
		}
	}
	return e
}

// addTo adds n counts of the kind to c. shorts is how many thresholds for short calls there are.
func (k kind) addTo(c *Counters, n uint64, shorts int) {
	if k&kindFirst != 0 {
		switch k.family() {
		case famStarted, famRefused:
			c.Calls += n
		case famOutcome:
			c.CallsAnswered += n
		}
	}
	switch k.family() {
	case famStarted:
		c.Started += n
		c.Labels[min(int(k.field(startLabelShift, 3)), LabelStatuses-1)] += n
	case famCall:
		c.Calls += n
	case famCallAnswer:
		c.CallsAnswered += n
	case famRefused:
		c.Refused[min(int(k.field(refusedStageShift, 4)), Stages-1)] += n
	case famOutcome:
		k.addOutcome(c, n)
	case famEnded:
		c.Ended += n
		over := int(k.field(endedOverShift, 3))
		for i := over; i < shorts; i++ {
			c.Short[i] += n
		}
		if k.has(endedZero) {
			c.ZeroSecond += n
		}
		if k.has(endedAbnormal) {
			c.Abnormal += n
		}
	case famCohort:
		c.CohortEnded += n
	case famDisposed:
		c.Disposed[k.field(disposedByShift, 3)] += n
		if k.has(disposedContact) {
			c.Contacts += n
		}
		if k.has(disposedMachine) && k.field(disposedByShift, 3) == uint32(outdial.AnsweredByHuman) {
			c.LiveAnswers += n
			if k.has(disposedAbandoned) {
				c.Abandoned += n
			}
		}
	}
}

func (k kind) addOutcome(c *Counters, n uint64) {
	class, by := k.class(), ClassifiedBy(k.field(outcomeByShift, 3))
	c.Classes[class] += n
	c.ClassifiedBy[by] += n
	if by == ByNothing {
		c.Lost += n
		return
	}
	if !class.Seizure() {
		return
	}
	answered := class == ClassAnswer
	c.addStatus(k.code(), class, n)
	if k.has(outcomeBlocked) {
		c.Blocked += n
	}
	if k.has(outcomeEarly) {
		c.EarlyMedia += n
		if answered {
			c.EarlyMediaAnswer += n
		}
	}
	if !answered {
		return
	}
	if !k.has(outcomeProv) {
		c.AnswerNoRing += n
	}
	if k.has(outcomeFAS) {
		c.AnswerAtOnce += n
	}
	if k.has(outcomeLate) {
		c.LateAnswers += n
	} else {
		c.Answers += n
	}
}
