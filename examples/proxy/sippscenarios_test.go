package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/internal/integ"
	"github.com/outdial/outdial/internal/siptest"
)

// A flow is one of those that README.md lists: a scenario for each side, and what the configuration has besides.
type flow struct {
	name     string
	dialer   string         // scenario of the dialer
	carrier  string         // scenario of the first trunk; "" = nobody is called
	first    siptest.Script // … or what it does
	second   string         // scenario of the second trunk; "" = it is silent
	top      string         // lines of the configuration
	source   string         // of the dialer's entry
	trunk    string         // of the first trunk's
	tcp      bool           // over TCP on both sides
	far      []string       // arguments of the carrier's sipp
	calls    int            // 0 = 3
	callees  int            // calls that reach the carrier; 0 = all
	answered int            // -1 = none; 0 = all
	logged   string         // what the log says at the end
	occupied bool           // another call of the dialer's is being set up
}

// identity signs nothing: it makes an INVITE large by a header field of 1,300 bytes.
var identity = `headers: {set: {X-Account: "` + strings.Repeat("7", 1300) + `"}}, `

var flows = []flow{
	{name: "forked 18x", dialer: "uac_fork.xml", carrier: "uas_fork.xml"},
	{name: "100rel required by the carrier", dialer: "uac.xml", carrier: "uas_prack.xml"},
	{name: "100rel required by the dialer", dialer: "uac_require.xml", answered: -1},
	{name: "UPDATE", dialer: "uac_update.xml", carrier: "uas_update.xml"},
	{name: "delayed offer", dialer: "uac_delayed.xml", carrier: "uas_delayed.xml"},
	{name: "hold, re-INVITE without an offer, DTMF", dialer: "uac_hold.xml", carrier: "uas_hold.xml"},
	{name: "session timers", dialer: "uac_session.xml", carrier: "uas_session.xml"},
	{name: "REFER of the dialer", dialer: "uac_refer.xml", carrier: "uas.xml"},
	{name: "REFER of the carrier", dialer: "uac.xml", carrier: "uas_refer.xml"},
	{name: "REFER that passes", dialer: "uac_referred.xml", carrier: "uas_referred.xml", top: "refer: pass"},
	{name: "glare", dialer: "uac_glare.xml", carrier: "uas_glare.xml"},
	{name: "CANCEL", dialer: "uac_cancel.xml", first: siptest.RingForever(0), answered: -1},
	{name: "a late 200 after the call went elsewhere", dialer: "uac_long.xml", carrier: "uas_late.xml", second: "uas.xml", trunk: "t100: 500ms, "},
	{name: "2xx repeated until the ACK", dialer: "uac_noack.xml", carrier: "uas.xml", logged: "repeated=[1-9]"},
	{name: "Max-Forwards is at its end", dialer: "uac_hops.xml", answered: -1},
	{name: "Max-Forwards counts down", dialer: "uac.xml", carrier: "uas_hops.xml"},
	{name: "a loop", dialer: "uac_loop.xml", answered: -1},
	{name: "rport", dialer: "uac_rport.xml", carrier: "uas.xml"},
	{name: "a strict router of the carrier's", dialer: "uac.xml", carrier: "uas_strict.xml"},
	{name: "503 with Retry-After of the carrier", dialer: "uac.xml", carrier: "uas_busy_trunk.xml", second: "uas.xml", callees: 1},
	{name: "503 with Retry-After to the dialer", dialer: "uac_retry.xml", source: "max_calls: 1, ", first: siptest.RingForever(0), occupied: true, answered: -1},
	{name: "OPTIONS of the dialer", dialer: "uac_options.xml", answered: -1},
	{name: "OPTIONS to the carrier", carrier: "uas_options.xml", top: "failover: {ping_every: 1s, keep_warm: -1}", answered: -1, calls: 1},
	{name: "identity, and nothing of the other side", dialer: "uac_identity.xml", carrier: "uas_identity.xml"},
	{name: "privacy refused", dialer: "uac_private.xml", answered: -1},
	{name: "a carrier that answers out of order", dialer: "uac.xml", carrier: "uas_disorder.xml"},
	{name: "digest", dialer: "uac_auth.xml", carrier: "uas.xml", source: "auth: {username: pbx, password: secret, algorithms: [MD5]}, "},
	{name: "redirected", dialer: "uac_redirect.xml", source: "redirect: true, lease: 1s, ", answered: -1},
	{name: "TCP on both sides", dialer: "uac.xml", carrier: "uas.xml", trunk: "transport: tcp, ", tcp: true, far: []string{"-t", "t1"}},
	{name: "a large INVITE goes over TCP", dialer: "uac.xml", carrier: "uas_tcp.xml", trunk: "tcp: true, " + identity, far: []string{"-t", "t1"}},
	{name: "a large INVITE goes by UDP where TCP is refused", dialer: "uac.xml", carrier: "uas.xml", trunk: "tcp: true, " + identity},
	{name: "a carrier by NAPTR and SRV", dialer: "uac.xml", carrier: "uas.xml"},
}

