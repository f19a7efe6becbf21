package decide_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/decide"
)

// served is the API over TCP, on loopback.
type served struct {
	proxy  *b2bua.Proxy
	server *http.Server
	addr   string
}

func serve(b *testing.B) *served {
	b.Helper()
	cfg := configuration(b, "10.0.1.1", "10.0.1.2", "10.0.1.3", "channels: 100", "channels: -1", "explain: true", "explain: false")
	p, err := b2bua.New(cfg, b2bua.Options{})
	require.NoError(b, err)
	api, err := decide.New(decide.Config{Proxy: p, MaxCalls: 100_000})
	require.NoError(b, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	s := &served{p, &http.Server{Handler: api.Handler()}, ln.Addr().String()}
	go func() { _ = s.server.Serve(ln) }()
	b.Cleanup(func() {
		require.NoError(b, s.server.Close())
		require.NoError(b, p.Close())
	})
	return s
}

// client sends requests over one connection that is kept, and reads no more of an answer than it must: it is not what is measured.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
	n    int
	who  int
}

func (s *served) client(b *testing.B, who int) *client {
	b.Helper()
	conn, err := net.Dial("tcp", s.addr)
	require.NoError(b, err)
	b.Cleanup(func() { _ = conn.Close() })
	return &client{conn: conn, in: bufio.NewReader(conn), who: who}
}

func (c *client) post(path, body string) ([]byte, error) {
	c.out = fmt.Appendf(c.out[:0], "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		path, len(body), body)
	if _, err := c.conn.Write(c.out); err != nil {
		return nil, err
	}
	length := 0
	for i := 0; ; i++ {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		if i == 0 && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
			return nil, fmt.Errorf("%s", line)
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(v))); err != nil {
				return nil, err
			}
		}
		if len(line) == 2 {
			break
		}
	}
	data := make([]byte, length)
	for read := 0; read < length; {
		n, err := c.in.Read(data[read:])
		if err != nil {
			return nil, err
		}
		read += n
	}
	return data, nil
}

// decision asks for a call, and tells at once that its first leg was busy.
func (c *client) decision() error {
	c.n++
	a, err := c.post("/v1/decide", fmt.Sprintf(`{"key":"%d-%d","to":"+1212555%04d","dialer":"test"}`, c.who, c.n, c.n%10000))
	if err != nil {
		return err
	}
	_, rest, ok := bytes.Cut(a, []byte(`"token":"`))
	if !ok || !bytes.HasPrefix(a, []byte(`{"action":"dial"`)) {
		return fmt.Errorf("%s", a)
	}
	_, err = c.post("/v1/calls/"+string(rest[:32])+"/outcome", `{"leg":1,"code":486,"phrase":"Busy Here","cause":17}`)
	return err
}

// BenchmarkDecisions is decisions over kept connections: run it with -cpu 1, and clients and server share one core. Each decision is a
// decide and an outcome. The goal is 10,000 a second.
func BenchmarkDecisions(b *testing.B) {
	s := serve(b)
	const connections = 8
	clients := make([]*client, connections)
	for i := range clients {
		clients[i] = s.client(b, i)
	}
	work := make(chan struct{})
	errs := make(chan error, connections)
	var all sync.WaitGroup
	for _, c := range clients {
		all.Go(func() {
			for range work {
				if err := c.decision(); err != nil {
					errs <- err
					for range work { //nolint:revive // the rest is not done
					}
					return
				}
			}
		})
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	all.Wait()
	b.StopTimer()
	require.Empty(b, errs)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
}

// BenchmarkDecisionLatency asks 1,000 times a second, whether or not answers came, and tells how long a decide and its outcome took from the moment at which it
// was due. The goal is 5 ms for 99 of 100.
func BenchmarkDecisionLatency(b *testing.B) {
	s := serve(b)
	const connections = 32
	due := make(chan time.Time, 10_000)
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	var failed error
	for i := range connections {
		c := s.client(b, i)
		all.Go(func() {
			for at := range due {
				err := c.decision()
				mu.Lock()
				took = append(took, time.Since(at))
				if err != nil {
					failed = err
				}
				mu.Unlock()
			}
		})
	}
	b.ResetTimer()
	start := time.Now()
	for i := range max(b.N, 1) {
		at := start.Add(time.Duration(i) * time.Millisecond)
		time.Sleep(time.Until(at))
		due <- at
	}
	close(due)
	all.Wait()
	b.StopTimer()
	require.NoError(b, failed)
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[min(len(took)*99/100, len(took)-1)].Microseconds())/1000, "p99-ms")
}
