package cli

// calleeIndex leads from keys to places: open addressing with linear probing, in 256 parts that grow each by itself and by
// an eighth, so that no call pays for a million callees and no part is much larger than it has to be. The keys stand with
// the callees, and 16 bits of each here: a look-up reads one callee, as a rule, and growing reads none.
type calleeIndex struct {
	parts [256]indexPart
}

type indexPart struct {
	tags   []uint16 // 0 = empty
	places []int32
	used   int
}

func tagOf(key calleeKey) uint16 { return uint16(key>>31) | 1 }

// home is where a tag stands if nothing is in its way. Tags are in order, so that growing reads and writes in one direction.
func (p *indexPart) home(tag uint16) int { return int(tag) * len(p.tags) >> 16 }

func (p *indexPart) after(i int) int {
	if i++; i < len(p.tags) {
		return i
	}
	return 0
}

func (x *calleeIndex) part(key calleeKey) *indexPart { return &x.parts[key>>47&0xff] }

func (x *calleeIndex) find(c *callees, key calleeKey) int32 {
	p := x.part(key)
	if i := p.find(c, key); i >= 0 {
		return p.places[i]
	}
	return none
}

func (p *indexPart) find(c *callees, key calleeKey) int {
	if p.used == 0 {
		return -1
	}
	tag := tagOf(key)
	for i := p.home(tag); p.tags[i] != 0; i = p.after(i) {
		if p.tags[i] == tag && c.at(p.places[i]).key() == key {
			return i
		}
	}
	return -1
}

// add enters a key that is not there.
func (x *calleeIndex) add(key calleeKey, place int32) {
	p := x.part(key)
	if (p.used+1)*16 > len(p.tags)*15 {
		old := *p
		size := len(old.tags) + max(len(old.tags)/8, 8)
		*p = indexPart{tags: make([]uint16, size), places: make([]int32, size)}
		for i, tag := range old.tags {
			if tag != 0 {
				p.put(tag, old.places[i])
			}
		}
	}
	p.put(tagOf(key), place)
}

func (p *indexPart) put(tag uint16, place int32) {
	i := p.home(tag)
	for p.tags[i] != 0 {
		i = p.after(i)
	}
	p.tags[i], p.places[i] = tag, place
	p.used++
}

// remove takes a key out, and moves up what stands behind it in its run.
func (x *calleeIndex) remove(c *callees, key calleeKey) {
	p := x.part(key)
	i := p.find(c, key)
	p.used--
	for k := i; ; {
		p.tags[i] = 0
		for {
			k = p.after(k)
			if p.tags[k] == 0 {
				return
			}
			h := p.home(p.tags[k])
			// It may move to i unless its home lies cyclically in (i, k].
			if i <= k && (h <= i || h > k) || i > k && h <= i && h > k {
				break
			}
		}
		p.tags[i], p.places[i] = p.tags[k], p.places[k]
		i = k
	}
}
