package cli_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/internal/race"
)

// fleet is a pool of numbers whose calls a test tells the Governor of.
type fleet struct {
	t      testing.TB
	g      *cli.Governor
	ids    *outdial.Registry
	cfg    cli.Config
	now    time.Time
	rng    *rand.Rand
	events []outdial.Event
	legs   outdial.CallID

	network outdial.NetworkID // of the callees
	carrier outdial.CarrierID // of the trunks
}

func newFleet(t testing.TB, numbers int, change func(*cli.Config)) *fleet {
	f := &fleet{t: t, ids: new(outdial.Registry), now: t0, rng: rand.New(rand.NewPCG(7, 7))}
	f.cfg = survey(f.ids)
	for i := range numbers {
		f.cfg.Numbers = append(f.cfg.Numbers, owned("survey", num(200+i%300, i))...)
	}
	if change != nil {
		change(&f.cfg)
	}
	f.g = mustNew(t, f.cfg)
	return f
}

func (f *fleet) observe(ev outdial.Event) {
	f.g.Observe(&ev)
	f.events = append(f.events, ev)
}

// call tells of one call from a number: how it ended, and how long it was if it was answered.
func (f *fleet) call(n outdial.Number, res outdial.Result, talk time.Duration) {
	f.legs++
	a := outdial.Attempt{
		ID:   outdial.AttemptID{Call: f.legs, Leg: 1},
		Call: outdial.Call{ID: f.legs, To: num(600, int(f.legs)%100_000), Program: f.ids.Programs.ID("survey")},
		CLI:  n, Pool: f.ids.Pools.ID("survey"), Start: f.now,
	}
	a.Call.Dest.Network, a.Candidate.Carrier = f.network, f.carrier
	start := a
	f.observe(outdial.Event{Kind: outdial.EventStarted, Time: f.now, Attempt: &start})
	a.State, a.Result = outdial.AttemptEnded, res
	if talk > 0 {
		a.Timeline.Set(outdial.MarkAnswer, time.Second)
		a.Timeline.Set(outdial.MarkEnd, time.Second+talk)
	}
	f.observe(outdial.Event{Kind: outdial.EventEnded, Time: f.now, Attempt: &a})
}

// live makes a call at a time, as an engine does, to a callee who was not called before, and reports whether it got a number.
func (f *fleet) live(now time.Time) bool {
	f.legs++
	call := callTo(f.ids, "survey", num(700, int(f.legs)))
	p, _, err := f.g.Reserve(now, call, &outdial.Candidate{}, 0)
	if err != nil {
		return false
	}
	a := outdial.Attempt{ID: outdial.AttemptID{Call: f.legs, Leg: 1}, Call: *call, CLI: p.Number, Pool: p.Pool, Use: p.Lease, Start: now}
	start := a
	f.observe(outdial.Event{Kind: outdial.EventStarted, Time: now, Attempt: &start})
	a.State, a.Result = outdial.AttemptEnded, busy
	f.observe(outdial.Event{Kind: outdial.EventEnded, Time: now, Attempt: &a})
	f.g.Release(now, p.Lease)
	return true
}

var (
	busy    = outdial.Result{Origin: outdial.OriginCarrier, Code: 486}
	hungUp  = outdial.Result{Origin: outdial.OriginCalleeHangup}
	blocked = outdial.Result{
		Origin: outdial.OriginCarrier, Code: 603, Phrase: "Network Blocked", SIPCause: 603,
		Text: "v=analytics1;url=https://redress.example.com/x;tel=+18005550100;email=cli@example.com",
	}
	unwanted = outdial.Result{Origin: outdial.OriginCarrier, Code: 607}
)

// answers makes a call from n that is answered with probability p.
func (f *fleet) answers(n outdial.Number, p float64) {
	if f.rng.Float64() < p {
		f.call(n, hungUp, 12*time.Second)
	} else {
		f.call(n, busy, 0)
	}
}

func (f *fleet) state(n outdial.Number) cli.State {
	s, ok := f.g.Number(f.now, n)
	require.True(f.t, ok)
	return s.State
}

// figures returns what the last change of a number to a state went by.
func (f *fleet) figures(n outdial.Number, to cli.State) map[string]float64 {
	for _, e := range slices.Backward(f.g.Audit(0)) {
		if e.Number == n && e.To == to {
			m := map[string]float64{}
			for _, x := range e.Figures {
				m[x.Name] = x.Value
			}
			return m
		}
	}
	f.t.Fatalf("no change of %v to %v", n, to)
	return nil
}

