package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// SIGHUP: a file that is wrong changes nothing and is logged; one that is right holds for the next call, and a call that is up goes on.
func TestHangupReloads(t *testing.T) {
	binary := build(t)
	first, second := carrier(t, siptest.Answer(0, 0, 0)), carrier(t, siptest.Answer(0, 0, 0))
	config := write(t, first.Addr().String(), second.Addr().String(), filepath.Join(t.TempDir(), "journal"))
	p := start(t, binary, config)
	up := talk(t, p, first)
	before, err := os.ReadFile(config)
	require.NoError(t, err)
	change := func(text string) {
		require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
		require.NoError(t, p.cmd.Process.Signal(syscall.SIGHUP))
	}
	change(strings.Replace(string(before), "trunk: first", "trunk: nobody", 1))
	p.logged(t, "not reloaded")
	require.Equal(t, 200, dial(t, p, siptest.CallerCall{HangupAfter: time.Millisecond}).Code())
	require.Equal(t, 2, first.Stats().Invites, "the former policy")
	change(strings.Replace(string(before), "{trunk: first}, ", "", 1))
	p.logged(t, "msg=reloaded")
	require.Equal(t, 200, dial(t, p, siptest.CallerCall{HangupAfter: time.Millisecond}).Code())
	require.Equal(t, 1, second.Stats().Invites)
	require.Equal(t, 200, up().Code())
	p.end(t, "msg=ended calls=3 answered=3 lost=0")
}

// SIGUSR2: calls that are up end by themselves, no new ones come in meanwhile; then the program is there again, and knows what it knew.
func TestGracefulRestart(t *testing.T) {
	binary := build(t)
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) { testGracefulRestart(t, binary, transport == "tcp") })
	}
}

func testGracefulRestart(t *testing.T, binary string, tcp bool) {
	first, second := carrier(t, siptest.Answer(0, 0, 0)), carrier(t, siptest.Answer(0, 0, 0))
	config := write(t, first.Addr().String(), second.Addr().String(), filepath.Join(t.TempDir(), "journal"))
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	text = bytes.Replace(text, []byte("drain_timeout: -1s"), []byte("drain_timeout: 1m"), 1)
	port := freePort(t)
	if tcp { // the same port before and after, although connections to it were open
		text = append([]byte("listeners: [{transport: tcp, address: \"127.0.0.1:"+port+"\"}]\n"), text...)
	}
	require.NoError(t, os.WriteFile(config, text, 0o600))
	p := start(t, binary, config)
	if p.tcp = tcp; tcp {
		p.addr = "127.0.0.1:" + port
	}
	up := talk(t, p, first)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGUSR2))
	p.logged(t, "draining")
	r := dial(t, p, siptest.CallerCall{})
	require.Equal(t, 503, r.Code())
	require.NotEmpty(t, r.Final.Header("Retry-After"))
	require.Equal(t, 200, up().Code())
	pid := p.cmd.Process.Pid
	_, err = p.out.ReadString('\n') // the rest of the first line
	require.NoError(t, err)
	_, err = fmt.Fscanf(p.out, "dialers %s", &p.addr)
	require.NoError(t, err, "%s", p.text())
	if p.addr, p.more, _ = strings.Cut(p.addr, ","); tcp {
		p.addr = p.listening(t)
	}
	require.Equal(t, pid, p.cmd.Process.Pid)
	require.Equal(t, 200, dial(t, p, siptest.CallerCall{HangupAfter: time.Millisecond}).Code())
	p.end(t, "msg=ended calls=1 answered=1 lost=0")

	data, err := os.ReadFile(config)
	require.NoError(t, err)
	cfg, err := b2bua.Load(config, data)
	require.NoError(t, err)
	after, err := b2bua.New(cfg, b2bua.Options{})
	require.NoError(t, err)
	used := 0
	for _, n := range numbers {
		s, ok := after.CLIs().Number(time.Now(), outdial.MustNumber(n))
		require.True(t, ok)
		used += s.Uses[0].Used
	}
	require.Equal(t, 2, used)
	require.NoError(t, after.Close())
}

// talk places a call that is up when talk returns; what it returns hangs up and says how the call went.
func talk(t *testing.T, p *process, by *siptest.Carrier) (end func() *siptest.CallResult) {
	t.Helper()
	caller := p.caller(t)
	ctx, hangUp := context.WithCancel(context.Background())
	done := make(chan *siptest.CallResult, 1)
	go func() {
		r, _ := caller.Call(ctx, p.addr, siptest.CallerCall{To: "+12125550123"})
		done <- r
	}()
	require.Eventually(t, func() bool { return by.Stats().Acks == 1 }, patience, 10*time.Millisecond)
	return func() *siptest.CallResult {
		hangUp()
		r := <-done
		require.NoError(t, caller.Close())
		return r
	}
}
