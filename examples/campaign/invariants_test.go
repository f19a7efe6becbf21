package main

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/failover"
	"github.com/outdial/outdial/internal/siptest"
)

func TestInvariantsHoldOnSoundEvidence(t *testing.T) {
	for _, c := range soundEvidence(t).check() {
		require.True(t, c.OK, "%s: %s", c.Name, c.Fault)
	}
}

// Each invariant must be able to fail: here is what each is there to find.
func TestEveryInvariantCanFail(t *testing.T) {
	spoilers := map[string]map[string]func(e *evidence){
		"journal = live: every figure of the summary": {
			"an answer more":     func(e *evidence) { e.Told.Total.Answers++ },
			"a delay of a trunk": func(e *evidence) { c := e.Told.Trunk[good]; c.PDD.Add(time.Second); e.Told.Trunk[good] = c },
		},
		"every call got one final response": {
			"none came": func(e *evidence) { e.Fates[1].Code = 0 },
			"no socket": func(e *evidence) { e.Fates[1].Failure = errors.New("broken") },
		},
		"every end is explained by the callee, the dialer or a refusal with its reason": {
			"another code":  func(e *evidence) { e.Fates[1].Code = 404 },
			"no refusal":    func(e *evidence) { e.Ledger.Calls[refusedTo].Refused = nil },
			"a phantom 200": func(e *evidence) { e.Fates[2].Code = 200 },
		},
		"no call was lost: none failed while a trunk was left that could have carried it": {
			"stopped too early": func(e *evidence) {
				s := e.Ledger.Calls[busyTo]
				s.Attempts = s.Attempts[:1]
				e.Fates[1].Code = 500
			},
			"refused, and a carrier had room": func(e *evidence) { e.Carriers[0].Channels = 2 },
			"refused for the pace, and nothing was sent": func(e *evidence) {
				e.Ledger.Calls[refusedTo].Refused[2].Code = "cps"
			},
			"refused for want of caller IDs, and there were some": func(e *evidence) {
				r := &e.Ledger.Calls[refusedTo].Refused[1]
				r.Stage, r.Code = outdial.StageCLI, "caps"
			},
			"refused by policy": func(e *evidence) {
				r := &e.Ledger.Calls[refusedTo].Refused[1]
				r.Stage, r.Code = outdial.StageCLI, "right"
			},
		},
		"few calls were refused or failed on every trunk: no more than the carriers account for": {
			"many were refused": func(e *evidence) {
				for i := range 20 {
					to := fictional("203", i)
					s := *e.Ledger.Calls[refusedTo]
					e.Ledger.Calls[to] = &s
					e.Fates = append(e.Fates, fate{Callee: callee{Number: to}, Code: 503})
				}
			},
		},
		"each callee was connected at most once, and no late answer was left up": {
			"two answers": func(e *evidence) {
				s := e.Ledger.Calls[answeredTo]
				s.Attempts = append(s.Attempts, s.last())
			},
			"the carrier answered twice": func(e *evidence) {
				e.Carriers[2].Records = append(e.Carriers[2].Records, e.Carriers[0].Records[0])
			},
			"a late answer is up": func(e *evidence) {
				a := *e.Ledger.Calls[answeredTo].last()
				a.Late, a.Ended = true, time.Time{}
				e.Ledger.Calls[answeredTo].Attempts = append(e.Ledger.Calls[answeredTo].Attempts, &a)
			},
			"not in the journal": func(e *evidence) { delete(e.Ledger.Calls, answeredTo) },
		},
		"what the callee decided was never tried again elsewhere": {
			"busy, then elsewhere": func(e *evidence) { e.Carriers[1].Records[0].Script = string(busy) },
		},
		"channels: no carrier saw more calls at a time than agreed": {
			"too many":        func(e *evidence) { e.Carriers[0].Stats.PeakChannels = e.Carriers[0].Channels + 1 },
			"one was refused": func(e *evidence) { e.Carriers[0].Stats.ChannelsFull = 1 },
			"held by ourselves": func(e *evidence) {
				l := e.Live["alpha"]
				l.Status.Peak = e.Carriers[0].Channels + 1
				e.Live["alpha"] = l
			},
		},
		"calls per second: no trunk was given more in any second than configured": {
			"one too many": func(e *evidence) { burst(e, e.Carriers[1].CPS+1, time.Millisecond) },
		},
		"caller IDs: only the campaign's own were presented": {
			"another one":  func(e *evidence) { e.Carriers[0].Stats.ByFrom["+12025550199"] = 1 },
			"not a number": func(e *evidence) { e.Carriers[0].Stats.ByFrom["anonymous"] = 1 },
		},
		"caller IDs: no number was used more often than its cap, as the carriers count": {
			"once too often": func(e *evidence) { e.Carriers[3].Stats.ByFrom[e.Callers[0].String()] = 3 },
		},
		"caller IDs: a number that is blocked rests, with its evidence, and is shown no more": {
			"it does not rest": func(e *evidence) { e.Label = labelFacts{Number: e.Callers[0], Blocks: 4} },
			"without evidence": func(e *evidence) {
				e.Label = labelFacts{Number: e.Callers[0], Blocks: 2, Entry: &cli.Entry{Time: e.Finished}}
			},
			"without a block": func(e *evidence) {
				e.Label = labelFacts{Number: e.Callers[0], Entry: &cli.Entry{Time: e.Finished}}
			},
			"nothing says where to object": func(e *evidence) {
				e.Label = labelFacts{Number: e.Callers[0], Blocks: 2, Entry: &cli.Entry{
					Time: e.Finished, Figures: []cli.Figure{{Name: "block_cusum", Value: 5.4}},
				}}
			},
			"shown again": func(e *evidence) {
				e.Label = labelFacts{Number: e.Callers[0], Blocks: 2, Redress: &cli.Redress{URL: redressURL}, Entry: &cli.Entry{
					Time: e.Began.Add(-time.Second), Figures: []cli.Figure{{Name: "block_cusum", Value: 5.4}},
				}}
			},
		},
		"caller IDs: a callee sees another number only where the first rests or has reached its cap": {
			"another one": func(e *evidence) { e.Ledger.Calls[busyTo].Attempts[1].CLI++ },
		},
		"journal = live: attempts, answers and ends by trunk": {
			"a start is missing":  func(e *evidence) { e.Ledger.Trunks["alpha"].Started-- },
			"an answer too many":  func(e *evidence) { e.Ledger.Trunks["alpha"].Answered++ },
			"the meter lost some": func(e *evidence) { e.Live["coast"] = liveFacts{} },
		},
		"journal = carriers: INVITEs and answers by trunk": {
			"an INVITE that nobody journalled": func(e *evidence) { e.Carriers[3].Stats.Invites++ },
			"an answer that nobody heard":      func(e *evidence) { e.Carriers[0].Stats.Answered++ },
		},
		"journal = dialer: answered calls": {
			"an answer went missing": func(e *evidence) { e.Fates[0].Code = 500 },
		},
		"no attempt is open at the end": {
			"one is": func(e *evidence) { e.Ledger.Trunks["coast"].Open = 1 },
		},
		"no channel and no call is left up at the end": {
			"a channel leaked": func(e *evidence) {
				l := e.Live["delta"]
				l.Status.InUse = 1
				e.Live["delta"] = l
			},
			"a call is up": func(e *evidence) { e.Carriers[0].Records[0].EndedAt = time.Time{} },
		},
		"a failing carrier rests after as few failures in a row as configured": {
			"late":  func(e *evidence) { e.Detections = []*detection{{Trunk: dead, Allowed: 3, Row: 4, Noticed: at(3)}} },
			"never": func(e *evidence) { e.Detections = []*detection{{Trunk: dead, Allowed: 3, Row: 3}} },
		},
		"a resting carrier gets nothing but probes and last resorts": {
			"an ordinary call": func(e *evidence) {
				e.Detections = []*detection{{Trunk: good, Allowed: 6, Row: 6, Noticed: at(3), Ordinary: 1}}
			},
		},
		"an outage for one destination: the carrier rests for that one, and for no other": {
			"all of the carrier rests": func(e *evidence) {
				e.Incidents = []failover.Incident{{Name: good, Why: "soft failures in a row", Isolated: at(1)}}
			},
			"another destination rests": func(e *evidence) {
				e.Incidents = []failover.Incident{{Name: good, GroupName: "US/203", Why: "soft failures in a row", Isolated: at(1)}}
			},
			"an ordinary call went there": func(e *evidence) {
				e.Incidents = []failover.Incident{{Name: good, GroupName: "US/" + metro, Why: "soft failures in a row", Isolated: at(1)}}
				e.Ledger.Calls[0] = &story{To: fictional(metro, 1), Attempts: []*attempt{{Trunk: good, Start: at(2)}}}
			},
		},
		"flips and drills send what was ordered, and end by themselves": {
			"outside its time": func(e *evidence) { e.Ledger.Calls[busyTo].Attempts[1].Why = outdial.WhyFlip },
			"too few": func(e *evidence) {
				e.Ledger.Orders = []ordered{{Order: failover.Flip{To: []string{drillName}, Share: 1}, From: at(20), Until: at(30)}}
				for i := range 10 {
					e.Ledger.Calls[outdial.Number(i)] = &story{Attempts: []*attempt{{Trunk: good, Start: at(21)}}}
				}
			},
			"too many": func(e *evidence) {
				e.Ledger.Orders = []ordered{{Order: failover.Flip{To: []string{drillName}, Share: 0.1}, From: at(20), Until: at(30)}}
				for i := range 10 {
					e.Ledger.Calls[outdial.Number(i)] = &story{Attempts: []*attempt{{Trunk: drillName, Why: outdial.WhyFlip, Start: at(21)}}}
				}
			},
			"no report": func(e *evidence) {
				e.Ledger.Orders = []ordered{{Order: failover.Flip{To: []string{drillName}, Share: 1}, Drill: true, From: at(6), Until: at(7)}}
			},
			"a report that is wrong": func(e *evidence) {
				e.Ledger.Orders = []ordered{{Order: failover.Flip{To: []string{drillName}, Share: 1}, Drill: true, From: at(6), Until: at(7)}}
				e.Drills = []failover.Drill{{From: at(6), Until: at(7), Over: true}}
				e.Drills[0].During.To.Started = atTheEdges + 1
			},
		},
		"goroutines are back where they were": {
			"one leaked": func(e *evidence) { e.Goroutines++ },
		},
	}
	require.Len(t, spoilers, len(invariants))
	for _, inv := range invariants {
		require.NotEmpty(t, spoilers[inv.name], inv.name)
		for name, spoil := range spoilers[inv.name] {
			t.Run(inv.name+"/"+name, func(t *testing.T) {
				e := soundEvidence(t)
				require.NoError(t, inv.check(e))
				spoil(e)
				require.Error(t, inv.check(e))
			})
		}
	}
}

