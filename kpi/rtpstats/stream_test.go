package rtpstats_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/kpi/rtpstats"
)

var t0 = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func packet(ssrc uint32, seq uint16, ts uint32) []byte {
	p := make([]byte, 172)
	p[0] = 0x80
	binary.BigEndian.PutUint16(p[2:], seq)
	binary.BigEndian.PutUint32(p[4:], ts)
	binary.BigEndian.PutUint32(p[8:], ssrc)
	return p
}

// play gives a stream packets of 20 ms, numbered as listed, one each 20 ms.
func play(t testing.TB, s *rtpstats.Stream, ssrc uint32, start time.Time, seqs ...uint16) time.Time {
	for _, seq := range seqs {
		require.NoError(t, s.Observe(start, packet(ssrc, seq, uint32(seq)*160)))
		start = start.Add(20 * time.Millisecond)
	}
	return start
}

func TestCountsBySequence(t *testing.T) {
	for name, x := range map[string]struct {
		seqs                            []uint16
		received, expected, dup, behind uint64
	}{
		"one packet proves nothing":      {[]uint16{1}, 0, 0, 0, 0},
		"two in sequence":                {[]uint16{1, 2}, 1, 1, 0, 0},
		"two out of sequence":            {[]uint16{1, 5}, 0, 0, 0, 0},
		"probation begins anew":          {[]uint16{1, 5, 6, 7}, 2, 2, 0, 0},
		"a loss":                         {[]uint16{1, 2, 3, 5, 6}, 4, 5, 0, 0},
		"a duplicate of the newest":      {[]uint16{1, 2, 3, 3, 4}, 4, 3, 1, 0},
		"an older duplicate":             {[]uint16{1, 2, 3, 4, 3}, 4, 3, 1, 0},
		"swapped":                        {[]uint16{1, 2, 4, 3, 5}, 4, 4, 0, 1},
		"swapped and repeated":           {[]uint16{1, 2, 4, 3, 3, 5}, 5, 4, 1, 1},
		"wrap":                           {[]uint16{65534, 65535, 0, 1}, 3, 3, 0, 0},
		"wrap with a loss":               {[]uint16{65533, 65534, 0, 1}, 3, 4, 0, 0},
		"late over the wrap":             {[]uint16{65533, 65534, 0, 65535, 1}, 4, 4, 0, 1},
		"a stray packet":                 {[]uint16{1, 2, 3, 30000, 4, 5}, 4, 4, 0, 0},
		"the sender restarts":            {[]uint16{1, 2, 3, 30000, 30001, 30002}, 4, 4, 0, 0},
		"a gap below the limit":          {[]uint16{1, 2, 3001}, 2, 3000, 0, 0},
		"a gap at the limit is a jump":   {[]uint16{1, 2, 3002}, 1, 1, 0, 0},
		"the bitmap moves on by 64, 128": {[]uint16{1, 2, 66, 65, 65, 194, 193, 130}, 7, 193, 1, 3},
	} {
		t.Run(name, func(t *testing.T) {
			var s rtpstats.Stream
			play(t, &s, 1, t0, x.seqs...)
			got := s.Snapshot()
			require.Equal(t, x.received, got.Received, "received")
			require.Equal(t, x.expected, got.Expected, "expected")
			require.Equal(t, x.dup, got.Duplicates, "duplicates")
			require.Equal(t, x.behind, got.Reordered, "reordered")
			require.Equal(t, int64(x.expected)-int64(x.received), got.Lost())
		})
	}
}

func TestFirstMediaAndRate(t *testing.T) {
	var s rtpstats.Stream
	_, ok := s.First()
	require.False(t, ok)
	play(t, &s, 1, t0, 900) // a stray packet does not start media
	_, ok = s.First()
	require.False(t, ok)
	start := t0.Add(time.Second)
	end := play(t, &s, 2, start, 1, 2, 3, 4, 5, 6)
	first, ok := s.First()
	require.True(t, ok)
	require.Equal(t, start, first, "the first packet of the source that proved valid")
	end = play(t, &s, 2, end.Add(980*time.Millisecond), 7)
	got := s.Snapshot()
	require.Equal(t, time.Second, got.MaxGap)
	require.Equal(t, end.Add(-20*time.Millisecond), got.Last)
	rate, ok := got.PacketRate()
	require.True(t, ok)
	require.InDelta(t, 6/1.1, rate, 1e-9)
	require.EqualValues(t, 6*172, got.Bytes)
	_, ok = rtpstats.Snapshot{}.PacketRate()
	require.False(t, ok)
}

