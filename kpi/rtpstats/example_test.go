package rtpstats_test

import (
	"fmt"
	"time"

	"github.com/pion/rtp"

	"github.com/outdial/outdial/kpi/rtpstats"
)

func ExampleStream() {
	s := rtpstats.Stream{ClockRate: 8000}
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for i := range 100 {
		now = now.Add(20 * time.Millisecond)
		if i%25 == 10 {
			continue // the network loses it
		}
		h := rtp.Header{Version: 2, SSRC: 1, SequenceNumber: uint16(i), Timestamp: uint32(i * 160)}
		packet, _ := h.Marshal()
		if err := s.Observe(now, append(packet, make([]byte, 160)...)); err != nil {
			fmt.Println(err)
		}
	}
	first, _ := s.First()
	got := s.Snapshot()
	fmt.Println(first.Format("15:04:05.000"), got.Received, "of", got.Expected, "jitter", got.Jitter)
	// Output: 10:00:00.020 95 of 99 jitter 0s
}

func ExampleSnapshot() {
	s := rtpstats.Snapshot{Received: 97, Expected: 99, Duplicates: 1}
	ratio, ok := s.LossRatio()
	fmt.Println(s.Lost(), s.Missing(), fmt.Sprintf("%.1f %%", 100*ratio), ok)
	// Output: 2 3 3.0 % true
}
