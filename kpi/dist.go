package kpi

import (
	"time"

	"github.com/outdial/outdial"
)

// dist is one of the distributions that cells keep. Those that a Cell shows are put together from them, so that a delay
// which belongs to several, as the usual one to a 180 that comes first, is kept once.
type dist uint8

const (
	// INVITE to the first response beyond 100, of an answered or a failed leg, by what that was:
	answeredRang  dist = iota // the first 180, and nothing was heard before
	answeredHeard             // another one that the caller may have heard
	answeredFirst             // one that nobody heard
	failedRang
	failedHeard
	failedFirst

	// INVITE to the final response of a leg without any such response:
	answeredFinal
	failedFinal

	laterRang  // INVITE to the first 180, and
	laterHeard // to what the caller may have heard first, where they are not the first response
	ringTime   // first 180 to the answer
	talkTime   // answer to BYE
	byeTaken   // BYE of the host to its 2xx
	byeFailed  // to another final response
	distCount
)

// dists is a set of them.
type dists uint16

func (s dists) has(d dist) bool { return s&(1<<d) != 0 }

// delay is how long what a distribution is about took in an attempt.
func (d dist) delay(a *outdial.Attempt) time.Duration {
	t := &a.Timeline
	var v time.Duration
	switch d {
	case answeredFinal:
		v, _ = t.Between(outdial.MarkInvite, outdial.MarkAnswer)
	case failedFinal:
		v, _ = t.Between(outdial.MarkInvite, outdial.MarkEnd)
	case laterRang:
		v, _ = t.Between(outdial.MarkInvite, outdial.MarkRinging)
	case laterHeard:
		v, _ = t.Audible()
	case ringTime:
		v, _ = t.Between(outdial.MarkRinging, outdial.MarkAnswer)
	case talkTime:
		v, _ = t.Duration()
	case byeTaken, byeFailed:
		v = a.Result.Bye
	default:
		v, _ = t.PDD()
	}
	return v
}

// dists lists the distributions that a count of the kind brings durations for.
func (k kind) dists() (list []dist) {
	switch k.family() {
	case famEnded:
		list = append(list, talkTime)
		if k.has(endedBye) {
			list = append(list, byeTaken)
		}
		if k.has(endedByeFailed) {
			list = append(list, byeFailed)
		}
	case famOutcome:
		lost := ClassifiedBy(k.field(outcomeByShift, 3)) == ByNothing
		if lost || !k.class().Seizure() {
			return nil
		}
		answered := k.class() == ClassAnswer
		first := [3]dist{failedFirst, failedHeard, failedRang}
		final := failedFinal
		if answered {
			first, final = [3]dist{answeredFirst, answeredHeard, answeredRang}, answeredFinal
		}
		switch {
		case k.has(outcomeProv) && k.has(outcomeRangFirst):
			list = append(list, first[2])
		case k.has(outcomeProv) && k.has(outcomeHeardFirst):
			list = append(list, first[1])
		case k.has(outcomeProv):
			list = append(list, first[0])
		case k.has(outcomeFinal):
			list = append(list, final)
		}
		if answered && k.has(outcomeRang) && !k.has(outcomeLate) {
			list = append(list, ringTime)
		}
		if k.has(outcomeRang) && !k.has(outcomeRangFirst) {
			list = append(list, laterRang)
		}
		if k.has(outcomeHeardLater) {
			list = append(list, laterHeard)
		}
	}
	return list
}

// maxDists is the most durations that one count brings.
const maxDists = 4

// progress are the flags of an outcome that say what came before it, and when.
func progress(a *outdial.Attempt) kind {
	t := &a.Timeline
	first, prov := t.PDD()
	ringing, rang := t.Between(outdial.MarkInvite, outdial.MarkRinging)
	audible, heard := t.Audible()
	_, ended := t.At(outdial.MarkEnd)
	final := !prov && (a.Answered() || ended && a.Result.Code != 0)
	heardFirst := prov && heard && audible == first
	early := t[outdial.MarkEarlySDP] != 0 || t[outdial.MarkEarlyMedia] != 0
	return flag(early, outcomeEarly) | flag(prov, outcomeProv) | flag(rang, outcomeRang) |
		flag(heardFirst && rang && ringing == first, outcomeRangFirst) | flag(heardFirst, outcomeHeardFirst) |
		flag(heard && !heardFirst, outcomeHeardLater) | flag(final, outcomeFinal)
}