func TestAnotherSourceTakesOver(t *testing.T) {
	var s rtpstats.Stream
	now := play(t, &s, 1, t0, 1, 2, 3, 5)
	now = play(t, &s, 2, now, 700) // one packet of another source changes nothing
	require.EqualValues(t, 1, s.Snapshot().SSRC)
	now = play(t, &s, 1, now, 6)
	require.EqualValues(t, 0, s.Snapshot().SSRCChanges)
	play(t, &s, 2, now, 701, 702)
	got := s.Snapshot()
	require.EqualValues(t, 2, got.SSRC)
	require.EqualValues(t, 1, got.SSRCChanges)
	require.EqualValues(t, 4+2, got.Received)
	require.EqualValues(t, 5+2, got.Expected)
	require.EqualValues(t, 1, got.Missing())
	ratio, ok := got.LossRatio()
	require.True(t, ok)
	require.InDelta(t, 1.0/7, ratio, 1e-12)
	_, ok = rtpstats.Snapshot{}.LossRatio()
	require.False(t, ok)
}

func TestFractionLost(t *testing.T) {
	var s rtpstats.Stream
	now := play(t, &s, 1, t0, 1, 2, 3, 4)
	before := s.Snapshot()
	now = play(t, &s, 1, now, 5, 7, 9, 10) // 2 of 6 lost
	got := s.Snapshot()
	require.EqualValues(t, 2*256/6, got.FractionLost(before))
	play(t, &s, 1, now, 11, 11, 11)
	require.Zero(t, s.Snapshot().FractionLost(got), "duplicates do not wrap it")
}

func TestJitterIsSmoothAtASteadyRateAndGrows(t *testing.T) {
	s := rtpstats.Stream{ClockRate: 48000}
	now := t0
	for i := range 100 {
		require.NoError(t, s.Observe(now, packet(1, uint16(i), uint32(i)*960)))
		now = now.Add(20 * time.Millisecond)
	}
	require.Zero(t, s.Snapshot().Jitter)
	for i := 100; i < 500; i++ {
		late := time.Duration(i%2) * 10 * time.Millisecond
		require.NoError(t, s.Observe(now.Add(late), packet(1, uint16(i), uint32(i)*960)))
		now = now.Add(20 * time.Millisecond)
	}
	require.InDelta(t, 10*time.Millisecond, s.Snapshot().Jitter, 1e6)
}

func TestJitterOfAVeryLongCall(t *testing.T) {
	s := rtpstats.Stream{ClockRate: 48000}
	for i := range 40 {
		since := time.Duration(i) * time.Hour
		ticks := uint32(uint64(i) * 3600 * 48000)
		require.NoError(t, s.Observe(t0.Add(since), packet(1, uint16(i), ticks)))
	}
	require.Zero(t, s.Snapshot().Jitter)
	require.NoError(t, s.Observe(t0.Add(-time.Hour), packet(1, 40, 0))) // a clock set back is no crash
	require.EqualValues(t, 40, s.Snapshot().Received)
}

func TestNotRTP(t *testing.T) {
	good := packet(1, 1, 1)
	edit := func(f func(p []byte) []byte) []byte { return f(append([]byte(nil), good...)) }
	for name, p := range map[string][]byte{
		"empty":                   {},
		"short":                   good[:11],
		"version 1":               edit(func(p []byte) []byte { p[0] = 0x40; return p }),
		"RTCP sender report":      edit(func(p []byte) []byte { p[1] = 200; return p }),
		"RTCP receiver report":    edit(func(p []byte) []byte { p[1] = 201; return p }),
		"sources beyond the end":  edit(func(p []byte) []byte { p[0] = 0x8f; return p[:60] }),
		"extension cut":           edit(func(p []byte) []byte { p[0] = 0x90; return p[:14] }),
		"extension beyond end":    edit(func(p []byte) []byte { p[0], p[14], p[15] = 0x90, 0, 200; return p }),
		"no padding":              edit(func(p []byte) []byte { p[0], p[171] = 0xa0, 0; return p }),
		"padding into the header": edit(func(p []byte) []byte { p[0], p[171] = 0xa0, 161; return p }),
	} {
		var s rtpstats.Stream
		require.ErrorIs(t, s.Observe(t0, p), rtpstats.ErrNotRTP, name)
		require.EqualValues(t, 1, s.Snapshot().Invalid, name)
	}
	var s rtpstats.Stream
	for _, p := range [][]byte{
		edit(func(p []byte) []byte { p[0] = 0x8f; return p }),
		edit(func(p []byte) []byte { p[0], p[15] = 0x90, 39; return p }),
		edit(func(p []byte) []byte { p[0], p[171] = 0xa0, 160; return p }),
		edit(func(p []byte) []byte { p[1] = 0x80; return p }), // marker
	} {
		require.NoError(t, s.Observe(t0, p))
	}
}

