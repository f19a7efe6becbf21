package routing

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/seal"
)

// ErrSnapshot says that what was given to Restore is not what Save wrote.
var ErrSnapshot = errors.New("routing: not a snapshot of a router")

const keptKind = "OUTDRTE2"

// kept is the form of a snapshot. Ids stand beside their names, because another process issues other ids.
type kept struct {
	Seq    uint64
	Newest int64
	Trunks keptNames
	Groups keptNames
	Parts  keptNames

	Calls, Explored, Money keptCount
	Shares                 []keptShare
	Months                 []keptMonth
	Tracks                 keptTracks
	Tides                  []keptTide
	Overrides              []Override
}

// keptNames are the names of ids.
type keptNames struct {
	IDs   []uint32
	Names []string
}

// keptCount is the hours of a count that are not nought.
type keptCount struct{ Hours, Values []int64 }

type keptShare struct {
	Country [2]byte
	Trunk   uint32
	Count   keptCount
}

type keptMonth struct {
	Trunk          uint32
	First, Seconds int64
}

// keptTide is a tide; part 0 is none.
type keptTide struct {
	Trunk, Part uint32
	K, N        float64
	At          int64
}

// keptTracks has a column for each field, which is many times as fast to write and to read as a list of tracks.
type keptTracks struct {
	Trunk, Group []uint32
	P, N, Beside []float64
	Was, Daily   []float64
	Own          [2][]float64 // k, n
	OwnAt        []int64
	Up, Down     [3][]float64 // evidence, k, n
	Changed      []int64
	Rose         []bool
}

// Save writes what the Router knows of the past, as of an event of the journal: call it in Engine.Checkpoint, with the
// Waterline's Seq. A Router that is restored from it and told the events behind seq is as one that was told all of them. So is
// one whose snapshot is lost, as far back as the journal goes: Engine.RecoverFrom tells it everything. The
// tables and what their sources know are not part of it. It needs a table in force (ErrNoTable), whose registry has the names.
func (r *Router) Save(seq uint64) ([]byte, error) {
	t := r.Table()
	if t == nil {
		return nil, ErrNoTable
	}
	k := r.memory().keep(t.ids)
	k.Seq = seq
	out := bytes.NewBuffer(seal.Begin(keptKind))
	if err := gob.NewEncoder(out).Encode(&k); err != nil {
		return nil, fmt.Errorf("routing: save: %w", err)
	}
	return seal.Close(keptKind, out.Bytes()), nil
}

// Restore makes a new Router know what Save wrote; Resumed tells the engine from where on to tell it more. It needs a table in
// force (ErrNoTable), and a Router that has been told of no event. An error (ErrSnapshot for what Save has not written) leaves
// the Router as it is. Call it before the first call.
func (r *Router) Restore(b []byte) error {
	t := r.Table()
	if t == nil {
		return ErrNoTable
	}
	content, err := seal.Open(keptKind, b)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	var k kept
	if err := gob.NewDecoder(bytes.NewReader(content)).Decode(&k); err != nil {
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	m, err := k.memory(t.ids)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	old := r.past.Load()
	if old != nil && old.told() || !r.past.CompareAndSwap(old, m) {
		return errors.New("routing: restore: the router has been told of events already")
	}
	r.resumed.Store(k.Seq)
	return nil
}

// Resumed implements outdial.Resumer: the sequence up to which a restored snapshot goes, 0 without one.
func (r *Router) Resumed() uint64 { return r.resumed.Load() }

var _ outdial.Resumer = (*Router)(nil)

// told reports whether anything was folded.
func (m *memory) told() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.newest.Load() != 0 || m.tracked > 0 || len(*m.orders.Load()) > 0
}

