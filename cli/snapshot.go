package cli

import (
	"cmp"
	"slices"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// Snapshot is how the inventory stands at one time. It shares nothing with the Governor.
type Snapshot struct {
	Time     time.Time
	Pools    []PoolSnapshot    // in the order of the configuration
	Programs []ProgramSnapshot // by id
}

// PoolSnapshot is how a pool stands.
type PoolSnapshot struct {
	ID      outdial.PoolID
	Name    string
	Program string

	States map[State]int // numbers by state

	Ready    int       // numbers that can be presented now
	Waiting  int       // at a cap, or spaced from their last call
	Busy     int       // at their concurrent calls
	NoRight  int       // without an unexpired right to use
	Untested int       `json:",omitempty"` // without a test for calls back that is recent enough, where they are not presented then
	Resting  int       // in a state that does not allow it
	Next     time.Time `json:",omitzero"` // when the next waiting number becomes ready

	Numbers []NumberSnapshot // in the order of the configuration
}

// NumberSnapshot is how a number stands.
type NumberSnapshot struct {
	Number outdial.Number
	Pool   string `json:",omitempty"`
	State  State  // StateQuarantined while a Hold is in force
	Status Status
	Until  time.Time `json:",omitzero"` // when the status may change by itself; zero = not known

	Uses     []Use     // in each window of the pool's caps
	InFlight int       // concurrent calls
	LastUsed time.Time `json:",omitzero"`

	Country  string         `json:",omitempty"`
	Area     outdial.Prefix `json:",omitzero"`
	Region   string         `json:",omitempty"`
	Type     Type           `json:",omitzero"`
	Owner    string         `json:",omitempty"`
	Assigned string         `json:",omitempty"`
	Evidence string         `json:",omitempty"`
	Expires  time.Time      `json:",omitzero"` // of the right to use
	Callback time.Time      `json:",omitzero"` // the last test that calls back arrive

	Hold *Hold `json:",omitempty"` // the quarantine in force, nil = none
}

// Use is what was used of a cap.
type Use struct {
	Cap  Cap
	Used int
}

// ProgramSnapshot is what is remembered of a program's callees.
type ProgramSnapshot struct {
	ID         outdial.ProgramID
	Name       string
	Callees    int    // remembered for their calls or their number; some may be past their time
	Evicted    uint64 // forgotten for want of room before their time
	Suppressed int    // not called again
}

// snapshotChunk is how many numbers are read under one hold of the lock: calls go on between.
const snapshotChunk = 256

// Snapshot returns how every pool and number stands. Calls go on while it is taken: each number is consistent in itself.
func (g *Governor) Snapshot(now time.Time) Snapshot {
	g.change.Lock()
	defer g.change.Unlock()
	s := Snapshot{Time: now}
	g.mu.Lock()
	m, pools := g.clock.read(now), g.layout.pools
	g.expire(m)
	for _, p := range g.programs {
		s.Programs = append(s.Programs, ProgramSnapshot{
			ID: p.id, Name: g.ids.Programs.Name(p.id),
			Callees: int(p.callees.live), Evicted: p.callees.evicted, Suppressed: p.suppressing(m.unix),
		})
	}
	g.mu.Unlock()
	slices.SortFunc(s.Programs, func(a, b ProgramSnapshot) int { return cmp.Compare(a.ID, b.ID) })
	for _, p := range pools {
		s.Pools = append(s.Pools, g.snapshotPool(p, m))
	}
	return s
}

// Number returns how one number stands, and whether it is or was in the inventory.
func (g *Governor) Number(now time.Time, n outdial.Number) (NumberSnapshot, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	slot, ok := g.slots[n]
	if !ok {
		return NumberSnapshot{}, false
	}
	m := g.clock.read(now)
	g.expire(m)
	s, _ := g.snapshotNumber(&g.numbers[slot], m, nil)
	return s, true
}

func (g *Governor) snapshotPool(p *pool, now moment) PoolSnapshot {
	s := PoolSnapshot{
		ID: p.id, Name: p.name, Program: p.programName,
		States: map[State]int{}, Numbers: make([]NumberSnapshot, 0, len(p.slots)),
	}
	uses := make([]Use, 0, len(p.slots)*len(p.rules.list))
	next := noWake
	for chunk := range slices.Chunk(p.slots, snapshotChunk) {
		g.mu.Lock()
		for _, slot := range chunk {
			n, wake := g.snapshotNumber(&g.numbers[slot], now, uses[len(uses):])
			uses = uses[:len(uses)+len(n.Uses)]
			if n.Status == StatusWaiting {
				next = min(next, wake)
			}
			s.Numbers = append(s.Numbers, n)
			s.count(&n)
		}
		g.mu.Unlock()
	}
	if next != noWake {
		g.mu.Lock()
		s.Next = g.clock.time(next)
		g.mu.Unlock()
	}
	return s
}

func (s *PoolSnapshot) count(n *NumberSnapshot) {
	s.States[n.State]++
	switch n.Status {
	case StatusReady:
		s.Ready++
	case StatusWaiting:
		s.Waiting++
	case StatusBusy:
		s.Busy++
	case StatusNoRight:
		s.NoRight++
	case StatusUntested:
		s.Untested++
	default:
		s.Resting++
	}
}

// snapshotNumber appends the uses to a slice that the result then owns, and returns when the status may change.
func (g *Governor) snapshotNumber(n *number, now moment, uses []Use) (NumberSnapshot, window.Instant) {
	status, wake := n.assess(now, true)
	s := NumberSnapshot{
		Number: n.number, State: n.state, Status: status, InFlight: int(n.inFlight),
		Country: n.info.country, Area: n.info.area, Region: n.info.region, Type: n.info.typ,
		Owner: n.info.owner, Assigned: n.info.assigned, Evidence: n.info.evidence, Expires: n.info.expires,
	}
	if status != StatusReady {
		s.Until = g.clock.time(wake)
	}
	if n.callback != 0 {
		s.Callback = time.Unix(int64(n.callback), 0).UTC()
	}
	if n.uses.last != window.Never {
		s.LastUsed = g.clock.time(n.uses.last)
	}
	if n.pool != nil {
		s.Pool = n.pool.name
		for _, c := range n.pool.rules.list {
			uses = append(uses, Use{Cap: c, Used: n.uses.count(now.at, c.Window)})
		}
		s.Uses = uses[:len(uses):len(uses)]
	}
	if h, ok := g.holds[n.number]; ok && n.life != nil && n.life.hold > now.at {
		s.Hold = &h
		if n.state.Presentable() {
			s.State = StateQuarantined
		}
	}
	return s, wake
}

// suppressing is how many callees are suppressed now. What has expired is forgotten.
func (p *program) suppressing(unix int64) int {
	for key, until := range p.suppressed {
		if until != 0 && until <= unix {
			delete(p.suppressed, key)
		}
	}
	return len(p.suppressed)
}
