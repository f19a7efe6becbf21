package b2bua

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A burst is forgotten although nothing follows it.
func TestFinishedIsSwept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f finished
		go f.sweep(t.Context(), time.Now)
		for i := range 1000 {
			f.put(time.Now(), strconv.Itoa(i), []byte("x"), home)
		}
		time.Sleep(timeout - time.Second)
		_, known := f.get("999")
		require.True(t, known, "copies may still come")
		time.Sleep(timeout + time.Second)
		synctest.Wait()
		f.mu.Lock()
		defer f.mu.Unlock()
		require.Nil(t, f.byKey, "a map that is emptied keeps its memory")
		require.Nil(t, f.queue)
	})
}

func TestFinishedIsBounded(t *testing.T) {
	var f finished
	now := time.Unix(1_800_000_000, 0)
	for i := range maxFinished + 10 {
		f.put(now, strconv.Itoa(i), nil, home)
	}
	f.put(now, "20", []byte("again"), home) // it is known: nothing is forgotten for it beyond what makes room
	require.LessOrEqual(t, len(f.byKey), maxFinished)
	require.Len(t, f.queue, len(f.byKey))
	_, known := f.get("9")
	require.False(t, known, "the oldest")
	_, known = f.get(strconv.Itoa(maxFinished + 9))
	require.True(t, known)
	got, _ := f.get("20")
	require.Equal(t, "again", string(got.packet))
}
