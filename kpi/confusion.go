package kpi

import (
	"fmt"
	"strings"

	"github.com/outdial/outdial"
)

// Confusion counts what a classifier said of answered calls beside what they were: on a trace that people have labelled. The
// zero value is empty.
type Confusion struct {
	By [AnswerKinds][AnswerKinds]uint64 // by truth, then by what was said, outdial.AnsweredBy
}

// Add counts one call.
func (c *Confusion) Add(truth, said outdial.AnsweredBy) {
	last := outdial.AnsweredByScreening
	c.By[min(truth, last)][min(said, last)]++
}

// Classifier is how good it is at telling humans from all else, for AnswerTypes.Corrected. Calls of which the truth is not known
// do not count; "unknown" is a word of the classifier's that is not human.
func (c *Confusion) Classifier() (out Classifier) {
	for truth := outdial.AnsweredByHuman; truth <= outdial.AnsweredByScreening; truth++ {
		for said, n := range c.By[truth] {
			human := outdial.AnsweredBy(said) == outdial.AnsweredByHuman
			of := &out.Specificity
			if truth == outdial.AnsweredByHuman {
				of = &out.Sensitivity
			} else {
				human = !human
			}
			of.N += n
			if human {
				of.K += n
			}
		}
	}
	return out
}

// String is the table, a line for each truth.
func (c *Confusion) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-14s", "truth \\ said")
	for said := range outdial.AnsweredBy(AnswerKinds) {
		fmt.Fprintf(&b, "%14s", said)
	}
	for truth := range outdial.AnsweredBy(AnswerKinds) {
		fmt.Fprintf(&b, "\n%-14s", truth)
		for _, n := range c.By[truth] {
			fmt.Fprintf(&b, "%14d", n)
		}
	}
	return b.String()
}
