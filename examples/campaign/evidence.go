package main

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/trunk"
)

// evidence is everything that is known when a campaign is over, from four sides: the dialer, outdial's live state, its
// journal, and the carriers. Summary and invariants are functions of it.
type evidence struct {
	Options     options
	Began       time.Time
	Finished    time.Time // the last call was over
	Interrupted bool
	Worked      time.Duration // agents' time, conversations and after-call work

	Fates    []fate
	Ledger   *ledger
	Live     map[string]liveFacts // by trunk
	Total    kpi.Cell
	Told     told // the same cells, from the journal alone: the summary is made of these
	Carriers []carrierFacts

	Callers []outdial.Number // the numbers that may be presented
	Caps    []numberCap

	Broken, Noticed, Healed, Back time.Time
	Detections                    []*detection
	Incidents                     []failover.Incident
	Drills                        []failover.Drill
	Notices                       []notice
	Label                         labelFacts

	Decision outdial.Explanation // of one call while the good carrier was broken
	Decided  time.Duration       // when, since the start

	Other []string // what another policy would have done with the same calls, in words

	Goroutines, Baseline int
}

// liveFacts is what outdial's own state says of a trunk, without the journal.
type liveFacts struct {
	Cell   kpi.Cell
	Status trunk.Status
}

// told is what a meter says that was told nothing but the journal.
type told struct {
	Total kpi.Cell
	Trunk map[string]kpi.Cell
}

// carrierFacts is what a carrier says of itself.
type carrierFacts struct {
	profile
	Stats   siptest.Stats
	Records []siptest.Record
}

// numberCap is how often a number may be used within a window.
type numberCap struct {
	Max    int
	Window time.Duration
}

// judged returns every call with its verdict.
func (e *evidence) judged() []judged {
	records := recordsByCallee(e.Carriers)
	room := newRoom(e)
	list := make([]judged, 0, len(e.Fates))
	for _, f := range e.Fates {
		list = append(list, judge(f, e.Ledger.Calls[f.Callee.Number], records[f.Callee.Number], room))
	}
	return list
}

// cap returns the number of uses that no number may exceed in the whole campaign: the least cap whose window it lasted no
// longer than; 0 = none. Within such a window nothing depends on when exactly a use is counted.
func (e *evidence) cap() int {
	least := 0
	for _, c := range e.Caps {
		if e.Finished.Sub(e.Began) <= c.Window && (least == 0 || c.Max < least) {
			least = c.Max
		}
	}
	return least
}

// uses counts how often each number was presented, as the carriers saw it.
func (e *evidence) uses() map[string]int {
	uses := make(map[string]int)
	for _, c := range e.Carriers {
		for from, n := range c.Stats.ByFrom {
			uses[from] += n
		}
	}
	return uses
}
