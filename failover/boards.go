package failover

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/outdial/outdial"
)

// boards holds the health of all trunks by id. Reading takes no lock; a new trunk copies the table. The zero value
// is empty.
type boards struct {
	table atomic.Pointer[[]*board]
	shown shown
	mu    sync.Mutex // serialises writers of table
}

// get returns the board of a trunk, or nil when nothing was ever learned about it.
func (bs *boards) get(id outdial.TrunkID) *board {
	if t := bs.table.Load(); t != nil && int(id) < len(*t) {
		return (*t)[id]
	}
	return nil
}

// open returns the board of a trunk and makes it if there is none; nil for an id that is none, or out of range.
func (bs *boards) open(id outdial.TrunkID, baseline float64) *board {
	if b := bs.get(id); b != nil || id == 0 || id > maxTrunk {
		return b
	}
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if b := bs.get(id); b != nil {
		return b
	}
	var next []*board
	if t := bs.table.Load(); t != nil {
		next = append(next, *t...)
	}
	for len(next) <= int(id) {
		next = append(next, nil)
	}
	next[id] = bs.fresh(id, baseline)
	bs.table.Store(&next)
	return next[id]
}

// fresh returns a board of which nothing was learned; it is not in the table.
func (bs *boards) fresh(id outdial.TrunkID, baseline float64) *board {
	b := &board{id: id, shown: &bs.shown, whole: target{id: id, tally: newTally(1)}}
	b.whole.test.prime(baseline, priorCalls)
	return b
}

// replace puts other boards in the place of all, and counts those that are ill.
func (bs *boards) replace(table []*board) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	for _, b := range bs.all() {
		if b != nil && !slices.Contains(table, b) {
			bs.shown.sick.Add(-int64(b.sick.Load()))
		}
	}
	for _, b := range table {
		if b != nil {
			b.mu.Lock()
			b.settleAll()
			b.mu.Unlock()
		}
	}
	bs.table.Store(&table)
	bs.shown.epoch.Add(1)
}

// all returns the table; entries may be nil.
func (bs *boards) all() []*board {
	if t := bs.table.Load(); t != nil {
		return *t
	}
	return nil
}
