package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
)

// sipp plays what happens in and around calls: CANCEL, digest, redirection.
func TestSippFlows(t *testing.T) {
	calls, rate := sippRun(t)
	binary := build(t)
	for _, tt := range []struct {
		scenario string
		dialer   string // what its entry in the file has besides
		carrier  siptest.Script
		invites  int
		ended    string
	}{
		{"uac_cancel.xml", "", siptest.RingForever(0), calls, "answered=0"},
		{"uac_auth.xml", "auth: {username: pbx, password: secret, algorithms: [MD5]}, ", siptest.Answer(0, 0, 0), calls, fmt.Sprintf("answered=%d", calls)},
		{"uac_redirect.xml", "redirect: true, lease: 1s, ", siptest.Silence(), 0, "answered=0"},
	} {
		t.Run(tt.scenario, func(t *testing.T) {
			first, second := carrier(t, tt.carrier), carrier(t, siptest.Silence())
			config := write(t, first.Addr().String(), second.Addr().String(), filepath.Join(t.TempDir(), "journal"))
			text, err := os.ReadFile(config)
			require.NoError(t, err)
			changed := strings.Replace(string(text), "{name: test, ", "{name: test, "+tt.dialer, 1)
			changed = strings.Replace(changed, "name: first, ", "name: first, t100: 30s, pdd: 30s, ", 1)
			require.NoError(t, os.WriteFile(config, []byte(changed), 0o600))
			p := start(t, binary, config)
			sipp(t, tt.scenario, p.addr, calls, rate)
			require.NoError(t, first.Settle(t.Context()))
			require.Equal(t, tt.invites, first.Stats().Invites)
			p.end(t, fmt.Sprintf("msg=ended calls=%d %s lost=0 malformed=0", calls, tt.ended))
		})
	}
}

// sipp on both sides: hold, a re-INVITE without an offer, DTMF by INFO.
func TestSippHold(t *testing.T) {
	calls, rate := sippRun(t)
	file, err := filepath.Abs(filepath.Join("testdata", "sipp", "uas_hold.xml"))
	require.NoError(t, err)
	port := freePort(t)
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	uas := exec.CommandContext(ctx, "sipp", "-sf", file, "-i", "127.0.0.1", "-p", port, "-nostdin", "-m", fmt.Sprint(calls))
	uas.Dir = t.TempDir()
	require.NoError(t, uas.Start())
	t.Cleanup(func() { _ = uas.Process.Kill() })
	p := start(t, build(t), write(t, "127.0.0.1:"+port, "127.0.0.1:9", filepath.Join(t.TempDir(), "journal")))
	sipp(t, "uac_hold.xml", p.addr, calls, rate)
	require.NoError(t, uas.Wait(), "every call of the carrier's succeeded too")
	p.end(t, fmt.Sprintf("msg=ended calls=%d answered=%d lost=0 malformed=0", calls, calls))
}
