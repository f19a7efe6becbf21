package cli

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/window"
)

// A ring that begins small and grows answers as one that had all of its room from the beginning; also when uses are taken back, when
// the configuration changes its room, and when it is full at last.
func TestUsesGrow(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, most := range []int{1, 31, 32, 33, 64, 100, 1000, 65535} {
		var small, large uses
		small.fit(make([]uint32, small.room(most)), most, 2)
		large.fit(make([]uint32, most), most, 2)
		require.LessOrEqual(t, len(small.ring), firstRoom)
		now := window.Instant(0)
		var stamps []window.Instant
		for i := range 3*min(most, 2000) + 10 {
			now += window.Instant(random.Int64N(int64(3 * time.Second)))
			at := small.add(now)
			require.Equal(t, at, large.add(now))
			stamps = append(stamps, at)
			if random.IntN(10) == 0 {
				back := stamps[max(len(stamps)-1-random.IntN(5), 0)]
				small.undo(back)
				large.undo(back)
			}
			if i == most/2 { // a reload that keeps the caps, and has the uses move
				small.fit(make([]uint32, small.room(most)), most, 2)
				large.fit(make([]uint32, most), most, 2)
			}
			for _, k := range []int{1, 2, firstRoom, firstRoom + 1, most/2 + 1, most} {
				require.Equal(t, large.newest(k), small.newest(k), "most %d, use %d, the newest but %d", most, i, k)
			}
			require.Equal(t, large.count(now, time.Minute), small.count(now, time.Minute))
			require.Equal(t, large.lost, small.lost)
			require.LessOrEqual(t, len(small.ring), max(min(most, 2*int(small.n)), min(most, firstRoom)), "no larger than its uses need")
		}
	}
}
