package trunk_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

// exactB is Erlang's formula as it is written, in rational numbers.
func exactB(channels int, erlangs *big.Rat) float64 {
	term, sum := big.NewRat(1, 1), big.NewRat(1, 1)
	for n := 1; n <= channels; n++ {
		term.Mul(term, erlangs)
		term.Quo(term, big.NewRat(int64(n), 1))
		sum.Add(sum, term)
	}
	f, _ := new(big.Rat).Quo(term, sum).Float64()
	return f
}

func TestErlangB(t *testing.T) {
	for _, channels := range []int{1, 2, 3, 7, 10, 50, 117, 170, 300} {
		for _, erlangs := range []*big.Rat{big.NewRat(1, 100), big.NewRat(1, 2), big.NewRat(10, 1), big.NewRat(373, 4), big.NewRat(150, 1)} {
			a, _ := erlangs.Float64()
			if exact := exactB(channels, erlangs); exact > 1e-300 {
				require.InEpsilon(t, exact, trunk.ErlangB(channels, a), 1e-9, "B(%d, %v)", channels, a)
			}
		}
	}
	// The traffic table that every textbook prints: Erlang offered at 1 % (Siemens, "Tables of Telephone Traffic").
	for channels, erlangs := range map[int]float64{
		1: 0.0101, 2: 0.153, 3: 0.455, 4: 0.869, 5: 1.361, 10: 4.461, 15: 8.108, 20: 12.03, 30: 20.34, 50: 37.90, 100: 84.06,
	} {
		require.InEpsilon(t, erlangs, trunk.ErlangsFor(channels, 0.01), 4e-3, "%d channels", channels)
	}
	for erlangs, channels := range map[float64]int{20: 30, 50: 64, 75: 91, 100: 117, 150: 170} {
		require.Equal(t, channels, trunk.ChannelsFor(erlangs, 0.01))
	}
	require.InDelta(t, 0.0090, trunk.ErlangB(170, 150), 0.0001)
	require.InDelta(t, 0.0103, trunk.ErlangB(169, 150), 0.0001)
	require.Equal(t, 1., trunk.ErlangB(0, 5))
	require.Zero(t, trunk.ErlangB(5, 0))
	require.Zero(t, trunk.ChannelsFor(0, 0.01))
}

func TestErlangC(t *testing.T) {
	require.InEpsilon(t, 2./3, trunk.ErlangC(1, 2./3), 1e-12, "one server waits as often as it is busy")
	require.InEpsilon(t, 1./3, trunk.ErlangC(2, 1), 1e-12)
	require.InDelta(t, 0.4092, trunk.ErlangC(10, 8), 0.0001)
	require.Equal(t, 1., trunk.ErlangC(5, 5))
	require.Zero(t, trunk.ErlangC(5, 0))
}

// seats are 50 agents whose occupancy is 85 %, with 10 s of wrap-up, at 1 % blocking.
func seats(asr float64, ring, talk time.Duration) trunk.Staffing {
	return trunk.Staffing{Seats: 50, ASR: asr, Ring: ring, Talk: talk, Wrap: 10 * time.Second}
}

var plans = []struct {
	trunk.Staffing
	channels int
}{
	{seats(0.18, 22*time.Second, 90*time.Second), 107},
	{seats(0.10, 22*time.Second, 90*time.Second), 151},
	{seats(0.10, 25*time.Second, 60*time.Second), 209},
	{seats(0.06, 25*time.Second, 45*time.Second), 382},
}

func TestSize(t *testing.T) {
	for _, p := range plans {
		z, err := trunk.Size(p.Staffing)
		require.NoError(t, err)
		require.Equal(t, p.channels, z.Channels)
		require.LessOrEqual(t, z.Blocking, 0.01)
	}
	z, err := trunk.Size(plans[0].Staffing)
	require.NoError(t, err)
	require.InDelta(t, 0.425, z.Answers, 1e-9)
	require.InDelta(t, 2.361, z.Attempts, 1e-3)
	require.Equal(t, 7, z.CPS)

	_, err = trunk.Size(trunk.Staffing{ASR: 2, Ring: -1, Wrap: -1, Occupancy: 2, Blocking: -1, Base: -1, Price: -1})
	for _, field := range []string{"Seats", "ASR", "Ring", "Talk", "Wrap", "Occupancy", "Blocking", "Base", "Price"} {
		require.ErrorContains(t, err, field+":")
	}
}

