package kpi_test

import (
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/kpi"
)

// Cores that count at the same time lose nothing, whether their cells have got parts over it or not, and an estimate that is
// read once they are done agrees with the cell.
func TestManyWritersAreOneCell(t *testing.T) {
	const writers, attempts = 4, 3000
	m := newMeter(t, kpi.Config{})
	m.Spread()
	leg := answeredLeg(1, t0, 1, 1500, 2e9)
	group := leg[0].Attempt.Call.Dest.Group
	m.Estimate(t0, &leg[0].Attempt.Candidate, group)
	observe(m, leg...)
	m.Divide(0)
	require.True(t, m.Divided())
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range attempts {
				observe(m, answeredLeg(2+w*attempts+i, t0, outdial.TrunkID(1+i%2), 1500, 2e9)...)
			}
		})
	}
	all.Wait()
	total := cell(t, m, t0, kpi.Key{})
	require.EqualValues(t, writers*attempts+1, total.Started)
	require.EqualValues(t, writers*attempts+1, total.CallsAnswered)
	require.EqualValues(t, writers*attempts+1, total.Duration.Count())
	trunk := cell(t, m, t0, kpi.Key{View: kpi.ByTrunk, Trunk: 2})
	require.EqualValues(t, writers*attempts/2, trunk.Answers)
	require.Zero(t, m.Stats().Late)
	e := m.Estimate(t0, &outdial.Candidate{Trunk: 2}, group)
	require.Equal(t, float64(writers*attempts/2+19), e.N) // and what stands behind it
}

// Cores that take turns over a cell move it from one cache to the other, though none ever waits: it is given parts, once it is
// busy enough to keep rings.
func TestCoresThatTakeTurnsGetParts(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector makes a pool forget")
	}
	play := func(m *kpi.Meter, lane func(i int) int) bool {
		for i := range 4000 {
			m.Sit(lane(i))
			observe(m, failedLeg(1+i, 1, t0, 1, 486)...)
		}
		require.EqualValues(t, 4000, cell(t, m, t0, kpi.Key{}).Started)
		return m.Divided()
	}
	busy := func() *kpi.Meter {
		m := newMeter(t, kpi.Config{})
		m.Spread()
		return m
	}
	require.True(t, play(busy(), func(i int) int { return i }))
	require.False(t, play(busy(), func(int) int { return 1 }))
}

// Readers, writers whose cells have parts, and the dropping of what has expired do not wait for each other in a circle; and a cell
// is consistent in itself whenever it is read.
func TestReadersBesideManyWriters(t *testing.T) {
	const writers, attempts = 3, 2000
	m := newMeter(t, kpi.Config{Views: []kpi.View{kpi.Total, kpi.ByTrunk, kpi.ByProgram}, MaxCells: 6})
	m.Spread()
	observe(m, answeredLeg(1, t0, 1, 1500, 2e9)...)
	m.Divide(0)
	var all, readers sync.WaitGroup
	over := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				for c := range m.Snapshot(t0) {
					if c.Key.View == kpi.ByProgram && (c.Answers > c.Started || c.Ended > c.Answers) {
						t.Errorf("%v: %d started, %d answered, %d ended", c.Key, c.Started, c.Answers, c.Ended)
						return
					}
				}
				m.Measure(t0, outdial.MetricPDD, &outdial.Candidate{Trunk: 1}, 0)
				m.Estimate(t0, &outdial.Candidate{Trunk: 2}, 0)
			}
		})
	}
	for w := range writers {
		all.Go(func() {
			for i := range attempts {
				at := t0
				if i%500 == 499 { // now and then a trunk that expires at once and makes room
					at = t0.Add(-2 * 3600e9)
				}
				observe(m, answeredLeg(2+w*attempts+i, at, outdial.TrunkID(1+i%9), 1500, 2e9)...)
			}
		})
	}
	all.Wait()
	close(over)
	readers.Wait()
	require.EqualValues(t, writers*attempts+1-writers*attempts/500, cell(t, m, t0, kpi.Key{}).Started)
}

// Parts are dropped with their cell.
func TestPartsLeaveWithTheirCell(t *testing.T) {
	m := newMeter(t, kpi.Config{Views: []kpi.View{kpi.ByTrunk}, MaxCells: 1})
	observe(m, failedLeg(1, 1, t0, 1, 486)...)
	m.Divide(0)
	observe(m, failedLeg(2, 1, t0, 1, 486)...)
	later := t0.Add(3 * 3600e9)
	observe(m, failedLeg(3, 1, later, 2, 486)...)
	require.EqualValues(t, 1, cell(t, m, later, kpi.Key{View: kpi.ByTrunk, Trunk: 2}).Started)
	_, ok := m.Cell(t0, kpi.Key{View: kpi.ByTrunk, Trunk: 1})
	require.False(t, ok)
}

func TestPartsDoNotAllocate(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector makes a pool forget")
	}
	m := newMeter(t, kpi.Config{})
	leg := answeredLeg(1, t0, 1, 1500, 2e9)
	for i := range 10 {
		observe(m, leg...)
		m.Divide(i)
	}
	require.Zero(t, testing.AllocsPerRun(100, func() { observe(m, leg...) }))
}

func TestTicksAreFloored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		by := rapid.OneOf(rapid.Int64Range(1, 1e6), rapid.Int64Range(1, math.MaxInt64)).Draw(t, "by")
		q := rapid.Int64Range(0, math.MaxInt64/by-1).Draw(t, "q")
		v := q*by + rapid.SampledFrom([]int64{0, 1, by / 2, by - 1}).Draw(t, "rest")%by
		require.Equal(t, q, kpi.Floor(v, by))
		require.Equal(t, -q-1, kpi.Floor(-v-1, by))
	})
}

// A bin that overflows many times keeps its count, and is found at once.
func TestFullBins(t *testing.T) {
	const times = 5*(1<<18-1) + 7
	n, before := kpi.Tally(2e9, times)
	require.EqualValues(t, times, n)
	require.Zero(t, before)
}
