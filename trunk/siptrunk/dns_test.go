package siptrunk

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/dnswire"
)

// A nameServer answers on loopback, over UDP and TCP, by a table of "name type".
type nameServer struct {
	t    *testing.T
	udp  net.PacketConn
	tcp  net.Listener
	done sync.WaitGroup

	asked  atomic.Int64
	silent atomic.Bool
	code   atomic.Int64 // of every answer; 0 = by the table
	tooBig atomic.Bool  // for a datagram

	mu    sync.Mutex
	table map[string][]dnswire.Record
}

func startNameServer(t *testing.T, records ...dnswire.Record) *nameServer {
	t.Helper()
	s := &nameServer{t: t, table: map[string][]dnswire.Record{}}
	for _, r := range records {
		key := r.Name + " " + r.Type.String()
		s.table[key] = append(s.table[key], r)
	}
	var err error
	for range 20 { // the same port for both
		s.udp, err = net.ListenPacket("udp4", "127.0.0.1:0")
		require.NoError(t, err)
		if s.tcp, err = net.Listen("tcp4", s.udp.LocalAddr().String()); err == nil {
			break
		}
		s.udp.Close()
	}
	require.NoError(t, err)
	s.done.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := s.udp.ReadFrom(buf)
			if err != nil {
				return
			}
			if answer := s.answer(buf[:n], s.tooBig.Load()); answer != nil {
				_, _ = s.udp.WriteTo([]byte("not DNS"), from)
				forged := append([]byte{^answer[0]}, answer[1:]...) // another id
				_, _ = s.udp.WriteTo(forged, from)
				_, _ = s.udp.WriteTo(answer, from)
			}
		}
	})
	s.done.Go(func() {
		for {
			c, err := s.tcp.Accept()
			if err != nil {
				return
			}
			var size [2]byte
			_, _ = io.ReadFull(c, size[:])
			b := make([]byte, binary.BigEndian.Uint16(size[:]))
			_, _ = io.ReadFull(c, b)
			if answer := s.answer(b, false); answer != nil {
				_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
			}
			c.Close()
		}
	})
	t.Cleanup(func() {
		s.udp.Close()
		s.tcp.Close()
		s.done.Wait()
	})
	return s
}

func (s *nameServer) addr() string { return s.udp.LocalAddr().String() }

func (s *nameServer) answer(query []byte, cut bool) []byte {
	q, err := dnswire.Parse(query)
	if err != nil {
		return nil
	}
	s.asked.Add(1)
	if s.silent.Load() {
		return nil
	}
	m := &dnswire.Message{ID: q.ID, Name: q.Name, Type: q.Type, Code: int(s.code.Load()), Truncated: cut}
	if m.Code == 0 && !cut {
		s.mu.Lock()
		name := q.Name
		for range 3 {
			alias := s.table[name+" CNAME"]
			if len(alias) == 0 {
				break
			}
			m.Answers = append(m.Answers, alias...)
			name = alias[0].Target
		}
		m.Answers = append(m.Answers, s.table[name+" "+q.Type.String()]...)
		s.mu.Unlock()
		if len(m.Answers) == 0 {
			m.Code, m.Negative = dnswire.CodeNotThere, 20*time.Second
		}
	}
	b, err := dnswire.AppendAnswer(nil, m)
	if err != nil {
		return nil
	}
	return b
}

func (s *nameServer) set(r dnswire.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.table[r.Name+" "+r.Type.String()] = []dnswire.Record{r}
}

func address(name, addr string, ttl time.Duration) dnswire.Record {
	a := netip.MustParseAddr(addr)
	r := dnswire.Record{Name: name, Type: dnswire.TypeA, TTL: ttl, Addr: a}
	if a.Is6() {
		r.Type = dnswire.TypeAAAA
	}
	return r
}

func server(name string, priority, port uint16, target string) dnswire.Record {
	return dnswire.Record{Name: name, Type: dnswire.TypeSRV, TTL: time.Minute, Priority: priority, Port: port, Target: target}
}

func pointer(name string, order, preference uint16, service, target string) dnswire.Record {
	return dnswire.Record{Name: name, Type: dnswire.TypeNAPTR, TTL: time.Minute, Priority: order, Weight: preference, Flags: "s", Service: service, Target: target}
}

// asking is a resolver of these servers with a clock of its own.
func asking(t *testing.T, servers ...string) (*resolver, *time.Time) {
	t.Helper()
	r, err := newResolver(DNS{Servers: servers, Timeout: 200 * time.Millisecond})
	require.NoError(t, err)
	now := time.Unix(1_800_000_000, 0)
	r.now = func() time.Time { return now }
	return r, &now
}

