package main

import (
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/dnswire"
)

// nameServer answers for carrier.example on loopback: its NAPTR record leads to SRV records, the first of which names a dead port, the second one
// the carrier's.
func nameServer(t *testing.T, port string) (addr string) {
	t.Helper()
	n, err := strconv.ParseUint(port, 10, 16)
	require.NoError(t, err)
	record := func(kind dnswire.Type, r dnswire.Record) dnswire.Record {
		r.Type, r.TTL = kind, time.Minute
		return r
	}
	table := map[string][]dnswire.Record{
		"carrier.example NAPTR": {record(dnswire.TypeNAPTR, dnswire.Record{Name: "carrier.example", Priority: 1, Weight: 1, Flags: "s", Service: "SIP+D2U", Target: "_sip._udp.carrier.example"})},
		"_sip._udp.carrier.example SRV": {
			record(dnswire.TypeSRV, dnswire.Record{Name: "_sip._udp.carrier.example", Priority: 10, Port: 9, Target: "gw.carrier.example"}),
			record(dnswire.TypeSRV, dnswire.Record{Name: "_sip._udp.carrier.example", Priority: 20, Port: uint16(n), Target: "gw.carrier.example"}),
		},
		"gw.carrier.example A": {record(dnswire.TypeA, dnswire.Record{Name: "gw.carrier.example", Addr: netip.MustParseAddr("127.0.0.1")})},
	}
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			q, err := dnswire.Parse(buf[:n])
			if err != nil {
				continue
			}
			m := &dnswire.Message{ID: q.ID, Name: q.Name, Type: q.Type, Answers: table[q.Name+" "+q.Type.String()]}
			if m.Answers == nil {
				m.Code, m.Negative = dnswire.CodeNotThere, time.Minute
			}
			if b, err := dnswire.AppendAnswer(nil, m); err == nil {
				_, _ = c.WriteTo(b, from)
			}
		}
	}()
	t.Cleanup(func() {
		c.Close()
		<-done
	})
	return c.LocalAddr().String()
}
