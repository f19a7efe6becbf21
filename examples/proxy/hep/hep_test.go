package hep_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/hep"
	"github.com/outdial/outdial/internal/race"
)

var at = time.Date(2026, 3, 2, 10, 0, 0, 123_456_789, time.UTC)

func packet(payload string) *hep.Packet {
	return &hep.Packet{
		Time: at, From: netip.MustParseAddrPort("192.0.2.1:5060"), To: netip.MustParseAddrPort("198.51.100.7:5080"),
		Correlation: "abc@dialer", Payload: []byte(payload),
	}
}

// The bytes are those of the specification, written out once by hand.
func TestPacketBytes(t *testing.T) {
	p := packet("SIP")
	got, err := p.Append(nil, &hep.Identity{Agent: 2001, Key: "pw"})
	require.NoError(t, err)
	want := "HEP3\x00\x7e" +
		"\x00\x00\x00\x01\x00\x07\x02" + // IPv4
		"\x00\x00\x00\x02\x00\x07\x11" + // UDP
		"\x00\x00\x00\x03\x00\x0a\xc0\x00\x02\x01" +
		"\x00\x00\x00\x04\x00\x0a\xc6\x33\x64\x07" +
		"\x00\x00\x00\x07\x00\x08\x13\xc4" +
		"\x00\x00\x00\x08\x00\x08\x13\xd8" +
		"\x00\x00\x00\x09\x00\x0a\x69\xa5\x5f\xa0" +
		"\x00\x00\x00\x0a\x00\x0a\x00\x01\xe2\x40" + // 123456 µs
		"\x00\x00\x00\x0b\x00\x07\x01" + // SIP
		"\x00\x00\x00\x0c\x00\x0a\x00\x00\x07\xd1" +
		"\x00\x00\x00\x0e\x00\x08pw" +
		"\x00\x00\x00\x11\x00\x10abc@dialer" +
		"\x00\x00\x00\x0f\x00\x09SIP"
	require.Len(t, want, 0x7e)
	require.Equal(t, want, string(got))
}

func TestPacketOfIPv6(t *testing.T) {
	p := packet("x")
	p.From, p.Transport = netip.MustParseAddrPort("[2001:db8::1]:5061"), hep.TCP
	b, err := p.Append([]byte("before"), &hep.Identity{Node: "edge-1"})
	require.NoError(t, err)
	got, id, err := hep.Parse(b[len("before"):])
	require.NoError(t, err)
	require.Equal(t, byte(10), b[len("before")+12], "the family of both, where one is IPv6")
	require.Equal(t, "edge-1", id.Node)
	got.Time, p.Time = time.Time{}, time.Time{}
	require.Equal(t, *p, got)
}

func TestPacketThatDoesNotFit(t *testing.T) {
	long := strings.Repeat("x", 65507-120)
	_, err := packet(long).Append(nil, &hep.Identity{})
	require.NoError(t, err)
	before := []byte("before")
	b, err := packet(long+"0123456789").Append(before, &hep.Identity{})
	require.ErrorIs(t, err, hep.ErrTooLong)
	require.Equal(t, before, b)
}

// Whatever a message and its texts hold, a collector reads what was written.
func FuzzPacket(f *testing.F) {
	f.Add([]byte("INVITE sip:a@b SIP/2.0\r\n\r\n"), "id@host", "secret", "node", uint16(5060), []byte{127, 0, 0, 1}, int64(1_700_000_000_000_001))
	f.Add([]byte{}, "", "", "", uint16(0), []byte{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, int64(0))
	f.Add(bytes.Repeat([]byte{0}, 65500), strings.Repeat("c", 2000), "\x00", "é", uint16(65535), []byte(nil), int64(4_294_967_295_999_999))
	f.Fuzz(func(t *testing.T, payload []byte, correlation, key, node string, port uint16, ip []byte, micros int64) {
		if micros < 0 || micros >= 1<<32*1_000_000 {
			return // beyond what the format counts
		}
		addr, _ := netip.AddrFromSlice(ip)
		p := &hep.Packet{
			Time: time.UnixMicro(micros), From: netip.AddrPortFrom(addr.WithZone(""), port), To: netip.MustParseAddrPort("10.0.0.1:5060"),
			Correlation: correlation, Payload: payload,
		}
		b, err := p.Append(nil, &hep.Identity{Agent: uint32(port), Key: key, Node: node})
		if err != nil {
			require.Greater(t, len(payload)+len(key)+len(node)+len(correlation), 60_000)
			return
		}
		d, id, err := hep.Parse(b)
		require.NoError(t, err)
		require.Equal(t, string(payload), string(d.Payload))
		require.Equal(t, []string{cut(correlation), cut(key), cut(node)}, []string{d.Correlation, id.Key, id.Node})
		require.Equal(t, micros, d.Time.UnixMicro())
		require.Equal(t, port, d.From.Port())
		require.Equal(t, uint32(port), id.Agent)
		require.Equal(t, "10.0.0.1", d.To.Addr().String())
		if addr.IsValid() {
			require.Equal(t, addr.Unmap().WithZone(""), d.From.Addr())
		}
	})
}

// What comes from the network is read or refused, and what is read can be written again.
func FuzzParse(f *testing.F) {
	good, err := packet("SIP").Append(nil, &hep.Identity{Agent: 1, Key: "k", Node: "n"})
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte("HEP3\x00\x06"))
	f.Add(append(good[:len(good):len(good)], 0, 9, 0, 1, 0, 6))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, id, err := hep.Parse(b)
		if err != nil {
			require.ErrorIs(t, err, hep.ErrMalformed)
			return
		}
		if p.Transport == 0 || len(p.Correlation) > 1024 || len(id.Key) > 1024 || len(id.Node) > 1024 || p.Time.Unix() >= 1<<32 {
			return
		}
		again, err := p.Append(nil, &id)
		if errors.Is(err, hep.ErrTooLong) {
			return
		}
		q, other, err := hep.Parse(again)
		require.NoError(t, err)
		require.Equal(t, p, q)
		require.Equal(t, id, other)
	})
}