// An answer is kept for as long as it says, that there is none too; aliases are followed, and what is too long for a datagram comes over TCP.
func TestResolver(t *testing.T) {
	s := startNameServer(t, address("a.example", "192.0.2.1", time.Minute), address("a.example", "2001:db8::1", time.Minute),
		dnswire.Record{Name: "b.example", Type: dnswire.TypeCNAME, TTL: 10 * time.Second, Target: "a.example"})
	r, now := asking(t, s.addr())
	look := func(name string, want ...string) {
		t.Helper()
		got, err := r.lookup(t.Context(), name, dnswire.TypeA)
		if want == nil {
			require.ErrorIs(t, err, errNotThere)
			return
		}
		require.NoError(t, err)
		var addrs []string
		for _, a := range got {
			addrs = append(addrs, a.Addr.String())
		}
		require.Equal(t, want, addrs)
	}
	look("A.Example.", "192.0.2.1")
	s.set(address("a.example", "192.0.2.9", time.Minute))
	*now = now.Add(59 * time.Second)
	look("a.example", "192.0.2.1")
	require.EqualValues(t, 1, s.asked.Load())
	*now = now.Add(time.Second)
	look("a.example", "192.0.2.9")
	look("b.example", "192.0.2.9")
	require.EqualValues(t, 3, s.asked.Load())
	*now = now.Add(10 * time.Second) // the alias holds for less than what it leads to
	look("b.example", "192.0.2.9")
	require.EqualValues(t, 4, s.asked.Load())

	look("none.example")
	*now = now.Add(19 * time.Second)
	look("none.example")
	require.EqualValues(t, 5, s.asked.Load())
	s.set(address("none.example", "192.0.2.2", 0))
	*now = now.Add(time.Second)
	look("none.example", "192.0.2.2")
	s.set(address("none.example", "192.0.2.3", 0))
	look("none.example", "192.0.2.3") // a TTL of 0 is not kept

	s.tooBig.Store(true)
	*now = now.Add(time.Hour)
	look("a.example", "192.0.2.9")
	all, err := r.addresses(t.Context(), "a.example")
	require.NoError(t, err)
	require.Len(t, all, 2)
}

// A server that is silent, or says that it failed, is passed over; when all of them are, what was known does for an hour, and they are not
// asked for every call.
func TestResolverFails(t *testing.T) {
	broken, s := startNameServer(t), startNameServer(t, address("a.example", "192.0.2.1", time.Minute))
	broken.silent.Store(true)
	r, now := asking(t, broken.addr(), s.addr())
	got, err := r.lookup(t.Context(), "a.example", dnswire.TypeA)
	require.NoError(t, err)
	require.Len(t, got, 1)
	broken.silent.Store(false)
	broken.code.Store(2) // SERVFAIL
	*now = now.Add(time.Minute)
	_, err = r.lookup(t.Context(), "a.example", dnswire.TypeA)
	require.NoError(t, err)

	s.code.Store(2)
	*now = now.Add(time.Minute)
	before := s.asked.Load()
	for range 10 {
		got, err = r.lookup(t.Context(), "a.example", dnswire.TypeA)
		require.NoError(t, err)
		require.Len(t, got, 1, "it was known")
	}
	require.EqualValues(t, before+2, s.asked.Load(), "twice for one question")
	_, err = r.lookup(t.Context(), "b.example", dnswire.TypeA)
	require.ErrorIs(t, err, errNoAnswer)
	*now = now.Add(time.Hour)
	_, err = r.lookup(t.Context(), "a.example", dnswire.TypeA)
	require.ErrorIs(t, err, errNoAnswer, "but not for ever")
	s.code.Store(0)
	_, err = r.lookup(t.Context(), "a.example", dnswire.TypeA)
	require.ErrorIs(t, err, errNoAnswer, "two seconds")
	*now = now.Add(2 * time.Second)
	_, err = r.lookup(t.Context(), "a.example", dnswire.TypeA)
	require.NoError(t, err)

	broken.silent.Store(true)
	s.silent.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = r.lookup(ctx, "c.example", dnswire.TypeA)
	require.True(t, errors.Is(err, context.DeadlineExceeded), "%v", err)
}

