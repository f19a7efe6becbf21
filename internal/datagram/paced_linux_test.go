package datagram_test

import (
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pace is the gap between two datagrams: whoever has no more to do than to answer them is idle in most of it.
const pace = 100 * time.Microsecond

const paceEnv = "OUTDIAL_DATAGRAM_PACE"

// BenchmarkPaced is what this package is for: datagrams that come one by one to a process which is idle in between. Each is answered. They come
// from another process. The time of an operation says nothing, for it is the pace; the processor time of this process is what a datagram and its
// answer cost.
func BenchmarkPaced(b *testing.B) {
	for _, way := range ways {
		b.Run(way.name, func(b *testing.B) {
			conn := listen(b, "udp4", "127.0.0.1:0")
			caller := exec.Command(os.Args[0], "-test.run=^TestPacer$")
			caller.Env = append(os.Environ(), paceEnv+"="+conn.LocalAddr().String())
			require.NoError(b, caller.Start())
			defer func() {
				require.NoError(b, caller.Process.Kill())
				_ = caller.Wait()
			}()
			c, buf := way.of(conn), make([]byte, 2048)
			answer := func() {
				n, from, err := c.ReadFromUDPAddrPort(buf)
				require.NoError(b, err)
				_, err = c.WriteToUDPAddrPort(buf[:n], from)
				require.NoError(b, err)
			}
			answer() // it has begun
			before := processorTime(b)
			for b.Loop() {
				answer()
			}
			b.ReportMetric(float64(processorTime(b)-before)/float64(b.N)/float64(time.Microsecond), "cpu-µs/op")
		})
	}
}

// TestPacer is the other process: it sends until it is killed.
func TestPacer(t *testing.T) {
	to := os.Getenv(paceEnv)
	if to == "" {
		t.Skip("no test: the caller of BenchmarkPaced")
	}
	c, err := net.Dial("udp4", to)
	require.NoError(t, err)
	for parent := os.Getppid(); os.Getppid() == parent; {
		gap := syscall.NsecToTimespec(pace.Nanoseconds()) // time.Sleep is as coarse as the poller, a millisecond
		_ = syscall.Nanosleep(&gap, nil)
		_, _ = c.Write(make([]byte, 600))
	}
}

func processorTime(b *testing.B) time.Duration {
	var r syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &r))
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