// The statistics equal those of the RFC's own code, for any sequence numbers, timestamps and arrivals.
func TestStreamAgainstRFC3550(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]uint32{8000, 16000, 48000, 90000}).Draw(t, "rate")
		s := rtpstats.Stream{ClockRate: rate}
		var o rfcSource
		var since time.Duration
		seq := rapid.Uint16().Draw(t, "first")
		ts := rapid.Uint32().Draw(t, "timestamp")
		for i := range rapid.IntRange(1, 200).Draw(t, "packets") {
			if i > 0 { // arrivals are counted from the first packet
				since += time.Duration(rapid.IntRange(0, 60_000_000).Draw(t, "gap"))
			}
			switch step := rapid.IntRange(0, 40).Draw(t, "step"); {
			case step == 0:
				seq = rapid.Uint16().Draw(t, "jump")
			case step < 4:
				seq += uint16(rapid.IntRange(-110, 150).Draw(t, "disorder"))
			default:
				seq++
			}
			ts += uint32(rapid.IntRange(0, 3000).Draw(t, "ticks"))
			o.observe(seq, uint32(int64(since)*int64(rate)/1e9), ts)
			require.NoError(t, s.Observe(t0.Add(since), packet(7, seq, ts)))
			got := s.Snapshot()
			require.Equal(t, o.jitter>>4, got.JitterUnits)
			if o.received > 0 && o.probation == 0 {
				require.Equal(t, o.earlierReceived+uint64(o.received), got.Received)
				require.Equal(t, o.earlierExpected+uint64(o.expected()), got.Expected)
			}
		}
	})
}

// Within the reach of the bitmap, duplicates and reordering are those of a plain set of extended sequence numbers.
func TestDuplicatesAgainstASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s rtpstats.Stream
		base := rapid.Uint16().Draw(t, "base")
		newest := 1
		seen := map[int]bool{1: true}
		_ = s.Observe(t0, packet(1, base, 0))
		_ = s.Observe(t0, packet(1, base+1, 0))
		var dup, behind uint64
		for range rapid.IntRange(0, 300).Draw(t, "packets") {
			n := max(newest+rapid.IntRange(-99, 200).Draw(t, "step"), 1)
			n = max(n, newest-99)
			_ = s.Observe(t0, packet(1, base+uint16(n), 0))
			switch {
			case seen[n]:
				dup++
			case n < newest:
				behind++
			}
			seen[n], newest = true, max(newest, n)
		}
		require.Equal(t, dup, s.Snapshot().Duplicates)
		require.Equal(t, behind, s.Snapshot().Reordered)
		require.EqualValues(t, newest-len(seen), s.Snapshot().Missing())
	})
}

func TestObserveHeaderIsTheSame(t *testing.T) {
	var a, b rtpstats.Stream
	for i := range 50 {
		p := packet(9, uint16(i*i/20), uint32(i)*160)
		now := t0.Add(time.Duration(i) * 21 * time.Millisecond)
		require.NoError(t, a.Observe(now, p))
		var h rtp.Header
		_, err := h.Unmarshal(p)
		require.NoError(t, err)
		b.ObserveHeader(now, &h, len(p))
	}
	require.Equal(t, a, b)
}

func TestObserveDoesNotAllocate(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	var s rtpstats.Stream
	p := packet(1, 0, 0)
	h := rtp.Header{SSRC: 1}
	i := uint16(0)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		i++
		binary.BigEndian.PutUint16(p[2:], i)
		_ = s.Observe(t0, p)
		i++
		h.SequenceNumber = i
		s.ObserveHeader(t0, &h, 172)
		_ = s.Snapshot()
	}))
}