// TestBlocksQuarantine: a number that is blocked again and again is out of use at the instant of the decision, with the
// figures, and with a notice that names where to object; nobody is told twice, nor in a replay.
func TestBlocksQuarantine(t *testing.T) {
	f := newFleet(t, 3, nil)
	bad := num(200, 0)
	for k := 0; f.state(bad) != cli.StateQuarantined; k++ {
		require.Less(t, k, 5)
		f.now = f.now.Add(time.Minute)
		f.call(bad, blocked, 0)
	}
	require.Greater(t, f.figures(bad, cli.StateQuarantined)["block_cusum"], 10.)
	s, _ := f.g.Number(f.now, bad)
	require.Equal(t, cli.StatusResting, s.Status)
	require.Equal(t, f.now.Add(21*24*time.Hour), s.Until)
	for i := range 40 {
		p, _, err := f.g.Reserve(f.now.Add(time.Duration(i)*time.Minute), callTo(f.ids, "survey", num(200, 5000+i)), &outdial.Candidate{}, 0)
		require.NoError(t, err)
		require.NotEqual(t, bad, p.Number, "no call after the decision")
		f.g.Release(f.now, p.Lease)
	}
	notices := f.g.Notices()
	require.Len(t, notices, 1)
	require.Equal(t, cli.NoticeQuarantine, notices[0].Kind)
	require.Equal(t, &cli.Redress{URL: "https://redress.example.com/x", Tel: "+18005550100", Email: "cli@example.com"}, notices[0].Redress)
	require.Empty(t, f.g.Notices())
}

// TestUnwantedWeighsMore: a 607 counts as a complaint beside a block.
func TestUnwantedWeighsMore(t *testing.T) {
	risk := func(res outdial.Result) (calls int) {
		f := newFleet(t, 3, func(cfg *cli.Config) { cfg.Lifecycle.Detection.Block = 1000 })
		for f.state(num(200, 0)) != cli.StateQuarantined && calls < 50 {
			f.now = f.now.Add(time.Minute)
			f.call(num(200, 0), res, 0)
			calls++
		}
		return calls
	}
	require.Less(t, risk(unwanted), risk(blocked))
}

// TestDecayIsFoundAmongPeers: the answer rate of one number halves, and it is found; a bad day of the whole list moves no
// number.
func TestDecayIsFoundAmongPeers(t *testing.T) {
	if race.Enabled {
		t.Skip("a simulation in one goroutine: there is nothing for the race detector to see")
	}
	f := newFleet(t, 50, nil)
	round := func(p float64, bad outdial.Number) {
		for _, n := range f.cfg.Numbers {
			f.now = f.now.Add(17 * time.Second)
			if rate := p; n.Number == bad {
				f.answers(n.Number, rate/2)
			} else {
				f.answers(n.Number, rate)
			}
		}
	}
	for i := range 600 {
		p := .2
		if i/100%2 == 1 {
			p = .1 // every other hundred is a bad list
		}
		round(p, 0)
	}
	for _, n := range f.cfg.Numbers {
		require.NotEqual(t, cli.StateQuarantined, f.state(n.Number))
	}
	bad, calls := num(207, 7), 0
	for f.state(bad) != cli.StateQuarantined && calls < 1000 {
		round(.2, bad)
		calls++
	}
	require.Less(t, calls, 700)
	require.GreaterOrEqual(t, f.figures(bad, cli.StateQuarantined)["answer_cusum"], 13.)
	require.GreaterOrEqual(t, f.figures(bad, cli.StateProbation)["answer_cusum"], 6.)

	// It rests, is on trial, and is either sound again or out for good.
	f.now = f.now.Add(21 * 24 * time.Hour)
	f.g.Advance(f.now)
	require.Equal(t, cli.StateRehab, f.state(bad))
	for calls = 0; f.state(bad) == cli.StateRehab && calls < 1000; calls++ {
		round(.2, 0)
	}
	require.Equal(t, cli.StateActive, f.state(bad), "sound again")
	for calls = 0; f.state(bad) != cli.StateRetiring && calls < 2000; calls++ {
		round(.2, bad)
	}
	require.Equal(t, cli.StateRetiring, f.state(bad), "the second time within 90 days")
	f.now = f.now.Add(31 * 24 * time.Hour)
	f.g.Advance(f.now)
	require.Equal(t, cli.StateReleased, f.state(bad))
	kinds := []cli.NoticeKind{}
	for _, x := range f.g.Notices() {
		if x.Number == bad {
			kinds = append(kinds, x.Kind)
		}
	}
	require.Equal(t, []cli.NoticeKind{cli.NoticeQuarantine, cli.NoticeRetire, cli.NoticeRelease}, kinds)
}

