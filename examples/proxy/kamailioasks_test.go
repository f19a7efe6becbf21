package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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

// Where there is no room, a Kamailio with docs/kamailio.cfg waits as it is told, before the first leg and between two, and places the leg when there
// is; it does not place one before its time, and a caller who gives up meanwhile is let go.
func TestKamailioWaits(t *testing.T) {
	integ.Program(t, "kamailio", "kamailio")
	small := func(c *b2bua.Config) {
		c.Hunting.MaxWait = patience
		for i := range c.Trunks {
			c.Trunks[i].Channels = 1
			c.Trunks[i].Capacity.Queue = b2bua.Queue{Length: 5, Wait: patience}
		}
	}
	const busy = `"code":486,"phrase":"Busy Here"`
	t.Run("before the first leg", func(t *testing.T) {
		first, second := carrier(t, siptest.Answer(0, 0, 0)), carrier(t, siptest.Answer(0, 0, 0))
		w := newSwitch(t, first.Addr().String(), second.Addr().String(), small)
		w.holds(t, "first", "second")
		done := w.calls(t, siptest.CallerCall{To: "+12125550123", HangupAfter: 100 * time.Millisecond})
		w.waits(t)
		w.frees(t, "second", busy)
		r := <-done
		require.Equal(t, 200, r.Code())
		require.Equal(t, []int{0, 1}, []int{first.Stats().Invites, second.Stats().Invites})
		w.frees(t, "first", busy)
		w.settles(t)
		require.Equal(t, []string{"first carrier", "second caller_hangup", "second carrier"}, sorted(w.ended.list()))
	})
	t.Run("between two legs", func(t *testing.T) {
		first, second := carrier(t, siptest.Reject(503, "Service Unavailable")), carrier(t, siptest.Answer(0, 0, 0))
		w := newSwitch(t, first.Addr().String(), second.Addr().String(), small)
		w.holds(t, "first", "second")
		w.frees(t, "first", busy)
		done := w.calls(t, siptest.CallerCall{To: "+12125550123", HangupAfter: 100 * time.Millisecond})
		w.waits(t)
		w.frees(t, "second", busy)
		require.Equal(t, 200, (<-done).Code())
		require.Equal(t, []int{1, 1}, []int{first.Stats().Invites, second.Stats().Invites})
		w.settles(t)
	})
	t.Run("the caller gives up", func(t *testing.T) {
		first, second := carrier(t, siptest.Answer(0, 0, 0)), carrier(t, siptest.Answer(0, 0, 0))
		w := newSwitch(t, first.Addr().String(), second.Addr().String(), small)
		w.holds(t, "first", "second")
		done := w.calls(t, siptest.CallerCall{To: "+12125550123", CancelAfter: 300 * time.Millisecond})
		require.Equal(t, 487, (<-done).Code())
		w.waits(t)
		w.frees(t, "first", busy)
		w.frees(t, "second", busy)
		w.settles(t)
		require.Zero(t, first.Stats().Invites+second.Stats().Invites)
		require.Contains(t, w.log.all(), "/cancel")
	})
	t.Run("not before its time", func(t *testing.T) {
		first, second := carrier(t, siptest.Answer(0, 0, 0)), carrier(t, siptest.Answer(0, 0, 0))
		w := newSwitch(t, first.Addr().String(), second.Addr().String(), func(c *b2bua.Config) {
			c.Trunks[0].CPS, c.Trunks[0].Smooth, c.Hunting.MaxWait = 1, time.Second, patience
		})
		w.holds(t, "first")
		require.Equal(t, 200, w.call(t, siptest.CallerCall{To: "+12125550123", HangupAfter: 100 * time.Millisecond}).Code())
		var delay int
		for _, a := range w.log.answers("dial") {
			delay = max(delay, a.Delay)
		}
		require.Positive(t, delay)
		w.frees(t, "first", busy)
		w.settles(t)
	})
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

// kamailioSwitch is a Kamailio in front of a decision API.
type kamailioSwitch struct {
	proxy *b2bua.Proxy
	api   string
	addr  string
	ended *endings
	log   *logbook
	held  map[string]string // the tokens of calls that hold a trunk's channel
}

// told is what the API answered, as far as a test looks at it.
type told struct {
	Action, Token, Trunk string
	Leg                  int
	Delay                int `json:"delay_ms"`
}

func (w *kamailioSwitch) post(t *testing.T, path, body string) (a told) {
	t.Helper()
	res, err := http.Post(w.api+path, "application/json", strings.NewReader(body))
	require.NoError(t, err)
	defer res.Body.Close()
	require.NoError(t, json.NewDecoder(res.Body).Decode(&a))
	return a
}

// holds takes a channel of each of the trunks.
func (w *kamailioSwitch) holds(t *testing.T, trunks ...string) {
	t.Helper()
	for _, name := range trunks {
		a := w.post(t, "/v1/decide", `{"to":"+12125550199","dialer":"predictive"}`)
		require.Equal(t, []string{"dial", name}, []string{a.Action, a.Trunk})
		w.held[name] = a.Token
	}
}

// frees ends the call that holds a channel.
func (w *kamailioSwitch) frees(t *testing.T, trunk, how string) {
	t.Helper()
	require.Equal(t, "stop", w.post(t, "/v1/calls/"+w.held[trunk]+"/outcome", `{"leg":1,`+how+`}`).Action)
}

// waits waits until the API has told Kamailio to.
func (w *kamailioSwitch) waits(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return len(w.log.answers("wait")) > 0 }, patience, 10*time.Millisecond)
}

// calls places a call, and returns where its result comes.
func (w *kamailioSwitch) calls(t *testing.T, c siptest.CallerCall) <-chan *siptest.CallResult {
	t.Helper()
	caller, err := siptest.StartCaller(siptest.CallerConfig{})
	require.NoError(t, err)
	done := make(chan *siptest.CallResult, 1)
	go func() {
		r, _ := caller.Call(context.Background(), w.addr, c)
		_ = caller.Close()
		done <- r // nil = it could not be placed
	}()
	return done
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

func newSwitch(t *testing.T, first, second string, change ...func(*b2bua.Config)) *kamailioSwitch {
	t.Helper()
	cfg, err := read(write(t, first, second, ""))
	require.NoError(t, err)
	cfg.Dialers[0].Name = "predictive"
	for _, c := range change {
		c(&cfg)
	}
	w := &kamailioSwitch{ended: &endings{legs: make(chan string, 100)}, log: new(logbook), held: map[string]string{}}
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
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	w.api = api.URL
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
		kill := time.AfterFunc(10*time.Second, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }) // it waits a minute for its children
		_ = cmd.Wait()
		kill.Stop()
		if t.Failed() {
			t.Logf("%s", tail([]byte(w.log.all())))
		}
	})
	w.answers(t)
	return w
}

func (j *logbook) add(format string, args ...any) { fmt.Fprintf(j, format+"\n", args...) }

// answers are what the API has answered with an action.
func (j *logbook) answers(action string) (list []told) {
	for _, line := range strings.Split(j.all(), "\n") {
		var a told
		if _, body, ok := strings.Cut(line, "─▶ 200 "); ok && json.Unmarshal([]byte(body), &a) == nil && a.Action == action {
			list = append(list, a)
		}
	}
	return list
}

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

// call places a call and waits until it is over.
func (w *kamailioSwitch) call(t *testing.T, c siptest.CallerCall) *siptest.CallResult {
	t.Helper()
	r := <-w.calls(t, c)
	require.NotNil(t, r)
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
