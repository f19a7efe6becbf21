package kpi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

func TestWindowSlides(t *testing.T) {
	m := newMeter(t, kpi.Config{Window: time.Minute, Buckets: 6})
	observe(m, answeredLeg(1, t0, 1, time.Second, 25*time.Second)...) // ends 35 s after t0
	at := func(d time.Duration) (asr kpi.Ratio, ended uint64, ok bool) {
		c, ok := m.Cell(t0.Add(d), kpi.Key{})
		return c.ASR(), c.Ended, ok
	}
	asr, ended, _ := at(59 * time.Second)
	require.Equal(t, kpi.Ratio{K: 1, N: 1}, asr)
	require.EqualValues(t, 1, ended)
	asr, ended, _ = at(60 * time.Second)
	require.Zero(t, asr, "the attempt has left the window by its start")
	require.EqualValues(t, 1, ended, "the conversation is in it by its end")
	_, _, ok := at(90 * time.Second)
	require.False(t, ok)
	asr, ended, _ = at(9 * time.Second)
	require.Equal(t, kpi.Ratio{K: 1, N: 1}, asr, "an earlier now sees the earlier buckets")
	require.Zero(t, ended)
}

func TestLateEvents(t *testing.T) {
	m := newMeter(t, kpi.Config{Window: time.Minute, Buckets: 6})
	observe(m, failedLeg(1, 1, t0.Add(50*time.Second), 1, 486)...)
	observe(m, failedLeg(2, 1, t0, 1, 486)...) // late, but its bucket is still there
	require.EqualValues(t, 2, cell(t, m, t0.Add(50*time.Second), kpi.Key{}).Started)
	require.Zero(t, m.Stats().Late)
	observe(m, failedLeg(3, 1, t0.Add(-time.Hour), 1, 486)...) // its place belongs to a later bucket
	require.EqualValues(t, 2, m.Stats().Late)
	require.EqualValues(t, 2, cell(t, m, t0.Add(50*time.Second), kpi.Key{}).Started)

	// The end of a conversation that began before the window: its duration counts, nothing else is dropped.
	long := answeredLeg(4, t0, 1, time.Second, 10*time.Minute)
	observe(m, long...)
	now := t0.Add(10*time.Minute + 10*time.Second)
	require.EqualValues(t, 1, cell(t, m, now, kpi.Key{}).Ended)
	require.EqualValues(t, 2, m.Stats().Late)

	// The answer of an attempt whose bucket has gone is dropped.
	old := newLeg(5, 1, now.Add(-2*time.Minute), 1)
	observe(m, old.answered(2*time.Minute))
	require.EqualValues(t, 3, m.Stats().Late)
	require.Zero(t, cell(t, m, now, kpi.Key{}).Answers)
}

// A reading long ago does not make a late event push a live bucket out.
func TestLateEventAfterALongTimeWithoutReadings(t *testing.T) {
	m := newMeter(t, kpi.Config{Window: time.Minute, Buckets: 6})
	observe(m, failedLeg(1, 1, t0, 1, 486)...)
	require.EqualValues(t, 1, cell(t, m, t0, kpi.Key{}).Started)
	later := t0.Add(time.Hour)
	for i := range 6 {
		observe(m, failedLeg(2+i, 1, later.Add(time.Duration(i)*10*time.Second), 1, 486)...)
	}
	observe(m, failedLeg(9, 1, t0.Add(30*time.Minute), 1, 486)...)
	require.EqualValues(t, 2, m.Stats().Late)
	require.EqualValues(t, 6, cell(t, m, later.Add(59*time.Second), kpi.Key{}).Started)
}

func TestClockSteps(t *testing.T) {
	for _, rings := range []bool{false, true} {
		m := newMeter(t, kpi.Config{Window: time.Minute, Buckets: 6})
		if rings {
			m.Spread()
		}
		observe(m, failedLeg(1, 1, t0, 1, 486)...)
		require.EqualValues(t, 1, cell(t, m, t0, kpi.Key{}).Started)
		for i := range 6 { // for a minute, the clock is a year ahead; in a ring it takes every place
			observe(m, failedLeg(2+i, 1, t0.Add(365*24*time.Hour+time.Duration(i)*10*time.Second), 1, 486)...)
		}
		before, _ := m.Cell(t0, kpi.Key{})
		require.LessOrEqual(t, before.Started, uint64(1), "what is ahead is not seen")
		observe(m, failedLeg(9, 1, t0, 1, 486)...) // set back; a reader has told the right time
		require.Equal(t, before.Started+1, cell(t, m, t0, kpi.Key{}).Started)
		require.Zero(t, m.Stats().Late)
		e := m.Estimate(t0, &outdial.Candidate{Trunk: 1}, 1)
		require.Equal(t, float64(before.Started+1), e.N)
		observe(m, failedLeg(10, 1, t0.Add(-15*time.Second), 1, 486)...) // a small step back
		require.Equal(t, before.Started+2, cell(t, m, t0, kpi.Key{}).Started)
	}
}

func TestCellsAreBounded(t *testing.T) {
	m := newMeter(t, kpi.Config{Views: []kpi.View{kpi.ByTrunk}, MaxCells: 10, Window: time.Minute, Buckets: 6})
	for i := range 30 {
		observe(m, failedLeg(i+1, 1, t0, outdial.TrunkID(i+1), 486)...)
	}
	var keys []kpi.Key
	var started uint64
	for c := range m.Snapshot(t0.Add(time.Second)) {
		keys = append(keys, c.Key)
		started += c.Started
	}
	require.Len(t, keys, 11)
	require.Equal(t, kpi.Key{View: kpi.ByTrunk, Other: true}, keys[10])
	require.EqualValues(t, 30, started, "nothing is lost")
	require.EqualValues(t, 20, cell(t, m, t0, keys[10]).Started)
	require.Equal(t, kpi.Stats{Cells: 10, Folded: 40}, m.Stats())

	// A window later the old cells make room for new ones.
	later := t0.Add(2 * time.Minute)
	_, ok := m.Cell(later, keys[0])
	require.False(t, ok)
	observe(m, failedLeg(99, 1, later, 77, 486)...)
	require.EqualValues(t, 1, cell(t, m, later, kpi.Key{View: kpi.ByTrunk, Trunk: 77}).Started)
	require.Equal(t, 1, m.Stats().Cells)

	none := newMeter(t, kpi.Config{Views: []kpi.View{kpi.Total, kpi.ByTrunk}, MaxCells: -1})
	observe(none, failedLeg(1, 1, t0, 1, 486)...)
	require.EqualValues(t, 1, cell(t, none, t0, kpi.Key{}).Started)
	require.EqualValues(t, 1, cell(t, none, t0, kpi.Key{View: kpi.ByTrunk, Other: true}).Started)
}
