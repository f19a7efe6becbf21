package routing

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
)

// refresh is how long what was read of others for a posterior is taken to stand: one reading of kpi takes as long as the
// rest of the decision, and says the same a second later.
const refresh = 5 * time.Second

// cells keep posteriors that were read lately. They are of one table and one past: with another, a posterior is another.
type cells []cell

// A megabyte of cells, in groups: a posterior may stand in each of a group, so that few take each other's place.
const (
	cellBits  = 14
	cellGroup = 4
)

// newCells returns what decisions by the table need, nil = none.
func (t *Table) newCells() cells {
	if len(t.objectives) == 0 {
		return nil
	}
	return make(cells, 1<<cellBits)
}

// cell keeps one posterior, so that a decision reads one line of the cache. A writer makes version odd while it writes; a
// reader that meets an odd or a changed version reads the sources itself.
type cell struct {
	version     atomic.Uint32
	where, what atomic.Uint64 // whose it is; what has the posterior's failed in its lowest bits
	at          atomic.Int64  // when the sources were read, ns
	mean, n     atomic.Uint64
	_           [16]byte
}

// cellKey names a posterior, wholly: no two have one name. Trunk 0 is none's.
type cellKey struct{ where, what uint64 }

const failedBits = 16

func keyOf(c *outdial.Candidate, dest *outdial.Destination, g *tier) cellKey {
	return cellKey{uint64(c.Trunk)<<32 | uint64(dest.Group), uint64(dest.DayPart)<<32 | uint64(g.objective)<<failedBits}
}

// posteriorNow is that of a candidate in a tier: from its cell while that is fresh, else from the sources.
func (d *decision) posteriorNow(c *outdial.Candidate, g *tier) posterior {
	dest := &d.call.Dest
	if d.cells == nil {
		return d.t.assess(d.now, c, dest, g, d.m)
	}
	key := keyOf(c, dest, g)
	k, p, fresh := d.cells.find(key, d.now.UnixNano())
	if !fresh {
		p = d.t.assess(d.now, c, dest, g, d.m)
		k.keep(key, d.now.UnixNano(), p)
	}
	return p
}

// find returns what a cell keeps for the key, if that is fresh, else the cell to keep it in.
func (all cells) find(key cellKey, ns int64) (k *cell, p posterior, fresh bool) {
	hash := (key.where ^ key.what*0xbf58476d1ce4e5b9) * 0x9e3779b97f4a7c15
	group := all[hash>>(64-cellBits)&^(cellGroup-1):][:cellGroup]
	oldest := &group[0]
	for i := range uint64(cellGroup) {
		k := &group[(hash>>32+i)%cellGroup]
		version, what := k.version.Load(), k.what.Load()
		if k.where.Load() != key.where || what>>failedBits<<failedBits != key.what {
			if k.at.Load() < oldest.at.Load() {
				oldest = k
			}
			continue
		}
		age := ns - k.at.Load()
		p := posterior{math.Float64frombits(k.mean.Load()), math.Float64frombits(k.n.Load()), what & (1<<failedBits - 1)}
		return k, p, age >= 0 && age < int64(refresh) && version&1 == 0 && k.version.Load() == version
	}
	return oldest, posterior{}, false
}

// keep puts a posterior into the cell, unless somebody else is writing to it.
func (k *cell) keep(key cellKey, ns int64, p posterior) {
	version := k.version.Load()
	if version&1 != 0 || !k.version.CompareAndSwap(version, version+1) {
		return
	}
	k.where.Store(key.where)
	k.what.Store(key.what | p.failed)
	k.at.Store(ns)
	k.mean.Store(math.Float64bits(p.mean))
	k.n.Store(math.Float64bits(p.n))
	k.version.Store(version + 2)
}