// burst makes budget get n INVITEs within 900 ms, each so long after the decision.
func burst(e *evidence, n int, delay time.Duration) {
	c := &e.Carriers[1]
	for i := range n {
		to, when := fictional("202", i), at(6+0.9*float64(i)/float64(n))
		e.Ledger.Calls[to] = &story{To: to, Attempts: []*attempt{{Trunk: c.Name, Start: when.Add(-delay)}}}
		c.Records = append(c.Records, siptest.Record{To: to.String(), InvitedAt: when})
	}
}

func TestCallsPerSecondAreThoseDecidedAndReceived(t *testing.T) {
	e := soundEvidence(t)
	burst(e, e.Carriers[1].CPS, time.Millisecond)
	require.NoError(t, cpsKept(e), "as many as configured")

	e = soundEvidence(t)
	burst(e, e.Carriers[1].CPS+1, time.Second)
	require.NoError(t, cpsKept(e), "a machine that is late by a second may have counted them before")

	require.Equal(t, 2, within([]passage{{at(0), at(0.9)}, {at(0.5), at(0.99)}, {at(0.5), at(1.6)}, {at(1.2), at(1.3)}}, time.Second))
	require.Zero(t, within(nil, time.Second))
}

func TestCapIsThatOfTheWindowTheCampaignFitsIn(t *testing.T) {
	e := &evidence{Began: at(0), Finished: at(30), Caps: numberCaps}
	require.Equal(t, 5, e.cap())
	e.Finished = at(2 * 3600)
	require.Equal(t, 20, e.cap())
	e.Finished = at(25 * 3600)
	require.Zero(t, e.cap())
}
