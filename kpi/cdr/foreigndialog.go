package cdr

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/outdial/outdial"
)

// dialog is an answered attempt whose BYE is a line of its own.
type dialog struct {
	*outdial.Attempt
	tag string // of the callee
}

// transacted takes an INVITE of a file that has a line for each transaction.
func (x *importer) transacted(a *outdial.Attempt, yield func(*outdial.Event, error) bool) error {
	if x.open == nil {
		x.open, x.asked = map[string]*dialog{}, map[string]*outdial.Attempt{}
	}
	ref := a.Call.Ref
	if asked, ok := x.asked[ref]; ok { // with the credentials it is the same attempt, from the first INVITE on (RFC 6076 §5.3)
		again := a.Start.Sub(asked.Start)
		for i, d := range a.Timeline {
			if d != 0 {
				a.Timeline[i] = d + max(again, 0)
			}
		}
		a.ID, a.Call.ID, a.Start, a.Call.Begun = asked.ID, asked.ID.Call, asked.Start, asked.Start
		delete(x.asked, ref)
	}
	if (a.Result.Code == 401 || a.Result.Code == 407) && ref != "" {
		x.asked[ref] = a
		return nil
	}
	switch {
	case !a.Answered():
		return tellAttempt(a, yield)
	case ref == "":
		return tellUnended(a, yield)
	}
	tag := x.field("to_tag")
	if before, ok := x.open[ref]; ok { // another answer of the same call: a retransmission, a re-INVITE, or a fork
		if before.Start.Equal(a.Start) || tag != "" && before.tag == tag {
			return nil
		}
		if err := tellUnended(before.Attempt, yield); err != nil {
			return err
		}
	}
	x.open[ref] = &dialog{a, tag}
	return nil
}

// transaction reads a line that is not about an INVITE.
func (x *importer) transaction(method string, at time.Time, yield func(*outdial.Event, error) bool) error {
	a, ok := x.open[x.field(x.mapping.Ref)]
	if !ok || method != "BYE" {
		return nil
	}
	if at.Before(a.Start) {
		return x.fault(x.mapping.Start, fmt.Errorf("a BYE %v before the INVITE", a.Start.Sub(at)))
	}
	delete(x.open, a.Call.Ref)
	answer, _ := a.Timeline.At(outdial.MarkAnswer)
	a.Timeline.Set(outdial.MarkEnd, max(at.Sub(a.Start), answer))
	return tellAttempt(a.Attempt, yield)
}

// flush tells what the file has no further line of: calls without a BYE, and challenges that were not tried again.
func (x *importer) flush(yield func(*outdial.Event, error) bool) error {
	left := make([]*outdial.Attempt, 0, len(x.open)+len(x.asked))
	for _, a := range x.open {
		left = append(left, a.Attempt)
	}
	for _, a := range x.asked {
		left = append(left, a)
	}
	slices.SortFunc(left, func(a, b *outdial.Attempt) int { return cmp.Compare(a.ID.Call, b.ID.Call) })
	for _, a := range left {
		tell := tellAttempt
		if a.Answered() {
			tell = tellUnended
		}
		if err := tell(a, yield); err != nil {
			return err
		}
	}
	return nil
}

// tellUnended gives the events of a call whose end is not known.
func tellUnended(a *outdial.Attempt, yield func(*outdial.Event, error) bool) error {
	a.Result.Origin = outdial.OriginUnknown
	return tellAttempt(a, yield)
}
