package trunk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

// model is a Set with one trunk, written to be read: lists, no reuse, nothing clever.
type model struct {
	limits trunk.Limits
	latest time.Time
	held   map[outdial.Lease]time.Time // since when; zero = nobody has looked yet
	look   time.Time                   // when Advance looks again
	left   map[outdial.Lease]time.Time // when its INVITE left
	all    []time.Time                 // every INVITE that left, in order
}

func (m *model) tell(now time.Time) {
	if now.After(m.latest) {
		m.latest = now
	}
}

func (m *model) mayAcquire() bool {
	return m.limits.State == trunk.Live && len(m.held) < m.limits.Channels
}

func (m *model) maySeize() bool {
	n := 0
	for _, t := range m.all {
		if m.latest.Sub(t) < time.Second {
			n++
		}
	}
	return m.limits.CPS < 0 || n < m.limits.CPS
}

func (m *model) release(l outdial.Lease, undo bool) {
	if t, ok := m.left[l]; ok && undo {
		for i := range m.all {
			if m.all[i].Equal(t) {
				m.all = append(m.all[:i:i], m.all[i+1:]...)
				break
			}
		}
	}
	delete(m.held, l)
	delete(m.left, l)
}

// advance dates what nobody has dated, and takes back what was held for MaxCall; it looks whenever something may be due, and
// at least sixteen times in that time.
func (m *model) advance() {
	if m.latest.Before(m.look) || len(m.held) == 0 {
		return
	}
	m.look = m.latest.Add(m.limits.MaxCall / 16)
	for l, since := range m.held {
		switch due := since.Add(m.limits.MaxCall); {
		case since.IsZero():
			m.held[l] = m.latest
		case !due.After(m.latest):
			m.release(l, false)
		case due.Before(m.look):
			m.look = due
		}
	}
}

// TestModel drives a Set and the model with the same verbs, by goroutines whose clocks differ and step back, and across crashes.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(t *rapid.T) trunk.Limits {
			return trunk.Limits{
				Name:     "alpha",
				Channels: rapid.IntRange(1, 5).Draw(t, "channels"),
				CPS:      rapid.SampledFrom([]int{-1, 1, 2, 3, 7}).Draw(t, "cps"),
				State:    rapid.SampledFrom([]trunk.State{0, 0, 0, trunk.Draining, trunk.Out}).Draw(t, "state"),
				MaxCall:  3 * time.Second,
			}
		}
		m := &model{limits: draw(t), held: map[outdial.Lease]time.Time{}, left: map[outdial.Lease]time.Time{}}
		f := newFixture(t, m.limits)
		now := start
		var issued []outdial.Lease
		before := 0                           // INVITEs that left before the last crash
		clock := func(t *rapid.T) time.Time { // and both are told
			now = now.Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "step")) * time.Millisecond)
			told := now.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 0, -1, -300, -2000, 150}).Draw(t, "skew")) * time.Millisecond)
			f.status(told)
			m.tell(told)
			return told
		}
		lease := func(t *rapid.T) outdial.Lease {
			if len(issued) == 0 {
				t.Skip("nothing was ever issued")
			}
			return issued[rapid.IntRange(0, len(issued)-1).Draw(t, "lease")] // held or stale
		}
		t.Repeat(map[string]func(*rapid.T){
			"acquire": func(t *rapid.T) {
				now := clock(t)
				l, _, err := f.set.Acquire(now, nil, f.c)
				require.Equal(t, m.mayAcquire(), err == nil, "%v", err)
				if err == nil {
					require.NotContains(t, issued, l)
					issued = append(issued, l)
					m.held[l] = time.Time{}
				}
			},
			"seize": func(t *rapid.T) {
				now, l := clock(t), lease(t)
				again, err := f.set.Seize(now, nil, f.c, l)
				if _, ok := m.held[l]; !ok {
					require.ErrorIs(t, err, trunk.ErrStaleLease)
					return
				}
				if _, ok := m.left[l]; ok {
					require.NoError(t, err)
					return
				}
				require.Equal(t, m.maySeize(), err == nil, "%v", err)
				if err == nil {
					m.left[l], m.held[l] = m.latest, m.latest
					m.all = append(m.all, m.latest)
					return
				}
				require.ErrorIs(t, err, trunk.ErrCPS)
				m.latest = m.latest.Add(again.Sub(now) - 1) // on the trunk's clock, a moment before again
				require.False(t, m.maySeize())
				m.latest = m.latest.Add(1)
				require.True(t, m.maySeize())
				m.latest = m.latest.Add(-again.Sub(now))
			},
			"release": func(t *rapid.T) {
				l := lease(t)
				f.set.Release(clock(t), l)
				m.release(l, false)
			},
			"undo": func(t *rapid.T) {
				l := lease(t)
				f.set.Undo(clock(t), l)
				m.release(l, true)
			},
			"resize or drain": func(t *rapid.T) {
				m.limits, m.look = draw(t), time.Time{}
				f.update(m.limits)
			},
			"advance": func(t *rapid.T) {
				now := clock(t)
				next := f.set.Advance(now)
				m.advance()
				if len(m.held) > 0 {
					require.False(t, next.IsZero())
				}
			},
			"crash": func(t *rapid.T) { // the calls are lost, and what left is not
				saved, err := f.set.Save(0)
				require.NoError(t, err)
				f = newFixture(t, m.limits)
				require.NoError(t, f.set.Restore(saved))
				before, issued = len(m.all), nil
				m.held, m.left, m.look = map[outdial.Lease]time.Time{}, map[outdial.Lease]time.Time{}, time.Time{}
				if m.latest.After(now) { // a clock that restarts behind what was told goes on from there
					now = m.latest
				}
				f.status(now)
				m.tell(now)
			},
			"": func(t *rapid.T) {
				st := f.status(time.Time{})
				require.Equal(t, len(m.held), st.InUse)
				require.LessOrEqual(t, st.InUse, st.Peak)
				require.Equal(t, uint64(len(m.all)-before), st.Seized)
			},
		})
	})
}

// TestSmoothSpacing: whatever the arrivals, calls leave in order, spaced by 1/CPS, none held back longer than
// Smooth, and never more than CPS in a second.
func TestSmoothSpacing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cps := rapid.IntRange(1, 30).Draw(t, "cps")
		smooth := time.Duration(rapid.IntRange(1, 2000).Draw(t, "smooth")) * time.Millisecond
		f := newFixture(t, trunk.Limits{Channels: -1, CPS: cps, Smooth: smooth})
		now := start
		var left []time.Time
		for range 100 {
			now = now.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "step")) * time.Millisecond)
			l := f.acquire(now)
			leave, err := f.set.Seize(now, nil, f.c, l)
			if err != nil {
				require.ErrorIs(t, err, trunk.ErrCPS)
				require.True(t, leave.After(now))
				_, err = f.set.Seize(leave.Add(-1), nil, f.c, l)
				require.ErrorIs(t, err, trunk.ErrCPS)
				continue
			}
			if leave.IsZero() {
				leave = now
			}
			require.LessOrEqual(t, leave.Sub(now), smooth)
			if len(left) > 0 {
				require.GreaterOrEqual(t, leave.Sub(left[len(left)-1]), time.Second/time.Duration(cps))
			}
			if left = append(left, leave); len(left) > cps {
				require.GreaterOrEqual(t, leave.Sub(left[len(left)-1-cps]), time.Second)
			}
		}
	})
}
