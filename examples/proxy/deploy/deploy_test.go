// Package deploy_test checks what stands in this directory for operators against the proxy itself.
package deploy_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/internal/integ"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// scraped is what Prometheus reads of a proxy that has placed a call over its second trunk.
func scraped(t *testing.T) string {
	full, err := siptest.StartCarrier(siptest.CarrierConfig{Behaviour: siptest.Behaviour{Script: siptest.Reject(503, "Full")}})
	require.NoError(t, err)
	defer full.Close()
	good, err := siptest.StartCarrier(siptest.CarrierConfig{Behaviour: siptest.Behaviour{Script: siptest.Answer(0, 0, 0)}})
	require.NoError(t, err)
	defer good.Close()
	cfg, err := b2bua.Load("test.yaml", []byte(`
listen: 127.0.0.1:0
carrier_listen: 127.0.0.1:0
drain_timeout: -1s
metrics: {listen: ":0"}
dialers: [{name: test, sources: [127.0.0.1], program: sales}]
trunks:
  - {name: first, address: "`+full.Addr().String()+`"}
  - {name: second, address: "`+good.Addr().String()+`"}
routing: {rules: [{tiers: [{strategy: priority, trunks: [{trunk: first}, {trunk: second}]}]}]}
cli:
  pools: [{name: sales, program: sales, limits: {caps: [2/24h], spacing: -1s}}]
  numbers: [{number: "+13035550100", pool: sales, evidence: contract 7}]
`))
	require.NoError(t, err)
	p, err := b2bua.New(cfg, b2bua.Options{})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx) }()
	defer func() {
		stop()
		require.NoError(t, <-ran)
	}()
	caller, err := siptest.StartCaller(siptest.CallerConfig{})
	require.NoError(t, err)
	defer caller.Close()
	for range 2 { // the first one uses the caller ID up: the second is refused
		_, err := caller.Call(t.Context(), p.Addr().String(), siptest.CallerCall{To: "+12125550123", HangupAfter: 1})
		require.NoError(t, err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + p.MetricsAddr().String() + "/metrics")
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(text)
}

var metricName = regexp.MustCompile(`outdial_[a-z_]+`)

// named sees to it that the proxy has every metric of an expression.
func named(t *testing.T, scrape, expr string) {
	t.Helper()
	names := metricName.FindAllString(expr, -1)
	require.NotEmpty(t, names, expr)
	for _, name := range names {
		if !regexp.MustCompile(`(?m)^` + name + `[ {]`).MatchString(scrape) {
			t.Errorf("the proxy has no %s, for %q", name, expr)
		}
	}
}

// Every expression of the dashboard is about metrics that the proxy has, and every variable that it uses is one.
func TestDashboard(t *testing.T) {
	data, err := os.ReadFile("grafana.json")
	require.NoError(t, err)
	var board struct {
		UID    string `json:"uid"`
		Panels []struct {
			ID      int                                   `json:"id"`
			Type    string                                `json:"type"`
			Title   string                                `json:"title"`
			Grid    struct{ X, Y, W, H int }              `json:"gridPos"`
			Targets []struct{ Expr, LegendFormat string } `json:"targets"`
		} `json:"panels"`
		Templating struct {
			List []struct {
				Name, Type string
				Query      any
			} `json:"list"`
		} `json:"templating"`
	}
	require.NoError(t, json.Unmarshal(data, &board))
	scrape, variables := scraped(t), map[string]bool{}
	for _, v := range board.Templating.List {
		variables[v.Name] = true
		if q, ok := v.Query.(map[string]any); ok {
			named(t, scrape, q["query"].(string))
		}
	}
	seen, taken := map[int]bool{}, map[[2]int]string{}
	exprs := 0
	for _, p := range board.Panels {
		require.False(t, seen[p.ID], "two panels have the id %d", p.ID)
		seen[p.ID] = true
		for x := p.Grid.X; x < p.Grid.X+p.Grid.W; x++ {
			for y := p.Grid.Y; y < p.Grid.Y+p.Grid.H; y++ {
				require.Empty(t, taken[[2]int{x, y}], "%s lies over another panel", p.Title)
				taken[[2]int{x, y}] = p.Title
			}
		}
		for _, target := range p.Targets {
			named(t, scrape, target.Expr)
			exprs++
			for _, v := range regexp.MustCompile(`\$(\w+)`).FindAllStringSubmatch(target.Expr, -1) {
				require.True(t, variables[v[1]], target.Expr)
			}
		}
	}
	require.Greater(t, exprs, 25)
	promtool := integ.Program(t, "promtool", "prometheus") // it checks the expressions, wrapped as rules
	rules := "groups:\n- name: dashboard\n  rules:\n"
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			expr, err := json.Marshal(strings.ReplaceAll(target.Expr, "$trunk", ".*"))
			require.NoError(t, err)
			rules += "  - record: x:" + string(rune('a'+p.ID%26)) + string(rune('a'+p.ID/26)) + "\n    expr: " + string(expr) + "\n"
		}
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	require.NoError(t, os.WriteFile(file, []byte(rules), 0o600))
	out, err := exec.Command(promtool, "check", "rules", "--lint=none", file).CombinedOutput()
	require.NoError(t, err, string(out))
}

// The rules are what promtool takes, and are about metrics that the proxy has.
func TestAlertRules(t *testing.T) {
	data, err := os.ReadFile("alerts.yml")
	require.NoError(t, err)
	scrape := scraped(t)
	for _, line := range strings.Split(string(data), "\n") {
		if strings.Contains(line, "outdial_") {
			named(t, scrape, line)
		}
	}
	out, err := exec.Command(integ.Program(t, "promtool", "prometheus"), "check", "rules", "alerts.yml").CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "13 rules found")
}

// systemd takes the unit, and thinks well of what it lets the process do.
func TestUnit(t *testing.T) {
	data, err := os.ReadFile("outdial-proxy.service")
	require.NoError(t, err)
	require.Contains(t, string(data), "ExecReload=/bin/kill -HUP $MAINPID")
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd is not installed")
	}
	unit := filepath.Join(t.TempDir(), "outdial-proxy.service")
	self := strings.ReplaceAll(string(data), "/usr/local/bin/outdial-proxy", "/bin/true") // it wants the program to be there
	require.NoError(t, os.WriteFile(unit, []byte(self), 0o600))
	out, err := exec.Command(analyze, "verify", unit).CombinedOutput()
	require.NoError(t, err, string(out))
	require.NotContains(t, string(out), unit, "a warning")
}

// The image cannot be built everywhere; that it is built of what is there, can be seen.
func TestDockerfile(t *testing.T) {
	data, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	text := string(data)
	require.Contains(t, text, "CGO_ENABLED=0")
	require.Regexp(t, `(?m)^USER [1-9]`, text, "not as root")
	require.Regexp(t, `(?m)^ENTRYPOINT \["/outdial-proxy"\]`, text)
	mod, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(mod))
	require.Contains(t, text, "FROM golang:"+version[1], "the version of go.mod")
	known := regexp.MustCompile(`^(FROM|WORKDIR|COPY|RUN|USER|VOLUME|EXPOSE|STOPSIGNAL|ENTRYPOINT|CMD|#| )`)
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		require.True(t, line == "" || known.MatchString(line), line)
	}
}
