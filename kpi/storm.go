package kpi

import (
	"math"
	"time"
)

// Storm tells whether dials went up and what they are made for did not: the sign of lists that are dialled again and again.
type Storm struct {
	Dials    Growth // seizures
	Contacts Growth // contacts, by dispositions
	Alarm    bool   // dials grew by half or more, and contacts by less than half as much as dials, with 99 % confidence each
}

// Growth is how many times as fast something comes as it did before, with a 98 % interval. What never came before grows from
// nothing to anything: High is +Inf.
type Growth struct {
	Times     float64
	Low, High float64
}

// StormOf compares two stretches of time that do not overlap, as long as they say: the last minutes with the hour before them, for
// instance. Dispositions come late: contacts of the last minutes are missing as long as their calls last, so that the later
// stretch should end some minutes ago.
func StormOf(before, after *Cell, beforeSpan, afterSpan time.Duration) Storm {
	s := Storm{
		Dials:    growthOf(before.Seizures(), after.Seizures(), beforeSpan, afterSpan),
		Contacts: growthOf(before.Contacts, after.Contacts, beforeSpan, afterSpan),
	}
	s.Alarm = s.Dials.Low > 1.5 && s.Contacts.High < (1+s.Dials.Low)/2
	return s
}

// growthOf compares two Poisson counts: given their sum, the later one is binomial.
func growthOf(before, after uint64, beforeSpan, afterSpan time.Duration) Growth {
	if before+after == 0 || beforeSpan <= 0 || afterSpan <= 0 {
		return Growth{Times: 1, High: math.Inf(1)}
	}
	spans := float64(beforeSpan) / float64(afterSpan)
	share := Ratio{K: after, N: before + after}
	times := func(p float64) float64 { return p / (1 - p) * spans }
	low, high, _ := share.Jeffreys(0.98)
	p, _ := share.Value()
	return Growth{Times: times(p), Low: times(low), High: times(high)}
}
