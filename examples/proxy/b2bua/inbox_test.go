package b2bua

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What a network may lose is lost when too much waits for a call; answers and ends of legs always get in. Nothing gets in when the call is over.
func TestInbox(t *testing.T) {
	b := newInbox()
	for range maxInbox {
		require.True(t, b.offer("wish"))
	}
	require.False(t, b.offer("wish"), "who offers is told")
	require.True(t, b.post("datagram", true), "who posts what may be lost is not")
	require.True(t, b.post("answer", false))
	<-b.wake
	items := b.take(nil)
	require.Len(t, items, maxInbox+1)
	require.Equal(t, "answer", items[maxInbox])
	require.Empty(t, b.take(items), "in the room of what was taken")
	require.True(t, b.post("datagram", true), "there is room again")
	require.Equal(t, []any{"datagram"}, b.close())
	require.False(t, b.post("answer", false))
	require.False(t, b.offer("wish"))
}
