package rtpstats_test

import (
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/kpi/rtpstats"
)

// Any bytes are either refused or counted, twice over as packets in sequence; and what is accepted, pion's parser
// reads the same way.
func FuzzObserve(f *testing.F) {
	f.Add(packet(1, 1, 160))
	f.Add([]byte{0x80, 200, 0, 6, 0, 0, 0, 1, 0, 0, 0, 0})
	f.Add([]byte{0x90, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0})
	f.Fuzz(func(t *testing.T, p []byte) {
		var s, byHeader rtpstats.Stream
		if s.Observe(t0, p) != nil {
			require.EqualValues(t, 1, s.Snapshot().Invalid)
			require.Zero(t, s.Snapshot().Received)
			return
		}
		next := append([]byte(nil), p...)
		if next[3]++; next[3] == 0 {
			next[2]++
		}
		require.NoError(t, s.Observe(t0.Add(20*time.Millisecond), next))
		got := s.Snapshot()
		require.EqualValues(t, 1, got.Received)
		require.Zero(t, got.Lost())

		var h1, h2 rtp.Header
		if _, err := h1.Unmarshal(p); err != nil {
			return // an extension whose elements are malformed: no business of the statistics
		}
		_, err := h2.Unmarshal(next)
		require.NoError(t, err)
		byHeader.ObserveHeader(t0, &h1, len(p))
		byHeader.ObserveHeader(t0.Add(20*time.Millisecond), &h2, len(next))
		require.Equal(t, s, byHeader)
	})
}
