package decide_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/decide"
)

// aloneEnv holds the directory of the journal, or "none", where this program is to serve the API and nothing else.
const aloneEnv = "OUTDIAL_DECIDE_ALONE"

// alone serves the API as the proxy does, prints where, answers every line on its input with the CPU time that it has used, in nanoseconds,
// and ends with its input.
func alone(journal string) error {
	more := ""
	if journal != "none" {
		more = fmt.Sprintf("journal: {dir: %q}\n", journal)
	}
	cfg, err := load("10.0.1.1", "10.0.1.2", "10.0.1.3", "channels: 100", "channels: -1", "explain: true", "explain: false", "\ncli:\n", "\n"+more+"cli:\n")
	if err != nil {
		return err
	}
	p, err := b2bua.New(cfg, b2bua.Options{})
	if err != nil {
		return err
	}
	api, err := decide.New(decide.Config{Proxy: p, MaxCalls: 100_000})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	served := &http.Server{Handler: api.Handler()}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go api.Run(ctx)
	go func() { _ = served.Serve(ln) }()
	fmt.Println(ln.Addr())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Println(int64(used()))
	}
	_ = served.Close()
	return p.Close()
}

// used is the CPU time of this process, the kernel's work for it included.
func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// server is the API in a process of its own, which runs on one core at a time (GOMAXPROCS=1): what clients need is not among its CPU time.
type server struct {
	b    *testing.B
	addr string
	in   io.WriteCloser
	out  *bufio.Reader
}

func serve(b *testing.B, journal string) *server {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), aloneEnv+"="+journal, "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(b, err)
	out, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() {
		require.NoError(b, in.Close())
		require.NoError(b, cmd.Wait())
	})
	s := &server{b: b, in: in, out: bufio.NewReader(out)}
	s.addr = s.line()
	return s
}

func (s *server) line() string {
	s.b.Helper()
	line, err := s.out.ReadString('\n')
	require.NoError(s.b, err)
	return strings.TrimSpace(line)
}

// used is the CPU time of the server.
func (s *server) used() time.Duration {
	s.b.Helper()
	_, err := io.WriteString(s.in, "\n")
	require.NoError(s.b, err)
	d, err := time.ParseDuration(s.line() + "ns")
	require.NoError(s.b, err)
	return d
}
