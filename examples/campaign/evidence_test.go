package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/trunk"
)

var testBegin = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time {
	return testBegin.Add(time.Duration(seconds * float64(time.Second)))
}

// book writes events as an engine would.
type book struct {
	t      *testing.T
	ids    *outdial.Registry
	meter  *kpi.Meter
	ledger *ledger
	sinks  []outdial.Observer
	seq    uint64
}

func newBook(t *testing.T) *book {
	b := &book{t: t, ids: new(outdial.Registry)}
	b.ids.Trunks.Add("alpha", "budget", "coast", "delta")
	var err error
	b.meter, err = kpi.New(kpi.Config{IDs: b.ids})
	require.NoError(t, err)
	b.ledger = newLedger(b.ids)
	b.sinks = []outdial.Observer{b.ledger, b.meter}
	return b
}

func (b *book) tell(ev outdial.Event) {
	b.seq++
	ev.Seq = b.seq
	for _, s := range b.sinks {
		s.Observe(&ev)
	}
}

// begin starts an attempt.
func (b *book) begin(when float64, to outdial.Number, call outdial.CallID, leg uint8, trunkName string) *outdial.Attempt {
	a := &outdial.Attempt{
		ID: outdial.AttemptID{Call: call, Leg: leg}, Call: outdial.Call{ID: call, To: to}, Start: at(when),
		Candidate: outdial.Candidate{Trunk: b.ids.Trunks.ID(trunkName)}, Choice: outdial.Choice{Why: outdial.WhyWeight, Probability: 1},
		CLI: callers(1)[0], State: outdial.AttemptOpen,
	}
	b.tell(outdial.Event{Kind: outdial.EventStarted, Time: at(when), Attempt: a})
	return a
}

func (b *book) answer(when float64, a *outdial.Attempt) {
	a.State = outdial.AttemptAnswered
	a.Timeline.Set(outdial.MarkAnswer, at(when).Sub(a.Start))
	b.tell(outdial.Event{Kind: outdial.EventAnswered, Time: at(when), Attempt: a})
}

func (b *book) end(when float64, a *outdial.Attempt, r outdial.Result) {
	a.State, a.Result = outdial.AttemptEnded, r
	a.Timeline.Set(outdial.MarkEnd, at(when).Sub(a.Start))
	b.tell(outdial.Event{Kind: outdial.EventEnded, Time: at(when), Attempt: a})
}

const (
	answeredTo = outdial.Number(12015550100)
	busyTo     = outdial.Number(12015550101)
	refusedTo  = outdial.Number(12015550102)
)

// carrierSaid is the end of an attempt by a final response.
func carrierSaid(code uint16) outdial.Result {
	return outdial.Result{Origin: outdial.OriginCarrier, Code: code}
}

// soundEvidence is of a small campaign in which everything is right: one call meets silence on delta and is answered on
// alpha, one fails on budget and is busy on coast, one is refused: each carrier has one channel, and all are in use.
func soundEvidence(t *testing.T) *evidence {
	b := newBook(t)
	silent := b.begin(0.5, answeredTo, 1, 1, "delta")
	silent.State, silent.Abandoned = outdial.AttemptAbandoned, outdial.Result{Origin: outdial.OriginNoTrying}
	silent.Timeline.Set(outdial.MarkAbandon, 500*time.Millisecond)
	b.tell(outdial.Event{Kind: outdial.EventAbandoned, Time: at(1), Attempt: silent})
	a := b.begin(1, answeredTo, 1, 2, "alpha")
	b.answer(2, a)
	b.end(5, a, outdial.Result{Origin: outdial.OriginCallerHangup})
	a = b.begin(2, busyTo, 2, 1, "budget")
	b.end(2.5, a, carrierSaid(503))
	a = b.begin(2.5, busyTo, 2, 2, "coast")
	b.end(3, a, carrierSaid(486))
	for _, name := range []string{"alpha", "budget", "coast", "delta"} {
		bid := &outdial.Attempt{
			ID: outdial.AttemptID{Call: 3}, Call: outdial.Call{ID: 3, To: refusedTo}, Start: at(3),
			Candidate: outdial.Candidate{Trunk: b.ids.Trunks.ID(name)},
		}
		b.tell(outdial.Event{Kind: outdial.EventRefused, Time: at(3), Attempt: bid, Refusal: "channels", RefusalStage: outdial.StageTrunk})
	}

	b.end(4, silent, outdial.Result{Origin: outdial.OriginNoTrying})

	from := callers(1)[0].String()
	record := func(to outdial.Number, code int, script string) siptest.Record {
		return siptest.Record{To: to.String(), From: from, Code: code, Script: script, EndedAt: at(5)}
	}
	e := &evidence{
		Options: options{Calls: 3, CPS: 55, Seats: 50, Scale: 15, Fault: fault503}, Began: testBegin, Finished: at(10),
		Ledger: b.ledger, Live: map[string]liveFacts{}, Callers: callers(1), Caps: numberCaps, Goroutines: 3, Baseline: 3,
		Fates: []fate{
			{Callee: callee{Number: answeredTo, Outcome: human}, Code: 200, Placed: at(1), Answered: at(2), Ended: at(5), Agent: true},
			{Callee: callee{Number: busyTo, Outcome: busy}, Code: 486, Placed: at(2), Ended: at(3)},
			{Callee: callee{Number: refusedTo, Outcome: human}, Code: 503, Placed: at(3), Ended: at(3)},
		},
	}
	for _, p := range profiles(e.Options) {
		p.Channels = 1
		cell, _ := b.meter.Cell(at(10), kpi.Key{View: kpi.ByTrunk, Trunk: b.ids.Trunks.ID(p.Name)})
		e.Live[p.Name] = liveFacts{Cell: cell, Status: trunk.Status{
			Name: p.Name, Peak: 1, Channels: p.Channels, Blocked: trunk.Blocked{Channels: 2, CPS: 1},
		}}
		c := carrierFacts{profile: p, Stats: siptest.Stats{ByFrom: map[string]int{}}}
		switch p.Name {
		case "alpha":
			c.Records = []siptest.Record{record(answeredTo, 200, string(human))}
		case "budget":
			c.Records = []siptest.Record{record(busyTo, 503, networkFailure)}
		case "coast":
			c.Records = []siptest.Record{record(busyTo, 486, string(busy))}
		case "delta":
			c.Records = []siptest.Record{{To: answeredTo.String(), From: from}}
		}
		for _, r := range c.Records {
			c.Stats.Invites++
			c.Stats.ByFrom[from]++
			c.Stats.PeakChannels, c.Stats.PeakCPS = 1, 1
			if r.Code == 200 {
				c.Stats.Answered++
			}
		}
		e.Carriers = append(e.Carriers, c)
	}
	e.Total, _ = b.meter.Cell(at(10), kpi.Key{View: kpi.Total})
	e.Told = told{Total: e.Total, Trunk: map[string]kpi.Cell{}}
	for name, l := range e.Live {
		e.Told.Trunk[name] = l.Cell
	}
	return e
}

