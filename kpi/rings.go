package kpi

import "slices"

// rings is how a busy cell keeps its counts: for every span a ring of buckets.
type rings []ring

// ring is the slices of one span. Nearly all that comes belongs to the slice that was counted in last.
type ring struct {
	last    *bucket
	buckets []*bucket
}

// bucket holds what was counted in one slice of time, which its epoch numbers. It is made when something is first
// counted in its place of the ring, and used again for later epochs.
type bucket struct {
	epoch  int64
	first  int64    // tick with which the slice begins
	counts []uint32 // by the number of the kind
	delays tally
	sums   [sumKinds]int64
}

func newRings(spans []spanAt) rings {
	const pair = 4 // rings in two cache lines, so that parts of different cores share no pair of them
	r := make(rings, len(spans), (len(spans)+pair-1)/pair*pair)
	for i, s := range spans {
		r[i].buckets = make([]*bucket, s.Buckets)
	}
	return r
}

func (b *bucket) reset(epoch, first int64) {
	b.epoch, b.first = epoch, first
	clear(b.counts)
	b.delays.reset()
	b.sums = [sumKinds]int64{}
}

func (b *bucket) add(p *part, does *effects) {
	if int(p.kind) >= len(b.counts) {
		b.widen(int(p.kind) + 1)
	}
	b.counts[p.kind]++
	for i, d := range does.dists[:does.n] {
		b.delays.addQuantum(d, p.q[i])
	}
	b.sums[does.sum] += p.sum
}

// widen makes room for n kinds, and some more.
func (b *bucket) widen(n int) {
	b.counts = append(b.counts, make([]uint32, n-len(b.counts))...)
	b.counts = slices.Grow(b.counts, 8)
	b.counts = b.counts[:cap(b.counts)]
}

// merge adds what another bucket of the same slice counted.
func (b *bucket) merge(o *bucket) {
	if len(o.counts) > len(b.counts) {
		b.widen(len(o.counts))
	}
	for kind, n := range o.counts {
		b.counts[kind] += n
	}
	b.delays.merge(&o.delays)
	for i, n := range o.sums {
		b.sums[i] += n
	}
}

// add counts a part in every span whose ring still has its slice, and reports whether the longest one had.
func (r rings) add(p *part, does *effects, spans []spanAt, longest int, now, told int64) bool {
	kept := false
	for i := range r {
		s, ring := &spans[i], &r[i]
		b := ring.last
		if b == nil || uint64(p.tick-b.first) >= uint64(s.ticks) || p.tick <= now-s.ticks*int64(len(ring.buckets)-1) {
			if b = bucketOf(ring.buckets, s, s.epoch(p.tick), s.epoch(now), s.epochTold(told)); b == nil {
				continue
			}
			ring.last = b
		}
		b.add(p, does)
		kept = kept || i == longest
	}
	return kept
}

// merge adds what other rings over the same spans counted. Of two slices that have one place, the later one stays.
func (r rings) merge(o rings, spans []spanAt) {
	for i := range o {
		for _, from := range o[i].buckets {
			if from == nil {
				continue
			}
			at := &r[i].buckets[spans[i].place(from.epoch)]
			switch {
			case *at == nil:
				*at = &bucket{epoch: from.epoch, first: from.first}
			case (*at).epoch > from.epoch:
				continue
			case (*at).epoch < from.epoch:
				(*at).reset(from.epoch, from.first)
			}
			(*at).merge(from)
		}
	}
}

// bucketOf returns the bucket of an epoch, emptied if it held an earlier one; nil if it holds a later one, or the
// epoch is a window or more before now.
func bucketOf(ring []*bucket, s *spanAt, epoch, now, told int64) *bucket {
	if epoch <= now-int64(len(ring)) {
		return nil
	}
	at := &ring[s.place(epoch)]
	b := *at
	switch {
	case b == nil:
		b = &bucket{epoch: epoch, first: epoch * s.ticks}
		*at = b
	case b.epoch == epoch:
	case b.epoch < epoch || ahead(b.epoch, now, told, int64(len(ring))):
		b.reset(epoch, epoch*s.ticks)
	default:
		return nil
	}
	return b
}

// ahead reports whether something was counted under a clock that has since been set back: it is more than a window ahead
// of what a reader told last, while the event at hand is not.
func ahead(epoch, now, told, span int64) bool {
	return told != noTick && epoch > told+span && now <= told+span && now >= told-span
}

// epochTold is the epoch of what a reader told last, or noTick.
func (s *spanAt) epochTold(told int64) int64 {
	if told == noTick {
		return noTick
	}
	return s.epoch(told)
}

// within reports whether an epoch is in the window of n slices that ends with epoch now.
func within(epoch, now, n int64) bool { return epoch <= now && epoch > now-n }
