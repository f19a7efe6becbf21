package b2bua

import (
	"strconv"
	"strings"
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
			f.put(time.Now(), strconv.Itoa(i), []byte("x"), place{})
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
		f.put(now, strconv.Itoa(i), nil, place{})
	}
	f.put(now, "20", []byte("again"), place{}) // it is known: nothing is forgotten for it beyond what makes room
	require.LessOrEqual(t, len(f.byKey), maxFinished)
	require.Len(t, f.queue, len(f.byKey))
	_, known := f.get("9")
	require.False(t, known, "the oldest")
	_, known = f.get(strconv.Itoa(maxFinished + 9))
	require.True(t, known)
	got, _ := f.get("20")
	require.Equal(t, "again", string(got.packet))
}

// What dialers send is echoed in answers, and may be long.
func TestFinishedIsBoundedInBytes(t *testing.T) {
	var f finished
	now := time.Unix(1_800_000_000, 0)
	long := make([]byte, 30<<10)
	most := 0
	for i := range 5000 {
		f.put(now, strconv.Itoa(i), long, place{})
		f.put(now, strconv.Itoa(i), long, place{})
		most = max(most, f.bytes)
	}
	require.LessOrEqual(t, most, maxFinishedBytes)
	require.InDelta(t, maxFinishedBytes/len(long), len(f.byKey), 2, "as many as fit")
	require.Len(t, f.queue, len(f.byKey))
	_, known := f.get("4999")
	require.True(t, known)
	_, known = f.get(strconv.Itoa(5000 - len(f.byKey) - 1))
	require.False(t, known, "the oldest")
	f = finished{}
	keys := strings.Repeat("x", 40<<10)
	for i := range 4000 { // of an INVITE that was answered only its key is kept
		f.put(now, keys[:36<<10+i], nil, place{})
		most = max(most, f.bytes)
	}
	require.LessOrEqual(t, most, maxFinishedBytes)
	require.Less(t, len(f.byKey), 4000)
	f.put(now.Add(timeout), "after", nil, place{})
	require.Len(t, f.byKey, 1)
	require.Equal(t, len("after"), f.bytes)
}
