package rtpstats

import "time"

// Constants of RFC 3550 A.1.
const (
	maxDropout    = 3000 // a step forward of this or more is a restart, not a loss
	maxMisorder   = 100  // a step back of more than this is a restart, not a reordering
	minSequential = 2    // packets in sequence until a source is valid
	sequenceMod   = 1 << 16
	noBadSequence = sequenceMod + 1 // no sequence number equals it
)

// source is the state kept for one SSRC: RFC 3550 A.1 (sequence numbers), A.3 (loss) and A.8 (jitter), and a bitmap
// of the packets behind the newest one, which tells a duplicate from a packet out of order.
type source struct {
	ssrc      uint32
	seen      bool
	valid     bool
	probation uint8
	maxSeq    uint16
	cycles    uint32 // completed turns of the sequence number, × 65,536
	baseSeq   uint32
	badSeq    uint32
	received  uint64
	earlier   totals // before the sender restarted its sequence numbers

	duplicates uint64
	reordered  uint64
	recent     [2]uint64 // bit i: maxSeq−i has come

	began   time.Duration // arrival of the packet that the probation began with
	transit int32
	timed   bool // transit is that of a packet
	jitter  uint32
}

// begin starts the probation of a source with its first packet.
func (s *source) begin(h header, at time.Duration) {
	*s = source{
		ssrc: h.ssrc, seen: true, probation: minSequential, maxSeq: h.sequence - 1, badSeq: noBadSequence, began: at,
	}
}

// restart is init_seq of RFC 3550 A.1.
func (s *source) restart(seq uint16) {
	s.baseSeq, s.maxSeq, s.badSeq, s.cycles, s.received = uint32(seq), seq, noBadSequence, 0, 0
	s.recent = [2]uint64{}
}

// update is update_seq of RFC 3550 A.1: it reports whether the packet counts.
func (s *source) update(seq uint16) bool {
	delta := seq - s.maxSeq
	switch {
	case s.probation > 0:
		if delta != 1 {
			s.probation, s.maxSeq = minSequential-1, seq
			return false
		}
		s.probation--
		s.maxSeq = seq
		if s.probation > 0 {
			return false
		}
		s.restart(seq)
		s.valid = true
		s.recent[0] = 1
	case delta < maxDropout:
		if seq < s.maxSeq {
			s.cycles += sequenceMod
		}
		s.maxSeq = seq
		s.advance(delta)
	case int(delta) <= sequenceMod-maxMisorder:
		if uint32(seq) != s.badSeq {
			s.badSeq = uint32(seq+1) & (sequenceMod - 1)
			return false
		}
		// Two packets in sequence after a jump: the sender has started anew.
		s.earlier.add(s.counts())
		s.restart(seq)
		s.recent[0], s.timed = 1, false // its timestamps may have jumped too
	default:
		s.behind(-delta)
	}
	s.received++
	return true
}

// advance moves the bitmap on by n packets and marks the newest; n = 0 is the newest once more.
func (s *source) advance(n uint16) {
	switch {
	case n == 0:
		s.duplicates++
		return
	case n >= 128:
		s.recent = [2]uint64{}
	case n >= 64:
		s.recent[1], s.recent[0] = s.recent[0]<<(n-64), 0
	default:
		s.recent[1] = s.recent[1]<<n | s.recent[0]>>(64-n)
		s.recent[0] <<= n
	}
	s.recent[0] |= 1
}

// behind notes a packet n places behind the newest, n < maxMisorder.
func (s *source) behind(n uint16) {
	word, bit := &s.recent[n/64], uint64(1)<<(n%64)
	if *word&bit != 0 {
		s.duplicates++
		return
	}
	*word |= bit
	s.reordered++
}

// arrive is the interarrival jitter of RFC 3550 A.8, in its integer form (16 times the jitter, rounded).
func (s *source) arrive(arrival, timestamp uint32) {
	transit := int32(arrival - timestamp)
	if s.timed {
		d := transit - s.transit
		if d < 0 {
			d = -d
		}
		s.jitter += uint32(d) - (s.jitter+8)>>4
	}
	s.transit, s.timed = transit, true
}

// totals are the counts of RFC 3550 A.3, which go on when a source restarts or another takes over.
type totals struct {
	received, expected, duplicates, reordered uint64
}

func (t *totals) add(o totals) {
	t.received += o.received
	t.expected += o.expected
	t.duplicates += o.duplicates
	t.reordered += o.reordered
}

// counts are those since the last restart; duplicates and reordered are kept over restarts.
func (s *source) counts() totals {
	if !s.valid {
		return totals{}
	}
	return totals{received: s.received, expected: uint64(s.cycles) + uint64(s.maxSeq) - uint64(s.baseSeq) + 1}
}

// totals are all counts of the source.
func (s *source) totals() totals {
	t := s.earlier
	t.add(s.counts())
	t.duplicates, t.reordered = s.duplicates, s.reordered
	return t
}
