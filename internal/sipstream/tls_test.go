package sipstream_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/sipstream"
	"github.com/outdial/outdial/internal/siptest"
)

// halfHello is how a handshake begins.
var halfHello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("x", 20)

// memory is the heap in use.
func memory() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// staysLevel has a round done once, as what is made once is made then, and demands that goroutines and memory are the same after some more.
func staysLevel(t *testing.T, rounds int, round func(), of string) {
	t.Helper()
	round()
	before, goroutines := memory(), runtime.NumGoroutine()
	for range rounds {
		round()
	}
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+2 }, 30*time.Second, time.Millisecond)
	require.Less(t, memory(), before+(256<<10), of)
}

// Hundreds of TLS connections on real sockets, opened by either side, of which some get no further than half a handshake, or fail it: when they
// are over, goroutines and memory are what they were.
func TestBaselineTLS(t *testing.T) {
	authority, err := siptest.NewAuthority("everybody")
	require.NoError(t, err)
	cert, err := authority.Issue("localhost", "127.0.0.1")
	require.NoError(t, err)
	server := &tls.Config{Certificates: []tls.Certificate{cert}}
	client := &tls.Config{RootCAs: authority.Pool(), ServerName: "127.0.0.1"}
	distrustful := &tls.Config{ServerName: "127.0.0.1"} // it knows no authority that has signed

	ended := make(chan struct{}, 1000) // a message that was answered, or is known to be lost
	set := sipstream.New(sipstream.Config{
		MessageTimeout: time.Minute, ConnectTimeout: time.Minute, MaxPerSource: -1, // nothing here waits for them
		Handle: func(c *sipstream.Conn, msg []byte) {
			if c.Accepted() {
				c.Send([]byte("SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"))
				return
			}
			ended <- struct{}{}
			c.Close()
		},
		Lost: func(sipstream.Peer, []byte, error) { ended <- struct{}{} },
	})
	listen := func() net.Listener {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		require.NoError(t, err)
		return l
	}
	l := listen()
	served := make(chan error, 1)
	go func() { served <- set.Serve(l, func() *tls.Config { return server }) }()

	far := tls.NewListener(listen(), server) // who is dialled answers, and closes
	mute := listen()                         // … or goes without a word
	var peers sync.WaitGroup
	answer := func(l net.Listener, reply string) {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			peers.Go(func() {
				defer c.Close()
				if reply == "" {
					_, _ = c.Read(make([]byte, 100))
					return
				}
				if _, err := io.ReadFull(c, make([]byte, 300)); err == nil {
					_, _ = io.WriteString(c, reply)
				}
			})
		}
	}
	peers.Go(func() { answer(far, message(200)) })
	peers.Go(func() { answer(mute, "") })

	round := func() {
		const n = 120
		var clients sync.WaitGroup
		for i := range n {
			clients.Go(func() {
				raw, err := net.Dial("tcp4", l.Addr().String())
				if err != nil {
					return
				}
				defer raw.Close()
				switch i % 4 {
				case 0, 1: // a message and its answer
					c := tls.Client(raw, client)
					_, _ = io.WriteString(c, message(9000))
					_, _ = c.Read(make([]byte, 100))
					if i%8 == 0 {
						_ = c.Close() // with its farewell
					}
				case 2: // half a handshake
					_, _ = io.WriteString(raw, halfHello)
				case 3: // one that fails
					_ = tls.Client(raw, distrustful).Handshake()
				}
			})
		}
		for i := range n { // each configuration is a peer of its own
			to := sipstream.Peer{Addr: netip.MustParseAddrPort(far.Addr().String()), TLS: client.Clone()}
			switch i % 4 {
			case 2:
				to.Addr = netip.MustParseAddrPort(mute.Addr().String())
			case 3:
				to.TLS = distrustful.Clone()
			}
			set.Send(to, []byte(message(300)))
		}
		for range n {
			<-ended
		}
		clients.Wait()
		require.Eventually(t, func() bool { return set.Stats().Open == 0 }, 30*time.Second, time.Millisecond)
	}
	staysLevel(t, 4, round, "of 960 connections")
	s := set.Stats()
	require.EqualValues(t, 5*120, s.Accepted)
	require.EqualValues(t, 5*120, s.Dialled+s.Failed)
	require.Positive(t, s.Dialled)
	require.Positive(t, s.HalfOpen, "half a handshake")
	require.Positive(t, s.Malformed, "one that failed")
	require.Zero(t, set.Known())
	require.NoError(t, set.Close())
	require.NoError(t, <-served)
	require.NoError(t, far.Close())
	require.NoError(t, mute.Close())
	peers.Wait()
}

// A handshake has the time that a message has, and what comes after it no time of its own.
func TestHandshakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		authority, err := siptest.NewAuthority("everybody")
		require.NoError(t, err)
		cert, err := authority.Issue("here")
		require.NoError(t, err)
		network, err := siptest.NewNetwork(siptest.NetworkConfig{})
		require.NoError(t, err)
		l, err := network.ListenStream(here)
		require.NoError(t, err)
		set := sipstream.New(sipstream.Config{MessageTimeout: 10 * time.Second, Handle: func(*sipstream.Conn, []byte) {}})
		served := make(chan error, 1)
		go func() {
			served <- set.Serve(l, func() *tls.Config { return &tls.Config{Certificates: []tls.Certificate{cert}} })
		}()
		w := &world{t: t, network: network}
		start := time.Now()
		half := w.dial("10.0.0.2")
		_, err = io.WriteString(half, halfHello)
		require.NoError(t, err)
		require.NoError(t, over(half))
		require.Equal(t, 10*time.Second, time.Since(start))

		start = time.Now()
		late := tls.Client(w.dial("10.0.0.2"), &tls.Config{RootCAs: authority.Pool(), InsecureSkipVerify: true})
		time.Sleep(6 * time.Second)
		require.NoError(t, late.Handshake())
		_ = over(late)
		require.Equal(t, 10*time.Second, time.Since(start), "it says nothing")
		require.EqualValues(t, 2, set.Stats().HalfOpen)
		require.NoError(t, set.Close())
		require.NoError(t, <-served)
	})
}