// TestNoWayOutOfReleased: neither an operator nor a configuration brings a released number back.
func TestNoWayOutOfReleased(t *testing.T) {
	f := newFleet(t, 2, func(cfg *cli.Config) { cfg.Numbers[0].State = cli.StateWarming })
	n := f.cfg.Numbers[0].Number
	move := func(to string) error {
		c := outdial.Control{Actor: "kim", Reason: "test", Action: cli.ActionState, Target: n.String(), Value: to}
		if err := f.g.CheckControl(f.now, &c); err != nil {
			return err
		}
		f.observe(outdial.Event{Kind: outdial.EventControl, Time: f.now, Control: &c})
		return nil
	}
	require.ErrorContains(t, move("warming"), "already")
	require.NoError(t, move("retiring"))
	require.ErrorContains(t, move("active"), "only be released")
	require.NoError(t, move("released"))
	for _, to := range []string{"active", "rehab", "ordered", "quarantined", "nonsense", ""} {
		require.Error(t, move(to))
	}
	f.observe(*control(f.now, cli.ActionState, n.String(), "active", time.Time{})) // one that nobody checked
	require.Equal(t, cli.StateReleased, f.state(n))
	f.cfg.Numbers[0].State = cli.StateActive
	require.ErrorContains(t, f.g.Update(f.cfg), "no way back")
	f.cfg.Numbers[0].State = cli.StateWarming // as it was: nobody asks for a change
	require.NoError(t, f.g.Update(f.cfg))
	require.Equal(t, cli.StateReleased, f.state(n))
}

// TestBreaker: where a tenth of a pool looks bad within a day, the rest stays in use, on probation, and one notice says so.
func TestBreaker(t *testing.T) {
	f := newFleet(t, 40, nil)
	for range 6 {
		for _, n := range f.cfg.Numbers {
			f.now = f.now.Add(time.Second)
			f.call(n.Number, blocked, 0)
		}
	}
	states := map[cli.State]int{}
	for _, n := range f.cfg.Numbers {
		states[f.state(n.Number)]++
	}
	require.Equal(t, map[cli.State]int{cli.StateQuarantined: 4, cli.StateProbation: 36}, states)
	kinds := map[cli.NoticeKind]int{}
	for _, x := range f.g.Notices() {
		kinds[x.Kind]++
	}
	require.Equal(t, map[cli.NoticeKind]int{cli.NoticeQuarantine: 4, cli.NoticeBreaker: 1}, kinds)
	risk := f.g.Risk(f.now, f.ids.Pools.ID("survey"))
	require.Greater(t, risk.Mean, .5)
	require.Equal(t, outdial.Estimate{}, f.g.Risk(f.now, 99))
}

// TestRiskFollowsThePool: half of the numbers under suspicion is a quarter of the risk.
func TestRiskFollowsThePool(t *testing.T) {
	f := newFleet(t, 10, nil)
	pool := f.ids.Pools.ID("survey")
	require.Zero(t, f.g.Risk(f.now, pool).Mean)
	require.EqualValues(t, 10, f.g.Risk(f.now, pool).N)
	for _, n := range f.cfg.Numbers[:5] {
		f.observe(outdial.Event{Kind: outdial.EventLabelled, Time: f.now, Label: &outdial.Label{Number: n.Number, Engine: "x", Status: outdial.LabelMixed}})
	}
	require.InDelta(t, .25, f.g.Risk(f.now, pool).Mean, 1e-9)
	require.Zero(t, testing.AllocsPerRun(100, func() { f.g.Risk(f.now, pool) }))
}

// TestWarming: a number goes up its ramp by real use alone, stage by stage, and back when it is idle.
func TestWarming(t *testing.T) {
	f := newFleet(t, 1, func(cfg *cli.Config) {
		cfg.Numbers[0].State = cli.StateWarming
		cfg.Lifecycle.Ramp = []int{10, 20, 40}
		cfg.Limits = cli.Limits{Caps: []cli.Cap{{100, 24 * time.Hour}}, Spacing: 30 * time.Second}
	})
	n := f.cfg.Numbers[0].Number
	dayOf := func(calls int) (granted int) {
		for i := range calls {
			if f.live(f.now.Add(time.Duration(i) * 5 * time.Minute)) {
				granted++
			}
		}
		f.now = f.now.Add(24*time.Hour + time.Minute)
		return granted
	}
	require.Equal(t, 10, dayOf(100), "the first stage")
	require.Equal(t, 4, dayOf(4), "not half of the second")
	require.Equal(t, 4, dayOf(4), "nor now")
	ups := 0
	for _, e := range f.g.Audit(0) {
		if e.Reason == "a stage up" {
			ups++
		}
	}
	require.Equal(t, 1, ups)
	require.Equal(t, 40, dayOf(100), "half of the second was used within the day, which took long enough")
	require.Equal(t, cli.StateWarming, f.state(n))
	dayOf(250)
	require.Equal(t, cli.StateActive, f.state(n))

	f = newFleet(t, 1, func(cfg *cli.Config) {
		cfg.Numbers[0].State = cli.StateWarming
		cfg.Lifecycle.Ramp = []int{10, 20, 40}
		cfg.Limits = cli.Limits{Caps: []cli.Cap{{100, 24 * time.Hour}}, Spacing: -1}
	})
	require.Equal(t, 10, dayOf(100))
	require.Equal(t, 20, dayOf(100))
	f.now = f.now.Add(15 * 24 * time.Hour)
	require.Equal(t, 10, dayOf(100), "idle: a stage back")
}

