package window_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/internal/window"
)

type counts struct{ calls, answers int }

func total(r *window.Ring[counts], now window.Instant, n int) (sum counts) {
	for c := range r.Live(now, n) {
		sum.calls += c.calls
		sum.answers += c.answers
	}
	return sum
}

func TestRing(t *testing.T) {
	r, err := window.NewRing[counts](3, 10*time.Second)
	require.NoError(t, err)
	require.Equal(t, counts{}, total(r, 0, 3))
	r.At(0).calls++
	r.At(10*second-1).answers++
	r.At(25 * second).calls += 5
	require.Equal(t, counts{6, 1}, total(r, 25*second, 3))
	require.Equal(t, counts{5, 0}, total(r, 25*second, 1))
	require.Equal(t, counts{6, 1}, total(r, 3*second, 99), "held at the newest event; n is cut")
	require.Equal(t, counts{5, 0}, total(r, 30*second, 3), "expired by being read")
	require.Equal(t, counts{}, total(r, 50*second, 3))

	r.At(12*second).calls++ // late, still kept
	require.Equal(t, counts{7, 1}, total(r, 25*second, 3))
	require.Nil(t, r.At(-1))
	require.Equal(t, uint64(1), r.Late())
	r.At(30*second).calls++ // takes over the slot of 0 s
	require.Equal(t, counts{7, 0}, total(r, 30*second, 3))
	require.Nil(t, r.At(5*second))
	require.Equal(t, uint64(2), r.Late())
	require.Equal(t, 20*time.Second, r.Span(2))
	require.Equal(t, 30*time.Second, r.Span(9))
}

func TestRingErrors(t *testing.T) {
	_, err := window.NewRing[int](0, time.Second)
	require.ErrorContains(t, err, "0 buckets")
	_, err = window.NewRing[int](1, 0)
	require.ErrorContains(t, err, "0s")
}

func TestRingAllocs(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	r, err := window.NewRing[counts](12, time.Second)
	require.NoError(t, err)
	now, sum := window.Instant(0), 0
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		now += second / 3
		r.At(now).calls++
		for c := range r.Live(now, 12) {
			sum += c.calls
		}
	}))
	require.Positive(t, sum)
}
