package kpi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/kpi"
)

// measurer is what failover and routing declare to read a meter.
type measurer interface {
	Measure(now time.Time, m outdial.Metric, c *outdial.Candidate, group outdial.GroupID) outdial.Estimate
}

var _ measurer = (*kpi.Meter)(nil)

// Each metric is the share that its definition names, where the cell stands alone.
func TestMeasureEveryMetric(t *testing.T) {
	m := newMeter(t, kpi.Config{PriorStrength: -1})
	for i := range 100 {
		call := i + 1
		switch {
		case i < 40: // answered: a tenth without ringing, a quarter short, a tenth of them by loss of media
			l := newLeg(call, 1, t0, 1)
			events := []outdial.Event{l.started()}
			if i >= 4 {
				events = append(events, l.progressed(180, false, 2*time.Second))
			}
			talk, end := time.Minute, outdial.OriginCalleeHangup
			if i < 10 {
				talk = 2 * time.Second
			}
			if i < 4 {
				end = outdial.OriginMediaLoss
			}
			events = append(events, l.answered(10*time.Second), l.ended(outdial.Result{Origin: end}, 10*time.Second+talk))
			observe(m, events...)
			if i < 8 {
				a := outdial.Attempt{ID: l.a.ID} // the id alone, as a host may have it
				m.Observe(&outdial.Event{Kind: outdial.EventDisposed, Time: t0.Add(3 * time.Minute), Attempt: &a, Disposition: &outdial.Disposition{Contact: true}})
			}
		case i < 70:
			observe(m, failedLeg(call, 1, t0, 1, 486)...)
		default:
			observe(m, failedLeg(call, 1, t0, 1, 503)...)
		}
	}
	now := t0.Add(4 * time.Minute)
	for metric, want := range map[outdial.Metric][2]float64{
		outdial.MetricASR: {40, 100}, outdial.MetricNER: {70, 100}, outdial.MetricShort: {10, 40},
		outdial.MetricDrop: {4, 40}, outdial.MetricContact: {8, 100}, outdial.MetricFAS: {4, 40},
	} {
		e := m.Measure(now, metric, &outdial.Candidate{Trunk: 1}, 1)
		require.InDelta(t, want[1], e.N, 1e-9, metric)
		require.InDelta(t, (want[0]+0.5)/(want[1]+1), e.Mean, 1e-9, metric)
		require.InDelta(t, e.Mean*(1-e.Mean)/(want[1]+2), e.Var, 1e-9, metric)
		require.Zero(t, m.Measure(now, metric, &outdial.Candidate{Trunk: 2}, 1), metric)
	}
	pdd := m.Measure(now, outdial.MetricPDD, &outdial.Candidate{Trunk: 1}, 1)
	require.InEpsilon(t, 2, pdd.Mean, 0.02)
	require.InDelta(t, 36, pdd.N, 0)
	require.Positive(t, pdd.Var)
	require.Zero(t, m.Measure(now, outdial.MetricMOS, &outdial.Candidate{Trunk: 1}, 1))
	require.Zero(t, m.Measure(now, outdial.MetricCount, &outdial.Candidate{Trunk: 1}, 1))
}

// The 95th percentile of PDD is read from the tail, keeps up with the traffic, and leans on the trunk where a group saw
// little.
func TestMeasurePDD(t *testing.T) {
	m := newMeter(t, kpi.Config{})
	dial := func(n int, group outdial.GroupID, pdd func(i int) time.Duration) {
		for i := range n {
			l := newLeg(0, 1, t0, 1)
			l.a.Call.Dest.Group = group
			observe(m, l.started(), l.progressed(180, false, pdd(i)), l.ended(outdial.Result{Origin: outdial.OriginCarrier, Code: 486}, 20*time.Second))
		}
	}
	ask := func(group outdial.GroupID) outdial.Estimate {
		return m.Measure(t0.Add(time.Minute), outdial.MetricPDD, &outdial.Candidate{Trunk: 1}, group)
	}
	require.False(t, ask(1).Known())
	dial(1000, 1, func(i int) time.Duration { return time.Duration(i+1) * 5 * time.Millisecond })
	e := ask(1)
	require.InEpsilon(t, 4.75, e.Mean, 0.02)
	require.InDelta(t, 0.0345, e.Mean-e.Lower(1), 0.02) // a standard error: 5 s × √(.95×.05/1000)
	require.InEpsilon(t, 4.75, ask(2).Mean, 0.02, "nothing seen of the group: as the trunk")
	require.Greater(t, ask(2).Var, e.Var)
	dial(1000, 1, func(int) time.Duration { return 9 * time.Second })
	require.InEpsilon(t, 9, ask(1).Mean, 0.02, "half of it became slow")
}

