package routing_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// tell tells a router of a call on a trunk that was answered or not, after ringing.
func tell(r *routing.Router, id int, trunk outdial.TrunkID, at time.Time, answered bool) {
	ev := started(id, outdial.Candidate{Trunk: trunk}, at, "US")
	talk := time.Duration(0)
	if answered {
		ev.Attempt.Timeline.Set(outdial.MarkProvisional, time.Second)
		answer := *ev
		answer.Kind = outdial.EventAnswered
		r.Observe(&answer)
		talk = time.Minute
	}
	r.Observe(ended(ev, talk))
}

// TestChange: what a router has seen to have changed on a whole trunk corrects what hours say of it, both ways; an hour's
// drift does not, and a trunk that is hardly tried is not forgotten.
func TestChange(t *testing.T) {
	w := newWorld()
	p := contest(routing.Success{}, 9000, 7000)
	p.Exploration.Share = -1
	c := compile(t, p, w.config())
	r := routing.NewRouter(c.Table)
	w.asr[1], w.asr[2] = estimate(.5, 5000), estimate(.5, 5000) // kpi looks back over hours, and stays
	now, rnd := monday, rand.New(rand.NewPCG(1, 0))
	id := 0
	// calls tells of n calls on b, and returns after how many of them the first trunk is another; n = never.
	calls := func(n int, ratio float64, every time.Duration) int {
		was := ""
		for i := range n {
			now = now.Add(every)
			id++
			tell(r, id, 2, now, rnd.Float64() < ratio)
			cs, err := r.Route(now.Add(6*time.Second), &outdial.Call{To: 12125550123}, nil)
			require.NoError(t, err)
			first := c.trunks(cs)[0]
			if was != "" && first != was {
				return i
			}
			was = first
		}
		return n
	}
	require.Equal(t, 5000, calls(5000, .5, 7*time.Second), "nothing has changed")
	require.Equal(t, 1000, calls(1000, .4, 7*time.Second), "an hour's drift")
	require.Equal(t, 1000, calls(1000, .5, 7*time.Second))
	require.Less(t, calls(200, .1, 7*time.Second), 60, "an outage")
	require.Equal(t, 100, calls(100, .1, 10*time.Minute), "a call each ten minutes: still out")
	require.Less(t, calls(100, .5, 10*time.Minute), 30, "healed")
}

// TestUntriedTrunkIsNotJudgedByOthers: what kpi says of a trunk without calls is what it says of all traffic. A router that has seen
// none of its calls either expects what the policy does; with calls of its own, it goes by those.
func TestUntriedTrunkIsNotJudgedByOthers(t *testing.T) {
	w := newWorld()
	p := contest(routing.Success{}, 7000, 9000)
	p.Exploration.Share, p.Defaults.Quality.Strength = -1, 5
	c := compile(t, p, w.config())
	w.asr[1], w.asr[2] = estimate(.1, 200), estimate(.1, 18)
	first := func(r outdial.Router, at time.Time) string {
		cs, err := r.Route(at, &outdial.Call{To: 12125550123}, nil)
		require.NoError(t, err)
		return c.trunks(cs)[0]
	}
	require.Equal(t, "a", first(c.Table, monday))
	r := routing.NewRouter(c.Table)
	now := monday.Add(time.Minute)
	for i := range 60 {
		tell(r, i, 1, now, i%10 == 0)
	}
	require.Equal(t, "b", first(r, now.Add(time.Minute)), "half of the calls may be answered there")
	for i := range 30 {
		tell(r, 100+i, 2, now, i%10 == 0)
	}
	require.Equal(t, "a", first(r, now.Add(2*time.Minute)), "they are not")
	w.asr[2] = estimate(.1, 1000)
	again := routing.NewRouter(c.Table)
	tell(again, 1, 1, now, false)
	require.Equal(t, "a", first(again, now.Add(3*time.Minute)), "kpi knows it from before")
}

// TestHopeIsFollowed: while the latest calls of a trunk that was bad succeed, more calls are spent on it, within the budget.
func TestHopeIsFollowed(t *testing.T) {
	w := newWorld()
	c := compile(t, contest(routing.Success{}, 9000, 7000), w.config())
	r := routing.NewRouter(c.Table)
	w.asr[1], w.asr[2] = estimate(.5, 500), estimate(.1, 500)
	for i := range 200 {
		tell(r, i, 2, monday, i%10 == 0)
	}
	for i := range 5000 { // so that there is a budget
		r.Observe(started(1000+i, outdial.Candidate{Trunk: 1}, monday, "US"))
	}
	now := monday
	share := func() float64 {
		now = now.Add(10 * time.Second)
		explored := 0
		const calls = 4000
		for i := range calls {
			cs, err := r.Route(now, &outdial.Call{ID: outdial.CallID(i + 1), To: 12125550123}, nil)
			require.NoError(t, err)
			if cs[0].Explore {
				explored++
				takenBack(r, i+1, cs[0], now)
			}
		}
		return float64(explored) / calls
	}
	usual := share()
	tell(r, 201, 2, now, true)
	some := share()
	tell(r, 202, 2, now, true)
	much := share()
	require.Greater(t, some, 1.3*usual)
	require.Greater(t, much, 2*some)
	for i := range 300 {
		r.Observe(started(7000+i, outdial.Candidate{Trunk: 2, Explore: true}, now, "US"))
	}
	require.Zero(t, share(), "the budget is used up")
}

