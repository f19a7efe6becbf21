package b2bua_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// What the journal is not to keep goes when a checkpoint holds it, and not before; who starts then knows what they knew who had it all.
func TestJournalKeeps(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	segments := func() int {
		names, err := filepath.Glob(filepath.Join(dir, "*.cdr"))
		require.NoError(t, err)
		return len(names)
	}
	with := func(keep b2bua.Keep) func(*b2bua.Config) {
		return func(c *b2bua.Config) {
			c.Journal.Dir, c.Journal.Keep, c.CLI.Secret = dir, keep, "a secret of this test"
			c.Listen, c.CarrierListen = "127.0.0.1:0", "127.0.0.1:0"
		}
	}
	run := func(keep b2bua.Keep) *world {
		w := loopback(t, siptest.Reject(503, ""), siptest.Answer(0, 0, 0), with(keep))
		for range 2 {
			require.Equal(t, 200, w.call(siptest.CallerCall{HangupAfter: time.Millisecond}).Code())
		}
		w.stop()
		require.NoError(t, <-w.ran)
		w.ran <- nil // for close
		return w
	}
	run(b2bua.Keep{})
	require.Equal(t, 1, segments())
	run(b2bua.Keep{Age: time.Hour, Bytes: 1 << 30})
	require.Equal(t, 2, segments(), "neither old nor large")
	w := run(b2bua.Keep{Bytes: 1})
	require.Equal(t, 1, segments(), "the last one stays")

	now := time.Now()
	cfg := config(w.first.Addr().String(), w.second.Addr().String())
	with(b2bua.Keep{Bytes: 1})(&cfg)
	var log bytes.Buffer
	p, err := b2bua.New(cfg, b2bua.Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return now }})
	require.NoError(t, err)
	defer p.Close()
	require.Empty(t, log.String())
	_, recovered := p.Recovered()
	require.Zero(t, recovered.Events)
	require.Equal(t, report(t, w.proxy, now), report(t, p, now))
	require.True(t, strings.Contains(report(t, p, now), `"seizures":12,`), "the calls of all three")
	uses := func(p *b2bua.Proxy) string {
		text, err := json.Marshal(p.CLIs().Snapshot(now))
		require.NoError(t, err)
		return string(text)
	}
	require.Equal(t, uses(w.proxy), uses(p))
}

func TestJournalKeepsWhatACheckpointCannotHold(t *testing.T) {
	for problem, change := range map[string]func(*b2bua.Config){
		"journal.keep.age: negative":     func(c *b2bua.Config) { c.Journal.Keep.Age = -1 },
		"journal.keep.bytes: negative":   func(c *b2bua.Config) { c.Journal.Keep.Bytes = -1 },
		"journal.keep: there is no jour": func(c *b2bua.Config) { c.Journal.Keep.Bytes, c.Journal.Dir = 1, "" },
		"journal.append: ":               func(c *b2bua.Config) { c.Journal.Append = "by hand" },
		"journal.keep: without checkpoi": func(c *b2bua.Config) { c.Journal.Keep.Bytes, c.Journal.Checkpoint = 1, -1 },
		"cli.secret: required with":      func(c *b2bua.Config) { c.Journal.Keep.Age, c.CLI.Secret = time.Hour, "" },
	} {
		cfg := config("127.0.0.1:1", "127.0.0.1:2")
		cfg.Journal.Dir, cfg.CLI.Secret = t.TempDir(), "a secret of this test"
		require.NoError(t, cfg.Validate())
		change(&cfg)
		require.ErrorContains(t, cfg.Validate(), problem)
	}
}

// What a restart needs to end a call stays, however old it is and although a checkpoint holds all that it came to.
func TestJournalKeepsCallsUnderWay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	change := func(c *b2bua.Config) {
		c.Journal.Dir, c.Journal.Keep, c.Journal.Checkpoint, c.CLI.Secret = dir, b2bua.Keep{Bytes: 1}, time.Hour, "a secret of this test"
		c.Failover.PingEvery, c.Trunks[0].MaxCall = -1, -1
	}
	bubble(t, siptest.Answer(0, 0, 0), siptest.Silence(), change, func(t *testing.T, w *world) {
		oldest := func() string {
			names, err := filepath.Glob(filepath.Join(dir, "*.cdr"))
			require.NoError(t, err)
			return filepath.Base(names[0])
		}
		short := siptest.CallerCall{HangupAfter: time.Second}
		require.Equal(t, 200, w.call(short).Code())
		time.Sleep(23 * time.Hour)
		go w.call(siptest.CallerCall{HangupAfter: 8 * time.Hour})
		time.Sleep(2 * time.Hour) // a segment is of one day
		require.Equal(t, 200, w.call(short).Code())
		time.Sleep(2 * time.Hour)
		require.Equal(t, 1, w.proxy.Live())
		require.Equal(t, "00000000000000000001.cdr", oldest())
		time.Sleep(10 * time.Hour)
		require.NotEqual(t, "00000000000000000001.cdr", oldest())
	})
}
