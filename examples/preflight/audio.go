package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/outdial/outdial/kpi/rtpstats"
)

const (
	frame   = 20 * time.Millisecond
	samples = 160 // of 8 kHz, a byte each
	linger  = time.Second
)

// quiet are the sixteen smallest amplitudes of the µ-law (ITU-T G.711): four bits in a sample that nobody hears.
var quiet = [16]byte{0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9, 0xf8, 0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x7a, 0x79, 0x78}

const (
	markSize  = 12 // samples that mark a packet of this call, 48 random bits
	indexSize = 4  // samples that number it
)

// audio is what became of the packets that were sent. Every payload is its mark and number, over and over, so that an echo is known by
// its samples: the far side may number packets anew, and cut them anew.
type audio struct {
	sent     int
	received int             // RTP packets, whoever sent them
	rtts     []time.Duration // of every packet that came back, once each
	loss     float64         // share of what was sent that did not come back; what the end of the call overtook is not counted
	stats    rtpstats.Snapshot
	sources  []netip.AddrPort // that RTP came from
	cut      time.Duration    // into the audio the far side hung up; 0 = it did not
	err      error            // of the socket

	stream rtpstats.Stream
	mark   [markSize]byte
	at     []time.Time // when each packet was sent
	back   []bool
}

func (a *audio) echoed() int { return len(a.rtts) }

// talk sends so many packets, one each 20 ms, and reads what comes between them and for a second after. It ends early when the far side hangs up.
func talk(ctx context.Context, conn net.PacketConn, to netip.AddrPort, packets int, over <-chan struct{}) audio {
	a := audio{at: make([]time.Time, packets), back: make([]bool, packets)}
	for i := range a.mark {
		a.mark[i] = quiet[rand.IntN(len(quiet))]
	}
	drain(conn)
	ssrc, seq, stamp := rand.Uint32(), uint16(rand.Uint32()), rand.Uint32()
	buf := make([]byte, 2048)
	start := time.Now()
	for ctx.Err() == nil {
		due := start.Add(time.Duration(a.sent) * frame)
		if a.sent == packets {
			due = due.Add(linger)
		}
		select {
		case <-over:
			a.cut = max(time.Since(start), 1)
			due = time.Time{}
		default:
		}
		if due.IsZero() {
			break
		}
		if a.err = conn.SetReadDeadline(due); a.err != nil {
			break
		}
		n, from, err := conn.ReadFrom(buf)
		if err == nil {
			a.take(time.Now(), buf[:n], addrPort(from))
			continue
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			a.err = err
			break
		}
		if a.sent == packets {
			break
		}
		i := uint16(a.sent)
		a.at[i] = time.Now()
		if _, a.err = conn.WriteTo(a.packet(i, seq+i, stamp+samples*uint32(i), ssrc), net.UDPAddrFromAddrPort(to)); a.err != nil {
			break
		}
		a.sent++
	}
	a.sum(time.Now())
	return a
}

// sum closes the account at the end.
func (a *audio) sum(now time.Time) {
	a.stats = a.stream.Snapshot()
	slices.Sort(a.rtts)
	due, lost := 0, 0
	for i := range a.sent {
		if now.Sub(a.at[i]) >= linger {
			due++
			if !a.back[i] {
				lost++
			}
		}
	}
	a.loss = float64(lost) / float64(max(due, 1))
}

// drain drops what came before the answer: early media would look like a burst.
func drain(conn net.PacketConn) {
	buf := make([]byte, 2048)
	for range 10_000 {
		if conn.SetReadDeadline(time.Now().Add(time.Millisecond)) != nil {
			return
		}
		if _, _, err := conn.ReadFrom(buf); err != nil {
			return
		}
	}
}

// packet is an RTP packet of PCMU (RFC 3550 §5.1, RFC 3551).
func (a *audio) packet(index, seq uint16, stamp, ssrc uint32) []byte {
	b := binary.BigEndian.AppendUint16(make([]byte, 0, 12+samples), 0x8000)
	if index == 0 {
		b[1] = 0x80 // the marker: a talkspurt begins
	}
	b = binary.BigEndian.AppendUint16(b, seq)
	b = binary.BigEndian.AppendUint32(b, stamp)
	b = binary.BigEndian.AppendUint32(b, ssrc)
	for range samples / (markSize + indexSize) {
		b = append(b, a.mark[:]...)
		for shift := 12; shift >= 0; shift -= 4 {
			b = append(b, quiet[index>>shift&15])
		}
	}
	return b
}

// take counts a packet that came.
func (a *audio) take(now time.Time, packet []byte, from netip.AddrPort) {
	if a.stream.Observe(now, packet) != nil {
		return
	}
	if !slices.Contains(a.sources, from) && len(a.sources) < 4 {
		a.sources = append(a.sources, from)
	}
	a.received++
	if i, ok := a.index(packet); ok && !a.back[i] {
		a.back[i] = true
		a.rtts = append(a.rtts, now.Sub(a.at[i]))
	}
}

// index is the number of the packet of ours that this one brings back.
func (a *audio) index(packet []byte) (index int, ok bool) {
	_, rest, found := bytes.Cut(packet[min(12, len(packet)):], a.mark[:])
	if !found || len(rest) < indexSize {
		return 0, false
	}
	for _, sample := range rest[:indexSize] {
		bits := bytes.IndexByte(quiet[:], sample)
		if bits < 0 {
			return 0, false
		}
		index = index<<4 | bits
	}
	return index, index < a.sent
}

// quantile is the time that so much of the sorted round trips do not exceed.
func (a *audio) quantile(q float64) time.Duration {
	if len(a.rtts) == 0 {
		return 0
	}
	return a.rtts[min(int(q*float64(len(a.rtts))), len(a.rtts)-1)]
}