// TestWarmingIsSmooth: the calls of a warming number do not come in a burst, for its hourly cap and spacing shrink too.
func TestWarmingIsSmooth(t *testing.T) {
	f := newFleet(t, 1, func(cfg *cli.Config) { cfg.Numbers[0].State = cli.StateWarming })
	var gaps []float64
	last := time.Time{}
	for range 24 * 60 {
		f.now = f.now.Add(time.Minute)
		p, _, err := f.g.Reserve(f.now, callTo(f.ids, "survey", num(300, f.rng.IntN(90_000))), &outdial.Candidate{}, 0)
		if err != nil {
			continue
		}
		f.g.Release(f.now, p.Lease)
		if !last.IsZero() {
			gaps = append(gaps, f.now.Sub(last).Seconds())
		}
		last = f.now
	}
	require.Len(t, gaps, 9, "10 a day")
	require.GreaterOrEqual(t, slices.Min(gaps), 300., "30 s of spacing at a tenth")
	mean, dev := 0., 0.
	for _, g := range gaps {
		mean += g / 9
	}
	for _, g := range gaps {
		dev += (g - mean) * (g - mean) / 9
	}
	require.Less(t, dev/mean/mean, 1., "coefficient of variation below 1")
}

// TestReplayFoldsToTheSameState: what the rules did live, they do in a replay; but no notice is given again.
func TestReplayFoldsToTheSameState(t *testing.T) {
	f := newFleet(t, 12, nil)
	for i := range 3000 {
		f.now = f.now.Add(20 * time.Second)
		n := f.cfg.Numbers[i%12].Number
		switch {
		case i%12 == 3 && i%5 == 0:
			f.call(n, blocked, 0)
		case i%12 == 5 && i > 1500:
			f.call(n, busy, 0)
		case i%401 == 0:
			f.observe(outdial.Event{Kind: outdial.EventLabelled, Time: f.now, Label: &outdial.Label{Number: n, Engine: fmt.Sprint(i % 3), Status: outdial.LabelMixed}})
		default:
			f.answers(n, .3)
		}
	}
	again := mustNew(t, f.cfg)
	for i := range f.events {
		f.events[i].Replay = true
		again.Observe(&f.events[i])
	}
	require.Equal(t, f.g.Snapshot(f.now), again.Snapshot(f.now))
	require.Equal(t, f.g.Audit(0), again.Audit(0))
	require.NotEmpty(t, f.g.Audit(0))
	require.NotEmpty(t, f.g.Notices())
	require.Empty(t, again.Notices())
}

// TestDecayInOneNetwork: a number that one terminating network stops answering is found although the others answer it as
// before, and the reason names the network.
func TestDecayInOneNetwork(t *testing.T) {
	if race.Enabled {
		t.Skip("a simulation in one goroutine: there is nothing for the race detector to see")
	}
	f := newFleet(t, 30, nil)
	bad := f.cfg.Numbers[4].Number
	networks := []outdial.NetworkID{f.ids.Networks.ID("north"), f.ids.Networks.ID("south"), f.ids.Networks.ID("west")}
	found := 0
	for i := range 2400 {
		for _, n := range f.cfg.Numbers {
			f.now = f.now.Add(3 * time.Second)
			f.network = networks[f.rng.IntN(3)]
			p := .3
			if n.Number == bad && i > 700 && f.network == networks[1] {
				p = .02
			}
			f.answers(n.Number, p)
		}
		if f.state(bad) == cli.StateQuarantined {
			found = i
			break
		}
	}
	require.Positive(t, found)
	require.Less(t, found, 1300)
	for _, e := range f.g.Audit(0) {
		if e.Number == bad && e.To == cli.StateQuarantined {
			require.Contains(t, e.Reason, "south")
		}
	}
}