func TestVerdicts(t *testing.T) {
	e := soundEvidence(t)
	var got []verdict
	for _, j := range e.judged() {
		got = append(got, j.Verdict)
	}
	require.Equal(t, []verdict{wasAnswered, calleeDecided, outdialRefused}, got)
}

func TestVerdictOf(t *testing.T) {
	e := soundEvidence(t)
	e.Carriers = e.Carriers[:2]
	room := newRoom(e)
	failed := func(names ...string) *story {
		s := &story{To: busyTo}
		for _, n := range names {
			s.Attempts = append(s.Attempts, &attempt{Trunk: n, Result: carrierSaid(503)})
		}
		return s
	}
	rang := failed("alpha")
	rang.Attempts[0].Rang = true
	full := failed("alpha")
	full.Refused = []refused{{At: at(3), Trunk: "budget", Stage: outdial.StageTrunk, Code: "channels"}}
	hadRoom := failed("alpha")
	hadRoom.Refused = []refused{{At: at(8), Trunk: "budget", Stage: outdial.StageTrunk, Code: "channels"}}
	refusedOnly := &story{To: busyTo, Refused: []refused{
		{At: at(3), Trunk: "alpha", Stage: outdial.StageTrunk, Code: "channels"},
		{At: at(3), Trunk: "budget", Stage: outdial.StageTrunk, Code: "channels"},
	}}
	policy := &story{To: busyTo, Refused: []refused{{At: at(3), Stage: outdial.StageRouting, Code: "denied"}}}
	left := failed("alpha", "budget") // alpha was abandoned and is busy after all
	left.Attempts[0].Abandoned = true
	reported := failed("alpha", "budget")
	reported.Attempts[0].Abandoned, reported.Attempts[0].Reported = true, carrierSaid(486)
	busyOnAlpha := map[string][]siptest.Record{"alpha": {{Script: string(busy), Code: 486}}}
	for name, tc := range map[string]struct {
		fate    fate
		story   *story
		records map[string][]siptest.Record
		want    verdict
	}{
		"lost":                {fate{Code: 500}, failed("alpha"), nil, wasLost},
		"failed everywhere":   {fate{Code: 500}, failed("alpha", "budget"), nil, failedEverywhere},
		"the other was full":  {fate{Code: 500}, full, nil, failedEverywhere},
		"the other had room":  {fate{Code: 500}, hadRoom, nil, wasLost},
		"all were full":       {fate{Code: 503}, refusedOnly, nil, outdialRefused},
		"refused by policy":   {fate{Code: 403}, policy, nil, wasLost},
		"of a leg left alone": {fate{Code: 486}, left, busyOnAlpha, failedEverywhere},
		"left, but reported":  {fate{Code: 486}, reported, busyOnAlpha, calleeDecided},
		"it rang":             {fate{Code: 500}, rang, nil, failedRinging},
		"gave up":             {fate{Code: 487, GaveUp: errRangLong}, failed("alpha"), nil, dialerGaveUp},
		"stopped":             {fate{GaveUp: errStopped}, nil, nil, wasStopped},
		"no final response":   {fate{}, failed("alpha"), nil, unexplained},
		"nobody knows it":     {fate{Code: 500}, nil, nil, unexplained},
		"answer from nowhere": {fate{Code: 200}, failed("alpha"), nil, unexplained},
		"another code":        {fate{Code: 404}, failed("alpha"), map[string][]siptest.Record{"alpha": {{Script: string(busy), Code: 486}}}, unexplained},
		"we cancelled it":     {fate{Code: 408}, failed("alpha", "budget"), map[string][]siptest.Record{"budget": {{Script: string(noAnswer), Code: 487, Cancelled: true}}}, failedEverywhere},
		"busy":                {fate{Code: 486}, failed("alpha"), map[string][]siptest.Record{"alpha": {{Script: string(busy), Code: 486}}}, calleeDecided},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := verdictOf(tc.fate, tc.story, tc.records, room)
			require.Equal(t, tc.want, got)
		})
	}
}
