package peerbench

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/kpi/rtpstats"
)

// packet is 20 ms of G.711.
func packet() []byte {
	p := make([]byte, 172)
	p[0] = 0x80
	binary.BigEndian.PutUint32(p[8:], 0x5eed)
	return p
}

func number(p []byte, i uint32) {
	binary.BigEndian.PutUint16(p[2:], uint16(i))
	binary.BigEndian.PutUint32(p[4:], i*160)
}

func TestPacketIsRTP(t *testing.T) {
	p := packet()
	number(p, 7)
	var h rtp.Header
	n, err := h.Unmarshal(p)
	require.NoError(t, err)
	require.Equal(t, 12, n)
	require.EqualValues(t, 7, h.SequenceNumber)
	require.EqualValues(t, 1120, h.Timestamp)
	var s rtpstats.Stream
	require.NoError(t, s.Observe(monday, p))
}

// BenchmarkRTP: ours parses the header and keeps loss, order and jitter; the peer parses the header alone.
func BenchmarkRTP(b *testing.B) {
	b.Run("packet", func(b *testing.B) {
		var s rtpstats.Stream
		var h rtp.Header
		mine, theirs := packet(), packet()
		now := monday
		i, k := uint32(0), uint32(0)
		beside(b,
			serial(ours, func() {
				i++
				number(mine, i)
				now = now.Add(20 * time.Millisecond)
				_ = s.Observe(now, mine)
			}),
			serial("pion", func() {
				k++
				number(theirs, k)
				_, _ = h.Unmarshal(theirs)
			}),
		)
	})
}
