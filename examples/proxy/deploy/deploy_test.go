// Package deploy_test checks what stands in this directory for operators against the proxy itself.
package deploy_test

import (
	"context"
	"debug/elf"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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
	// A dynamic user owns no configuration, and the file is nobody else's to read: only by its group.
	require.Contains(t, string(data), "\nDynamicUser=yes\n")
	group := regexp.MustCompile(`\nSupplementaryGroups=(\w+)\n`).FindSubmatch(data)
	require.NotNil(t, group)
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	require.Contains(t, string(readme), "groupadd --system "+string(group[1])+" ")
	require.Contains(t, string(readme), "install -d -m 0750 -g "+string(group[1])+" /etc/outdial\n")
	analyze := integ.Program(t, "systemd-analyze", "systemd")
	unit := filepath.Join(t.TempDir(), "outdial-proxy.service")
	self := strings.ReplaceAll(string(data), "/usr/local/bin/outdial-proxy", "/bin/true") // it wants the program to be there
	require.NoError(t, os.WriteFile(unit, []byte(self), 0o600))
	out, err := exec.Command(analyze, "verify", unit).CombinedOutput()
	require.NoError(t, err, string(out))
	require.NotContains(t, string(out), unit, "a warning")
}

// instructions are those of the Dockerfile, in order: the word, and what follows it, with continued lines joined.
func instructions(t *testing.T) (all [][2]string) {
	t.Helper()
	data, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	for _, line := range strings.Split(strings.ReplaceAll(string(data), "\\\n", ""), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		all = append(all, [2]string{word, strings.TrimSpace(rest)})
	}
	return all
}

// The image is built of what is there, and runs the proxy as the proxy is run: as nobody in particular, with a state that is its own, on the ports
// that a starter has, and asked for its health in a way that it understands. No daemon is needed to see that.
func TestDockerfile(t *testing.T) {
	by := map[string][]string{}
	for _, i := range instructions(t) {
		by[i[0]] = append(by[i[0]], i[1])
	}
	one := func(word string) string {
		t.Helper()
		require.Len(t, by[word], 1, word)
		return by[word][0]
	}
	words := slices.Sorted(maps.Keys(by))
	require.Equal(t, []string{"CMD", "COPY", "ENTRYPOINT", "EXPOSE", "FROM", "HEALTHCHECK", "RUN", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}, words)
	mod, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(mod))
	require.Equal(t, []string{"golang:" + version[1] + "-alpine AS build", "scratch"}, by["FROM"], "the version of go.mod")

	// What the second stage takes, the first one makes.
	made := one("RUN")
	require.Contains(t, made, "CGO_ENABLED=0 ", "there is no C library in an empty image")
	var state string
	require.Equal(t, ". .", by["COPY"][0])
	for _, c := range by["COPY"][1:] {
		parts := strings.Fields(c)
		require.Equal(t, "--from=build", parts[0])
		from, to := parts[len(parts)-2], parts[len(parts)-1]
		switch {
		case strings.HasPrefix(from, "/out/"):
			require.Contains(t, made, from)
		default:
			require.Equal(t, "/etc/ssl/certs/ca-certificates.crt", from, "golang's images have it")
		}
		if len(parts) == 4 {
			require.Equal(t, "--chown="+one("USER"), parts[1])
			state = to
		}
	}
	require.Regexp(t, `^[1-9]\d*:[1-9]\d*$`, one("USER"), "not root, and in numbers: there is no /etc/passwd")
	require.Equal(t, state, one("VOLUME"))
	unit, err := os.ReadFile("outdial-proxy.service")
	require.NoError(t, err)
	require.Contains(t, string(unit), one("VOLUME")+"/journal", "the same place under systemd")

	var entry, arguments, check []string
	require.NoError(t, json.Unmarshal([]byte(one("ENTRYPOINT")), &entry))
	require.NoError(t, json.Unmarshal([]byte(one("CMD")), &arguments))
	_, asked, ok := strings.Cut(one("HEALTHCHECK"), " CMD ")
	require.True(t, ok)
	require.NoError(t, json.Unmarshal([]byte(asked), &check))
	require.Equal(t, []string{"/outdial-proxy"}, entry)
	require.Equal(t, append([]string{entry[0], "health"}, arguments...), check, "of the proxy that runs")
	require.Equal(t, "SIGTERM", one("STOPSIGNAL"))

	starter, err := os.ReadFile("../starter.yaml.tmpl")
	require.NoError(t, err)
	var ports []string
	for _, m := range regexp.MustCompile(`(?m)^(?:carrier_)?listen: [\d.]+:(\d+)`).FindAllStringSubmatch(string(starter), -1) {
		ports = append(ports, m[1]+"/udp")
	}
	require.Equal(t, ports, strings.Fields(one("EXPOSE")))
	require.Regexp(t, `(?m)^admin: \{listen:`, string(starter), "there is somebody to ask for health")
}

// The build step makes a program that needs nothing else, and answers as the health check asks.
func TestDockerfileBuilds(t *testing.T) {
	integ.Long(t) // it compiles everything again: -trimpath
	var run string
	for _, i := range instructions(t) {
		if i[0] == "RUN" {
			run = i[1]
		}
	}
	dir := t.TempDir()
	cmd := exec.Command("sh", "-c", strings.ReplaceAll(run, "/out/", dir+"/"))
	cmd.Dir = "../../.."
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	program, err := elf.Open(filepath.Join(dir, "outdial-proxy"))
	require.NoError(t, err)
	defer program.Close()
	libraries, err := program.ImportedLibraries()
	require.NoError(t, err)
	require.Empty(t, libraries)
	for _, s := range program.Progs {
		require.NotEqual(t, elf.PT_INTERP, s.Type, "it is loaded by nobody else")
	}
	require.DirExists(t, filepath.Join(dir, "state"))
	config := filepath.Join(dir, "outdial.yaml")
	proxy := func(args ...string) (string, error) {
		out, err := exec.Command(filepath.Join(dir, "outdial-proxy"), args...).CombinedOutput()
		return string(out), err
	}
	text, err := proxy("init", config)
	require.NoError(t, err, text)
	text, err = proxy("validate", "-config", config)
	require.NoError(t, err, text)
	text, err = proxy("health", "-config", config)
	require.Error(t, err, "none runs")
	require.Contains(t, text, "refused")
}
