package kpi_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// Post-dial delay that grows by 50 ms a minute is told before callers begin to give up, which is what NER would show; and an hour of
// delays that do not grow, looked at every minute, alarms nobody.
func TestDelayThatRisesIsToldBeforeNERMoves(t *testing.T) {
	const seed = 5
	t.Log("seed", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	half := kpi.Span{Window: 30 * time.Minute, Buckets: 30}
	m := newMeter(t, kpi.Config{Window: time.Hour, Buckets: 12, Spans: []kpi.Span{half}, Views: []kpi.View{kpi.ByTrunk}})
	key := kpi.Key{View: kpi.ByTrunk, Trunk: 1}
	w, _ := m.Over(half.Window)
	pdd := func(c *kpi.Cell) *kpi.Sketch { return &c.PDD }
	const ramp = 60 // minutes
	var before, at kpi.Ratio
	told := 0
	for minute := 1; minute <= 180 && told == 0; minute++ {
		for i := range 40 {
			start := t0.Add(time.Duration(minute)*time.Minute + time.Duration(i)*time.Second)
			delay := time.Duration((1.5 + 1.5*rng.ExpFloat64()) * float64(time.Second))
			if minute > ramp {
				delay += time.Duration(minute-ramp) * 50 * time.Millisecond
			}
			l := newLeg(100*minute+i, 1, start, 1)
			observe(m, l.started())
			if delay > 8*time.Second { // silence for so long: they hang up
				observe(m, l.ended(outdial.Result{Origin: outdial.OriginCaller, Code: 487}, 8*time.Second))
				continue
			}
			l.progressed(180, false, delay)
			observe(m, l.ended(outdial.Result{Origin: outdial.OriginNoAnswer, Code: 487}, delay+20*time.Second))
		}
		now := t0.Add(time.Duration(minute)*time.Minute + 59*time.Second)
		c, _ := w.Cell(now, key)
		if minute == ramp {
			before = c.NER()
		}
		trend, ok := kpi.TrendOf(w.Series(now, key), pdd)
		require.Equal(t, minute >= 4, ok)
		if minute > 10 && trend.Rising(0.5, 0.999) {
			told, at = minute, c.NER()
		}
	}
	require.Greater(t, told, ramp)
	require.Less(t, told, ramp+30)
	d, low, high, ok := at.Minus(before, 0.95)
	require.True(t, ok)
	t.Logf("told %d minutes after it began; NER by then %+.3f (%.3f to %.3f)", told-ramp, d, low, high)
	require.Less(t, low, 0.0)
	require.Greater(t, high, 0.0, "NER has not moved yet")
}

func TestTrendOfALine(t *testing.T) {
	line := func(slices int, of func(i int) []time.Duration) (kpi.Trend, bool) {
		return kpi.TrendOf(func(yield func(time.Time, kpi.Cell) bool) {
			for i := range slices {
				var c kpi.Cell
				for _, d := range of(i) {
					c.PDD.Add(d)
				}
				if !yield(t0.Add(time.Duration(i)*time.Hour), c) {
					return
				}
			}
		}, func(c *kpi.Cell) *kpi.Sketch { return &c.PDD })
	}
	trend, ok := line(10, func(i int) []time.Duration {
		if i == 3 {
			return nil // a slice without traffic
		}
		return make([]time.Duration, i+1)
	})
	require.True(t, ok)
	require.InDelta(t, 0, trend.Slope, 1e-9)
	trend, ok = line(8, func(i int) []time.Duration {
		at := time.Duration(1000+250*i) * time.Millisecond
		return []time.Duration{at - 500*time.Millisecond, at, at + 500*time.Millisecond}
	})
	require.True(t, ok)
	require.InDelta(t, 0.25, trend.Slope, 1e-9)
	require.EqualValues(t, 24, trend.N)
	require.Positive(t, trend.SE)
	require.True(t, trend.Rising(0.1, 0.95))
	require.False(t, trend.Rising(0.25, 0.95))
	require.False(t, trend.Rising(0, 1))
	_, ok = line(3, func(int) []time.Duration { return []time.Duration{1} })
	require.False(t, ok)
}

// Dials go up four times and contacts do not: a storm. Where contacts go along, or little was seen, it is none.
func TestRetryStorm(t *testing.T) {
	cell := func(dials, contacts int) *kpi.Cell {
		var c kpi.Cell
		c.Started, c.Contacts = uint64(dials), uint64(contacts)
		return &c
	}
	const hour, tenMinutes = time.Hour, 10 * time.Minute
	s := kpi.StormOf(cell(1800, 90), cell(1200, 16), hour, tenMinutes)
	require.True(t, s.Alarm)
	require.InDelta(t, 4, s.Dials.Times, 1e-9)
	require.Less(t, s.Contacts.Low, 1.07)
	require.Greater(t, s.Contacts.High, 1.07)
	for name, c := range map[string][2]*kpi.Cell{
		"contacts go along":  {cell(1800, 90), cell(1200, 60)},
		"dials do not go up": {cell(1800, 90), cell(310, 2)},
		"too few to tell":    {cell(18, 1), cell(12, 0)},
		"nothing":            {cell(0, 0), cell(0, 0)},
		"nothing before":     {cell(0, 0), cell(50, 0)},
	} {
		require.False(t, kpi.StormOf(c[0], c[1], hour, tenMinutes).Alarm, name)
	}
}

// A list that is dialled again and again: the alarm comes within the hour, and not on the days before.
func TestRetryStormInASimulation(t *testing.T) {
	const seed = 3
	t.Log("seed", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	short := kpi.Span{Window: 15 * time.Minute, Buckets: 3}
	m := newMeter(t, kpi.Config{Window: 4 * time.Hour, Buckets: 48, Spans: []kpi.Span{short}, Views: []kpi.View{}})
	w, _ := m.Over(short.Window)
	call, alarm := 0, 0
	const begins = 240
	for minute := range 420 {
		dials, contacts := 30, 0.06
		if minute >= begins { // those who did not answer are called again, at once, and do not answer again
			dials, contacts = 120, 0.015
		}
		for range dials {
			call++
			at := t0.Add(time.Duration(minute) * time.Minute)
			l := newLeg(call, 1, at, 1)
			if rng.Float64() < contacts {
				observe(m, l.started(), l.answered(5*time.Second),
					disposed(&l.a, at, outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman, Contact: true}))
			} else {
				observe(m, l.started(), l.ended(outdial.Result{Origin: outdial.OriginNoAnswer}, 20*time.Second))
			}
		}
		now := t0.Add(time.Duration(minute)*time.Minute + 59*time.Second)
		after, _ := w.Cell(now, kpi.Key{})
		before, ok := m.Cell(now.Add(-short.Window), kpi.Key{})
		if ok && minute > 60 && kpi.StormOf(&before, &after, min(time.Duration(minute-14)*time.Minute, 4*time.Hour), short.Window).Alarm {
			alarm = minute
			break
		}
	}
	t.Logf("told %d minutes after it began", alarm-begins)
	require.Greater(t, alarm, begins)
	require.Less(t, alarm, begins+60)
}
