package main

import (
	"sync"
	"time"
)

// seats are the agents: each is idle, in a conversation, or busy with what comes after one.
type seats struct {
	freed chan struct{} // has room for one: a seat may have become idle

	mu      sync.Mutex
	idle    int
	busy    int
	wrap    int
	worked  time.Duration // of conversations and after-call work that are over
	wrapUps []*time.Timer
	closed  bool
}

func newSeats(n int) *seats { return &seats{freed: make(chan struct{}, 1), idle: n} }

// take gives a call to an idle agent, and reports whether there was one.
func (s *seats) take() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle == 0 {
		return false
	}
	s.idle--
	s.busy++
	return true
}

// release ends a conversation that took talk; the agent is idle again after wrap.
func (s *seats) release(talk, wrap time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
	s.wrap++
	s.worked += talk + wrap
	if !s.closed {
		s.wrapUps = append(s.wrapUps, time.AfterFunc(wrap, s.ready))
	}
}

func (s *seats) ready() {
	s.mu.Lock()
	s.wrap--
	s.idle++
	s.mu.Unlock()
	s.poke()
}

// poke wakes the dialer: there may be room for another call.
func (s *seats) poke() {
	select {
	case s.freed <- struct{}{}:
	default:
	}
}

func (s *seats) count() (idle, busy, wrap int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.idle, s.busy, s.wrap
}

// close stops what is left of after-call work and returns the time that agents worked.
func (s *seats) close() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, t := range s.wrapUps {
		t.Stop()
	}
	return s.worked
}
