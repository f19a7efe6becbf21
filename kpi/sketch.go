package kpi

import (
	"iter"
	"math"
	"math/bits"
	"slices"
	"time"
)

// Sketch is a distribution of durations in bins whose width grows with their value: 32 bins in each doubling, so
// that every quantile is within 1/65 (1.54 %) of the exact one from 32 µs upwards, without an upper bound; below
// that within 1 µs. Only bins that hold something take memory, 8 bytes each.
//
// Two sketches merge exactly: the merge of two parts is the sketch of the whole, in any order. The zero value is
// empty and ready to use. A Sketch is not safe for concurrent use, and a copy shares memory with the original: use
// Clone.
type Sketch struct {
	bins []bin // ascending
	n    uint64
	sum  time.Duration
}

type bin struct {
	at uint16
	n  uint32 // stays at its largest value rather than wrap
}

// Add counts d; a negative duration counts as zero. It allocates only when d falls in a bin that was never used.
func (s *Sketch) Add(d time.Duration) {
	d = max(d, 0)
	s.add(binOf(d), d)
}

// Merge counts what o holds into s; o is left as it is.
func (s *Sketch) Merge(o *Sketch) {
	i := 0 // both lists ascend, so one walk finds all bins that s has already
	for _, b := range o.bins {
		for i < len(s.bins) && s.bins[i].at < b.at {
			i++
		}
		if i == len(s.bins) || s.bins[i].at != b.at {
			s.bin(b.at) // inserted at i
		}
		s.bins[i].n = uint32(min(uint64(s.bins[i].n)+uint64(b.n), math.MaxUint32))
	}
	s.n += o.n
	s.sum += o.sum
}

// Count is how many durations were counted.
func (s *Sketch) Count() uint64 { return s.n }

// Sum is their exact sum.
func (s *Sketch) Sum() time.Duration { return s.sum }

// Mean is their exact mean, and false where there are none.
func (s *Sketch) Mean() (time.Duration, bool) {
	if s.n == 0 {
		return 0, false
	}
	return s.sum / time.Duration(s.n), true
}

// Quantile returns the q-quantile by nearest rank (the smallest counted value that at least q of all do not exceed),
// for q in [0, 1], and false where the sketch is empty, or knows a sum alone (Meter.Hours), or q is out of range. Of a merge with
// one that knows a sum alone it is the quantile of the rest.
func (s *Sketch) Quantile(q float64) (time.Duration, bool) {
	if len(s.bins) == 0 || !(q >= 0 && q <= 1) {
		return 0, false
	}
	rank := max(uint64(math.Ceil(q*float64(s.placed()))), 1)
	var seen uint64
	for _, b := range s.bins {
		if seen += uint64(b.n); seen >= rank {
			return binValue(b.at), true
		}
	}
	return binValue(s.bins[len(s.bins)-1].at), true
}

// placed is how many of the durations are in bins: all, but for those of which only the sum is known (Meter.Hours).
func (s *Sketch) placed() (n uint64) {
	for _, b := range s.bins {
		n += uint64(b.n)
	}
	return n
}

// All iterates over the bins that hold something, ascending: a value that stands for the bin, and its count.
func (s *Sketch) All() iter.Seq2[time.Duration, uint64] {
	return func(yield func(time.Duration, uint64) bool) {
		for _, b := range s.bins {
			if !yield(binValue(b.at), uint64(b.n)) {
				return
			}
		}
	}
}

// Clone returns a copy that shares nothing with s.
func (s *Sketch) Clone() Sketch {
	c := *s
	c.bins = slices.Clone(s.bins)
	return c
}

// Reset empties s and keeps its memory.
func (s *Sketch) Reset() { *s = Sketch{bins: s.bins[:0]} }

func (s *Sketch) add(at uint16, d time.Duration) {
	if p := s.bin(at); p.n != math.MaxUint32 {
		p.n++
	}
	s.n++
	s.sum += d
}

// bin returns the bin at, inserted empty if it is not there.
func (s *Sketch) bin(at uint16) *bin {
	return sparseAt(&s.bins, at)
}

// sparseAt returns the entry at of an ascending list, inserted empty if it is not there.
func sparseAt(list *[]bin, at uint16) *bin {
	b := *list
	lo, hi := 0, len(b)
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); b[mid].at < at {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(b) || b[lo].at != at {
		b = append(b, bin{})
		copy(b[lo+1:], b[lo:])
		b[lo] = bin{at: at}
		*list = b
	}
	return &b[lo]
}

// binOf is the bin of d ≥ 0: whole microseconds below 64, then the five bits behind the leading one.
func binOf(d time.Duration) uint16 {
	v := uint64(d / time.Microsecond)
	e := max(bits.Len64(v)-6, 0)
	return uint16(e<<5 + int(v>>e))
}

// binBounds are the least value of a bin and that of the next one.
func binBounds(at uint16) (low, high time.Duration) {
	if at < 32 {
		return time.Duration(at) * time.Microsecond, time.Duration(at+1) * time.Microsecond
	}
	e := at>>5 - 1
	low = time.Duration(uint64(at-e<<5)<<e) * time.Microsecond
	return low, time.Duration(uint64(at-e<<5+1)<<e) * time.Microsecond
}

// binValue stands for a bin: the harmonic mean of its bounds, which is equally far, in proportion, from both.
func binValue(at uint16) time.Duration {
	if at < 32 {
		return time.Duration(at) * time.Microsecond
	}
	e := at>>5 - 1
	low := float64(uint64(at-e<<5) << e)
	high := float64(uint64(at-e<<5+1) << e)
	return time.Duration(2 * low * high / (low + high) * float64(time.Microsecond))
}
