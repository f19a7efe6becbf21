package cli

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestChunksMadeAhead fills chunks, some of which were made ahead: callees stand where they stood, and a chunk for callees of
// another size is not taken.
func TestChunksMadeAhead(t *testing.T) {
	c := newCallees()
	c.most = 1 << 30
	made := 0
	add := func(n int) {
		for range n {
			i := c.add(calleeKey(c.count)+1, 0)
			c.stamp(i, 0, second)
			if words := c.ahead(c.count); words != 0 {
				require.Zero(t, c.ahead(c.count), "it is being made")
				chunk := make([]uint32, words)
				touch(chunk)
				c.supply(chunk)
				require.Zero(t, c.ahead(c.count), "there is one")
				made++
			}
		}
	}
	add(5000)
	require.Equal(t, 10, made, "one for each of 512 callees")
	for i := range c.count {
		require.Equal(t, calleeKey(i)+1, c.at(i).key())
	}

	words := len(c.chunks[0])
	c.spare = nil
	c.configure([]Cap{{Max: 3, Window: 1}}, 0, c.most)
	c.supply(make([]uint32, words))
	require.Empty(t, c.spare, "callees are larger by now")
	for i := range c.count {
		require.Equal(t, calleeKey(i)+1, c.at(i).key())
		require.Equal(t, seconds(second), c.at(i).stamps()[0])
	}
	add(5000)
	require.Equal(t, int32(10_000), c.live)
}
