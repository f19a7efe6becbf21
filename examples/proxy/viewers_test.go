package main

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/internal/integ"
	"github.com/outdial/outdial/internal/siptest"
)

// BenchmarkViewers is what ten viewers of the page cost a proxy that carries 200 calls a second: the program as people run it, sipp in front of it, and
// a carrier that answers. Each iteration is five seconds without viewers and five with them, or the other way round, so that what else changes meanwhile
// is in both.
//
//	page-core-%   CPU of the process with viewers less that without, of one core; the goal is 2
//	proxy-core-%  ... without
//	±             the standard error of the difference
//
//	go test -run '^$' -bench Viewers -benchtime 6x ./examples/proxy
func BenchmarkViewers(b *testing.B) {
	const rate, viewers, span = 200, 10, 5 * time.Second
	integ.Program(b, "sipp", "sip-tester")
	first, second := carrier(b, siptest.Answer(0, 10*time.Millisecond, 0)), carrier(b, siptest.Answer(0, 10*time.Millisecond, 0))
	config := write(b, first.Addr().String(), second.Addr().String(), filepath.Join(b.TempDir(), "journal"))
	text, err := os.ReadFile(config)
	require.NoError(b, err)
	require.NoError(b, os.WriteFile(config, append(text, "admin: {listen: \"127.0.0.1:0\"}\n"...), 0o600))
	p := start(b, build(b), config)
	url := operatorOf(b, p).url
	file, err := filepath.Abs(filepath.Join("testdata", "sipp", "uac.xml"))
	require.NoError(b, err)
	calls := exec.CommandContext(context.Background(), "sipp", "-sf", file, p.addr, "-i", "127.0.0.1", "-p", freePort(b), "-s", "+12125550123",
		"-r", strconv.Itoa(rate), "-nostdin")
	calls.Dir = b.TempDir()
	require.NoError(b, calls.Start())
	time.Sleep(5 * time.Second) // until calls end as often as they begin, and all that is made once has been made

	var with, without, seen []float64
	b.ResetTimer()
	for i := range 2 * b.N {
		if i%4 == 0 || i%4 == 3 {
			without = append(without, p.share(b, span))
			continue
		}
		watched := watch(b, url, viewers)
		with = append(with, p.share(b, span))
		seen = append(seen, float64(watched())/viewers/span.Seconds())
	}
	b.StopTimer()
	require.NoError(b, calls.Process.Signal(syscall.SIGUSR1)) // it lets its calls end
	require.NoError(b, calls.Wait(), "every call succeeded")
	p.end(b, "lost=0 malformed=0")

	base, _ := mean(without)
	differences := make([]float64, b.N)
	for i := range differences {
		differences[i] = with[i] - without[i]
	}
	cost, wrong := mean(differences)
	events, _ := mean(seen)
	b.ReportMetric(100*cost, "page-core-%")
	b.ReportMetric(100*wrong, "±")
	b.ReportMetric(100*base, "proxy-core-%")
	b.ReportMetric(events, "events/viewer-s")
}

// share is the share of one core that the process uses for a while.
func (p *process) share(b *testing.B, span time.Duration) float64 {
	b.Helper()
	at, used := time.Now(), p.used(b)
	time.Sleep(span)
	return (p.used(b) - used).Seconds() / time.Since(at).Seconds()
}

// used is the CPU time of the process so far, the kernel's work for it included.
func (p *process) used(b *testing.B) time.Duration {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	require.NoError(b, err)
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:])) // from the state on
	sum := time.Duration(0)
	for _, f := range fields[11:13] { // utime and stime, in hundredths of a second
		n, err := strconv.Atoi(f)
		require.NoError(b, err)
		sum += time.Duration(n) * 10 * time.Millisecond
	}
	return sum
}

// watch has some look at the page's stream, once all of them have been answered. What it returns ends them, and counts the events that came.
func watch(b *testing.B, url string, viewers int) (end func() int) {
	b.Helper()
	ctx, stop := context.WithCancel(context.Background())
	transport := new(http.Transport)
	var events atomic.Int64
	var reading sync.WaitGroup
	for range viewers {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/page/stream", nil)
		require.NoError(b, err)
		res, err := transport.RoundTrip(req)
		require.NoError(b, err)
		require.Equal(b, http.StatusOK, res.StatusCode)
		reading.Go(func() {
			defer res.Body.Close()
			for lines := bufio.NewReader(res.Body); ; {
				line, err := lines.ReadSlice('\n')
				if err != nil && err != bufio.ErrBufferFull {
					return
				}
				if len(line) == 1 { // the end of an event
					events.Add(1)
				}
			}
		})
	}
	return func() int {
		stop()
		reading.Wait()
		transport.CloseIdleConnections()
		return int(events.Load())
	}
}

// mean is the mean, and its standard error: NaN of one value.
func mean(all []float64) (m, wrong float64) {
	n := float64(len(all))
	for _, v := range all {
		m += v / n
	}
	for _, v := range all {
		wrong += (v - m) * (v - m)
	}
	return m, math.Sqrt(wrong / (n - 1) / n)
}
