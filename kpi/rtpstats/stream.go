package rtpstats

import (
	"errors"
	"time"

	"github.com/pion/rtp"
)

// ErrNotRTP says that a packet is not RTP version 2, or RTCP on the same port, or cut short.
var ErrNotRTP = errors.New("rtpstats: not an RTP packet")

// Stream is the state of one direction of a media session. It follows one synchronization source at a time: another
// SSRC takes over when two of its packets have come in sequence (RFC 3550 A.1), and the totals go on.
//
// The zero value is a stream of 8 kHz audio. A Stream is a plain value of a few hundred bytes, for the host to keep in
// its own state of a call; it is not safe for concurrent use.
type Stream struct {
	// ClockRate of the payload's timestamps in Hz, RFC 3551: 8000 for G.711 and, by an old mistake, G.722; 48000 for
	// Opus. 0 = 8000. Set it before the first packet.
	ClockRate uint32

	base    time.Time     // of the first packet; the times below are since then
	first   time.Duration // the first packet of the first source that proved valid
	last    time.Duration
	started bool // first and last are set
	maxGap  time.Duration
	bytes   uint64
	invalid uint64
	changes uint32
	payload uint8

	cur  source // the source that the stream follows; not valid before the first one
	next source // another source, on probation
	past totals // of the sources before cur
}

// Observe counts a packet as it came from the network at now. It keeps no reference to it. It returns ErrNotRTP, and
// counts the packet as invalid, when the header fails the checks of RFC 3550 A.1 (version, RTCP types, lengths); a
// well-formed packet out of sequence is no error.
func (s *Stream) Observe(now time.Time, packet []byte) error {
	h, ok := parse(packet)
	if !ok {
		s.invalid++
		return ErrNotRTP
	}
	s.observe(now, h, len(packet))
	return nil
}

// ObserveHeader counts a packet whose header is parsed already; size is the packet's length in bytes.
func (s *Stream) ObserveHeader(now time.Time, h *rtp.Header, size int) {
	s.observe(now, header{ssrc: h.SSRC, timestamp: h.Timestamp, sequence: h.SequenceNumber, payload: h.PayloadType}, size)
}

// First returns when media began: the time of the first packet of the first source that proved valid.
func (s *Stream) First() (time.Time, bool) {
	if !s.started {
		return time.Time{}, false
	}
	return s.base.Add(s.first), true
}

func (s *Stream) observe(now time.Time, h header, size int) {
	if s.base.IsZero() {
		s.base = now
	}
	since := now.Sub(s.base)
	src := &s.cur
	if s.cur.seen && h.ssrc != s.cur.ssrc {
		src = &s.next
	}
	if !src.seen || src.ssrc != h.ssrc {
		src.begin(h, since)
	}
	arrival := s.units(since)
	if !src.update(h.sequence) {
		if !src.valid { // not counted, but the next packet's transit is compared with it
			src.transit, src.timed = int32(arrival-h.timestamp), true
		}
		return
	}
	if src == &s.next {
		s.takeOver()
		src = &s.cur
	}
	src.arrive(arrival, h.timestamp)
	if !s.started {
		s.started, s.first, s.last = true, src.began, since
	}
	s.maxGap = max(s.maxGap, since-s.last)
	s.last = since
	s.bytes += uint64(size)
	s.payload = h.payload
}

// takeOver makes the next source the current one, unless the stream has none yet.
func (s *Stream) takeOver() {
	if s.cur.valid {
		s.past.add(s.cur.totals())
		s.changes++
	}
	s.cur, s.next = s.next, source{}
}

// units converts a time since the base to units of the payload's clock, modulo 2³².
func (s *Stream) units(d time.Duration) uint32 {
	rate := int64(s.ClockRate)
	if rate == 0 {
		rate = 8000
	}
	if uint64(d) < 1<<63/(1<<17) && rate < 1<<17 { // nineteen hours; the product stays within 63 bits
		return uint32(int64(d) * rate / int64(time.Second))
	}
	sec, ns := int64(d/time.Second), int64(d%time.Second)
	return uint32(sec*rate + ns*rate/int64(time.Second))
}
