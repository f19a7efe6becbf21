package siptest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/rtp"
)

// frame is the packet interval of PCMU streams here; samples are its 8 kHz samples, one byte each.
const (
	frame   = 20 * time.Millisecond
	samples = 160
)

// Media is an RTP stream of PCMU silence, one packet every 20 ms, towards the address in the other end's
// session description. One-way audio is a call in which one end has Media and the other has not.
type Media struct {
	// Delay is the time from the answer (or with Early from the session description) to the first packet.
	Delay time.Duration
	// For is the length of the stream; zero means until the call ends.
	For time.Duration
	// Early starts a carrier's stream with its first provisional response that has a session description.
	Early bool
	// Loss is the share of packets, in [0, 1], that are not sent although they have a sequence number.
	Loss float64
}

func (m *Media) validate() error {
	if m.Delay < 0 || m.For < 0 || !(m.Loss >= 0 && m.Loss <= 1) {
		return fmt.Errorf("siptest: media %+v: durations must not be negative, Loss must be in [0, 1]", *m)
	}
	return nil
}

// A mediaSocket sends and receives the RTP of one call, or of all calls of a carrier, told apart by the
// address that the other end announced. A nil mediaSocket has no media.
type mediaSocket struct {
	conn  net.PacketConn
	local netip.AddrPort
	done  sync.WaitGroup

	mu       sync.Mutex
	sent     int
	received int
	streams  map[netip.AddrPort]*stream
	single   *stream // takes packets from any address, if set
}

// newMediaSocket serves conn; nil opens a UDP socket if the signalling is on a real one.
func newMediaSocket(conn, signalling net.PacketConn) (*mediaSocket, error) {
	if conn == nil {
		u, ok := signalling.(*net.UDPConn)
		if !ok {
			return nil, nil
		}
		var err error
		if conn, err = net.ListenUDP("udp", &net.UDPAddr{IP: u.LocalAddr().(*net.UDPAddr).IP}); err != nil {
			return nil, fmt.Errorf("siptest: media socket: %w", err)
		}
	}
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return nil, fmt.Errorf("siptest: media address: %w", err)
	}
	m := &mediaSocket{conn: conn, local: netip.AddrPortFrom(local.Addr().Unmap(), local.Port()), streams: make(map[netip.AddrPort]*stream)}
	m.done.Go(m.read)
	return m, nil
}

// sdp is the description to announce; without a media socket it names the discard port.
func (m *mediaSocket) sdp(signalling netip.AddrPort) []byte {
	if m == nil {
		return SDP(netip.AddrPortFrom(signalling.Addr(), discardPort))
	}
	return SDP(m.local)
}

func (m *mediaSocket) close() {
	if m != nil {
		m.conn.Close()
		m.done.Wait()
	}
}

func (m *mediaSocket) totals() (sent, received int) {
	if m == nil {
		return 0, 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sent, m.received
}

func (m *mediaSocket) read() {
	buf := make([]byte, 2048)
	for failed := 0; failed < maxReadErrors; {
		n, addr, err := m.conn.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			failed++
			continue
		}
		failed = 0
		from, err := addrPort(addr)
		var h rtp.Header
		if err != nil {
			continue
		}
		if _, err := h.Unmarshal(buf[:n]); err != nil || h.Version != 2 {
			continue
		}
		now := time.Now()
		m.mu.Lock()
		m.received++
		s := m.single
		if s == nil {
			s = m.streams[from]
		}
		if s != nil {
			s.count(h.SequenceNumber, now)
		}
		m.mu.Unlock()
	}
}

// A stream is the RTP of one call in both directions. Sending belongs to the endpoint's loop, the counts to the socket's lock.
type stream struct {
	socket  *mediaSocket
	to      netip.AddrPort // the loop's
	packet  rtp.Packet
	started bool
	task    *task

	sent, received int
	first          time.Time
	base, highest  uint16
	span           int // sequence numbers from the first to the highest received
}

// count books a received packet (RFC 3550 appendix A.3 without restarts).
func (s *stream) count(seq uint16, now time.Time) {
	if s.received++; s.received == 1 {
		s.first, s.base, s.highest, s.span = now, seq, seq, 1
		return
	}
	if d := int16(seq - s.highest); d > 0 {
		s.highest = seq
		s.span += int(d)
	}
}

// open announces that packets from (and to) addr belong to the stream that it returns.
func (m *mediaSocket) open(to netip.AddrPort) *stream {
	s := newStream(m)
	s.to = to
	m.mu.Lock()
	m.streams[to] = s
	m.mu.Unlock()
	return s
}

// openAny takes packets from anywhere: they may come before the answer that says from where.
func (m *mediaSocket) openAny() *stream {
	s := newStream(m)
	m.mu.Lock()
	m.single = s
	m.mu.Unlock()
	return s
}

func newStream(m *mediaSocket) *stream {
	s := &stream{socket: m, packet: rtp.Packet{
		Header: rtp.Header{
			Version: 2, PayloadType: 0, Marker: true,
			SequenceNumber: uint16(rand.Uint32()), Timestamp: rand.Uint32(), SSRC: rand.Uint32(),
		},
		Payload: make([]byte, samples),
	}}
	for i := range s.packet.Payload {
		s.packet.Payload[i] = 0xff // silence in µ-law
	}
	return s
}

// stop ends a stream and returns its counts; a nil socket or stream has none.
func (m *mediaSocket) stop(s *stream) (sent, received int) {
	if m == nil || s == nil {
		return 0, 0
	}
	s.task.stop()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.streams[s.to] == s {
		delete(m.streams, s.to)
	}
	return s.sent, s.received
}

// send starts to transmit on the loop of ep. rng draws the losses.
func (s *stream) send(ep *endpoint, media Media, rng *rand.Rand) {
	if s.started {
		return
	}
	s.started = true
	start := time.Now().Add(media.Delay)
	var tick func(n int)
	tick = func(n int) {
		if media.For > 0 && time.Duration(n)*frame >= media.For {
			return
		}
		if media.Loss == 0 || rng.Float64() >= media.Loss {
			s.write()
		}
		s.packet.SequenceNumber++
		s.packet.Timestamp += samples
		s.packet.Marker = false
		s.task = ep.after(time.Until(start.Add(time.Duration(n+1)*frame)), func() { tick(n + 1) })
	}
	s.task = ep.after(media.Delay, func() { tick(0) })
}

func (s *stream) write() {
	b, err := s.packet.Marshal()
	if err != nil {
		return
	}
	if _, err := s.socket.conn.WriteTo(b, net.UDPAddrFromAddrPort(s.to)); err != nil {
		return
	}
	s.socket.mu.Lock()
	s.sent++
	s.socket.sent++
	s.socket.mu.Unlock()
}

// expect counts what the caller sends, if its address is known.
func (c *Carrier) expect(l *leg) {
	if to, ok := MediaAddr(l.invite.Body()); ok && c.media != nil && l.stream == nil {
		l.stream = c.media.open(to)
	}
}

func (c *Carrier) startMedia(l *leg) {
	c.expect(l)
	if l.stream != nil {
		l.stream.send(c.ep, *l.script.Media, c.rng)
	}
}