// TestSizeAgainstSimulation: a tenth fewer channels than planned block more than was asked for, a tenth more do not; and the
// agents are as busy as they should be. Ringing takes always as long, talking varies.
func TestSizeAgainstSimulation(t *testing.T) {
	oneGoroutine(t)
	for i, p := range plans {
		z, err := trunk.Size(p.Staffing)
		require.NoError(t, err)
		blocking := func(channels int) (blocked, occupancy float64) {
			s := newSimulation(t, uint64(i))
			asked, lost, up := 0, 0, 0
			var agents average
			s.poisson(z.Attempts, func() {
				asked++
				if up == channels {
					lost++
					return
				}
				up++
				s.after(p.Ring, func() {
					if s.Float64() >= p.ASR {
						up--
						return
					}
					agents.set(s.now, agents.value+1)
					talk := s.exp(p.Talk)
					s.after(talk, func() { up-- })
					s.after(talk+s.exp(p.Wrap), func() { agents.set(s.now, agents.value-1) })
				})
			})
			s.run(5 * time.Hour)
			return float64(lost) / float64(asked), agents.mean(s.now) / float64(p.Seats)
		}
		few, _ := blocking(int(0.9 * float64(z.Channels)))
		planned, occupancy := blocking(z.Channels)
		many, _ := blocking(int(1.1*float64(z.Channels)) + 1)
		t.Logf("%d channels: simulated blocking %.2f %%, a tenth fewer %.2f %%, a tenth more %.2f %%; occupancy %.1f %%",
			z.Channels, 100*planned, 100*few, 100*many, 100*occupancy)
		require.Greater(t, few, 0.01)
		require.Less(t, many, 0.01)
		require.InDelta(t, 0.85, occupancy, 0.03)
	}
}

// TestBurstErlangs: what is carried above the base, in theory and through a Set.
func TestBurstErlangs(t *testing.T) {
	oneGoroutine(t)
	const base, top, offered = 80, 110, 90.
	f := newFixture(t, trunk.Limits{Channels: base, CPS: -1, Reserve: -1, MaxCall: -1, Burst: trunk.Burst{Channels: top, Budget: -1}})
	s := newSimulation(t, 11)
	s.poisson(offered/60, func() {
		if l, _, err := f.set.Acquire(s.now, nil, f.c); err == nil {
			s.after(s.exp(time.Minute), func() { f.set.Release(s.now, l) })
		}
	})
	s.run(40 * time.Hour)
	measured := f.status(s.now).Burst.Total.Hours() / 40
	require.InEpsilon(t, trunk.BurstErlangs(base, top, offered), measured, 0.08)

	z, err := trunk.Size(trunk.Staffing{
		Seats: 50, ASR: 0.18, Ring: 22 * time.Second, Talk: 90 * time.Second, Wrap: 10 * time.Second, Base: 90, Price: 10_000,
	})
	require.NoError(t, err)
	require.InDelta(t, trunk.BurstErlangs(90, 107, z.Erlangs), z.Burst, 1e-9)
	require.InDelta(t, z.Burst*60*0.01, float64(z.BurstCost)/1e6, 1e-6)
}

// TestWhatIf: the last hour of live counters against what is held.
func TestWhatIf(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 120, CPS: -1})
	for i := range 5000 { // an attempt of 95 s every 0.72 s: 132 Erlang
		now := at(time.Duration(i) * 720 * time.Millisecond)
		a := &outdial.Attempt{Candidate: *f.c, Start: now, Channel: 1}
		f.set.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: now, Attempt: a})
		a.Timeline.Set(outdial.MarkEnd, 95*time.Second)
		f.set.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: now, Attempt: a})
	}
	st := f.status(at(time.Hour))
	require.InDelta(t, 132, st.Traffic.Offered(), 3)
	advice := st.WhatIf(0.01)
	require.InDelta(t, 151, advice.Need, 4)
	require.Equal(t, 120, advice.Have)
	require.Contains(t, advice.String(), "you hold 120")
	f.set.Observe(&outdial.Event{
		Kind: outdial.EventRefused, Time: at(time.Hour), Attempt: &outdial.Attempt{Candidate: *f.c},
		RefusalStage: outdial.StageTrunk, Refusal: trunk.ErrDraining.Code(),
	})
	require.Equal(t, st.Traffic.Refused, f.status(at(time.Hour)).Traffic.Refused, "not for want of room")
	require.Zero(t, f.status(at(3*time.Hour)).Traffic.Attempts, "the last hour")
}

// TestSizeAtTheEdges: groups beyond what floating point can count down from, and a blocking that allows everything.
func TestSizeAtTheEdges(t *testing.T) {
	require.InDelta(t, trunk.BurstErlangs(100, 250, 100), trunk.BurstErlangs(100, 1000, 100), 1e-6)
	require.InDelta(t, 5000-100, trunk.BurstErlangs(100, 20_000, 5000), 1e-6, "all but the base")
	require.Zero(t, trunk.BurstErlangs(100, 100, 500))
	require.Zero(t, trunk.BurstErlangs(10, 100, 0))
	z, err := trunk.Size(trunk.Staffing{Seats: 100_000, ASR: 0.5, Ring: time.Second, Talk: time.Minute, Blocking: 1})
	require.NoError(t, err)
	require.Equal(t, 1, z.CPS)
}
