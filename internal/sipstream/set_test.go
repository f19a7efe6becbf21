package sipstream_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/outdial/outdial/internal/sipstream"
	"github.com/outdial/outdial/internal/siptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const here = "10.0.0.1:5060"

// A world is a Set that listens on an in-memory network, and what it was told.
type world struct {
	t       *testing.T
	network *siptest.Network
	set     *sipstream.Set

	mu     sync.Mutex
	got    []string
	lost   []string
	reason []error
	closed int
}

// message is one of n bytes.
func message(n int) string {
	head := "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: %05d\r\n\r\n"
	body := n - len(fmt.Sprintf(head, 0))
	return fmt.Sprintf(head, body) + strings.Repeat("x", body)
}

func bubble(t *testing.T, cfg sipstream.Config, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network, err := siptest.NewNetwork(siptest.NetworkConfig{})
		require.NoError(t, err)
		w := &world{t: t, network: network}
		if cfg.Handle == nil {
			cfg.Handle = func(_ *sipstream.Conn, msg []byte) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.got = append(w.got, string(msg))
			}
		}
		cfg.Lost = func(_ sipstream.Peer, msg []byte, err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.lost, w.reason = append(w.lost, string(msg)), append(w.reason, err)
		}
		cfg.Closed = func(*sipstream.Conn) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.closed++
		}
		cfg.Dial = func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			return network.DialStream(ctx, netip.MustParseAddr("10.0.0.1"), to)
		}
		w.set = sipstream.New(cfg)
		l, err := network.ListenStream(here)
		require.NoError(t, err)
		served := make(chan error, 1)
		go func() { served <- w.set.Serve(l, nil) }()
		f(t, w)
		require.NoError(t, w.set.Close())
		require.NoError(t, <-served)
		require.Zero(t, w.set.Stats().Open)
		require.Zero(t, w.set.Known(), "nothing is kept of those that are over")
	})
}

func (w *world) dial(from string) net.Conn {
	w.t.Helper()
	c, err := w.network.DialStream(w.t.Context(), netip.MustParseAddr(from), netip.MustParseAddrPort(here))
	require.NoError(w.t, err)
	return c
}

// told is what was lost so far, and why.
func (w *world) told() (lost []string, why []error) {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.lost), slices.Clone(w.reason)
}

// messages are those that have come.
func (w *world) messages() []string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.got)
}

// over waits until the far end has closed a connection.
func over(c net.Conn) error {
	_, err := io.Copy(io.Discard, c)
	return err
}

// A message of 64 KiB passes, one byte more ends the connection.
func TestLongest(t *testing.T) {
	bubble(t, sipstream.Config{}, func(t *testing.T, w *world) {
		c := w.dial("10.0.0.2")
		_, err := io.WriteString(c, message(64<<10)+message(100))
		require.NoError(t, err)
		got := w.messages()
		require.Len(t, got, 2)
		require.Len(t, got[0], 64<<10)
		go io.WriteString(c, message(64<<10+1)) //nolint:errcheck // it is cut off
		require.NoError(t, over(c))
		require.EqualValues(t, 1, w.set.Stats().Malformed)
	})
}

