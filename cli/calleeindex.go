package cli

// calleeIndex leads from keys to places: open addressing with linear probing, in 256 parts that grow each by itself and by
// a quarter, so that no call pays for a million callees and no part is much larger than it has to be. The keys stand with
// the callees.
type calleeIndex struct {
	parts [256]indexPart
}

type indexPart struct {
	places []int32 // place+1; 0 = empty
	used   int
}

func (p *indexPart) home(key calleeKey) int {
	return int(uint64(uint32(key)*0x9e3779b1) * uint64(len(p.places)) >> 32)
}

func (x *calleeIndex) part(key calleeKey) *indexPart { return &x.parts[key>>47&0xff] }

func (x *calleeIndex) find(c *callees, key calleeKey) int32 {
	p := x.part(key)
	if p.used == 0 {
		return none
	}
	for i := p.home(key); ; {
		at := p.places[i]
		if at == 0 {
			return none
		}
		if c.at(at-1).key() == key {
			return at - 1
		}
		if i++; i == len(p.places) {
			i = 0
		}
	}
}

// add enters a key that is not there.
func (x *calleeIndex) add(c *callees, key calleeKey, place int32) {
	p := x.part(key)
	if (p.used+1)*8 > len(p.places)*7 {
		old := p.places
		p.places, p.used = make([]int32, len(old)+max(len(old)/4, 8)), 0
		for _, at := range old {
			if at != 0 {
				p.put(c.at(at-1).key(), at)
			}
		}
	}
	p.put(key, place+1)
}

func (p *indexPart) put(key calleeKey, at int32) {
	i := p.home(key)
	for p.places[i] != 0 {
		if i++; i == len(p.places) {
			i = 0
		}
	}
	p.places[i] = at
	p.used++
}

// remove takes a key out, and moves up what stands behind it in its run.
func (x *calleeIndex) remove(c *callees, key calleeKey) {
	p := x.part(key)
	i := p.home(key)
	for c.at(p.places[i]-1).key() != key {
		if i++; i == len(p.places) {
			i = 0
		}
	}
	p.used--
	for k := i; ; {
		p.places[i] = 0
		for {
			if k++; k == len(p.places) {
				k = 0
			}
			if p.places[k] == 0 {
				return
			}
			h := p.home(c.at(p.places[k] - 1).key())
			// It may move to i unless its home lies cyclically in (i, k].
			if i <= k && (h <= i || h > k) || i > k && h <= i && h > k {
				break
			}
		}
		p.places[i] = p.places[k]
		i = k
	}
}
