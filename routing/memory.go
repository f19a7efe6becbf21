package routing

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
)

// memory is what a Router knows of the past: a fold over events, the same live and in replay. Observe writes under the
// lock; routes read without one.
type memory struct {
	calls, explored, money *count       // first attempts; exploring ones; what those cost, in micro-units
	newest                 atomic.Int64 // hour of the latest event; written under mu
	use                    atomic.Pointer[map[share]*count]
	months                 atomic.Pointer[map[outdial.TrunkID]*month]
	tides                  atomic.Pointer[map[tideKey]*tide]
	orders                 atomic.Pointer[[]order]               // overrides by Control
	tracks                 [256]atomic.Pointer[map[place]*track] // by place.shard

	_       [64]byte // what every event writes stands on lines of its own: routes read what is above on other cores
	mu      sync.Mutex
	counts  []*count
	tracked int

	_      [64]byte
	booked bookings
}

// share names a count of attempts: those to a country on a trunk; the zero country is the world, trunk 0 is all.
type share struct {
	country [2]byte
	trunk   outdial.TrunkID
}

// count is a sum over the current hour and the 23 before it.
type count struct {
	hours  [24]int64
	values [24]int64
	sum    atomic.Int64
}

// month is the answered time of a trunk in one calendar month.
type month struct{ first, seconds atomic.Int64 }

func newMemory() *memory {
	m := new(memory)
	m.calls, m.explored, m.money = m.newCount(), m.newCount(), m.newCount()
	m.use.Store(&map[share]*count{})
	m.months.Store(&map[outdial.TrunkID]*month{})
	for i := range m.tracks {
		m.tracks[i].Store(&map[place]*track{})
	}
	m.tides.Store(&map[tideKey]*tide{})
	m.orders.Store(&[]order{})
	return m
}

func (m *memory) newCount() *count {
	c := new(count)
	m.counts = append(m.counts, c)
	return c
}

// attempts in a market over the last 24 hours, on a trunk; 0 = on all.
func (m *memory) attempts(country [2]byte, trunk outdial.TrunkID) int64 {
	if c := (*m.use.Load())[share{country, trunk}]; c != nil {
		return c.sum.Load()
	}
	return 0
}

// talked is the answered time of a trunk in the month that begins at first, in seconds.
func (m *memory) talked(first time.Time, trunk outdial.TrunkID) int64 {
	if k := (*m.months.Load())[trunk]; k != nil && k.first.Load() == first.Unix() {
		return k.seconds.Load()
	}
	return 0
}

// place is a trunk towards a destination group; group 0 is the trunk as a whole.
type place struct {
	trunk outdial.TrunkID
	group outdial.GroupID
}

func (p place) shard() uint64 {
	return (uint64(p.trunk)<<32 | uint64(p.group)) * 0x9e3779b97f4a7c15 >> 56
}

// maxTracks bounds the places that are followed; one beyond it is judged as its trunk is. A track takes about 250 bytes.
const maxTracks = 1 << 16

// trackOf returns how a place does, or nil.
func (m *memory) trackOf(p place) *track {
	if m == nil {
		return nil
	}
	return (*m.tracks[p.shard()].Load())[p]
}

// seizure adds an outcome to the tracks of the trunk and of the destination on it, and to the tide.
func (m *memory) seizure(trunk outdial.TrunkID, dest *outdial.Destination, at int64, success bool) {
	whole, water := m.track(place{trunk: trunk}), m.tide(tideKey{trunk, dest.DayPart})
	if whole != nil {
		whole.trunk(at, success)
	}
	if dest.Group != 0 {
		if here := m.track(place{trunk, dest.Group}); here != nil && whole != nil {
			here.own = here.own.faded(at)
			all := water.faded(at)
			k, n := max(all.k-here.own.k, 0), max(all.n-here.own.n, 0)
			here.outcome(at, success, (k+fewOutcomes*whole.p)/(n+fewOutcomes))
			here.own.add(at, success)
		}
	}
	water.add(at, success)
	water.publish()
}

// track returns that of a place, made if need be, or nil if there are as many as may be.
func (m *memory) track(p place) *track {
	if k := m.trackOf(p); k != nil || m.tracked >= maxTracks {
		return k
	}
	shard := &m.tracks[p.shard()]
	next := maps.Clone(*shard.Load())
	k := new(track)
	next[p] = k
	m.tracked++
	shard.Store(&next)
	return k
}

// tide returns one, made if need be.
func (m *memory) tide(key tideKey) *tide {
	all := *m.tides.Load()
	if k := all[key]; k != nil {
		return k
	}
	next := maps.Clone(all)
	k := new(tide)
	next[key] = k
	m.tides.Store(&next)
	return k
}

