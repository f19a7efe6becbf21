package cli

import "slices"

// calleeIndex leads from keys to places: open addressing by groups of ten in 256 parts that grow each by itself and by a twelfth, but
// two blocks at a time, so that no call pays for a million callees, fewer than one call in a hundred for a part, and no part is much
// larger than it has to be. The keys stand with the callees, and 16
// bits of each here, with its place, those of a group in one cache line: a look-up of a callee that is not known reads no callee, as
// a rule, and one line, which it is entered in then; growing reads no callee, and leaves no garbage.
//
// TestCalleeIndex compares it with a map.
type calleeIndex struct {
	parts  [256]indexPart
	moving []indexGroup // of the part that grows; empty otherwise
}

// indexPart is some groups, in blocks. They are in the order of the tags that belong there, so that growing reads and writes in
// one direction.
type indexPart struct {
	blocks []*indexBlock
	used   int
}

type indexBlock [8]indexGroup

// groupSize is how many entries fill a cache line.
const groupSize = 10

type indexGroup struct {
	places [groupSize]int32
	tags   [groupSize]uint16 // 0 = empty; the first ones are not
	fill   uint32            // entries here, and behind times those that belong here, or before it, and stand behind it
}

const behind = 16

// n is how many entries the group has.
func (g *indexGroup) n() uint32 { return g.fill % behind }

func tagOf(key calleeKey) uint16 { return max(uint16(key>>30), 1) }

func (x *calleeIndex) part(key calleeKey) *indexPart { return &x.parts[key>>46&0xff] }

func (p *indexPart) groups() int { return len(p.blocks) * len(indexBlock{}) }

func (p *indexPart) at(group int) *indexGroup {
	return &p.blocks[group/len(indexBlock{})][group%len(indexBlock{})]
}

// home is the group of a tag.
func (p *indexPart) home(tag uint16) int { return int(tag) * p.groups() >> 16 }

func (p *indexPart) after(group int) int {
	if group++; group < p.groups() {
		return group
	}
	return 0
}

func (x *calleeIndex) find(c *callees, key calleeKey) int32 {
	if g, k := x.part(key).find(c, key); g != nil {
		return g.places[k]
	}
	return none
}

// find returns where a key stands, nil if it does not.
func (p *indexPart) find(c *callees, key calleeKey) (g *indexGroup, k int) {
	tag := tagOf(key)
	at := p.home(tag)
	for range p.groups() { // each may have entries behind it, all around
		g := p.at(at)
		for k, t := range &g.tags {
			if t == tag && c.at(g.places[k]).key() == key {
				return g, k
			}
		}
		if g.fill < behind {
			break
		}
		at = p.after(at)
	}
	return nil, 0
}

// add enters a key that is not there.
func (x *calleeIndex) add(key calleeKey, place int32) {
	p := x.part(key)
	if (p.used+1)*16 > p.groups()*groupSize*15 {
		x.grow(p)
	}
	p.put(tagOf(key), place)
}

func (x *calleeIndex) grow(p *indexPart) {
	for _, b := range p.blocks {
		x.moving = append(x.moving, b[:]...)
		*b = indexBlock{}
	}
	more := max(len(p.blocks)/12, min(len(p.blocks), 2), 1) // two blocks are 160 callees, so many calls between two times
	p.blocks = slices.Grow(p.blocks, more)
	for range more {
		p.blocks = append(p.blocks, new(indexBlock))
	}
	p.used = 0
	for i := range x.moving {
		g := &x.moving[i]
		for k, tag := range g.tags[:g.n()] {
			p.put(tag, g.places[k])
		}
	}
	x.moving = x.moving[:0]
}

func (p *indexPart) put(tag uint16, place int32) {
	at := p.home(tag)
	g := p.at(at)
	for g.n() == groupSize {
		g.fill += behind
		at = p.after(at)
		g = p.at(at)
	}
	n := g.n()
	g.tags[n], g.places[n] = tag, place
	g.fill++
	p.used++
}

// remove takes a key out that is there.
func (x *calleeIndex) remove(c *callees, key calleeKey) {
	p := x.part(key)
	from, k := p.find(c, key)
	at := p.home(tagOf(key))
	for g := p.at(at); g != from; g = p.at(at) {
		g.fill -= behind
		at = p.after(at)
	}
	last := from.n() - 1
	from.tags[k], from.places[k] = from.tags[last], from.places[last]
	from.tags[last] = 0
	from.fill--
	p.used--
}
