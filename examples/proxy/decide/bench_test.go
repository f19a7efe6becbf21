package decide_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// connections is how many are kept, each with one request at a time.
const connections = 32

// client sends requests over one connection that is kept, and reads no more of an answer than it must: it is not what is measured.
type client struct {
	conn   net.Conn
	in     *bufio.Reader
	out    []byte
	n      int
	who    int
	tokens []string // of calls that have not ended
}

func (s *server) client(who int) *client {
	s.b.Helper()
	conn, err := net.Dial("tcp", s.addr)
	require.NoError(s.b, err)
	s.b.Cleanup(func() { _ = conn.Close() })
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

// decide asks for a call, which is to be dialled.
func (c *client) decide() error {
	c.n++
	a, err := c.post("/v1/decide", fmt.Sprintf(`{"key":"%d-%d","to":"+1212555%04d","dialer":"test"}`, c.who, c.n, c.n%10000))
	if err != nil {
		return err
	}
	_, rest, ok := bytes.Cut(a, []byte(`"token":"`))
	if !ok || !bytes.HasPrefix(a, []byte(`{"action":"dial"`)) {
		return fmt.Errorf("%s", a)
	}
	c.tokens = append(c.tokens, string(rest[:32]))
	return nil
}

// end tells that the leg of a call was busy.
func (c *client) end() error {
	last := len(c.tokens) - 1
	_, err := c.post("/v1/calls/"+c.tokens[last]+"/outcome", `{"leg":1,"code":486,"phrase":"Busy Here","cause":17}`)
	c.tokens = c.tokens[:last]
	return err
}

// call asks for a call, and tells at once that its leg was busy.
func (c *client) call() error {
	if err := c.decide(); err != nil {
		return err
	}
	return c.end()
}

// each lets all clients do something for n times in all.
func each(b *testing.B, clients []*client, n int, do func(*client) error) {
	b.Helper()
	var all sync.WaitGroup
	errs := make([]error, len(clients))
	for i, c := range clients {
		share := n / len(clients)
		if i < n%len(clients) {
			share++
		}
		all.Go(func() {
			for range share {
				if errs[i] = do(c); errs[i] != nil {
					return
				}
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(b, err)
	}
}

// BenchmarkDecisions is what the API gives over connections that are kept, from a process of its own with GOMAXPROCS=1. The goal is 10,000
// decisions a second on one core.
//
//	decide           the answers to POST /v1/decide alone; the calls end between the timed parts
//	decide, journal  the same, with each leg in the journal before it is told
//	call             each with its outcome, two requests
//
// decisions/s is by the clock: what clients need on another core, and waits for, is in it. decisions/core-s is by the CPU time of the server, the
// kernel's work for it included: what one core of it gives.
func BenchmarkDecisions(b *testing.B) {
	const batch = 2000
	for _, c := range []struct {
		name    string
		journal bool
		do      func(*client) error
	}{{"decide", false, (*client).decide}, {"decide, journal", true, (*client).decide}, {"call", false, (*client).call}} {
		b.Run(c.name, func(b *testing.B) {
			dir := "none"
			if c.journal {
				dir = b.TempDir()
			}
			s := serve(b, dir)
			clients := make([]*client, connections)
			for i := range clients {
				clients[i] = s.client(i)
			}
			each(b, clients, 100, (*client).call)
			var cpu time.Duration
			b.ResetTimer()
			for done := 0; done < b.N; {
				n := min(batch, b.N-done)
				before := s.used()
				each(b, clients, n, c.do)
				b.StopTimer()
				cpu += s.used() - before
				done += n
				for _, c := range clients {
					for len(c.tokens) > 0 {
						require.NoError(b, c.end())
					}
				}
				b.StartTimer()
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
			b.ReportMetric(float64(b.N)/cpu.Seconds(), "decisions/core-s")
		})
	}
}

// BenchmarkDecisionLatency asks 1,000 times a second, whether or not answers came, and tells how long a decide took, and one with its outcome, from
// the moment at which it was due: what waits behind a slow answer counts in full. late is what the clients themselves added, between that moment and
// the request: they share the machine with the server. The goal is 5 ms for 99 of 100 decisions.
func BenchmarkDecisionLatency(b *testing.B) {
	b.Run("no journal", func(b *testing.B) { latency(b, "none") })
	b.Run("journal", func(b *testing.B) { latency(b, b.TempDir()) })
}

func latency(b *testing.B, journal string) {
	s := serve(b, journal)
	due := make(chan time.Time, 10_000)
	var mu sync.Mutex
	var late, decided, ended []time.Duration
	var all sync.WaitGroup
	var failed error
	for i := range connections {
		c := s.client(i)
		all.Go(func() {
			for at := range due {
				sent := time.Since(at)
				err := c.decide()
				took := time.Since(at)
				if err == nil {
					err = c.end()
				}
				mu.Lock()
				late, decided, ended = append(late, sent), append(decided, took), append(ended, time.Since(at))
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
	for _, k := range []struct {
		name string
		took []time.Duration
	}{{"late", late}, {"decide", decided}, {"call", ended}} {
		slices.Sort(k.took)
		at := func(q int) float64 {
			return float64(k.took[min(len(k.took)*q/100, len(k.took)-1)].Microseconds()) / 1000
		}
		b.ReportMetric(at(50), k.name+"-p50-ms")
		b.ReportMetric(at(99), k.name+"-p99-ms")
	}
}
