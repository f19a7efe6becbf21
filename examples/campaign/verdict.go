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
	calleeDecided    verdict = "ended by the callee's side"          // busy, no answer, declined, absent, no such number
	dialerGaveUp     verdict = "given up by the dialer, ringing"     // it rang too long
	outdialRefused   verdict = "refused by outdial, all trunks full" // on the carriers' word
	wasStopped       verdict = "stopped with the campaign"
	failedRinging    verdict = "failed after it may have rung, so not tried again"
	failedEverywhere verdict = "failed on every trunk"
	wasLost          verdict = "lost"        // it failed or was refused although a trunk could have carried it
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
// callee (records, by trunk). room has all trunks of the plan and says whether a refusal was right.
func judge(f fate, s *story, records map[string][]siptest.Record, room *room) judged {
	j := judged{fate: f, story: s}
	j.Verdict, j.Why = verdictOf(f, s, records, room)
	return j
}

func verdictOf(f fate, s *story, records map[string][]siptest.Record, room *room) (verdict, string) {
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
			if why := untried(s, room); why != "" {
				return wasLost, why
			}
			return outdialRefused, s.Refused[len(s.Refused)-1].Code
		}
		return unexplained, fmt.Sprintf("%d, and nothing in the journal", f.Code)
	}
	said := 0 // by the callee's side on the last trunk, if hunting waited for that
	for name, rs := range records {
		for _, r := range rs {
			switch {
			case !isCalleeOutcome(r.Script) || r.Cancelled: // we ended it ourselves
			case r.Code == f.Code && s.reports(name, r.Code):
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
	if why := untried(s, room); why != "" {
		return wasLost, fmt.Sprintf("%s failed (%s), and %s", last.Trunk, failureOf(last.Result), why)
	}
	return failedEverywhere, ""
}

// reports reports whether what a carrier answered can be what the dialer was told: its leg is the one that hunting waited
// for, or the Session reports that code for it.
func (s *story) reports(trunk string, code int) bool {
	for i, a := range s.Attempts {
		if a.Trunk != trunk {
			continue
		}
		if i == len(s.Attempts)-1 && !a.Abandoned {
			return true
		}
		if a.Reported.Origin == outdial.OriginCarrier && int(a.Reported.Code) == code {
			return true
		}
	}
	return false
}

// untried names a trunk that could have carried the call and was not tried; "" = there is none. A trunk that was refused could
// not, if its carrier's own counts say so.
func untried(s *story, room *room) string {
	for _, t := range room.trunks {
		if slices.ContainsFunc(s.Attempts, func(a *attempt) bool { return a.Trunk == t }) {
			continue
		}
		i := slices.IndexFunc(s.Refused, func(r refused) bool { return r.Trunk == t })
		if i < 0 {
			return t + " was not tried"
		}
		if why := room.unjust(s.Refused[i]); why != "" {
			return t + " was refused, but " + why
		}
	}
	return ""
}

func isCalleeOutcome(script string) bool {
	return slices.Contains([]outcome{busy, noAnswer, declined, absent, badNumber, blocked}, outcome(script))
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