func TestMeasureGoesUpTheDestinations(t *testing.T) {
	var ids outdial.Registry
	m := newMeter(t, kpi.Config{
		IDs: &ids, PriorStrength: 10,
		Views: []kpi.View{
			kpi.Total, kpi.ByTrunk, kpi.ByTrunk | kpi.ByCountry, kpi.ByTrunk | kpi.ByRegion, kpi.ByTrunk | kpi.ByGroup,
			kpi.ByTrunk | kpi.ByCountry | kpi.ByRegion | kpi.ByGroup | kpi.ByBlock, kpi.ByTrunk | kpi.ByBlock,
		},
		Regions: map[string]string{"US/212": "NY", "US/718": "NY", "US/312": "IL"},
	})
	dial := func(group string, to outdial.Number, answered, failed int) {
		for i := range answered + failed {
			l := newLeg(0, 1, t0, 1)
			l.a.Call.To = to
			l.a.Call.Dest = outdial.Destination{Country: [2]byte{'U', 'S'}, Group: ids.Groups.ID(group)}
			if group == "DE/30" {
				l.a.Call.Dest.Country = [2]byte{'D', 'E'}
			}
			if i < answered {
				observe(m, l.started(), l.answered(time.Second))
			} else {
				observe(m, l.started(), l.ended(outdial.Result{Origin: outdial.OriginCarrier, Code: 503}, time.Second))
			}
		}
	}
	dial("US/212", 12125550123, 90, 10)
	dial("US/212", 12125560123, 10, 90)
	dial("US/312", 13125550123, 10, 90)
	dial("DE/30", 4930123456, 0, 100)
	dial("US/718", 17185550123, 0, 1)
	ask := func(group string) float64 {
		return m.Measure(t0, outdial.MetricASR, &outdial.Candidate{Trunk: 1}, ids.Groups.ID(group)).Mean
	}
	require.InDelta(t, 0.5, ask("US/212"), 0.05)
	require.Less(t, ask("US/312"), 0.15)
	require.Greater(t, ask("US/718"), 0.4, "one call: as the rest of its region")
	require.Less(t, ask("DE/30"), 0.05)
	require.InDelta(t, 110./401, ask("CL/1"), 0.05, "nothing known of the country: as the trunk")
	call := outdial.Call{To: 12125550199, Dest: outdial.Destination{Group: ids.Groups.ID("US/212"), Country: [2]byte{'U', 'S'}}}
	require.InDelta(t, 0.87, m.MeasureCall(t0, outdial.MetricASR, &outdial.Candidate{Trunk: 1}, &call).Mean, 0.05, "by its block")
}

// Old attempts count in part.
func TestEstimateDecays(t *testing.T) {
	m := newMeter(t, kpi.Config{PriorStrength: -1, HalfLife: 10 * time.Minute})
	feed(m, 1, 1, 100, 0)
	c := &outdial.Candidate{Trunk: 1}
	require.InDelta(t, 100, m.Estimate(t0, c, 1).N, 1e-3)
	require.InDelta(t, 50, m.Estimate(t0.Add(10*time.Minute), c, 1).N, 1e-3)
	require.InDelta(t, 100./32, m.Estimate(t0.Add(50*time.Minute), c, 1).N, 1e-3)
}

// Reads neither allocate nor lag behind the writers.
func TestMeasureAllocatesNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	m := newMeter(t, kpi.Config{})
	feed(m, 1, 1, 300, 300)
	c := &outdial.Candidate{Trunk: 1}
	now := t0.Add(time.Minute)
	for metric := range outdial.MetricCount {
		require.Zero(t, testing.AllocsPerRun(100, func() { m.Measure(now, metric, c, 1) }), metric)
	}
}
