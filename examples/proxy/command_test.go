package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/admin"
	"github.com/outdial/outdial/examples/proxy/b2bua"
)

// run1 runs a command and returns its exit code and what it said.
func run1(args ...string) (code int, out, diag string) {
	var o, d bytes.Buffer
	code = command(args, &o, &d)
	return code, o.String(), d.String()
}

func TestValidateCommand(t *testing.T) {
	code, out, diag := run1("validate", "-strict", "outdial.yaml")
	require.Zero(t, code, "%s%s", out, diag)
	require.Contains(t, out, "valid, 2 trunks, 0 findings")

	text, err := os.ReadFile("outdial.yaml")
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "outdial.yaml")
	change := func(old, next string) {
		require.Contains(t, string(text), old)
		require.NoError(t, os.WriteFile(name, []byte(strings.Replace(string(text), old, next, 1)), 0o600))
	}
	change("            - trunk: beta-1\n", "")
	code, out, _ = run1("validate", name)
	require.Zero(t, code)
	require.Contains(t, out, "(one_trunk)")
	code, _, _ = run1("validate", "-strict", "-config", name)
	require.Equal(t, 2, code)
	change("max_calls: 10000", "max_call: 10000")
	code, _, diag = run1("validate", name)
	require.Equal(t, 1, code)
	require.Regexp(t, `outdial.yaml:\d+:1: unknown key "max_call"`, diag)
	code, _, _ = run1("validate", "a", "b")
	require.Equal(t, 2, code)
	code, _, _ = run1("validate", filepath.Join(t.TempDir(), "none"))
	require.Equal(t, 1, code)
	code, _, _ = run1("-no-such-flag")
	require.Equal(t, 2, code)
	code, _, diag = run1("-h")
	require.Zero(t, code)
	require.Contains(t, diag, "proxy explain")
}

func TestExplainCommand(t *testing.T) {
	code, out, diag := run1("explain", "-dialer", "predictive", "+12125550199")
	require.Zero(t, code, diag)
	require.Contains(t, out, "A call to +12125550199")
	require.Regexp(t, `1\.\s+alpha-1\s+alpha\s+0\s+dialled`, out)
	require.Contains(t, out, "+12125550101")
	code, out, _ = run1("explain", "-json", "-program", "sales", "12125550199")
	require.Zero(t, code)
	var x outdial.Explanation
	require.NoError(t, json.Unmarshal([]byte(out), &x))
	require.Len(t, x.Candidates, 2)
	_, out, _ = run1("explain", "-program", "sales", "+19005550123")
	require.Contains(t, out, "refused by routing (premium)")
	for _, args := range [][]string{{"explain", "911"}, {"explain", "-program", "x", "+12125550199"}, {"explain", "-config", "none", "+12125550199"}} {
		code, _, diag = run1(args...)
		require.Equal(t, 1, code, diag)
	}
	code, _, _ = run1("explain")
	require.Equal(t, 2, code)
}

