package kpi_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// Of four numbers in two areas and two pools one is labelled, one clean, one blocked for a while, one never looked at. A replay
// of the same events gives the same report.
func TestLabelledNumbers(t *testing.T) {
	area := func(n outdial.Number) string { return n.String()[2:5] }
	var events []outdial.Event
	present := func(cli outdial.Number, pool outdial.PoolID, after time.Duration) {
		l := newLeg(len(events)+1, 1, t0.Add(after), 1)
		l.a.CLI, l.a.Pool = cli, pool
		events = append(events, l.started())
	}
	label := func(cli outdial.Number, engine string, s outdial.LabelStatus, after, ttl time.Duration) {
		events = append(events, outdial.Event{
			Kind: outdial.EventLabelled, Time: t0.Add(after),
			Label: &outdial.Label{Number: cli, Engine: engine, Status: s, TTL: ttl},
		})
	}
	present(12125550101, 2, 0)
	present(12125550101, 1, time.Minute) // it went to another pool
	present(12125550102, 1, 0)
	present(12125550102, 1, time.Minute) // twice presented, one number
	present(13035550103, 1, 0)
	present(13035550104, 2, 0)
	label(12125550101, "a", outdial.LabelClean, 0, 0)
	label(12125550101, "b", outdial.LabelLabelled, 0, 0)
	label(12125550102, "a", outdial.LabelClean, 0, 0)
	label(13035550104, "a", outdial.LabelBlocked, 0, time.Hour)

	build := func(replay bool) *kpi.Numbers {
		n, err := kpi.NewNumbers(kpi.NumbersConfig{Place: area})
		require.NoError(t, err)
		for i := range events {
			ev := events[i]
			ev.Replay = replay
			n.Observe(&ev)
		}
		return n
	}
	n := build(false)
	rows := n.Report(t0.Add(2 * time.Minute))
	require.Equal(t, rows, build(true).Report(t0.Add(2*time.Minute)))
	require.Len(t, rows, 3)
	labelled, unknown := rows[0].Labelled()
	require.Equal(t, []any{outdial.PoolID(1), "212", uint64(2)}, []any{rows[0].Pool, rows[0].Place, rows[0].Numbers()})
	require.Equal(t, kpi.Ratio{K: 1, N: 2}, labelled)
	require.Equal(t, kpi.Ratio{K: 0, N: 2}, unknown)
	labelled, unknown = rows[1].Labelled() // nobody looked: undefined, not zero
	require.Equal(t, kpi.Ratio{}, labelled)
	require.Equal(t, kpi.Ratio{K: 1, N: 1}, unknown)
	labelled, _ = rows[2].Labelled()
	require.Equal(t, kpi.Ratio{K: 1, N: 1}, labelled)

	_, unknown = n.Report(t0.Add(2 * time.Hour))[2].Labelled() // what was said does not hold any more
	require.Equal(t, kpi.Ratio{K: 1, N: 1}, unknown)
	require.Empty(t, n.Report(t0.Add(8*24*time.Hour)), "not presented for a week")

	small, err := kpi.NewNumbers(kpi.NumbersConfig{Max: 2})
	require.NoError(t, err)
	for i := range events {
		small.Observe(&events[i])
	}
	require.EqualValues(t, 2, small.Report(t0.Add(time.Minute))[0].Numbers())
	require.EqualValues(t, 2, small.Untold(), "two numbers, each once")
	_, err = kpi.NewNumbers(kpi.NumbersConfig{Window: -1, Max: -1})
	require.ErrorContains(t, err, "Window")
	require.ErrorContains(t, err, "Max")
}

func ExampleNumbers() {
	var ids outdial.Registry
	numbers, _ := kpi.NewNumbers(kpi.NumbersConfig{Place: func(n outdial.Number) string { return n.String()[2:5] }})
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for i, cli := range []outdial.Number{12125550101, 12125550102, 12125550103} {
		numbers.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: at, Attempt: &outdial.Attempt{
			ID: outdial.AttemptID{Call: outdial.CallID(i + 1), Leg: 1}, Start: at, CLI: cli, Pool: ids.Pools.ID("sales"),
		}})
	}
	numbers.Observe(&outdial.Event{Kind: outdial.EventLabelled, Time: at, Label: &outdial.Label{
		Number: 12125550102, Engine: "hiya", Status: outdial.LabelLabelled,
	}})
	for _, row := range numbers.Report(at.Add(time.Hour)) {
		labelled, unknown := row.Labelled()
		fmt.Printf("%s %s: %d numbers, labelled %d of %d, unknown %d of %d\n",
			ids.Pools.Name(row.Pool), row.Place, row.Numbers(), labelled.K, labelled.N, unknown.K, unknown.N)
	}
	// Output: sales 212: 3 numbers, labelled 1 of 1, unknown 2 of 3
}

// When there is no room for more, the numbers that are in use no more make room, and only then are all gone through.
func TestNumbersMakeRoom(t *testing.T) {
	n, err := kpi.NewNumbers(kpi.NumbersConfig{Max: 2, Window: time.Hour})
	require.NoError(t, err)
	present := func(cli outdial.Number, after time.Duration) {
		l := newLeg(1, 1, t0.Add(after), 1)
		l.a.CLI = cli
		ev := l.started()
		n.Observe(&ev)
	}
	present(1, 0)
	present(2, 50*time.Minute)
	present(3, 55*time.Minute)
	require.EqualValues(t, 1, n.Untold())
	present(3, 61*time.Minute) // the first is gone
	require.EqualValues(t, 1, n.Untold())
	present(4, 62*time.Minute)
	require.EqualValues(t, 2, n.Untold())
	present(4, 111*time.Minute)
	require.EqualValues(t, 2, n.Untold())
	rows := n.Report(t0.Add(112 * time.Minute))
	require.EqualValues(t, 2, rows[0].Numbers())
}
