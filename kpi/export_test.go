package kpi

import "time"

// Spread makes every cell of m keep rings from its first count on.
func (m *Meter) Spread() { m.diaryMost = -1 }

// Kept is d as cells keep it.
func Kept(d time.Duration) time.Duration { return quantumOf(d).duration() }
