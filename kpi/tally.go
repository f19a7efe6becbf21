package kpi

import "time"

// tally is the distributions of one slice at work: a small hash table of bins, four bytes each. The sums are exact.
type tally struct {
	slots []uint32 // a power of two; distribution and bin in the upper 14 bits, count in the lower 18; 0 = free
	used  uint32
	sum   [distCount]time.Duration
}

const (
	tallyBits = 18
	tallyMost = 1<<tallyBits - 1
	binBits   = 10
	binCount  = 1 << binBits
)

func (t *tally) addQuantum(in dist, q quantum) {
	d := q.duration()
	t.sum[in] += d
	t.add(uint32(in)<<binBits|uint32(binOf(d)), 1)
}

// add counts n in a bin. A bin that is full gets another slot; the one with room is kept where it is found first.
func (t *tally) add(bin, n uint32) {
	if 4*t.used >= 3*uint32(len(t.slots)) {
		t.grow()
	}
	mask := uint32(len(t.slots) - 1)
	var full *uint32
	for i := bin * 0x9e3779b1 >> 8; ; i++ {
		switch p := &t.slots[i&mask]; {
		case *p == 0:
			if full != nil {
				*p, p = *full, full
			}
			*p = bin<<tallyBits | n
			t.used++
			return
		case *p>>tallyBits != bin:
		case *p&tallyMost+n <= tallyMost:
			if full != nil {
				*p, *full = *full, *p
				p = full
			}
			*p += n
			return
		case full == nil:
			full = p
		}
	}
}

// merge adds what o counted.
func (t *tally) merge(o *tally) {
	for d, sum := range o.sum {
		t.sum[d] += sum
	}
	for _, s := range o.slots {
		if s != 0 {
			t.add(s>>tallyBits, s&tallyMost)
		}
	}
}

func tallyOf(slots []uint32, sum [distCount]time.Duration) tally {
	t := tally{slots: slots, sum: sum}
	for _, s := range slots {
		if s != 0 {
			t.used++
		}
	}
	return t
}

func (t *tally) grow() {
	old := t.slots
	t.slots = make([]uint32, max(4, 2*len(old)))
	mask := uint32(len(t.slots) - 1)
	for _, s := range old {
		if s == 0 {
			continue
		}
		i := s >> tallyBits * 0x9e3779b1 >> 8
		for t.slots[i&mask] != 0 {
			i++
		}
		t.slots[i&mask] = s
	}
}

func (t *tally) reset() {
	clear(t.slots)
	t.used, t.sum = 0, [distCount]time.Duration{}
}

// pile is a distribution being added up by a reader: every bin in its place.
type pile struct {
	at       [binCount]uint64
	from, to int // the bins in use lie in [from, to)
	n        uint64
	sum      time.Duration
}

func (p *pile) add(bin int, n uint64) {
	if p.to == 0 {
		p.from = bin
	}
	p.from, p.to = min(p.from, bin), max(p.to, bin+1)
	p.at[bin] += n
	p.n += n
}

func (p *pile) addQuantum(q quantum) {
	d := q.duration()
	p.add(int(binOf(d)), 1)
	p.sum += d
}

// merge adds what another one has.
func (p *pile) merge(o *pile) {
	for i, n := range o.at[o.from:o.to] {
		if n != 0 {
			p.add(o.from+i, n)
		}
	}
	p.sum += o.sum
}

// sketch returns what was added up as a Sketch.
func (p *pile) sketch() (s Sketch) {
	used := 0
	for _, n := range p.at[p.from:p.to] {
		if n != 0 {
			used++
		}
	}
	if used == 0 {
		return s
	}
	s.bins = make([]bin, 0, used)
	for i, n := range p.at[p.from:p.to] {
		if n != 0 {
			s.bins = append(s.bins, bin{at: uint16(p.from + i), n: uint32(min(n, 1<<32-1))})
		}
	}
	s.n, s.sum = p.n, p.sum
	return s
}

// rank returns the smallest value that at least rank of what was added up do not exceed.
func (p *pile) rank(rank uint64) time.Duration {
	var seen uint64
	at := p.from
	for ; at < p.to-1; at++ {
		if seen += p.at[at]; seen >= rank {
			break
		}
	}
	return binValue(uint16(at))
}

func (p *pile) reset() {
	clear(p.at[p.from:p.to])
	p.from, p.to, p.n, p.sum = 0, 0, 0, 0
}
