package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/kpi/cdr"
)

// A soak is calls at an even rate while the first carrier goes away and comes back. Once it is a quarter of an hour and more, a leak of
// anything would show.
type soak struct {
	length time.Duration
	rate   int           // calls per second
	period time.Duration // of the first carrier: half of it there, half of it away
}

// soakRun is how long the soak is: OUTDIAL_SOAK=10m, with OUTDIAL_SOAK_RATE calls per second (100); a few seconds without.
func soakRun(t *testing.T) soak {
	t.Helper()
	text := os.Getenv("OUTDIAL_SOAK")
	if text == "" {
		calls, rate := sippRun(t)
		return soak{length: time.Duration(calls/rate) * 3 * time.Second, rate: rate, period: 2 * time.Second}
	}
	if _, err := exec.LookPath("sipp"); err != nil {
		t.Fatal("OUTDIAL_SOAK is set, and there is no sipp (Debian: sip-tester)")
	}
	length, err := time.ParseDuration(text)
	require.NoError(t, err, "OUTDIAL_SOAK")
	s := soak{length: length, rate: 100}
	if text := os.Getenv("OUTDIAL_SOAK_RATE"); text != "" {
		s.rate, err = strconv.Atoi(text)
		require.NoError(t, err, "OUTDIAL_SOAK_RATE")
	}
	s.period = min(2*time.Minute, length/5)
	return s
}

// The answered calls that kpi remembers, and what one takes: the room is there from the start, and becomes the process's page by page.
const (
	remembered      = 1 << 16
	rememberedBytes = 64
)

// flat is how much more memory and how many more goroutines there may be at the end than in the middle.
const flat = 1.05

func TestSoak(t *testing.T) {
	s := soakRun(t)
	journal := filepath.Join(t.TempDir(), "journal")
	first, second := newCallee(t), newCallee(t)
	config := write(t, "127.0.0.1:"+first.port, "127.0.0.1:"+second.port, journal)
	data, err := os.ReadFile(config)
	require.NoError(t, err)
	// What a program counts over hours fills up over hours; the limits of the caller IDs are those of a test.
	cfg, err := b2bua.Load(config, []byte(strings.Replace(string(data), "caps: [10000/24h]", "caps: []", 1)))
	require.NoError(t, err)
	p, err := b2bua.New(cfg, b2bua.Options{})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx) }()

	first.start()
	second.start()
	count := int(s.length.Seconds() * float64(s.rate))
	caller := newSipp(t, "uac.xml", p.Addr().String(), "-s", "+12125550123", "-r", strconv.Itoa(s.rate), "-m", strconv.Itoa(count))
	footprint := s.watch(t, caller, first)
	require.NoError(t, caller.wait(), "every call of the dialer's succeeded: %s", caller.errors())
	first.stop()
	second.stop()
	require.Eventually(t, func() bool {
		for _, l := range p.Trunks().Snapshot(time.Now()) {
			if l.InUse != 0 {
				return false
			}
		}
		return true
	}, patience, 100*time.Millisecond, "a channel leaks")
	for _, n := range numbers {
		number, ok := p.CLIs().Number(time.Now(), outdial.MustNumber(n))
		require.True(t, ok)
		require.Zero(t, number.InFlight, n)
	}
	stop()
	require.NoError(t, <-ran)
	counted := p.Stats()
	require.EqualValues(t, count, counted.Calls)
	require.EqualValues(t, count, counted.Answered)
	require.Zero(t, counted.JournalErrors)

	book := readBook(t, journal)
	require.Equal(t, count, caller.count("SuccessfulCall(C)"))
	require.Equal(t, caller.count("SuccessfulCall(C)"), book.answered["first"]+book.answered["second"], "what the dialer's sipp counts is on record")
	require.Equal(t, first.answered, book.answered["first"]+book.late["first"], "and what the first carrier's does")
	require.Equal(t, second.answered, book.answered["second"]+book.late["second"], "and the second's")
	require.Equal(t, book.started, book.ended, "every attempt that began has an end")
	require.Positive(t, book.answered["first"])
	require.Positive(t, book.answered["second"])
	footprint.check(t, s)
}

// watch lets the first carrier go and come back until the calls are over, and looks at what the process uses.
func (s soak) watch(t *testing.T, caller *sippProcess, first *callee) (u footprint) {
	t.Helper()
	look := time.NewTicker(min(s.period/20, 5*time.Second))
	defer look.Stop()
	turn := time.NewTicker(s.period / 2)
	defer turn.Stop()
	limit := time.After(s.length + patience)
	for away := false; ; {
		select {
		case <-caller.over:
			return u
		case <-limit:
			t.Fatalf("the calls are not over: %s", caller.errors())
		case <-turn.C:
			if away = !away; away {
				first.stop()
			} else {
				first.start()
			}
		case <-look.C:
			u = append(u, sample{rss(t), siptest.Goroutines()})
		}
	}
}

// footprint is what the process has used, over time.
type footprint []sample

type sample struct {
	rss        int64 // bytes
	goroutines int
}