func TestParseRefuses(t *testing.T) {
	good, err := packet("SIP").Append(nil, &hep.Identity{})
	require.NoError(t, err)
	for i := range good {
		_, _, err := hep.Parse(good[:i])
		require.ErrorIs(t, err, hep.ErrMalformed)
	}
	for at, what := range map[int]string{12: "family", 66: "bytes", 8: "chunk"} {
		b := bytes.Clone(good)
		b[at] ^= 0x40
		_, _, err := hep.Parse(b)
		require.ErrorIs(t, err, hep.ErrMalformed, what)
	}
}

func cut(s string) string { return s[:min(len(s), 1024)] }

// What is put into the queue arrives, in order.
func TestSender(t *testing.T) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer conn.Close()
	s, err := hep.New(hep.Config{Collector: conn.LocalAddr().String(), Identity: hep.Identity{Agent: 7}})
	require.NoError(t, err)
	for _, text := range []string{"one", "two", "three"} {
		s.Send(packet(text))
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error)
	go func() { ran <- s.Run(ctx) }()
	buf := make([]byte, 65535)
	for _, want := range []string{"one", "two", "three"} {
		n, _, err := conn.ReadFrom(buf)
		require.NoError(t, err)
		p, _, err := hep.Parse(buf[:n])
		require.NoError(t, err)
		require.Equal(t, want, string(p.Payload))
		require.Equal(t, at.Truncate(time.Microsecond), p.Time.UTC())
	}
	stop()
	require.NoError(t, <-ran)
	require.Equal(t, hep.Stats{Sent: 3}, s.Stats())
}

// Without anybody who sends, nobody waits: what is too much is counted.
func TestSenderNeverWaits(t *testing.T) {
	s, err := hep.New(hep.Config{Collector: "127.0.0.1:9", Queue: 10})
	require.NoError(t, err)
	for range 25 {
		s.Send(packet("x"))
	}
	s.Send(packet(strings.Repeat("x", 65507)))
	require.Equal(t, hep.Stats{Dropped: 16}, s.Stats())
	ctx, stop := context.WithCancel(context.Background())
	stop()
	require.NoError(t, s.Run(ctx))
	require.EqualValues(t, 10, s.Stats().Sent+s.Stats().Failed)
}

func TestConfigNamesEveryBadField(t *testing.T) {
	for _, addr := range []string{"", "homer", "homer:0", "homer:x", ":9060"} {
		_, err := hep.New(hep.Config{Collector: addr, Queue: -1, Identity: hep.Identity{Key: strings.Repeat("x", 1025)}})
		for _, field := range []string{"collector: ", "queue: ", "key, node: "} {
			require.ErrorContains(t, err, field, addr)
		}
	}
}

func TestSendAllocatesNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	s, err := hep.New(hep.Config{Collector: "127.0.0.1:9", Queue: 1})
	require.NoError(t, err)
	p := packet(strings.Repeat("x", 900))
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { s.Send(p) }), 0.1)
}

// BenchmarkSend is what a call pays for each of its messages.
func BenchmarkSend(b *testing.B) {
	s, err := hep.New(hep.Config{Collector: "127.0.0.1:9", Queue: 1})
	require.NoError(b, err)
	p := packet(strings.Repeat("x", 900))
	b.ReportAllocs()
	for b.Loop() {
		s.Send(p)
	}
}
