package cli

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial/internal/window"
)

// TestWakeups enters and cancels wake-ups at random; the earliest of those that are left is always first.
func TestWakeups(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c class
		numbers := make([]number, 40)
		for i := range numbers {
			numbers[i].wakeup = none
		}
		planned := map[int32]window.Instant{}
		t.Repeat(map[string]func(*rapid.T){
			"toggle": func(t *rapid.T) {
				slot := rapid.Int32Range(0, int32(len(numbers)-1)).Draw(t, "slot")
				if _, ok := planned[slot]; ok {
					c.cancel(numbers, slot)
					delete(planned, slot)
					return
				}
				planned[slot] = window.Instant(rapid.IntRange(0, 100).Draw(t, "at"))
				c.plan(numbers, slot, planned[slot])
			},
			"": func(t *rapid.T) {
				require.Len(t, c.wakeups, len(planned))
				for i, w := range c.wakeups {
					require.Equal(t, planned[w.slot], w.at)
					require.EqualValues(t, i, numbers[w.slot].wakeup)
					require.LessOrEqual(t, c.wakeups[(i-1)/2*min(i, 1)].at, w.at, "the parent is no later")
				}
				for slot := range numbers {
					_, ok := planned[int32(slot)]
					require.Equal(t, ok, numbers[slot].wakeup != none)
				}
			},
		})
	})
}