// check compares the last third with the one before: both see the first carrier go and come back. The first third is the warm-up.
func (u footprint) check(t *testing.T, s soak) {
	t.Helper()
	if s.length < 2*time.Minute {
		return // transactions stay for 32 s: it is all warm-up
	}
	third := len(u) / 3
	middle, end := u[third:2*third], u[2*third:]
	memory := func(s sample) float64 { return float64(s.rss) }
	goroutines := func(s sample) float64 { return float64(s.goroutines) }
	t.Logf("memory %.1f MB, then %.1f MB; goroutines %.0f, then %.0f", middle.median(memory)/1e6, end.median(memory)/1e6,
		middle.median(goroutines), end.median(goroutines))
	calls := s.length.Seconds() * float64(s.rate)
	filled := min(calls*5/6, remembered) - min(calls/2, remembered) // from the middle of the one third to that of the other
	require.LessOrEqual(t, end.median(memory), flat*middle.median(memory)+filled*rememberedBytes)
	require.LessOrEqual(t, end.median(goroutines), flat*middle.median(goroutines)+2)
}

func (u footprint) median(of func(sample) float64) float64 {
	all := make([]float64, 0, len(u))
	for _, s := range u {
		all = append(all, of(s))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// rss is the memory that the process has of the machine.
func rss(t *testing.T) int64 {
	t.Helper()
	data, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	pages, err := strconv.ParseInt(strings.Fields(string(data))[1], 10, 64)
	require.NoError(t, err)
	return pages * int64(os.Getpagesize())
}

// book is what the journal has of the attempts.
type book struct {
	started, ended int
	answered, late map[string]int // by trunk
}

func readBook(t *testing.T, dir string) book {
	t.Helper()
	ids := new(outdial.Registry)
	r, err := cdr.NewReader(cdr.ReaderConfig{Dir: dir, IDs: ids})
	require.NoError(t, err)
	b := book{answered: map[string]int{}, late: map[string]int{}}
	for ev, err := range r.All() {
		require.NoError(t, err)
		switch ev.Kind {
		case outdial.EventStarted:
			b.started++
		case outdial.EventEnded:
			b.ended++
		case outdial.EventAnswered:
			of := b.answered
			if ev.Attempt.Late {
				of = b.late
			}
			of[ids.Trunks.Name(ev.Attempt.Candidate.Trunk)]++
		}
	}
	return b
}

// sippProcess is a sipp that counts.
type sippProcess struct {
	t    *testing.T
	cmd  *exec.Cmd
	dir  string
	over chan struct{}
	err  error
}

// newSipp starts a sipp with a scenario, a file of testdata/sipp or one with a whole name.
func newSipp(t *testing.T, scenario string, args ...string) *sippProcess {
	t.Helper()
	file := scenario
	if !filepath.IsAbs(file) {
		var err error
		file, err = filepath.Abs(filepath.Join("testdata", "sipp", scenario))
		require.NoError(t, err)
	}
	p := &sippProcess{t: t, dir: t.TempDir(), over: make(chan struct{})}
	p.cmd = exec.CommandContext(context.Background(), "sipp", append([]string{
		"-sf", file, "-i", "127.0.0.1", "-nostdin", "-l", "100000",
		"-trace_stat", "-stf", "count.csv", "-fd", "3600", "-trace_err", "-error_file", "errors.log",
	}, args...)...)
	p.cmd.Dir = p.dir
	require.NoError(t, p.cmd.Start())
	go func() {
		p.err = p.cmd.Wait()
		close(p.over)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.over
	})
	return p
}

func (p *sippProcess) wait() error {
	<-p.over
	return p.err
}

func (p *sippProcess) errors() []byte {
	log, _ := os.ReadFile(filepath.Join(p.dir, "errors.log"))
	return tail(log)
}

// count is what sipp has counted when it was over.
func (p *sippProcess) count(column string) int {
	p.t.Helper()
	f, err := os.Open(filepath.Join(p.dir, "count.csv"))
	require.NoError(p.t, err)
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.FieldsPerRecord = ';', -1
	rows, err := r.ReadAll()
	require.NoError(p.t, err)
	require.Greater(p.t, len(rows), 1)
	i := slices.Index(rows[0], column)
	require.GreaterOrEqual(p.t, i, 0, column)
	n, err := strconv.Atoi(rows[len(rows)-1][i])
	require.NoError(p.t, err)
	return n
}

// callee is a carrier that can go away: it ends its calls, and its port is closed then.
type callee struct {
	t        *testing.T
	port     string
	sipp     *sippProcess // nil = it is away
	answered int          // calls of those that are over
}

func newCallee(t *testing.T) *callee { return &callee{t: t, port: freePort(t)} }

// start lets the carrier answer. It is content with a BYE whose ACK it has not seen: where a busy machine lets it sleep for half a second, its
// socket drops datagrams, and an ACK comes again only after it has repeated its 200.
func (c *callee) start() {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "sipp", "uas.xml"))
	require.NoError(c.t, err)
	scenario := filepath.Join(c.t.TempDir(), "uas.xml")
	text = bytes.Replace(text, []byte(`<recv request="ACK" `), []byte(`<recv request="ACK" optional="true" `), 1)
	require.NoError(c.t, os.WriteFile(scenario, text, 0o600))
	c.sipp = newSipp(c.t, scenario, "-p", c.port)
}

func (c *callee) stop() {
	c.t.Helper()
	if c.sipp == nil {
		return
	}
	require.NoError(c.t, c.sipp.cmd.Process.Signal(syscall.SIGUSR1))
	select {
	case <-c.sipp.over:
	case <-time.After(patience):
		c.t.Fatalf("sipp does not end: %s", c.sipp.errors())
	}
	require.Zero(c.t, c.sipp.count("FailedCall(C)"), "%s", c.sipp.errors())
	c.answered += c.sipp.count("SuccessfulCall(C)")
	c.sipp = nil
}
