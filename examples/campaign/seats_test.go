package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeats(1)
		require.True(t, s.take())
		require.False(t, s.take(), "the only agent talks")
		s.release(3*time.Second, time.Second)
		idle, busy, wrap := s.count()
		require.Equal(t, [3]int{0, 0, 1}, [3]int{idle, busy, wrap})
		require.False(t, s.take(), "the only agent wraps up")
		<-s.freed
		require.True(t, s.take())
		s.release(time.Second, time.Second)
		require.Equal(t, 6*time.Second, s.close())
	})
}
