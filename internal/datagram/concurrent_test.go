package datagram_test

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/datagram"
	"github.com/outdial/outdial/internal/race"
)

// reading reads in the background until something comes.
func reading(c datagram.Conn) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, _, err := c.ReadFromUDPAddrPort(make([]byte, 64))
		done <- err
	}()
	return done
}

// A read that waits is ended by a deadline that is set meanwhile, and by Close. It works again when the deadline is off.
func TestReadIsEnded(t *testing.T) {
	conn := listen(t, "udp4", "127.0.0.1:0")
	ours := datagram.New(conn)
	a, b := reading(ours), reading(ours)
	require.NoError(t, conn.SetReadDeadline(time.Now()))
	for _, done := range []<-chan error{a, b} {
		err := <-done
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.ErrorContains(t, err, "read udp4 "+conn.LocalAddr().String()+": i/o timeout")
	}
	require.NoError(t, conn.SetReadDeadline(time.Time{}))
	a = reading(ours)
	_, err := ours.WriteToUDPAddrPort([]byte("to myself"), addrOf(conn))
	require.NoError(t, err)
	require.NoError(t, <-a)
	a, b = reading(ours), reading(ours)
	require.NoError(t, conn.Close())
	require.ErrorIs(t, <-a, net.ErrClosed)
	require.ErrorIs(t, <-b, net.ErrClosed)
}

// TestConcurrent has several goroutines write and read the same two sockets: every datagram arrives once and whole. No more are under way than fit into
// the socket's buffer.
func TestConcurrent(t *testing.T) {
	const writers, readers, each = 4, 3, 500
	in, out := listen(t, "udp4", "127.0.0.1:0"), listen(t, "udp4", "127.0.0.1:0")
	from, to := datagram.New(in), datagram.New(out)
	room := make(chan struct{}, 32)
	var wrote, read sync.WaitGroup
	seen := make(chan uint64, writers*each)
	for range readers {
		read.Go(func() {
			b := make([]byte, 64)
			for {
				n, source, err := from.ReadFromUDPAddrPort(b)
				if err != nil {
					if n != 0 || !errors.Is(err, net.ErrClosed) {
						t.Error(n, err)
					}
					return
				}
				if n != 16 || source != addrOf(out) {
					t.Error(n, source)
				}
				x := binary.BigEndian.Uint64(b)
				if binary.BigEndian.Uint64(b[8:]) != ^x {
					t.Error("torn datagram")
				}
				seen <- x
				<-room
			}
		})
	}
	for w := range writers {
		wrote.Go(func() {
			b := make([]byte, 16)
			for i := range each {
				room <- struct{}{}
				x := uint64(w*each + i)
				binary.BigEndian.PutUint64(b, x)
				binary.BigEndian.PutUint64(b[8:], ^x)
				if n, err := to.WriteToUDPAddrPort(b, addrOf(in)); n != len(b) || err != nil {
					t.Error(n, err)
				}
			}
		})
	}
	wrote.Wait()
	all := map[uint64]bool{}
	for range writers * each {
		all[<-seen] = true
	}
	require.Len(t, all, writers*each)
	require.NoError(t, in.Close())
	read.Wait()
}

func TestAllocs(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	for _, kind := range []struct{ network, addr string }{{"udp4", "127.0.0.1:0"}, {"udp6", "[::1]:0"}} {
		t.Run(kind.network, func(t *testing.T) {
			conn := listen(t, kind.network, kind.addr)
			ours, to := datagram.New(conn), addrOf(conn)
			b := make([]byte, 1200)
			require.Zero(t, testing.AllocsPerRun(200, func() {
				_, err := ours.WriteToUDPAddrPort(b, to)
				require.NoError(t, err)
				n, from, err := ours.ReadFromUDPAddrPort(b)
				require.NoError(t, err)
				if n != len(b) || from != to {
					t.Error(n, from)
				}
			}))
		})
	}
}