// sipp plays every flow of the README that has a scenario.
func TestSippScenarios(t *testing.T) {
	sippRun(t)
	integ.Long(t)
	binary := build(t)
	for _, f := range flows {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			f.play(t, binary)
		})
	}
}

func (f flow) play(t *testing.T, binary string) {
	if f.calls == 0 {
		f.calls = 3
	}
	first, second := "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t)
	var siptested *siptest.Carrier
	if f.carrier == "" {
		siptested = carrier(t, f.script())
		first = siptested.Addr().String()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	calls := f.calls
	if f.callees > 0 {
		calls = f.callees
	}
	var far []*exec.Cmd
	if f.carrier != "" {
		far = append(far, sippAt(ctx, t, f.carrier, first, calls, f.far...))
	}
	if f.second != "" {
		far = append(far, sippAt(ctx, t, f.second, second, f.calls))
	}
	p := start(t, binary, f.config(t, first, second))
	if f.occupied {
		caller, err := siptest.StartCaller(siptest.CallerConfig{})
		require.NoError(t, err)
		defer caller.Close()
		go caller.Call(ctx, p.addr, siptest.CallerCall{To: "+12125550123"}) //nolint:errcheck // it rings until the end
		require.Eventually(t, func() bool { return siptested.Stats().Invites == 1 }, patience, time.Millisecond)
	}
	if f.dialer != "" {
		target, args := p.addr, []string(nil)
		if f.tcp {
			target, args = p.listening(t), []string{"-t", "t1"}
		}
		c := sippAt(ctx, t, f.dialer, "127.0.0.1:"+freePort(t), f.calls, append(args, target, "-s", "+12125550123", "-r", "10")...)
		require.NoError(t, c.Wait(), "%s\n%s", f.dialer, p.text())
	}
	for _, c := range far {
		require.NoError(t, c.Wait(), "%s\n%s", c.Args[2], p.text())
	}
	began, answered := f.calls, f.calls
	if f.answered < 0 {
		answered = 0
	}
	if f.dialer == "" || strings.HasSuffix(f.dialer, "options.xml") || strings.HasSuffix(f.dialer, "require.xml") || strings.HasSuffix(f.dialer, "hops.xml") || strings.HasSuffix(f.dialer, "loop.xml") {
		began = 0 // nothing that is a call
	}
	if f.occupied {
		began = 1
	}
	p.end(t, fmt.Sprintf("msg=ended calls=%d answered=%d lost=0 malformed=0", began, answered))
	require.Regexp(t, f.logged, p.text())
}

func (f flow) script() siptest.Script {
	if len(f.first.Steps) > 0 {
		return f.first
	}
	return siptest.Silence()
}

// config is the file of a flow.
func (f flow) config(t *testing.T, first, second string) string {
	t.Helper()
	name := write(t, first, second, filepath.Join(t.TempDir(), "journal"))
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	text := strings.Replace(string(b), "{name: test, ", "{name: test, "+f.source, 1)
	trunk := f.trunk
	if !strings.Contains(trunk, "t100") {
		trunk += "t100: 30s, pdd: 30s, "
	}
	text = strings.Replace(text, "name: first, ", "name: first, "+trunk, 1)
	if f.second == "" {
		text = strings.Replace(text, ", {trunk: second}", "", 1)
	}
	if strings.HasPrefix(f.top, "failover:") {
		text = strings.Replace(text, "failover: {keep_warm: -1, ping_every: -1s}", f.top, 1)
	} else if f.top != "" {
		text = f.top + "\n" + text
	}
	if f.tcp {
		text = "listeners: [{transport: tcp, address: 127.0.0.1:0}]\ncarrier_listeners: [{transport: tcp, address: 127.0.0.1:0}]\n" + text
	}
	if strings.Contains(f.name, "NAPTR") {
		_, port, err := net.SplitHostPort(first)
		require.NoError(t, err)
		text = strings.Replace(text, `address: "`+first+`"`, "address: carrier.example", 1)
		text = fmt.Sprintf("dns: {servers: [%q], timeout: 10s}\n", nameServer(t, port)) + text
	}
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

// sippAt starts a scenario at an address.
func sippAt(ctx context.Context, t *testing.T, scenario, addr string, calls int, args ...string) *exec.Cmd {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("testdata", "sipp", scenario))
	require.NoError(t, err)
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	dir := t.TempDir()
	all := append([]string{"-sf", file, "-i", host, "-p", port, "-m", fmt.Sprint(calls), "-nostdin", "-timeout", "20", "-timeout_error", "-trace_err", "-error_file", "errors.log"}, args...)
	c := exec.CommandContext(ctx, "sipp", all...)
	c.Dir = dir
	out := &logbook{}
	c.Stderr = out // standard output is a screen
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		if c.ProcessState == nil {
			_ = c.Process.Kill()
			_ = c.Wait()
		}
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "errors.log"))
			t.Logf("%s\n%s\n%s", scenario, tail(out.text.Bytes()), tail(log))
		}
	})
	return c
}
