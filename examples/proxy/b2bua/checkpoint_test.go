package b2bua_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/kpi"
)

// report is what a meter says, without what the moment of the reading is.
func report(t *testing.T, p *b2bua.Proxy, now time.Time) string {
	text, err := json.Marshal(p.Meter().Report(now).Cells)
	require.NoError(t, err)
	return string(text)
}

// A restart after an orderly end replays nothing that the checkpoint has, and every package knows what a whole replay teaches it;
// a checkpoint that is damaged, or of another journal, is told of and not used.
func TestCheckpoint(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	with := func(every time.Duration) func(*b2bua.Config) {
		return func(c *b2bua.Config) {
			c.Journal.Dir, c.Journal.Checkpoint, c.CLI.Secret = dir, every, "a secret of this test"
			c.KPI.Archive.Views = []kpi.View{kpi.Total}
			c.Listen, c.CarrierListen = "127.0.0.1:0", "127.0.0.1:0"
		}
	}
	w := loopback(t, siptest.Reject(503, ""), siptest.Answer(0, 0, 0), with(0))
	for range 3 {
		r := w.call(siptest.CallerCall{HangupAfter: time.Millisecond})
		require.Equal(t, 200, r.Code())
	}
	w.stop()
	require.NoError(t, <-w.ran)
	w.ran <- nil // for close
	require.FileExists(t, filepath.Join(dir, "checkpoint"))

	now := time.Now()
	again := func(every time.Duration) (*b2bua.Proxy, string) {
		cfg := config(w.first.Addr().String(), w.second.Addr().String())
		with(every)(&cfg)
		var log bytes.Buffer
		p, err := b2bua.New(cfg, b2bua.Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return now }})
		require.NoError(t, err)
		return p, log.String()
	}
	resumed, log := again(0)
	require.Empty(t, log)
	_, recovered := resumed.Recovered()
	require.Zero(t, recovered.Events)
	fromMeter, fromCLIs := report(t, resumed, now), resumed.CLIs().Snapshot(now)
	require.NoError(t, resumed.Close())

	replayed, _ := again(-1)
	_, recovered = replayed.Recovered()
	require.Greater(t, recovered.Events, 12)
	require.Equal(t, report(t, replayed, now), fromMeter)
	require.Equal(t, replayed.CLIs().Snapshot(now), fromCLIs)
	require.NoError(t, replayed.Close())

	name := filepath.Join(dir, "checkpoint")
	good, err := os.ReadFile(name)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, good[:len(good)-1], 0o600))
	damaged, log := again(0)
	require.Contains(t, log, "checkpoint not used")
	require.Equal(t, fromMeter, report(t, damaged, now))
	require.NoError(t, damaged.Close())

	require.NoError(t, os.WriteFile(name, good, 0o600)) // of a journal that has lost its end
	segments, err := filepath.Glob(filepath.Join(dir, "*.cdr"))
	require.NoError(t, err)
	for _, s := range segments {
		require.NoError(t, os.Remove(s))
	}
	lost, log := again(0)
	require.Contains(t, log, "the journal ends with 0")
	require.NoError(t, lost.Close())
}

// Prometheus reads the figures from the loopback interface, and none of them has a telephone number.
func TestMetrics(t *testing.T) {
	w := loopback(t, siptest.Reject(503, ""), siptest.Answer(0, 0, 0), func(c *b2bua.Config) { c.Metrics.Listen = ":0" })
	require.Equal(t, 200, w.call(siptest.CallerCall{HangupAfter: time.Millisecond}).Code())
	require.Equal(t, "tcp", w.proxy.MetricsAddr().Network())
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + w.proxy.MetricsAddr().String() + "/metrics")
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, 200, res.StatusCode)
	require.Contains(t, w.proxy.MetricsAddr().String(), "127.0.0.1:")
	require.Contains(t, string(text), `outdial_attempts_total{trunk="first"} 1`)
	require.Contains(t, string(text), `outdial_outcomes_total{class="answer",trunk="second"} 1`)
	require.NotContains(t, string(text), "2125550123")
	require.NotContains(t, string(text), "3035550100")
}

func TestMetricsAddress(t *testing.T) {
	cfg := config("127.0.0.1:1", "127.0.0.1:2")
	cfg.Metrics.Listen = "nonsense"
	require.ErrorContains(t, cfg.Validate(), "metrics.listen")
	cfg.Metrics.Listen = "127.0.0.1:0"
	view := kpi.ByCLI
	cfg.Metrics.View = &view
	require.ErrorContains(t, cfg.Validate(), "metrics: kpiprom: View")
	require.Nil(t, func() any {
		p, err := b2bua.New(config("127.0.0.1:1", "127.0.0.1:2"), b2bua.Options{})
		require.NoError(t, err)
		defer p.Close()
		return p.MetricsAddr()
	}())
}

// FuzzCheckpoint: no bytes make the proxy panic.
func FuzzCheckpoint(f *testing.F) {
	f.Add([]byte("OUTDPXY1...."))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "checkpoint"), b2bua.Sealed(b), 0o600))
		cfg := config("127.0.0.1:1", "127.0.0.1:2")
		cfg.Journal.Dir = dir
		p, err := b2bua.New(cfg, b2bua.Options{})
		require.NoError(t, err)
		require.NoError(t, p.Close())
	})
}
