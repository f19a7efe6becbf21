package kpi

import "slices"

// rings is how a busy cell keeps its counts: for every span a ring of buckets.
type rings struct {
	spans [][]*bucket
}

// bucket holds what was counted in one slice of time, which its epoch numbers. It is made when something is first
// counted in its place of the ring, and used again for later epochs.
type bucket struct {
	epoch           int64
	counts          []uint32 // by the number of the kind
	pdd, ring, long tally
	cost, agent     int64 // micros; milliseconds
}

func newRings(spans []spanAt) *rings {
	r := &rings{spans: make([][]*bucket, len(spans))}
	for i, s := range spans {
		r.spans[i] = make([]*bucket, s.Buckets)
	}
	return r
}

func (b *bucket) reset(epoch int64) {
	b.epoch = epoch
	clear(b.counts)
	b.pdd.reset()
	b.ring.reset()
	b.long.reset()
	b.cost, b.agent = 0, 0
}

func (b *bucket) add(p *part, does *effects) {
	if int(p.kind) >= len(b.counts) {
		b.counts = append(b.counts, make([]uint32, int(p.kind)+1-len(b.counts))...)
		b.counts = slices.Grow(b.counts, 8)
		b.counts = b.counts[:cap(b.counts)]
	}
	b.counts[p.kind]++
	if does.pdd {
		d := p.pdd.duration()
		b.pdd.add(binOf(d), d)
	}
	if does.ring {
		d := p.ring.duration()
		b.ring.add(binOf(d), d)
	}
	if does.duration {
		d := p.long.duration()
		b.long.add(binOf(d), d)
	}
	switch {
	case !does.sum:
	case does.duration:
		b.cost += p.sum
	default:
		b.agent += p.sum
	}
}

// add counts a part in every span whose ring still has its slice, and reports whether the longest one had.
func (r *rings) add(p *part, does *effects, spans []spanAt, longest int, now, told int64) bool {
	kept := false
	for i := range spans {
		s := &spans[i]
		if b := bucketOf(r.spans[i], s, s.epoch(p.tick), s.epoch(now), s.epochTold(told)); b != nil {
			b.add(p, does)
			kept = kept || i == longest
		}
	}
	return kept
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
		b = &bucket{epoch: epoch}
		*at = b
	case b.epoch == epoch:
	case b.epoch < epoch || ahead(b.epoch, now, told, int64(len(ring))):
		b.reset(epoch)
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
