package rtpstats_test

// rfcSource is RFC 3550 Appendix A.1, A.3 and A.8, word for word as far as Go allows, for one source: the oracle.
type rfcSource struct {
	maxSeq    uint16
	cycles    uint32
	baseSeq   uint32
	badSeq    uint32
	probation uint32
	received  uint32
	transit   uint32
	jitter    uint32
	started   bool
	timed     bool

	// What the RFC forgets when a sender restarts its sequence numbers.
	earlierReceived, earlierExpected uint64
}

const rtpSeqMod = 1 << 16

func (s *rfcSource) initSeq(seq uint16) {
	s.baseSeq = uint32(seq)
	s.maxSeq = seq
	s.badSeq = rtpSeqMod + 1
	s.cycles = 0
	s.received = 0
}

func (s *rfcSource) updateSeq(seq uint16) bool {
	const (
		maxDropout    = 3000
		maxMisorder   = 100
		minSequential = 2
	)
	if !s.started {
		s.initSeq(seq)
		s.maxSeq = seq - 1
		s.probation = minSequential
		s.started = true
	}
	udelta := seq - s.maxSeq
	if s.probation != 0 {
		if seq == s.maxSeq+1 {
			s.probation--
			s.maxSeq = seq
			if s.probation == 0 {
				s.initSeq(seq)
				s.received++
				return true
			}
		} else {
			s.probation = minSequential - 1
			s.maxSeq = seq
		}
		return false
	} else if udelta < maxDropout {
		if seq < s.maxSeq {
			s.cycles += rtpSeqMod
		}
		s.maxSeq = seq
	} else if uint32(udelta) <= rtpSeqMod-maxMisorder {
		if uint32(seq) == s.badSeq {
			s.earlierReceived += uint64(s.received)
			s.earlierExpected += uint64(s.expected())
			s.initSeq(seq)
			s.timed = false
		} else {
			s.badSeq = (uint32(seq) + 1) & (rtpSeqMod - 1)
			return false
		}
	}
	s.received++
	return true
}

func (s *rfcSource) expected() uint32 { return s.cycles + uint32(s.maxSeq) - s.baseSeq + 1 }

// observe is what a receiver does with the above: jitter is taken over packets that count, from the first packet of
// the source on.
func (s *rfcSource) observe(seq uint16, arrival, ts uint32) {
	valid := s.updateSeq(seq)
	transit := arrival - ts
	if !valid {
		if s.probation != 0 {
			s.transit, s.timed = transit, true
		}
		return
	}
	if s.timed {
		d := int32(transit - s.transit)
		if d < 0 {
			d = -d
		}
		s.jitter += uint32(d) - ((s.jitter + 8) >> 4)
	}
	s.transit, s.timed = transit, true
}
