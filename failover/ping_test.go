package failover_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// TestDuePings: an idle trunk every 30 s ± 20 %, one that is out every 5 s ± 20 % whatever its backoff; live calls that do
// well count as pings.
func TestDuePings(t *testing.T) {
	b := newBench(t, failover.Config{IDs: &outdial.Registry{}, Trunks: []failover.Trunk{{Name: "a"}, {Name: "b"}}}, on(1, 0, 0), on(2, 0, 0))
	gaps := func(from, to time.Duration, code int) (gaps []time.Duration) {
		last := at(from)
		for now := at(from); now.Before(at(to)); {
			due, next := b.s.DuePings(now, nil)
			require.True(t, next.After(now))
			for _, trunk := range due {
				if trunk == 1 {
					gaps, last = append(gaps, now.Sub(last)), now
				}
				b.s.Pinged(now, trunk, code)
			}
			again, _ := b.s.DuePings(now, nil)
			require.Empty(t, again, "it was sent just now")
			now = now.Add(250 * time.Millisecond)
		}
		return gaps[1:]
	}
	between := func(gaps []time.Duration, mean time.Duration) {
		require.NotEmpty(t, gaps)
		for _, g := range gaps {
			require.InDelta(t, mean.Seconds(), g.Seconds(), mean.Seconds()*0.2+0.25)
		}
	}
	between(gaps(0, 10*time.Minute, 200), 30*time.Second)
	st := b.target(at(10*time.Minute), 1, 0)
	require.InDelta(t, 1, st.Availability, 0)
	require.Equal(t, 200, st.PingCode)

	for i := range 6 { // a long backoff
		b.kill(at(time.Duration(600+400*i)*time.Second), 1)
	}
	require.Greater(t, b.target(at(2600*time.Second), 1, 0).Until, at(2720*time.Second))
	between(gaps(2601*time.Second, 2720*time.Second, 0), 5*time.Second)

	b = newBench(t, failover.Config{}, on(1, 0, 0))
	for i := range 100 {
		b.ring(at(time.Duration(i)*time.Second), 1, 0)
		due, _ := b.s.DuePings(at(time.Duration(i)*time.Second), nil)
		require.Empty(t, due)
	}
	due, next := newSelector(t, failover.Config{PingEvery: -1}).DuePings(start, nil)
	require.Empty(t, due)
	require.Zero(t, next)
}

// TestPings: who answers is alive, but a 503 is no good answer. An idle trunk that gives three bad ones is out until it
// gives two good ones; a live call that does well speaks for it at once.
func TestPings(t *testing.T) {
	for code, good := range map[int]bool{
		200: true, 401: true, 403: true, 404: true, 405: true, 481: true, 483: true, 486: true, 408: false, 500: false,
		503: false, 504: false, 0: false, 180: false, 603: true,
	} {
		b := newBench(t, failover.Config{KeepWarm: -1}, on(1, 0, 0), on(2, 0, 0))
		for range 3 {
			b.s.Pinged(start, 1, code)
		}
		trunk, _ := b.pick(start, 3)
		require.Equal(t, good, trunk == 1, code)
		st := b.target(start, 1, 0)
		require.Equal(t, good, st.State == failover.Up, code)
		if good {
			continue
		}
		require.Zero(t, b.s.Health(start, 1, 0))
		trunk, why := b.pick(start, 1)
		require.Equal(t, outdial.TrunkID(1), trunk)
		require.Equal(t, outdial.WhyLastResort, why)
		b.s.Pinged(start, 1, 200)
		require.Equal(t, failover.Out, b.target(start, 1, 0).State)
		b.s.Pinged(start, 1, 200)
		require.Equal(t, failover.Up, b.target(start, 1, 0).State)
		for range 3 {
			b.s.Pinged(start, 1, code)
		}
		b.ring(at(time.Second), 1, 0)
		require.Equal(t, failover.Up, b.target(at(time.Second), 1, 0).State)
	}
}

