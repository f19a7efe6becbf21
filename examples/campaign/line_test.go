package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func newTestLine() *line {
	_, cancel := context.WithCancelCause(context.Background())
	return &line{cancel: cancel, final: make(chan struct{}), placed: at(0)}
}

func timers(count *int) func() *time.Timer {
	return func() *time.Timer {
		*count++
		return time.NewTimer(time.Hour)
	}
}

func TestLineHearsTheFirstOfEach(t *testing.T) {
	l, rings := newTestLine(), 0
	require.False(t, l.heard(at(1), 100, timers(&rings)))
	require.Zero(t, rings)
	require.False(t, l.heard(at(2), 183, timers(&rings)))
	require.False(t, l.heard(at(3), 180, timers(&rings)))
	require.Equal(t, 1, rings, "the ring limit runs from the first")
	require.True(t, l.heard(at(4), 200, timers(&rings)))
	require.False(t, l.heard(at(5), 200, timers(&rings)), "a retransmission")
	<-l.final
	f := l.fate()
	require.Equal(t, at(2), f.Ringing)
	require.Equal(t, at(4), f.Answered)
	require.Equal(t, 200, f.Code)
}

func TestLineGivesUpOnlyWhatIsNotOver(t *testing.T) {
	l := newTestLine()
	l.giveUp(errRangLong)
	require.Equal(t, errRangLong, l.fate().GaveUp)

	l, n := newTestLine(), 0
	l.heard(at(1), 200, timers(&n))
	l.giveUp(errRangLong)
	require.NoError(t, l.fate().GaveUp, "it was answered meanwhile")
	l.giveUp(errNoAgent)
	require.Equal(t, errNoAgent, l.fate().GaveUp)
}
