package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
)

// progress reports a 180.
func (b *book) progress(when float64, a *outdial.Attempt) {
	a.Timeline.Set(outdial.MarkProvisional, at(when).Sub(a.Start))
	b.tell(outdial.Event{Kind: outdial.EventProgressed, Time: at(when), Attempt: a, Marks: outdial.MarkProvisional.Of()})
}

func TestDetectionCountsFailuresInARow(t *testing.T) {
	b := newBook(t)
	d, err := newDetection(b.ids, "alpha", softFailures, at(10), at(30))
	require.NoError(t, err)
	b.sinks = append(b.sinks, d)
	call := outdial.CallID(0)
	fail := func(when float64, code uint16) {
		call++
		b.end(when+0.1, b.begin(when, answeredTo, call, 1, "alpha"), carrierSaid(code))
	}
	fail(1, 503) // before the fault
	fail(11, 503)
	fail(11.2, 503)
	call++
	b.progress(11.4, b.begin(11.3, busyTo, call, 1, "alpha")) // set up before the fault, and it rings now
	for i := range softFailures - 1 {
		fail(12+float64(i), 503)
		require.True(t, d.Noticed.IsZero())
	}
	fail(18, 503)
	require.Equal(t, at(18.1), d.Noticed)
	require.Equal(t, softFailures, d.Row)

	fail(18.5, 503)
	require.Zero(t, d.Ordinary, "it was on its way")
	fail(25, 503)
	require.Equal(t, 1, d.Ordinary)
	fail(31, 503)
	require.Equal(t, 1, d.Ordinary, "after the repair")
}

func TestLedgerTellsCalls(t *testing.T) {
	e := soundEvidence(t)
	g := e.Ledger
	require.Equal(t, tally{Started: 1, Answered: 1, Ended: 1}, *g.Trunks["alpha"])
	require.Equal(t, []advance{
		{At: at(1), To: answeredTo, From: "delta", Why: "silent", Next: "alpha", Duration: 500 * time.Millisecond},
		{At: at(2.5), To: busyTo, From: "budget", Why: "503", Next: "coast", Duration: 500 * time.Millisecond},
	}, g.Failovers)
	require.Equal(t, carrierSaid(486), g.Calls[busyTo].last().Reported)
	require.Len(t, g.Calls[refusedTo].Refused, 4)
	require.Nil(t, g.Calls[refusedTo].last())
	require.Equal(t, 1, g.Calls[answeredTo].inTime())
	require.Equal(t, "coast", g.Calls[busyTo].last().Trunk)
	stories := g.stories()
	require.Equal(t, []outdial.Number{refusedTo, answeredTo, busyTo}, []outdial.Number{stories[0].To, stories[1].To, stories[2].To})
}
