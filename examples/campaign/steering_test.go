package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// TestLateOrderCountsByTheJournal: an order that was written after attempts which left later than its time cuts off the one before it at that
// time, and takes none of what was counted until then, as failover's own report does not.
func TestLateOrderCountsByTheJournal(t *testing.T) {
	b := newBook(t)
	g := newLedger(b.ids)
	s, err := failover.New(failover.Config{IDs: b.ids})
	require.NoError(t, err)
	b.sinks = append(b.sinks, g, s)
	order := func(action string, when, until float64) {
		c := failover.Flip{To: []string{drillName}, Share: 1}.Control(action, "operator", "test", at(until))
		b.tell(outdial.Event{Kind: outdial.EventControl, Time: at(when), Control: &c})
	}
	place := func(when float64, call outdial.CallID) { b.begin(when, answeredTo, call, 1, drillName) }
	order(failover.ActionDrill, 1, 9)
	place(2, 1)
	place(4, 2)
	place(6, 3)
	order(failover.ActionFlip, 5, 20) // decided at 5, written after 6
	place(6.5, 4)
	require.Equal(t, uint64(3), g.Orders[0].There)
	require.Equal(t, uint64(1), g.Orders[1].There)
	drills := s.Drills(at(7))
	require.Len(t, drills, 1)
	require.Equal(t, uint64(3), drills[0].During.To.Started)
	require.NoError(t, (&evidence{Ledger: g, Drills: drills, Finished: at(30)}).reported(&g.Orders[0]))
}
