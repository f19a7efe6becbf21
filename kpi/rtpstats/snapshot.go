package rtpstats

import "time"

// Snapshot is what a Stream knows, as a plain value.
type Snapshot struct {
	SSRC        uint32 // the source followed now
	SSRCChanges uint32 // how often another source took over
	PayloadType uint8  // of the latest packet

	// Received counts all valid packets, duplicates included, and Expected the packets that the sender sent, by its
	// sequence numbers, over all sources (RFC 3550 A.1, A.3). The packet that a source's probation begins with is in
	// neither.
	Received   uint64
	Expected   uint64
	Duplicates uint64
	Reordered  uint64 // came after a later one
	Invalid    uint64 // were not RTP
	Bytes      uint64 // of the valid packets, headers included

	First  time.Time     // first packet of the first source; zero = no media yet
	Last   time.Time     // latest valid packet
	MaxGap time.Duration // the longest time between two valid packets that followed each other

	// Jitter is the interarrival jitter of RFC 3550 A.8 of the current source; JitterUnits is the same in units of
	// the payload's clock, as an RTCP report carries it.
	Jitter      time.Duration
	JitterUnits uint32
}

// Snapshot returns what is known now. It changes nothing.
func (s *Stream) Snapshot() Snapshot {
	t := s.past
	t.add(s.cur.totals())
	out := Snapshot{
		Received: t.received, Expected: t.expected, Duplicates: t.duplicates, Reordered: t.reordered,
		SSRCChanges: s.changes, PayloadType: s.payload, Invalid: s.invalid, Bytes: s.bytes,
		MaxGap: s.maxGap, JitterUnits: s.cur.jitter >> 4,
	}
	if s.started {
		out.First, out.Last = s.base.Add(s.first), s.base.Add(s.last)
	}
	if s.cur.valid {
		out.SSRC = s.cur.ssrc
	}
	rate := time.Duration(s.ClockRate)
	if rate == 0 {
		rate = 8000
	}
	out.Jitter = time.Duration(out.JitterUnits) * time.Second / rate
	return out
}

// Lost is the cumulative number of packets lost, RFC 3550 A.3: expected less received. Duplicates make it smaller,
// down to below zero.
func (s Snapshot) Lost() int64 { return int64(s.Expected) - int64(s.Received) }

// Missing is the number of packets that never came: Lost without the credit for duplicates.
func (s Snapshot) Missing() int64 { return s.Lost() + int64(s.Duplicates) }

// LossRatio is Missing of Expected, and false where nothing was expected.
func (s Snapshot) LossRatio() (float64, bool) {
	if s.Expected == 0 {
		return 0, false
	}
	return float64(max(s.Missing(), 0)) / float64(s.Expected), true
}

// PacketRate is the mean number of packets per second between the first and the latest, and false for fewer than two.
func (s Snapshot) PacketRate() (float64, bool) {
	span := s.Last.Sub(s.First)
	if s.Received == 0 || span <= 0 {
		return 0, false
	}
	return float64(s.Received) / span.Seconds(), true
}

// FractionLost is the fraction of packets lost between an earlier snapshot of the same stream and this one, in
// 256ths, as the fraction lost of an RTCP report (RFC 3550 A.3).
func (s Snapshot) FractionLost(earlier Snapshot) uint8 {
	expected := int64(s.Expected) - int64(earlier.Expected)
	lost := expected - (int64(s.Received) - int64(earlier.Received))
	if expected <= 0 || lost <= 0 {
		return 0
	}
	return uint8(min(lost<<8/expected, 255))
}