// TestPingsBeforeProbes: where somebody pings, no live call is spent on a trunk that does not answer; two good answers let
// the first probe go. When the pings cease, calls tell again.
func TestPingsBeforeProbes(t *testing.T) {
	b := newBench(t, failover.Config{Jitter: -1, KeepWarm: -1, Dwell: -1}, on(1, 0, 0), on(2, 0, 0))
	b.kill(start, 1)
	probed := func(now time.Duration) bool {
		i, choice := b.s.Pick(at(now), &b.call, b.plan, 3)
		b.s.Return(at(now), &b.call, b.plan, 3, i, choice)
		return choice.Why == outdial.WhyProbe
	}
	require.True(t, probed(5*time.Second), "nobody pings")
	for i := range 20 {
		now := time.Duration(5+5*i) * time.Second
		b.s.Pinged(at(now), 1, 0)
		require.False(t, probed(now))
	}
	b.s.Pinged(at(105*time.Second), 1, 200)
	require.False(t, probed(105*time.Second))
	b.s.Pinged(at(110*time.Second), 1, 200)
	require.True(t, probed(110*time.Second))

	b.kill(at(200*time.Second), 2)
	b.s.Pinged(at(200*time.Second), 2, 503)
	require.Equal(t, failover.Out, b.target(at(300*time.Second), 2, 0).State)
	b.revive(at(210*time.Second), 1)
	require.False(t, probed(259*time.Second))
	require.True(t, probed(261*time.Second), "no ping for a minute")
}

// TestPingsCease: a trunk that was taken out for its pings is tried by calls again when nobody has pinged it for a minute.
func TestPingsCease(t *testing.T) {
	b := newBench(t, failover.Config{KeepWarm: -1}, on(1, 0, 0), on(2, 0, 0))
	for range 3 {
		b.s.Pinged(start, 1, 0)
	}
	for range 20 { // as often as it takes to be remembered
		require.Equal(t, map[outdial.TrunkID]int{2: 1}, b.shares(at(time.Minute-1), 1))
	}
	require.Zero(t, b.s.Health(at(time.Minute-1), 1, 0))
	require.Equal(t, failover.Out, b.target(at(time.Minute-1), 1, 0).State)
	require.Equal(t, map[outdial.TrunkID]int{1: 100}, b.shares(at(time.Minute), 100))
	require.InDelta(t, 1, b.s.Health(at(time.Minute), 1, 0), 0)
	require.Equal(t, failover.Up, b.target(at(time.Minute), 1, 0).State)

	b = newBench(t, failover.Config{KeepWarm: -1, PingEvery: 2 * time.Minute, PingOut: time.Minute}, on(1, 0, 0), on(2, 0, 0))
	for range 3 {
		b.s.Pinged(start, 1, 0)
	}
	require.Equal(t, map[outdial.TrunkID]int{2: 100}, b.shares(at(2*time.Minute), 100), "whoever pings more seldom may take longer")
}

// TestDueAgainSoon: the host is told to ask again in time for a trunk that falls ill meanwhile.
func TestDueAgainSoon(t *testing.T) {
	b := newBench(t, failover.Config{Jitter: -1}, on(1, 0, 0), on(2, 0, 0))
	for trunk := range outdial.TrunkID(2) {
		b.ring(start, trunk+1, 0)
	}
	due, next := b.s.DuePings(start, nil)
	require.Empty(t, due)
	require.Equal(t, at(failover.DefaultPingOut), next)
	b.kill(at(time.Second), 1)
	due, _ = b.s.DuePings(next, nil)
	require.Equal(t, []outdial.TrunkID{1}, due)
}

// figures is a Signals that says what a test wants.
type figures map[outdial.Metric]outdial.Estimate

func (f figures) Measure(_ time.Time, m outdial.Metric, c *outdial.Candidate, g outdial.GroupID) outdial.Estimate {
	if c.Trunk != 1 || g == 8 {
		return outdial.Estimate{}
	}
	return f[m]
}

