package b2bua_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// A call that is over can be asked for with its decision, for a while; and where calls hunted on is counted.
func TestCallsThatAreOver(t *testing.T) {
	remembered := func(c *b2bua.Config) { c.Admin.Listen = "127.0.0.1:0" }
	bubble(t, siptest.Reject(503, "Full"), siptest.Answer(0, 0, time.Second), remembered, func(t *testing.T, w *world) {
		for range 2 {
			require.Equal(t, 200, w.call(siptest.CallerCall{}).Code())
		}
		require.NoError(t, w.second.SetBehaviour(siptest.Behaviour{Script: siptest.Reject(500, "")}))
		require.Equal(t, 500, w.call(siptest.CallerCall{}).Code())
		require.NoError(t, w.second.SetBehaviour(siptest.Behaviour{Script: siptest.Busy(0)}))
		require.Equal(t, 486, w.call(siptest.CallerCall{}).Code())
		w.settled()
		list := w.proxy.EndedCalls(3)
		require.Len(t, list, 3)
		require.Equal(t, []int{486, 500, 200}, []int{list[0].Code, list[1].Code, list[2].Code}, "the latest first")
		require.Equal(t, "ended", list[0].State)
		require.Equal(t, "+1212555····", list[0].To)
		l, err := w.proxy.LiveCall(context.Background(), list[2].ID)
		require.NoError(t, err)
		require.Equal(t, 2, l.Attempts)
		require.Len(t, l.Decision.Candidates, 2)
		require.ErrorIs(t, w.proxy.HangUp(list[2].ID, b2bua.Change{Actor: "a", Reason: "b"}), b2bua.ErrNoCall)
		hunts := map[string]uint64{}
		for _, h := range w.proxy.Hunts(time.Now(), 10) {
			hunts[h.From+">"+h.To+" "+h.Why] = h.Calls
		}
		require.EqualValues(t, 1, hunts["second> 500"], "nobody was left")
		require.NotContains(t, hunts, "second> 486", "a busy callee is no failover")
		require.GreaterOrEqual(t, hunts["first>second 503"], uint64(2))
		time.Sleep(11 * time.Minute)
		require.Empty(t, w.proxy.Hunts(time.Now(), 10))
	})
}

// Only so many are kept, and none where nobody can ask.
func TestCallsThatAreOverAreBounded(t *testing.T) {
	for admin, most := range map[string]int{"127.0.0.1:0": 200, "": 0} {
		change := func(c *b2bua.Config) { c.Admin.Listen = admin }
		bubble(t, siptest.Busy(0), siptest.Busy(0), change, func(t *testing.T, w *world) {
			var first b2bua.LiveCall
			for i := range 205 {
				w.call(siptest.CallerCall{})
				if i == 0 {
					w.settled()
					if list := w.proxy.EndedCalls(1); len(list) > 0 {
						first = list[0]
					}
				}
			}
			w.settled()
			require.Len(t, w.proxy.EndedCalls(1000), most)
			_, err := w.proxy.LiveCall(context.Background(), first.ID)
			require.ErrorIs(t, err, b2bua.ErrNoCall)
		})
	}
}
