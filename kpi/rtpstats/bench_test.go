package rtpstats_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/outdial/outdial/kpi/rtpstats"
)

func BenchmarkObserve(b *testing.B) {
	var s rtpstats.Stream
	p := packet(1, 0, 0)
	now := t0
	b.ReportAllocs()
	i := uint32(0)
	for b.Loop() {
		i++
		binary.BigEndian.PutUint16(p[2:], uint16(i))
		binary.BigEndian.PutUint32(p[4:], i*160)
		now = now.Add(20 * time.Millisecond)
		_ = s.Observe(now, p)
	}
}

// BenchmarkPionUnmarshal is the bare parser, to stand beside BenchmarkObserve.
func BenchmarkPionUnmarshal(b *testing.B) {
	p := packet(1, 0, 0)
	var h rtp.Header
	b.ReportAllocs()
	i := uint32(0)
	for b.Loop() {
		i++
		binary.BigEndian.PutUint16(p[2:], uint16(i))
		binary.BigEndian.PutUint32(p[4:], i*160)
		_, _ = h.Unmarshal(p)
	}
}

func BenchmarkPionUnmarshalAndObserveHeader(b *testing.B) {
	var s rtpstats.Stream
	p := packet(1, 0, 0)
	var h rtp.Header
	now := t0
	b.ReportAllocs()
	i := uint32(0)
	for b.Loop() {
		i++
		binary.BigEndian.PutUint16(p[2:], uint16(i))
		binary.BigEndian.PutUint32(p[4:], i*160)
		now = now.Add(20 * time.Millisecond)
		_, _ = h.Unmarshal(p)
		s.ObserveHeader(now, &h, len(p))
	}
}
