package cli

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial/internal/window"
)

// TestHeap enters, moves and removes things at random: each is where its place says, and none is earlier than the one above.
func TestHeap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h heap
		places := make([]int32, 40)
		for i := range places {
			places[i] = none
		}
		planned := map[int32]window.Instant{}
		t.Repeat(map[string]func(*rapid.T){
			"touch": func(t *rapid.T) {
				id := rapid.Int32Range(0, int32(len(places)-1)).Draw(t, "id")
				at := window.Instant(rapid.IntRange(0, 100).Draw(t, "at"))
				_, there := planned[id]
				switch {
				case there && at%2 == 0:
					h.remove(places, id)
					delete(planned, id)
					return
				case there:
					h.move(places, entry{at, id})
				default:
					h.add(places, entry{at, id})
				}
				planned[id] = at
			},
			"": func(t *rapid.T) {
				require.Len(t, h, len(planned))
				for i, e := range h {
					require.Equal(t, planned[e.id], e.at)
					require.EqualValues(t, i, places[e.id])
					require.LessOrEqual(t, h[max(i-1, 0)/fan].at, e.at, "the one above is no later")
				}
				for id, place := range places {
					_, there := planned[int32(id)]
					require.Equal(t, there, place != none)
				}
			},
		})
	})
}
