package sipstream_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/sipstream"
)

// An answer goes through the connection of what it answers, and where its sender listens when that is over: whether it was so before, or while
// the answer waited. There is no third way.
func TestReply(t *testing.T) {
	var through *sipstream.Conn
	cfg := sipstream.Config{Handle: func(c *sipstream.Conn, _ []byte) { through = c }}
	bubble(t, cfg, func(t *testing.T, w *world) {
		back := sipstream.Peer{Addr: netip.MustParseAddrPort("10.0.0.2:5070")}
		l, err := w.network.ListenStream(back.Addr.String())
		require.NoError(t, err)
		in := make(chan string, 10)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					b, _ := io.ReadAll(c)
					in <- string(b)
				}()
			}
		}()
		ask := func() net.Conn {
			c := w.dial("10.0.0.2")
			_, err := io.WriteString(c, message(90))
			require.NoError(t, err)
			synctest.Wait()
			return c
		}
		c := ask()
		w.set.Reply(through, []byte("first"), back)
		buf := make([]byte, 16)
		n, err := c.Read(buf)
		require.NoError(t, err)
		require.Equal(t, "first", string(buf[:n]))
		c.Close()
		synctest.Wait()
		require.Zero(t, w.set.Stats().Dialled)
		w.set.Reply(through, []byte("second"), back)
		synctest.Wait()
		require.EqualValues(t, 1, w.set.Stats().Dialled)

		c = ask()
		w.set.Reply(through, []byte(" third"), back) // it waits, for nobody reads
		synctest.Wait()
		c.Close()
		synctest.Wait()
		require.EqualValues(t, 1, w.set.Stats().Dialled, "through the same one")
		require.NoError(t, l.Close())

		c = ask()
		w.set.Reply(through, []byte("fourth"), back)
		synctest.Wait()
		time.Sleep(time.Minute) // a peer that does not read is not called
		c.Close()
		require.NoError(t, w.set.Close())
		require.Equal(t, "second third", <-in)
		require.EqualValues(t, 1, w.set.Stats().Slow)
		require.Len(t, w.lost, 1)

		w.set.Reply(through, []byte("late"), back)
		require.Len(t, w.lost, 2)
	})
}

// Connections that are opened are bounded too, and one that is over makes room.
func TestDialledBound(t *testing.T) {
	bubble(t, sipstream.Config{MaxDialled: 2}, func(t *testing.T, w *world) {
		for i := range 3 {
			at := netip.MustParseAddrPort(fmt.Sprintf("10.0.1.%d:5060", i+1))
			l, err := w.network.ListenStream(at.String())
			require.NoError(t, err)
			defer l.Close()
			if i == 0 {
				go func() {
					c, err := l.Accept()
					if err == nil {
						_, _ = io.ReadFull(c, make([]byte, 90))
						time.Sleep(time.Second)
						c.Close()
					}
				}()
			}
			w.set.Send(sipstream.Peer{Addr: at}, []byte(message(90)))
			synctest.Wait()
		}
		require.Len(t, w.lost, 1)
		require.ErrorIs(t, w.reason[0], sipstream.ErrConnect)
		require.Equal(t, 2, w.set.Stats().Open)
		require.EqualValues(t, 1, w.set.Stats().Failed)
		time.Sleep(2 * time.Second)
		w.set.Send(sipstream.Peer{Addr: netip.MustParseAddrPort("10.0.1.3:5060")}, []byte(message(90)))
		synctest.Wait()
		require.Len(t, w.lost, 1)
	})
}