// keep copies what is known of trunks and groups that have names.
func (m *memory) keep(ids *outdial.Registry) kept {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := kept{
		Newest: m.newest.Load(), Calls: m.calls.keep(), Explored: m.explored.keep(), Money: m.money.keep(),
	}
	k.Tracks.grow(m.tracked)
	trunks, groups := names[outdial.TrunkID]{of: &ids.Trunks}, names[outdial.GroupID]{of: &ids.Groups}
	for s, c := range *m.use.Load() {
		if trunks.has(s.trunk) {
			k.Shares = append(k.Shares, keptShare{s.country, uint32(s.trunk), c.keep()})
		}
	}
	for id, c := range *m.months.Load() {
		if trunks.has(id) {
			k.Months = append(k.Months, keptMonth{uint32(id), c.first.Load(), c.seconds.Load()})
		}
	}
	for i := range m.tracks {
		for p, t := range *m.tracks[i].Load() {
			if trunks.has(p.trunk) && groups.has(p.group) {
				k.Tracks.add(p, t)
			}
		}
	}
	parts := names[outdial.DayPartID]{of: &ids.DayParts}
	for key, w := range *m.tides.Load() {
		if trunks.has(key.trunk) && parts.has(key.part) {
			k.Tides = append(k.Tides, keptTide{uint32(key.trunk), uint32(key.part), w.k, w.n, w.at})
		}
	}
	for _, o := range *m.orders.Load() {
		k.Overrides = append(k.Overrides, o.Override)
	}
	k.Trunks, k.Groups, k.Parts = trunks.kept, groups.kept, parts.kept
	return k
}

// names takes down the names of ids as they are met.
type names[ID ~uint32] struct {
	of   *outdial.Names[ID]
	met  []bool // by id: has a name, and is in kept
	kept keptNames
}

// has reports whether an id has a name, or is 0, which needs none.
func (n *names[ID]) has(id ID) bool {
	if id == 0 {
		return true
	}
	if n.met == nil {
		n.met = make([]bool, n.of.Len()+1)
	}
	if int(id) >= len(n.met) || n.met[id] {
		return int(id) < len(n.met)
	}
	name := n.of.Name(id)
	if name == "" {
		return false
	}
	n.met[id] = true
	n.kept.IDs, n.kept.Names = append(n.kept.IDs, uint32(id)), append(n.kept.Names, name)
	return true
}

func (c *count) keep() (k keptCount) {
	for i, v := range c.values {
		if v != 0 {
			k.Hours, k.Values = append(k.Hours, c.hours[i]), append(k.Values, v)
		}
	}
	return k
}

func (k *keptTracks) grow(n int) {
	k.Trunk, k.Group = make([]uint32, 0, n), make([]uint32, 0, n)
	for _, column := range []*[]float64{&k.P, &k.N, &k.Beside, &k.Was, &k.Daily, &k.Own[0], &k.Own[1]} {
		*column = make([]float64, 0, n)
	}
	for i := range k.Up {
		k.Up[i], k.Down[i] = make([]float64, 0, n), make([]float64, 0, n)
	}
	k.Changed, k.OwnAt, k.Rose = make([]int64, 0, n), make([]int64, 0, n), make([]bool, 0, n)
}

func (k *keptTracks) add(p place, t *track) {
	k.Trunk, k.Group = append(k.Trunk, uint32(p.trunk)), append(k.Group, uint32(p.group))
	k.P, k.N, k.Beside = append(k.P, t.p), append(k.N, t.n), append(k.Beside, t.beside)
	k.Was, k.Daily = append(k.Was, t.was), append(k.Daily, t.daily)
	k.Own[0], k.Own[1], k.OwnAt = append(k.Own[0], t.own.k), append(k.Own[1], t.own.n), append(k.OwnAt, t.own.at)
	for i, s := range [...]*suspicion{&t.up, &t.down} {
		to := [...]*[3][]float64{&k.Up, &k.Down}[i]
		for j, v := range [...]float64{s.evidence, s.k, s.n} {
			to[j] = append(to[j], v)
		}
	}
	k.Changed, k.Rose = append(k.Changed, t.changed.Load()), append(k.Rose, t.rose)
}
