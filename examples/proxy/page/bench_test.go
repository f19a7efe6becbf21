package page_test

import (
	"bufio"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
)

// BenchmarkPage is one snapshot for ten viewers: taken, and sent to all over loopback connections. The proxy has what 200 calls a second
// leave behind: 200 calls up, 6,400 that are over and still remembered for what may come again (64·T1), a meter and failovers that know them. core-% is the CPU time of the process, the
// viewers' own reading included, in percent of one core at the page's snapshot a second.
func BenchmarkPage(b *testing.B) {
	w := newWorld(b, false, full(), answers()).still()
	w.traffic(200, siptest.CallerCall{})
	var over sync.WaitGroup
	for range 16 {
		over.Go(func() {
			for range 400 {
				w.dial(siptest.CallerCall{HangupAfter: time.Millisecond})
			}
		})
	}
	over.Wait()
	for w.proxy.Live() < 200 {
		time.Sleep(10 * time.Millisecond)
	}
	const viewers = 10
	read := make(chan int, viewers)
	for range viewers {
		res, err := http.Get(w.server.URL + "/page/stream")
		require.NoError(b, err)
		b.Cleanup(func() { _ = res.Body.Close() })
		go func() {
			lines := bufio.NewReaderSize(res.Body, 1<<16)
			n := 0
			for {
				line, err := lines.ReadSlice('\n')
				if n += len(line); err == bufio.ErrBufferFull {
					continue
				}
				if err != nil {
					return
				}
				if len(line) == 1 { // the end of an event
					read <- n
					n = 0
				}
			}
		}()
	}
	for range viewers {
		<-read // hello
	}
	size := 0
	before := cpuTime(b)
	for b.Loop() {
		w.page.Tick(b.Context())
		for range viewers {
			size = <-read
		}
	}
	used := (cpuTime(b) - before) / time.Duration(b.N)
	b.ReportMetric(100*used.Seconds(), "core-%")
	b.ReportMetric(float64(size), "bytes/snapshot")
	now, dropped := w.page.Viewers()
	require.Equal(b, viewers, now)
	require.Zero(b, dropped)
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
