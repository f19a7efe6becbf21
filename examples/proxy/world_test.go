package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/internal/siptest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(programs)
		os.Exit(code)
	}))
}

// numbers are the caller IDs of the test configuration.
var numbers = []string{"+13035550101", "+13035550102", "+13035550103", "+13035550104", "+13035550105"}

// write writes a configuration with two trunks in a fixed order, and returns its name. The second one has all the time that
// it takes on a busy machine.
func write(t testing.TB, first, second, journal string) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, `
listen: 127.0.0.1:0
carrier_listen: 127.0.0.1:0
drain_timeout: -1s
dialers: [{name: test, sources: [127.0.0.0/8], program: sales}]
trunks:
  - {name: first, carrier: one, address: "%s", channels: 10000, cps: -1}
  - {name: second, carrier: two, address: "%s", channels: 10000, cps: -1, t100: 30s, pdd: 30s}
failover: {keep_warm: -1, ping_every: -1s}
routing: {rules: [{tiers: [{strategy: priority, trunks: [{trunk: first}, {trunk: second}]}]}]}
journal: {dir: "%s"}
cli:
  pools: [{name: sales, program: sales, limits: {caps: [10000/24h], spacing: -1s}, sticky: {mode: off}}]
  callee: []
  numbers:
`, first, second, journal)
	for _, n := range numbers {
		fmt.Fprintf(&b, "    - {number: %q, pool: sales, evidence: contract 7}\n", n)
	}
	name := filepath.Join(t.TempDir(), "outdial.yaml")
	require.NoError(t, os.WriteFile(name, []byte(b.String()), 0o600))
	return name
}

func carrier(t testing.TB, s siptest.Script) *siptest.Carrier {
	t.Helper()
	c, err := siptest.StartCarrier(siptest.CarrierConfig{Behaviour: siptest.Behaviour{Script: s}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// A process is the program as people run it.
type process struct {
	cmd  *exec.Cmd
	addr string // for dialers
	more string // the addresses of its listeners
	tcp  bool   // addr is one of these
	out  *bufio.Reader
	log  logbook
}

// patience is how long a busy machine may take.
const patience = 60 * time.Second

// A logbook is what a process has logged, while it logs more.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *logbook) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (p *process) text() string {
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	return p.log.text.String()
}

// logged waits until the process has logged a text.
func (p *process) logged(t *testing.T, want string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(p.text(), want) }, patience, 10*time.Millisecond, want)
}

// programs is the folder that the program is built into, "" until then.
var programs string

var built = sync.OnceValues(func() (string, error) {
	var err error
	if programs, err = os.MkdirTemp("", "outdial-proxy"); err != nil {
		return "", err
	}
	name := filepath.Join(programs, "proxy")
	if out, err := exec.Command("go", "build", "-o", name, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return name, nil
})

// build compiles the program, once for all tests, and returns its name. What a test does with a process of its own, the race detector does
// not see.
func build(t testing.TB) string {
	t.Helper()
	if race.Enabled {
		t.Skip("the program is a process of its own, without the race detector")
	}
	name, err := built()
	require.NoError(t, err)
	return name
}

// start runs the program and waits until it listens.
func start(t testing.TB, binary, config string) *process {
	t.Helper()
	p := &process{cmd: exec.CommandContext(context.Background(), binary, "-config", config)}
	p.cmd.Stderr = &p.log
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil { // the test has failed before it ended the process
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	})
	p.out = bufio.NewReader(out)
	_, err = fmt.Fscanf(p.out, "dialers %s", &p.addr)
	require.NoError(t, err, "%s", p.text())
	p.addr, p.more, _ = strings.Cut(p.addr, ",")
	return p
}

// caller is a dialer for addr.
func (p *process) caller(t *testing.T) *siptest.Caller {
	t.Helper()
	var cfg siptest.CallerConfig
	if p.tcp {
		conn, err := siptest.NewStreamConn(siptest.StreamConfig{})
		require.NoError(t, err)
		cfg.Conn = conn
	}
	c, err := siptest.StartCaller(cfg)
	require.NoError(t, err)
	return c
}

// listening is the address of the one listener.
func (p *process) listening(t *testing.T) string {
	t.Helper()
	require.NotEmpty(t, p.more)
	return p.more
}

// end lets the program drain, and looks for a text in what it logged.
func (p *process) end(t testing.TB, want string) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, p.cmd.Wait(), "%s", tail([]byte(p.text())))
	if !strings.Contains(p.text(), want) {
		t.Fatalf("no %q in the log:\n%s", want, tail([]byte(p.text())))
	}
}

func tail(b []byte) []byte { return b[max(len(b)-4000, 0):] }
