package main

import (
	"fmt"
	"slices"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
)

// verdict is what became of one call of the dialer, on the word of dialer, journal and carriers together.
type verdict string

// Verdicts.
const (
	wasAnswered      verdict = "answered"
	calleeDecided    verdict = "ended by the callee's side"      // busy, no answer, declined, absent, no such number
	dialerGaveUp     verdict = "given up by the dialer, ringing" // it rang too long
	outdialRefused   verdict = "refused by outdial"              // no room, no number: the reason is in the journal
	wasStopped       verdict = "stopped with the campaign"
	failedRinging    verdict = "failed after it may have rung, so not tried again"
	failedEverywhere verdict = "failed on every trunk"
	wasLost          verdict = "lost"        // it failed although a trunk was left that could have carried it
	unexplained      verdict = "unexplained" // the three do not agree
)

// judged is a call with its verdict.
type judged struct {
	fate
	story   *story
	Verdict verdict
	Why     string // for the verdicts that should not be
}

// judge compares what the dialer heard (f), what the journal tells (s, nil = nothing) and what the carriers saw of the
// callee (records, by trunk). trunks are all that the plan has.
func judge(f fate, s *story, records map[string][]siptest.Record, trunks []string) judged {
	j := judged{fate: f, story: s}
	j.Verdict, j.Why = verdictOf(f, s, records, trunks)
	return j
}

func verdictOf(f fate, s *story, records map[string][]siptest.Record, trunks []string) (verdict, string) {
	last := s.last()
	switch {
	case f.GaveUp == errStopped && f.Code/100 != 2:
		return wasStopped, ""
	case f.Failure != nil:
		return unexplained, f.Failure.Error()
	case f.Code == 0:
		return unexplained, "no final response"
	case f.Code/100 == 2:
		if s == nil || s.inTime() != 1 {
			return unexplained, "answered, but the journal has no answer in time"
		}
		return wasAnswered, ""
	case f.GaveUp == errRangLong && f.Code == 487:
		return dialerGaveUp, ""
	case last == nil:
		if s != nil && len(s.Refused) > 0 {
			return outdialRefused, s.Refused[len(s.Refused)-1].Code
		}
		return unexplained, fmt.Sprintf("%d, and nothing in the journal", f.Code)
	}
	said := 0 // by the callee's side on the last trunk, if hunting waited for that
	for name, rs := range records {
		for _, r := range rs {
			switch {
			case !isCalleeOutcome(r.Script) || r.Cancelled: // we ended it ourselves
			case r.Code == f.Code:
				return calleeDecided, r.Script
			case name == last.Trunk && !last.Abandoned:
				said = r.Code
			}
		}
	}
	if said != 0 {
		return unexplained, fmt.Sprintf("the carrier said %d, the dialer heard %d", said, f.Code)
	}
	if slices.ContainsFunc(s.Attempts, func(a *attempt) bool { return a.Rang }) {
		return failedRinging, ""
	}
	for _, t := range trunks {
		tried := slices.ContainsFunc(s.Attempts, func(a *attempt) bool { return a.Trunk == t })
		noRoom := slices.ContainsFunc(s.Refused, func(r refused) bool { return r.Trunk == t })
		if !tried && !noRoom {
			return wasLost, fmt.Sprintf("%s failed (%s), and %s was not tried", last.Trunk, failureOf(last.Result), t)
		}
	}
	return failedEverywhere, ""
}

func isCalleeOutcome(script string) bool {
	return slices.Contains([]outcome{busy, noAnswer, declined, absent, badNumber}, outcome(script))
}

// recordsByCallee sorts what the carriers saw by callee and trunk.
func recordsByCallee(carriers []carrierFacts) map[outdial.Number]map[string][]siptest.Record {
	by := make(map[outdial.Number]map[string][]siptest.Record)
	for _, c := range carriers {
		for _, r := range c.Records {
			n, err := calleeOf(r.To)
			if err != nil {
				continue // it counts as an INVITE that the journal does not know
			}
			if by[n] == nil {
				by[n] = make(map[string][]siptest.Record)
			}
			by[n][c.Name] = append(by[n][c.Name], r)
		}
	}
	return by
}