// TestSilentTrunkFails: a leg that hunting moved on from has failed then, though it lives on, and counts once.
func TestSilentTrunkFails(t *testing.T) {
	w := newWorld()
	p := contest(routing.Success{}, 9000, 7000)
	p.Exploration.Share, p.Defaults.Quality = -1, routing.QualityPrior{Strength: 2}
	c := compile(t, p, w.config())
	r := routing.NewRouter(c.Table)
	for i := range 30 {
		ev := started(i, outdial.Candidate{Trunk: 2}, monday, "US")
		ev.Kind, ev.Attempt.State, ev.Attempt.Abandoned.Origin = outdial.EventAbandoned, outdial.AttemptAbandoned, outdial.OriginNoTrying
		ev.Attempt.Timeline.Set(outdial.MarkAbandon, time.Second)
		r.Observe(ev)
	}
	w.asr[1] = estimate(.4, 100)
	cs, err := r.Route(monday.Add(time.Minute), &outdial.Call{To: 12125550123}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, c.trunks(cs))
}

// TestEveningIsNoOutage: in the evening fewer people answer, on every trunk and everywhere. Nothing moves, however deep the evening is,
// but for the minutes until the others have shown it too. A destination that alone gets worse on one trunk does move.
func TestEveningIsNoOutage(t *testing.T) {
	const groups = 20
	w := newWorld()
	p := contest(routing.Success{}, 7000, 9000)
	p.Exploration.Share = -1
	c := compile(t, p, w.config())
	r := routing.NewRouter(c.Table)
	w.asr[1], w.asr[2] = estimate(.5, 5000), estimate(.5, 5000)
	rnd := rand.New(rand.NewPCG(5, 0))
	now, id := monday, 0
	call := func(group int) outdial.Call {
		return outdial.Call{To: 12125550123, Dest: outdial.Destination{Country: [2]byte{'U', 'S'}, Group: outdial.GroupID(group + 1)}}
	}
	// hours tells of calls as they are routed, one in 25 on the other trunk, and returns the share of the second one by group.
	hours := func(n int, ratio func(trunk outdial.TrunkID, group int) float64) (moved [groups]float64) {
		const calls = 600 // an hour
		for range n * calls {
			now, id = now.Add(time.Hour/calls), id+1
			group := rnd.IntN(groups)
			cs, err := r.Route(now, new(call(group)), nil)
			require.NoError(t, err)
			trunk := cs[0].Trunk
			if trunk == 2 {
				moved[group] += groups / float64(n*calls)
			}
			if id%25 == 0 {
				trunk = 3 - trunk
			}
			ev := started(id, outdial.Candidate{Trunk: trunk}, now, "US")
			ev.Attempt.Call.Dest = call(group).Dest
			if rnd.Float64() < ratio(trunk, group) {
				ev.Attempt.Timeline.Set(outdial.MarkProvisional, time.Second)
				ev.Kind = outdial.EventAnswered
			} else {
				ev.Kind, ev.Attempt.Result.Origin = outdial.EventEnded, outdial.OriginCarrier
			}
			r.Observe(ev)
		}
		return moved
	}
	total := func(moved [groups]float64) (sum float64) {
		for _, m := range moved {
			sum += m / groups
		}
		return sum
	}
	level := func(ratio float64) func(outdial.TrunkID, int) float64 {
		return func(outdial.TrunkID, int) float64 { return ratio }
	}
	require.Less(t, total(hours(6, level(.5))), .03, "a day")
	require.Less(t, total(hours(4, level(.3))), .03, "an evening")
	require.Less(t, total(hours(6, level(.5))), .03, "a day")
	require.Less(t, total(hours(4, level(.15))), .1, "a deep one")
	require.Less(t, total(hours(6, level(.5))), .1, "the day after")
	sick := hours(6, func(trunk outdial.TrunkID, group int) float64 {
		if trunk == 1 && group == 7 {
			return .1
		}
		return .5
	})
	require.Greater(t, sick[7], .6, "a destination alone")
	require.Less(t, total(sick)-sick[7]/groups, .1, "and hardly another")
}

// TestFallenTrunkIsTriedMore: a trunk that was well before it fell is tried more often than one that never was.
func TestFallenTrunkIsTriedMore(t *testing.T) {
	tried := func(before float64) (n int) {
		w := newWorld()
		c := compile(t, contest(routing.Success{}, 9000, 7000, 9500), w.config())
		r := routing.NewRouter(c.Table)
		w.asr[1], w.asr[2], w.asr[3] = estimate(.5, 500), estimate(.3, 500), estimate(.5, 500)
		for i := range 400 {
			ratio := before
			if i >= 200 {
				ratio = .1
			}
			tell(r, i, 2, monday, float64(i%10) < 10*ratio)
		}
		for i := range 5000 { // so that there is a budget
			r.Observe(started(1000+i, outdial.Candidate{Trunk: 1}, monday, "US"))
		}
		for i := range 4000 {
			cs, err := r.Route(monday.Add(10*time.Second), &outdial.Call{ID: outdial.CallID(i + 1), To: 12125550123}, nil)
			require.NoError(t, err)
			require.NotEqual(t, "b", c.trunks(cs[1:])[0], "it is not what comes next")
			if cs[0].Trunk == 2 {
				n++
			}
			if cs[0].Explore {
				takenBack(r, i+1, cs[0], monday)
			}
		}
		return n
	}
	require.Greater(t, tried(.5), 3*tried(.1)/2)
}
