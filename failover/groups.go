package failover

import (
	"iter"

	"github.com/outdial/outdial"
)

const (
	maxGroups = 4096    // destination groups kept per trunk
	maxGroup  = 1 << 20 // groups with a greater id are not kept apart from their trunk
	groupPage = 64
)

// groups holds the targets of a trunk by destination group. Ids are dense, as a registry issues them in turn, so that they
// lead to a page and a place on it. The zero value is empty.
type groups struct {
	pages []*[groupPage]*target
	n     int
}

// get returns the target of a group, nil if there is none.
func (gs *groups) get(g outdial.GroupID) *target {
	if p := int(g / groupPage); p < len(gs.pages) && gs.pages[p] != nil {
		return gs.pages[p][g%groupPage]
	}
	return nil
}

// put keeps a target under its group.
func (gs *groups) put(t *target) {
	p := int(t.group / groupPage)
	for len(gs.pages) <= p {
		gs.pages = append(gs.pages, nil)
	}
	if gs.pages[p] == nil {
		gs.pages[p] = new([groupPage]*target)
	}
	gs.pages[p][t.group%groupPage] = t
	gs.n++
}

// drop forgets a target that is kept.
func (gs *groups) drop(t *target) {
	gs.pages[t.group/groupPage][t.group%groupPage] = nil
	gs.n--
}

// all returns the targets in the order of their groups. The one at hand may be dropped.
func (gs *groups) all() iter.Seq[*target] {
	return func(yield func(*target) bool) {
		for _, page := range gs.pages {
			if page == nil {
				continue
			}
			for _, t := range page {
				if t != nil && !yield(t) {
					return
				}
			}
		}
	}
}