// administered is a proxy that does not run, and its admin API, with the name of its configuration.
func administered(t *testing.T) (name string, p *b2bua.Proxy, api *admin.Server) {
	t.Helper()
	name = write(t, "127.0.0.1:9", "127.0.0.1:9", "")
	cfg, err := read(name)
	require.NoError(t, err)
	p, err = b2bua.New(cfg, b2bua.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	api, err = admin.New(admin.Config{Proxy: p})
	require.NoError(t, err)
	return name, p, api
}

// A running proxy is asked over its admin API, and knows what an operator has ordered.
func TestExplainAsksARunningProxy(t *testing.T) {
	_, p, s := administered(t)
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	require.NoError(t, p.Engine().Control(p.Now(), outdial.Control{Actor: "ann", Action: "trunk.drain", Target: "first", Reason: "r"}))
	code, out, diag := run1("explain", "-url", server.URL, "-program", "sales", "+12125550199")
	require.Zero(t, code, diag)
	require.Regexp(t, `first\s+one\s+0\s+refused.*draining`, out)
	code, _, diag = run1("explain", "-url", server.URL, "911")
	require.Equal(t, 1, code)
	require.Contains(t, diag, "422")
}

// A proxy that runs is asked for its health where its configuration says that it listens.
func TestHealthCommand(t *testing.T) {
	name, _, s := administered(t)
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status != http.StatusOK && r.URL.Path == "/readyz" {
			w.WriteHeader(status)
			return
		}
		s.Handler().ServeHTTP(w, r)
	}))
	defer server.Close()

	code, _, diag := run1("health", "-config", name)
	require.Equal(t, 1, code)
	require.Contains(t, diag, "nobody to ask")
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	for section, path := range map[string]string{
		"admin: {listen: \"127.0.0.1:" + port + "\"}\n": "", "admin: {listen: \":" + port + "\"}\n": "", "decision: {http: {listen: \":" + port + "\"}}\n": "/readyz",
		"admin: {listen: \"0.0.0.0:" + port + "\", token_env: X}\n": "",
	} {
		require.NoError(t, os.WriteFile(name, append(slices.Clone(text), section...), 0o600))
		code, out, diag := run1("health", "-config", name)
		require.Zero(t, code, "%s%s", section, diag)
		require.Equal(t, "ok\n", out)
		status = http.StatusServiceUnavailable // it drains
		code, _, diag = run1("health", "-ready", "-config", name)
		require.Equal(t, 1, code)
		require.Contains(t, diag, "/readyz: 503")
		code, _, _ = run1("health", "-config", name)
		require.Equal(t, path != "", code != 0, "who drains is there")
		status = http.StatusOK
	}
	server.Close()
	code, _, diag = run1("health", "-config", name)
	require.Equal(t, 1, code)
	require.Contains(t, diag, "refused")
}

// The starter is valid, without a finding, and runs.
func TestInitCommand(t *testing.T) {
	name := filepath.Join(t.TempDir(), "mine.yaml")
	code, _, diag := run1("init", "-carrier", "acme=203.0.113.5:5060", "-carrier", "best=sip.best.example", "-dialer", "10.0.0.0/8",
		"-caller", "+13035550100", name)
	require.Zero(t, code, diag)
	code, out, diag := run1("validate", "-strict", name)
	require.Zero(t, code, "%s%s", out, diag)
	info, err := os.Stat(name)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	for _, s := range []string{"acme-1", "203.0.113.5:5060", "best-1", "10.0.0.0/8", "+13035550100"} {
		require.Contains(t, string(text), s)
	}
	code, _, diag = run1("init", name)
	require.Equal(t, 1, code, "nothing is overwritten")
	require.Contains(t, diag, "exists")
	code, _, _ = run1("init", "-carrier", "nothing", name+"2")
	require.Equal(t, 1, code)

	bare := filepath.Join(t.TempDir(), "bare.yaml")
	code, _, diag = run1("init", bare)
	require.Zero(t, code, diag)
	code, out, diag = run1("validate", "-strict", bare)
	require.Zero(t, code, "%s%s", out, diag)

	cfg, err := read(bare)
	require.NoError(t, err)
	cfg.Listen, cfg.CarrierListen, cfg.Admin.Listen, cfg.Metrics.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", ""
	p, err := b2bua.New(cfg, b2bua.Options{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, p.Run(ctx))
}

func TestLintCommand(t *testing.T) {
	file := func(name string) string { return filepath.Join("siplint", "testdata", name+".sip") }
	code, out, diag := run1("lint", "-from", "203.0.113.9:5060", file("sound"), file("media-private"))
	require.Equal(t, 2, code, "%s%s", out, diag)
	require.Equal(t, file("media-private")+": media-private: c=: 192.168.1.4, of a sender on the public network\n"+
		"\ttell the sender its public address (external media address, ICE or STUN), or put a media relay before it\n", out)
	code, out, _ = run1("lint", "-from", "203.0.113.9:5060", file("sound"))
	require.Zero(t, code)
	require.Empty(t, out)
	code, _, diag = run1("lint", "-from", "203.0.113.9:5060", "outdial.yaml", file("none"))
	require.Equal(t, 1, code)
	require.Contains(t, diag, "outdial.yaml: not a SIP message")
	require.Contains(t, diag, "none.sip")
	code, _, diag = run1("lint", "-from", "somewhere", file("sound"))
	require.Equal(t, 1, code)
	require.Contains(t, diag, `-from: "somewhere"`)
	code, _, _ = run1("lint")
	require.Equal(t, 2, code)
}
