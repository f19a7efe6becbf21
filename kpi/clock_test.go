package kpi_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// An event from a clock that is years ahead ends nothing that a reader still asks for, whether a cell is a diary, about to
// become rings, or rings, but for the one slice of rings whose place it takes.
func TestAClockFarAheadEndsNothing(t *testing.T) {
	for _, n := range []int{1, 20, 100, 400, 600, 3000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			m := newMeter(t, kpi.Config{})
			for i := range n {
				observe(m, failedLeg(i+1, 1, t0, 1, 486)...)
			}
			require.EqualValues(t, n, cell(t, m, t0, kpi.Key{}).Started) // the reader's clock is known
			observe(m, failedLeg(n+1, 1, t0.AddDate(10, 0, 0).Add(7*time.Minute), 1, 486)...)
			require.EqualValues(t, n, cell(t, m, t0, kpi.Key{}).Started)
			for i := range 700 {
				observe(m, failedLeg(n+10+i, 1, t0, 1, 486)...)
			}
			require.EqualValues(t, n+700, cell(t, m, t0, kpi.Key{}).Started)
		})
	}
}

// The archive keeps so many hours, whatever their clock said, and goes on.
func TestAClockFarAheadLeavesTheArchive(t *testing.T) {
	const hours = 40
	m := newMeter(t, kpi.Config{Archive: kpi.ArchiveConfig{Views: []kpi.View{kpi.ByTrunk}, Keep: hours * time.Hour}})
	now := t0
	for i := range hours {
		now = t0.Add(time.Duration(i) * time.Hour)
		if i == hours/2 {
			observe(m, failedLeg(1000, 1, t0.AddDate(10, 0, 0), 1, 486)[:1]...)
		}
		observe(m, failedLeg(i+1, 1, now, 1, 486)[:1]...)
	}
	sum := func() (n int) {
		for _, c := range m.Hours(now, kpi.Key{View: kpi.ByTrunk, Trunk: 1}) {
			n += int(c.Started)
		}
		return n
	}
	require.Equal(t, hours-1, sum(), "the oldest made room for the one that is to come")
	b, err := m.Save(1)
	require.NoError(t, err)
	m = newMeter(t, kpi.Config{Archive: kpi.ArchiveConfig{Views: []kpi.View{kpi.ByTrunk}, Keep: hours / 2 * time.Hour}})
	require.NoError(t, m.Restore(b))
	require.Equal(t, hours/2-1, sum(), "one that keeps less takes the latest")
}

// Times that do not fit into nanoseconds since 1970 are as far away as can be, and not somewhere else.
func TestTimesBeyondReason(t *testing.T) {
	m := newMeter(t, kpi.Config{Archive: kpi.ArchiveConfig{Views: []kpi.View{kpi.ByTrunk}}})
	m.Report(t0)
	far := []time.Time{
		{},
		time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), time.Unix(0, math.MaxInt64), time.Unix(0, math.MinInt64),
		time.Unix(math.MaxInt64/2, 0), time.Unix(1<<40+1e9, 0),
	}
	for i, at := range append(far, t0) {
		for _, ev := range answeredLeg(i+1, t0, 1, time.Second, time.Minute) {
			ev.Attempt.Start, ev.Time = at, at
			m.Observe(&ev)
		}
	}
	c := cell(t, m, t0, kpi.Key{})
	require.EqualValues(t, 1, c.Started)
	for _, at := range far {
		m.Report(at)
		m.Estimate(at, &outdial.Candidate{Trunk: 1}, 1)
		for range m.Hours(at, kpi.Key{View: kpi.ByTrunk, Trunk: 1}) {
			continue
		}
	}
	require.EqualValues(t, 1, cell(t, m, t0, kpi.Key{}).Started)
}

// What a journal that somebody made says of an attempt moves what it says, and nothing beside it.
func TestHostileOrigin(t *testing.T) {
	m := newMeter(t, kpi.Config{})
	events := answeredLeg(1, t0, 1, time.Second, time.Minute)
	events[4].Attempt.Result.Origin = 255
	observe(m, events...)
	c := cell(t, m, t0.Add(2*time.Minute), kpi.Key{})
	require.EqualValues(t, 1, c.Ended)
	require.Zero(t, c.ZeroSecond+c.Abnormal)
	require.Zero(t, c.SDD.Count()+c.SDDFailed.Count())
}
