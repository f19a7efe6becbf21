package cli

// calleeIndex leads from keys to places: open addressing by groups of ten in 256 parts that grow each by itself and by a tenth, so
// that no call pays for a million callees and no part is much larger than it has to be. The keys stand with the callees, and 16
// bits of each here, with its place, those of a group in one cache line: a look-up of a callee that is not known reads no callee, as
// a rule, and one line, which it is entered in then; growing reads no callee.
//
// TestCalleeIndex compares it with a map.
type calleeIndex struct {
	parts [256]indexPart
}

// groupSize is how many entries fill a cache line.
const groupSize = 10

type indexGroup struct {
	places [groupSize]int32
	tags   [groupSize]uint16 // 0 = empty
	over   uint32            // entries that belong here, or before it, and stand behind it
}

type indexPart struct {
	groups []indexGroup
	used   int
}

func tagOf(key calleeKey) uint16 { return max(uint16(key>>31), 1) }

// home is the group of a tag. Groups are in the order of tags, so that growing reads and writes in one direction.
func (p *indexPart) home(tag uint16) int { return int(tag) * len(p.groups) >> 16 }

func (p *indexPart) after(group int) int {
	if group++; group < len(p.groups) {
		return group
	}
	return 0
}

func (x *calleeIndex) part(key calleeKey) *indexPart { return &x.parts[key>>47&0xff] }

func (x *calleeIndex) find(c *callees, key calleeKey) int32 {
	p := x.part(key)
	if g, k := p.find(c, key); g >= 0 {
		return p.groups[g].places[k]
	}
	return none
}

// find returns where a key stands, -1 if it does not.
func (p *indexPart) find(c *callees, key calleeKey) (group, k int) {
	tag := tagOf(key)
	at := p.home(tag)
	for range p.groups { // each may have entries behind it, all around
		g := &p.groups[at]
		for k, t := range &g.tags {
			if t == tag && c.at(g.places[k]).key() == key {
				return at, k
			}
		}
		if g.over == 0 {
			break
		}
		at = p.after(at)
	}
	return -1, 0
}

// add enters a key that is not there.
func (x *calleeIndex) add(key calleeKey, place int32) {
	p := x.part(key)
	if (p.used+1)*16 > len(p.groups)*groupSize*15 {
		old := *p
		*p = indexPart{groups: make([]indexGroup, len(old.groups)+max(len(old.groups)/10, 1))}
		for i := range old.groups {
			g := &old.groups[i]
			for k, tag := range &g.tags {
				if tag != 0 {
					p.put(tag, g.places[k])
				}
			}
		}
	}
	p.put(tagOf(key), place)
}

func (p *indexPart) put(tag uint16, place int32) {
	for at := p.home(tag); ; at = p.after(at) {
		g := &p.groups[at]
		for k, t := range &g.tags {
			if t == 0 {
				g.tags[k], g.places[k] = tag, place
				p.used++
				return
			}
		}
		g.over++
	}
}

// remove takes a key out that is there.
func (x *calleeIndex) remove(c *callees, key calleeKey) {
	p := x.part(key)
	group, k := p.find(c, key)
	for at := p.home(tagOf(key)); at != group; at = p.after(at) {
		p.groups[at].over--
	}
	p.groups[group].tags[k] = 0
	p.used--
}