// However slowly a message comes: it has its time, and no more. An idle connection has another.
func TestTimes(t *testing.T) {
	cfg := sipstream.Config{MessageTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	bubble(t, cfg, func(t *testing.T, w *world) {
		start := time.Now()
		silent := w.dial("10.0.0.2")
		require.NoError(t, over(silent))
		require.Equal(t, 10*time.Second, time.Since(start), "nothing")

		start = time.Now()
		slow := w.dial("10.0.0.2")
		for _, b := range []byte(message(100)) {
			if _, err := slow.Write([]byte{b}); err != nil {
				break
			}
			time.Sleep(time.Second)
		}
		require.LessOrEqual(t, time.Since(start), 12*time.Second, "a byte each second")
		require.EqualValues(t, 2, w.set.Stats().HalfOpen)

		start = time.Now()
		c := w.dial("10.0.0.2")
		for range 3 { // each message begins anew
			for _, b := range []byte(message(90)) {
				_, err := c.Write([]byte{b})
				require.NoError(t, err)
				time.Sleep(100 * time.Millisecond)
			}
			time.Sleep(30 * time.Second)
			_, err := io.WriteString(c, "\r\n") // begins nothing
			require.NoError(t, err)
		}
		require.NoError(t, over(c))
		require.InDelta(t, 3*(30+9)+30, time.Since(start).Seconds(), 1, "a minute after the last message")
		require.Len(t, w.messages(), 3)
		require.EqualValues(t, 2, w.set.Stats().HalfOpen, "that was no fault")
		require.EqualValues(t, 1, w.set.Stats().Idle)
	})
}

// Connections are bounded, of one address and of all, and who is not admitted gets none.
func TestBounds(t *testing.T) {
	cfg := sipstream.Config{MaxConns: 5, MaxPerSource: 3, MessageTimeout: -1, Admit: func(a netip.Addr) bool { return a != netip.MustParseAddr("10.6.6.6") }}
	bubble(t, cfg, func(t *testing.T, w *world) {
		var open []net.Conn
		for _, from := range []string{"10.0.0.2", "10.0.0.2", "10.0.0.2"} {
			open = append(open, w.dial(from))
		}
		require.NoError(t, over(w.dial("10.0.0.2")), "of one")
		for _, from := range []string{"10.0.0.3", "10.0.0.4"} {
			open = append(open, w.dial(from))
		}
		require.NoError(t, over(w.dial("10.0.0.9")), "of all")
		require.NoError(t, over(w.dial("10.6.6.6")))
		s := w.set.Stats()
		require.Equal(t, 5, s.Open)
		require.EqualValues(t, 2, s.Excess)
		require.EqualValues(t, 1, s.Strangers)
		require.NoError(t, open[0].Close())
		synctest.Wait()
		more := w.dial("10.0.0.2")
		_, err := io.WriteString(more, message(100))
		require.NoError(t, err, "one that ends makes room")
		require.Len(t, w.messages(), 1)
	})
}

// A ping has its pong (RFC 5626), and an answer goes through the connection of its request.
func TestPing(t *testing.T) {
	bubble(t, sipstream.Config{Handle: func(c *sipstream.Conn, msg []byte) { c.Send([]byte("answer")) }}, func(t *testing.T, w *world) {
		c := w.dial("10.0.0.2")
		buf := make([]byte, 100)
		for in, want := range map[string]string{"\r\n\r\n": "\r\n", message(100): "answer"} {
			go io.WriteString(c, in) //nolint:errcheck // what is read says so
			n, err := c.Read(buf)
			require.NoError(t, err)
			require.Equal(t, want, string(buf[:n]))
		}
	})
}

// What cannot be written is told: no connection, none in time, a peer that does not read, the end of the Set.
func TestLost(t *testing.T) {
	cfg := sipstream.Config{MaxQueue: 1000}
	bubble(t, cfg, func(t *testing.T, w *world) {
		to := func(a string) sipstream.Peer { return sipstream.Peer{Addr: netip.MustParseAddrPort(a)} }
		w.set.Send(to("10.0.0.7:1"), []byte("a"))
		lost, why := w.told()
		require.Equal(t, []string{"a"}, lost)
		require.ErrorIs(t, why[0], sipstream.ErrConnect)

		require.NoError(t, w.network.Cut("10.0.0.1", "10.0.0.8"))
		w.set.Send(to("10.0.0.8:1"), []byte("b"))
		time.Sleep(2 * time.Second)
		lost, why = w.told()
		require.Equal(t, []string{"a", "b"}, lost)
		require.ErrorIs(t, why[1], sipstream.ErrConnect)
		require.EqualValues(t, 2, w.set.Stats().Failed)

		stuck, err := w.network.ListenStream("10.0.0.9:1")
		require.NoError(t, err)
		defer stuck.Close()
		go stuck.Accept() //nolint:errcheck // it is never read
		w.set.Send(to("10.0.0.9:1"), []byte("c"))
		time.Sleep(4 * time.Second)
		lost, _ = w.told()
		require.Len(t, lost, 2)
		time.Sleep(time.Second)
		lost, why = w.told()
		require.Equal(t, []string{"a", "b", "c"}, lost)
		require.ErrorIs(t, why[2], sipstream.ErrSlow)
		w.mu.Lock()
		closed := w.closed
		w.mu.Unlock()
		require.Equal(t, 1, closed)
		go stuck.Accept() //nolint:errcheck // it is never read
		for range 12 {
			w.set.Send(to("10.0.0.9:1"), []byte(strings.Repeat("d", 100)))
		}
		lost, _ = w.told()
		require.GreaterOrEqual(t, len(lost), 3+11, "too much waits: that is known at once")
		require.EqualValues(t, 2, w.set.Stats().Slow)

		require.NoError(t, w.set.Close())
		lost, _ = w.told()
		w.set.Send(to(here), []byte("e"))
		all, why := w.told()
		require.Len(t, all, len(lost)+1)
		require.ErrorIs(t, why[len(lost)], sipstream.ErrClosed)
	})
}

// Two thousand connections on real sockets, of which some never say a whole message, and others what is no SIP: when they are over, goroutines and
// memory are what they were.
func TestBaseline(t *testing.T) {
	var mu sync.Mutex
	got := 0
	set := sipstream.New(sipstream.Config{MessageTimeout: 100 * time.Millisecond, MaxPerSource: -1, Handle: func(c *sipstream.Conn, msg []byte) {
		c.Send([]byte("SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"))
		mu.Lock()
		defer mu.Unlock()
		got++
	}})
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- set.Serve(l, nil) }()
	round := func() {
		var clients sync.WaitGroup
		for i := range 200 {
			clients.Go(func() {
				c, err := net.Dial("tcp4", l.Addr().String())
				if err != nil {
					return
				}
				defer c.Close()
				switch i % 3 {
				case 0:
					_, _ = io.WriteString(c, message(40000))
					buf := make([]byte, 100)
					_, _ = c.Read(buf)
				case 1:
					_, _ = io.WriteString(c, message(5000)[:4000])
					_ = over(c)
				case 2:
					_, _ = io.WriteString(c, strings.Repeat("GET / HTTP/1.1\r\n", 100))
					_ = over(c)
				}
			})
		}
		clients.Wait()
		require.Eventually(t, func() bool { return set.Stats().Open == 0 }, 30*time.Second, time.Millisecond)
	}
	staysLevel(t, 9, round, "of 1,800 connections")
	s := set.Stats()
	require.Positive(t, s.HalfOpen)
	require.Positive(t, s.Malformed)
	require.Positive(t, got)
	require.NoError(t, set.Close())
	require.NoError(t, <-served)
}