const hour = int64(time.Hour / time.Second)

// observe folds an event that is about an attempt.
func (m *memory) observe(ev *outdial.Event) {
	a := ev.Attempt
	if a == nil {
		return
	}
	switch ev.Kind {
	case outdial.EventStarted, outdial.EventAbandoned, outdial.EventAnswered, outdial.EventEnded:
	default:
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if success, ok := seized(ev); ok {
		m.seizure(a.Candidate.Trunk, &a.Call.Dest, ev.Time.UnixNano(), success)
	}
	if ev.Kind == outdial.EventAnswered || ev.Kind == outdial.EventAbandoned {
		return
	}
	at := a.Start.Unix() / hour
	if at > m.newest.Load() {
		m.newest.Store(at)
		for _, c := range m.counts {
			c.expire(at)
		}
	}
	switch {
	case ev.Kind == outdial.EventStarted:
		m.attempt(a, at, 1)
		m.booked.release(a.ID.Call)
	case a.Result.Origin == outdial.OriginNeverSent:
		m.attempt(a, at, -1)
	default:
		m.ended(ev.Time, a, at)
	}
}

// exploring reports whether an attempt was made to learn.
func exploring(a *outdial.Attempt) bool {
	return a.Candidate.Explore || a.Choice.Why == outdial.WhyKeepWarm || a.Choice.Why == outdial.WhyProbe
}

// attempt counts one that starts (n = 1), or one that did not leave after all (n = −1). What an exploring one may cost
// is reserved as a minute.
func (m *memory) attempt(a *outdial.Attempt, at, n int64) {
	if a.ID.Leg <= 1 {
		m.calls.add(at, n, m.newest.Load())
	}
	if exploring(a) {
		m.explored.add(at, n, m.newest.Load())
		m.money.add(at, n*int64(a.Candidate.Cost), m.newest.Load())
	}
	country, trunk := a.Call.Dest.Country, a.Candidate.Trunk
	world := [2]byte{}
	m.counted(share{world, trunk}).add(at, n, m.newest.Load())
	m.counted(share{world, 0}).add(at, n, m.newest.Load())
	if country != world {
		m.counted(share{country, trunk}).add(at, n, m.newest.Load())
		m.counted(share{country, 0}).add(at, n, m.newest.Load())
	}
}

// ended puts the real cost and the answered time of an attempt in the place of what was expected.
func (m *memory) ended(now time.Time, a *outdial.Attempt, at int64) {
	talk, _ := a.Timeline.Duration()
	if a.Result.Origin == outdial.OriginUnknown || a.Late {
		talk = 0
	}
	if exploring(a) && a.Result.Origin != outdial.OriginUnknown {
		real := cost(int64(max(a.Candidate.Cost, 0)), 0, Increment{First: 60}.Billed(talk)) // as a carrier may bill
		m.money.add(at, int64(real-a.Candidate.Cost), m.newest.Load())
	}
	if talk <= 0 {
		return
	}
	k := (*m.months.Load())[a.Candidate.Trunk]
	if k == nil {
		next := maps.Clone(*m.months.Load())
		k = new(month)
		next[a.Candidate.Trunk] = k
		m.months.Store(&next)
	}
	u := now.UTC()
	first := time.Date(u.Year(), u.Month(), 1, 0, 0, 0, 0, time.UTC).Unix()
	if first > k.first.Load() {
		k.seconds.Store(0)
		k.first.Store(first)
	}
	if first == k.first.Load() {
		k.seconds.Add(int64((talk + time.Second - 1) / time.Second))
	}
}

// counted returns the count of a share, made if need be.
func (m *memory) counted(s share) *count {
	all := *m.use.Load()
	if c := all[s]; c != nil {
		return c
	}
	next := maps.Clone(all)
	c := m.newCount()
	next[s] = c
	m.use.Store(&next)
	return c
}

// add counts v in an hour, unless that has left the span that ends with newest.
func (c *count) add(at, v, newest int64) {
	if at < 0 || at <= newest-int64(len(c.hours)) {
		return
	}
	i := at % int64(len(c.hours))
	if c.hours[i] != at {
		c.sum.Add(-c.values[i])
		c.hours[i], c.values[i] = at, 0
	}
	c.values[i] += v
	c.sum.Add(v)
}

// expire drops what has left the span that ends with newest.
func (c *count) expire(newest int64) {
	for i, at := range c.hours {
		if at <= newest-int64(len(c.hours)) && c.values[i] != 0 {
			c.sum.Add(-c.values[i])
			c.values[i] = 0
		}
	}
}
