package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/internal/integ"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/decide"
	"github.com/outdial/outdial/internal/siptest"
)

// A Kamailio with docs/kamailio.cfg asks the decision API, presents the caller ID that it is told, and goes on to the next carrier when the first
// one fails or says nothing; what it tells is counted as calls through the proxy are.
func TestKamailioFailsOver(t *testing.T) {
	integ.Program(t, "kamailio", "kamailio")
	if modules, _ := filepath.Glob("/usr/lib/*/kamailio/modules/http_client.so"); len(modules) == 0 && !integ.Wanted() {
		t.Skip("Kamailio has no http_client (Debian: kamailio-utils-modules)")
	}
	for _, c := range []struct {
		name   string
		first  siptest.Script
		origin outdial.Origin
	}{
		{"503", siptest.Reject(503, `Service "Un\available"`), outdial.OriginCarrier},
		{"silence", siptest.Silence(), outdial.OriginNoTrying},
	} {
		t.Run(c.name, func(t *testing.T) {
			first, second := carrier(t, c.first), carrier(t, siptest.Answer(0, 0, 0))
			w := newSwitch(t, first.Addr().String(), second.Addr().String())
			r := w.call(t, siptest.CallerCall{To: "+12125550123", HangupAfter: 100 * time.Millisecond})
			require.Equal(t, 200, r.Code())
			require.Equal(t, 1, second.Stats().Invites)
			rec := second.Records()[0]
			require.Equal(t, "+12125550123", rec.To)
			require.Equal(t, numbers[0], rec.PAI)
			require.Equal(t, numbers[0], rec.From)
			w.settles(t)
			require.Equal(t, []string{fmt.Sprintf("first %v", c.origin), "second caller_hangup"}, w.ended.list())
		})
	}
	t.Run("busy", func(t *testing.T) { // the callee has decided: nobody else is asked
		first, second := carrier(t, siptest.Busy(0)), carrier(t, siptest.Answer(0, 0, 0))
		w := newSwitch(t, first.Addr().String(), second.Addr().String())
		require.Equal(t, 486, w.call(t, siptest.CallerCall{To: "+12125550123"}).Code())
		require.Zero(t, second.Stats().Invites)
		w.settles(t)
	})
	t.Run("cancel", func(t *testing.T) {
		first, second := carrier(t, siptest.RingForever(0)), carrier(t, siptest.Answer(0, 0, 0))
		w := newSwitch(t, first.Addr().String(), second.Addr().String())
		require.Equal(t, 487, w.call(t, siptest.CallerCall{To: "+12125550123", CancelAfter: 300 * time.Millisecond}).Code())
		w.settles(t)
		require.Equal(t, []string{"first caller"}, w.ended.list())
	})
	t.Run("refused", func(t *testing.T) {
		first, second := carrier(t, siptest.Answer(0, 0, 0)), carrier(t, siptest.Answer(0, 0, 0))
		w := newSwitch(t, first.Addr().String(), second.Addr().String())
		require.Equal(t, 403, w.call(t, siptest.CallerCall{To: "+19005550123"}).Code())
		require.Equal(t, 484, w.call(t, siptest.CallerCall{To: "sales"}).Code())
		require.Zero(t, first.Stats().Invites+second.Stats().Invites)
	})
}

// kamailioSwitch is a Kamailio in front of a decision API.
type kamailioSwitch struct {
	proxy *b2bua.Proxy
	addr  string
	ended *endings
	log   *logbook
}

// endings is how legs ended.
type endings struct {
	ids  *outdial.Registry
	legs chan string
}

func (e *endings) Observe(ev *outdial.Event) {
	if ev.Kind == outdial.EventEnded {
		e.legs <- e.ids.Trunks.Name(ev.Attempt.Candidate.Trunk) + " " + ev.Attempt.Outcome().Origin.String()
	}
}

func (e *endings) list() (all []string) {
	for len(e.legs) > 0 {
		all = append(all, <-e.legs)
	}
	return all
}

func newSwitch(t *testing.T, first, second string) *kamailioSwitch {
	t.Helper()
	cfg, err := read(write(t, first, second, ""))
	require.NoError(t, err)
	cfg.Dialers[0].Name = "predictive"
	w := &kamailioSwitch{ended: &endings{legs: make(chan string, 100)}, log: new(logbook)}
	w.proxy, err = b2bua.New(cfg, b2bua.Options{Observers: []outdial.Observer{w.ended}})
	require.NoError(t, err)
	w.ended.ids = w.proxy.IDs()
	t.Cleanup(func() { require.NoError(t, w.proxy.Close()) })
	s, err := decide.New(decide.Config{Proxy: w.proxy})
	require.NoError(t, err)
	api := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec := httptest.NewRecorder()
		s.Handler().ServeHTTP(rec, r)
		w.log.add("%s %s ─▶ %d %s", r.URL.Path, body, rec.Code, rec.Body)
		maps.Copy(rw.Header(), rec.Header())
		rw.WriteHeader(rec.Code)
		_, _ = rw.Write(rec.Body.Bytes())
	}))
	t.Cleanup(api.Close)
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	w.addr = free.LocalAddr().String()
	require.NoError(t, free.Close())
	file, err := filepath.Abs("docs/kamailio.cfg")
	require.NoError(t, err)
	cmd := exec.Command("kamailio", "-DD", "-E", "-m", "32", "-M", "4", "-f", file, "-Y", t.TempDir(),
		"-A", fmt.Sprintf("API=%q", api.URL), "-A", "LISTEN=udp:"+w.addr)
	cmd.Stderr, cmd.Stdout = w.log, w.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s", tail([]byte(w.log.all())))
		}
	})
	w.answers(t)
	return w
}

func (j *logbook) add(format string, args ...any) { fmt.Fprintf(j, format+"\n", args...) }

func (j *logbook) all() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// answers waits until Kamailio does: it has no OPTIONS for others, and refuses them.
func (w *kamailioSwitch) answers(t *testing.T) {
	t.Helper()
	conn, err := net.Dial("udp", w.addr)
	require.NoError(t, err)
	defer conn.Close()
	require.Eventually(t, func() bool {
		fmt.Fprintf(conn, "OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"+
			"Call-ID: up\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 5\r\nContent-Length: 0\r\n\r\n", w.addr, conn.LocalAddr(), time.Now().UnixNano())
		_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		n, err := conn.Read(make([]byte, 2000))
		return err == nil && n > 0
	}, patience, 50*time.Millisecond)
}

func (w *kamailioSwitch) call(t *testing.T, c siptest.CallerCall) *siptest.CallResult {
	t.Helper()
	caller, err := siptest.StartCaller(siptest.CallerConfig{})
	require.NoError(t, err)
	defer func() { require.NoError(t, caller.Close()) }()
	r, err := caller.Call(context.Background(), w.addr, c)
	require.NoError(t, err)
	return r
}

// settles waits until no channel is held any more.
func (w *kamailioSwitch) settles(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, s := range w.proxy.Trunks().Snapshot(time.Now()) {
			if s.InUse > 0 {
				return false
			}
		}
		return true
	}, patience, 20*time.Millisecond)
}
