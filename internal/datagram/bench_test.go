package datagram_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/datagram"
)

// ways are the two that are measured beside each other.
var ways = []struct {
	name string
	of   func(*net.UDPConn) datagram.Conn
}{
	{"net", func(c *net.UDPConn) datagram.Conn { return c }},
	{"direct", func(c *net.UDPConn) datagram.Conn { return datagram.New(c) }},
}

// BenchmarkLoopback sends one datagram and reads it, without a gap: what the calls themselves cost.
func BenchmarkLoopback(b *testing.B) {
	for _, way := range ways {
		b.Run(way.name, func(b *testing.B) {
			conn := listen(b, "udp4", "127.0.0.1:0")
			c, to, buf := way.of(conn), addrOf(conn), make([]byte, 600)
			b.ReportAllocs()
			for b.Loop() {
				_, err := c.WriteToUDPAddrPort(buf, to)
				require.NoError(b, err)
				_, _, err = c.ReadFromUDPAddrPort(buf)
				require.NoError(b, err)
			}
		})
	}
}
