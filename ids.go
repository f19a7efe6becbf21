package outdial

import (
	"iter"
	"maps"
	"sync"
	"sync/atomic"
)

// Ids that several packages share. They are small integers issued by a Registry, so that a call can be routed,
// limited and counted without comparing a string. Zero means "none" or "unknown" for every kind.
type (
	TrunkID    uint32 // one interconnect to a carrier, with its own capacity
	CarrierID  uint32 // a company
	PoolID     uint32 // the caller IDs of one program
	ProgramID  uint32 // what a pool is for: one purpose
	CampaignID uint32 // a run of calls of one program
	TenantID   uint32 // whom the calls are placed for
	GroupID    uint32 // a destination group: the destinations that are judged together
	DayPartID  uint32 // a named span of callee-local time
	TagID      uint32 // a word that the host puts on a call
	NetworkID  uint32 // the network that serves a callee's number now: the operator behind an OCN or an LRN
)

// Registry issues the shared ids of one process. It is append-only: a name keeps its id for the life of the
// process, so that a reload of any configuration never renumbers anything. Give the same Registry to every
// package of one engine.
//
// The zero value is ready to use. All methods of its fields are safe for concurrent use; a Registry must not be
// copied after first use.
type Registry struct {
	Trunks    Names[TrunkID]
	Carriers  Names[CarrierID]
	Pools     Names[PoolID]
	Programs  Names[ProgramID]
	Campaigns Names[CampaignID]
	Tenants   Names[TenantID]
	Groups    Names[GroupID]
	DayParts  Names[DayPartID]
	Networks  Names[NetworkID]
	Tags      Names[TagID]
}

// Names maps the names of one kind to ids and back. Reads take no lock. Names are few (trunks, programs, day-parts)
// and come from configuration: adding one copies the table.
type Names[ID ~uint32] struct {
	mu    sync.Mutex // serialises writers
	table atomic.Pointer[nameTable]
}

type nameTable struct {
	ids   map[string]uint32
	names []string // names[i] belongs to id i+1
}

// ID returns the id of name and issues one if it has none yet. The empty name has id 0.
func (n *Names[ID]) ID(name string) ID {
	if id, ok := n.Lookup(name); ok {
		return id
	}
	n.Add(name)
	id, _ := n.Lookup(name)
	return id
}

// Add issues ids, in order, for those of names that have none yet.
func (n *Names[ID]) Add(names ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	next := nameTable{ids: map[string]uint32{}}
	if old := n.table.Load(); old != nil {
		next.ids = maps.Clone(old.ids)
		next.names = old.names[:len(old.names):len(old.names)]
	}
	for _, name := range names {
		if _, ok := next.ids[name]; ok || name == "" {
			continue
		}
		next.names = append(next.names, name)
		next.ids[name] = uint32(len(next.names))
	}
	n.table.Store(&next)
}

// Lookup returns the id of name without issuing one.
func (n *Names[ID]) Lookup(name string) (ID, bool) {
	if name == "" {
		return 0, true
	}
	if t := n.table.Load(); t != nil {
		id, ok := t.ids[name]
		return ID(id), ok
	}
	return 0, false
}

// Name returns the name of id, or "" for 0 and for an id that was never issued.
func (n *Names[ID]) Name(id ID) string {
	t := n.table.Load()
	if t == nil || id == 0 || int(id) > len(t.names) {
		return ""
	}
	return t.names[id-1]
}

// Len is the number of ids issued; they are 1 to Len.
func (n *Names[ID]) Len() int {
	if t := n.table.Load(); t != nil {
		return len(t.names)
	}
	return 0
}

// All iterates over the ids issued so far and their names, in the order of their ids.
func (n *Names[ID]) All() iter.Seq2[ID, string] {
	return func(yield func(ID, string) bool) {
		t := n.table.Load()
		if t == nil {
			return
		}
		for i, name := range t.names {
			if !yield(ID(i+1), name) {
				return
			}
		}
	}
}