// Calls that ask at the same time ask once, and the table does not grow without end.
func TestResolverLoad(t *testing.T) {
	s := startNameServer(t, address("a.example", "192.0.2.1", time.Minute))
	r, _ := asking(t, s.addr())
	r.timeout = 30 * time.Second
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			got, err := r.lookup(t.Context(), "a.example", dnswire.TypeA)
			if err != nil || len(got) != 1 {
				t.Error(got, err)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, s.asked.Load())
	for i := range 2 * maxAnswers {
		r.mu.Lock()
		r.makeRoom(r.now())
		r.answers[question{name: strings.Repeat("x", i%60) + ".example", kind: dnswire.Type(i)}] = &answer{until: r.now().Add(time.Hour)}
		r.mu.Unlock()
	}
	require.LessOrEqual(t, len(r.answers), maxAnswers)
}

func TestSystemServers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resolv.conf")
	require.NoError(t, os.WriteFile(file, []byte("# hi\nsearch a\nnameserver 192.0.2.53\nnameserver 2001:db8::53\nnameserver nonsense\nnameserver\n"), 0o600))
	require.Equal(t, []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53"), netip.MustParseAddrPort("[2001:db8::53]:53")}, systemServers(file))
	require.Empty(t, systemServers(file+".none"))
}

// RFC 3263 §4: from a domain by NAPTR and SRV to addresses, asked of a DNS server.
func TestServerSelection(t *testing.T) {
	s := startNameServer(t,
		address("gw1.example", "192.0.2.1", time.Minute), address("gw2.example", "192.0.2.2", time.Minute), address("plain.example", "192.0.2.3", time.Minute),
		address("six.example", "2001:db8::6", time.Minute),
		pointer("all.example", 20, 10, "SIP+D2U", "_sip._udp.all.example"), pointer("all.example", 10, 20, "SIP+D2T", "_sip._tcp.all.example"),
		pointer("all.example", 10, 10, "SIPS+D2T", "_sips._tcp.elsewhere.example"), pointer("all.example", 5, 10, "E2U+SIP", "_x.all.example"),
		server("_sip._udp.all.example", 1, 5060, "gw1.example"), server("_sip._tcp.all.example", 1, 5070, "gw2.example"), server("_sips._tcp.elsewhere.example", 1, 5061, "gw1.example"),
		pointer("odd.example", 1, 1, "SIP+D2S", "_sip._sctp.odd.example"), server("_sip._tcp.odd.example", 1, 5062, "gw1.example"),
		server("_sip._udp.two.example", 20, 5060, "gw1.example"), server("_sip._udp.two.example", 10, 5064, "gw2.example"), server("_sip._tcp.two.example", 10, 5064, "gw2.example"),
		server("_sip._udp.none.example", 0, 0, ""), server("_sip._udp.lost.example", 1, 5060, "gone.example"),
	)
	d, err := New(Config{ListenAddr: "127.0.0.1:0", DNS: DNS{Servers: []string{s.addr()}}})
	require.NoError(t, err)
	defer d.Close()
	for _, tt := range []struct {
		addr      string
		transport Transport
		want      string
	}{
		{"all.example", TransportAuto, "TLS 192.0.2.1:5061, TCP 192.0.2.2:5070, 192.0.2.1:5060"},
		{"all.example", TransportUDP, "192.0.2.1:5060"},
		{"all.example", TransportTCP, "TCP 192.0.2.2:5070"},
		{"two.example", TransportAuto, "192.0.2.2:5064, 192.0.2.1:5060"},
		{"odd.example", TransportAuto, "TCP 192.0.2.1:5062"}, // NAPTR knows nothing that we speak
		{"plain.example", TransportAuto, "192.0.2.3:5060"},
		{"plain.example", TransportTLS, "TLS 192.0.2.3:5061"},
		{"plain.example:5090", TransportTCP, "TCP 192.0.2.3:5090"},
		{"none.example", TransportAuto, ""},
		{"lost.example", TransportAuto, ""},
		{"unknown.example", TransportAuto, ""},
		{"six.example", TransportAuto, ""}, // our socket is of the other family
	} {
		t.Run(tt.addr+" "+tt.transport.String(), func(t *testing.T) {
			r, err := newRoute(Trunk{Addr: tt.addr, Transport: tt.transport}, "host.invalid", nil)
			require.NoError(t, err)
			hops, err := r.resolve(t.Context(), d)
			var got []string
			for _, h := range hops {
				got = append(got, h.String())
				if h.transport == TransportTLS {
					require.Equal(t, r.host, h.tls.ServerName, "the certificate is to be for the domain, whatever DNS says")
				}
			}
			require.Equal(t, tt.want, strings.Join(got, ", "))
			require.Equal(t, tt.want == "", err != nil)
		})
	}
}