// TestSignals: poor figures cost a target all but the keep-warm share, with hysteresis, and only where they are poor.
func TestSignals(t *testing.T) {
	f := figures{}
	b := newBench(t, failover.Config{Signals: f, KeepWarm: -1}, on(1, 0, 0), on(2, 0, 0))
	now := start
	stands := func(m outdial.Metric, mean, n float64) (failover.State, float64) {
		f[m] = outdial.Estimate{Mean: mean, Var: 0.0001, N: n}
		now = now.Add(20 * time.Second)
		b.s.Advance(now)
		st := b.target(now, 1, 7)
		return st.State, st.Share
	}
	b.call.Dest.Group = 7
	b.ring(start, 1, 0)
	for _, c := range []struct {
		metric           outdial.Metric
		poor, amid, good float64
	}{
		{outdial.MetricNER, 0.40, 0.55, 0.70},
		{outdial.MetricPDD, 9, 7, 5},
		{outdial.MetricShort, 0.5, 0.3, 0.1},
		{outdial.MetricDrop, 0.2, 0.06, 0.01},
	} {
		state, share := stands(c.metric, c.amid, 1000)
		require.Equal(t, failover.Up, state, c.metric)
		require.InDelta(t, 1, share, 0)
		state, _ = stands(c.metric, c.poor, 10)
		require.Equal(t, failover.Up, state, "too few")
		state, share = stands(c.metric, c.poor, 1000)
		require.Equal(t, failover.Suspect, state, c.metric)
		require.InDelta(t, 0.05, share, 0)
		require.Equal(t, "poor "+c.metric.String(), b.target(now, 1, 7).Why)
		require.InDelta(t, 50, b.shares(now, 1000)[1], 2)
		b.call.Dest.Group = 8
		require.Equal(t, 0.05, b.s.Health(now, 1, 8), "the trunk as a whole is poor too")
		b.call.Dest.Group = 7
		codes := b.s.Alarms(now, start)
		require.Equal(t, failover.FindingPoor, codes[0].Code)
		state, _ = stands(c.metric, c.amid, 1000)
		require.Equal(t, failover.Suspect, state, "between poor and good")
		_, share = stands(c.metric, c.good, 1000)
		require.Less(t, share, 0.1, "it is ramping")
		now = now.Add(30 * time.Second)
		require.InDelta(t, 1, b.s.Health(now, 1, 7), 0)
		require.Equal(t, 100, b.shares(now, 100)[1])
	}
	require.Empty(t, b.s.Alarms(now, start))

	_, err := failover.New(failover.Config{Limits: []failover.Limit{{Metric: 99}, {Metric: outdial.MetricPDD, Poor: 1, Good: math.NaN()}}})
	require.ErrorContains(t, err, "Limits[0]: Metric: 99")
	require.ErrorContains(t, err, "Limits[1]: Good: NaN")
}

// TestHealth: what routing reads.
func TestHealth(t *testing.T) {
	ids := named("a")
	b := newBench(t, failover.Config{IDs: ids, Jitter: -1, Dwell: -1}, on(1, 0, 0), on(2, 0, 0))
	health := func(now time.Time) float64 { return b.s.Health(now, 1, 0) }
	require.InDelta(t, 1, b.s.Health(start, 99, 5), 0)
	require.InDelta(t, 1, health(start), 0)
	b.kill(start, 1)
	require.Zero(t, health(start))
	trunk, why := b.pick(at(5*time.Second), 3)
	require.Equal(t, outdial.WhyProbe, why)
	require.InDelta(t, 0.05, health(at(5*time.Second)), 0)
	b.ring(at(6*time.Second), trunk, why)
	require.InDelta(t, 0.05, health(at(6*time.Second)), 0)
	b.revive(at(7*time.Second), 1)
	require.InDelta(t, 0.525, health(at(22*time.Second)), 1e-9)
	require.InDelta(t, 1, health(at(37*time.Second)), 0)
	b.control(at(40*time.Second), outdial.Control{Action: failover.ActionHold, Target: "a"})
	require.Zero(t, health(at(40*time.Second)))
	b.control(at(41*time.Second), outdial.Control{Action: failover.ActionRelease, Target: "a"})
	require.InDelta(t, 1, health(at(41*time.Second)), 0)
	b.end(at(50*time.Second), 1, 0, final(503, time.Minute))
	require.Zero(t, health(at(50*time.Second)))
	require.InDelta(t, 1, health(at(110*time.Second)), 0)
}
