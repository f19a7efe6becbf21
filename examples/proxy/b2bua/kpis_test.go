package b2bua_test

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/kpi/cdr"
)

// counted is a configuration with everything that is counted beside the meter.
func counted(c *b2bua.Config) {
	c.Metrics.Listen = ":0"
	short, abandoned := kpi.ShareShort, kpi.ShareAbandoned
	c.KPI = b2bua.KPI{
		Archive: b2bua.Archive{Views: []kpi.View{kpi.Total, kpi.ByTrunk}},
		Callees: &b2bua.Callees{}, Numbers: &b2bua.Numbers{},
		Budgets: []b2bua.Budget{
			{Name: "short", Of: map[string]string{"trunk": "second"}, Share: &short, Within: 6 * time.Second, Most: 0.15, Least: 1},
			{Name: "abandoned", Share: &abandoned, Period: 720 * time.Hour, Rolling: true, Most: 0.03},
		},
		Dispositions: map[string]b2bua.Disposition{"SALE": {By: "human", Contact: true}},
	}
}

// What an operator reads: reports and scorecards, a week beside the week before, budgets, and what callees, caller IDs and agents
// come to; and nobody's number.
func TestKPIsAreServed(t *testing.T) {
	w := loopback(t, siptest.Reject(503, ""), siptest.Answer(0, 0, 0), counted)
	require.Equal(t, 200, w.call(siptest.CallerCall{HangupAfter: time.Millisecond}).Code())
	w.proxy.SetAgents(time.Now(), 3, 1)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(path string, want int) string {
		res, err := client.Get("http://" + w.proxy.MetricsAddr().String() + path)
		require.NoError(t, err)
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Equal(t, want, res.StatusCode, "%s: %s", path, text)
		for _, number := range []string{"2125550123", "3035550100"} {
			require.NotContains(t, string(text), number)
		}
		return string(text)
	}
	var report kpi.Report
	require.NoError(t, json.Unmarshal([]byte(strings.ReplaceAll(get("/kpi", 200), `"verdict":"`, `"-":"`)), &report))
	require.EqualValues(t, 1, report.Cells[0].Answers)
	rows, err := csv.NewReader(strings.NewReader(get("/kpi/scorecard.csv?view=trunk", 200))).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"trunk", "first", "second"}, []string{rows[0][0], rows[1][0], rows[2][0]})
	rows, err = csv.NewReader(strings.NewReader(get("/kpi/weekly.csv", 200))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1, "the hour is not over")
	require.Contains(t, get("/kpi/weekly.json?view=total", 200), `"view":"total"`)
	counts := get("/kpi/counts", 200)
	for _, want := range []string{
		`"waiting":3`, `"callees":1`, `"attempts":2`, `"pool":"sales"`, `"place":"US/`, `"name":"short"`, `"ratio":{"k":1,"n":1}`,
		`"signal":"stop"`, `"signal":"none"`,
	} {
		require.Contains(t, counts, want)
	}
	for path, want := range map[string]string{
		"/kpi?span=7m": "span: the meter does not look back over it", "/kpi?span=x": "span: ", "/kpi/scorecard.csv?view=colour": `no dimension "colour"`,
		"/kpi/weekly.csv?view=pool": "pool is not archived",
	} {
		require.Contains(t, get(path, 400), want)
	}
	get("/kpi/nothing", 404)
}

// A disposition by the dialer's own code counts with the call; one that is not in the table is told to the operator.
func TestDispositionsByCode(t *testing.T) {
	dir := t.TempDir()
	w := loopback(t, siptest.Reject(503, ""), siptest.Answer(0, 0, 0), func(c *b2bua.Config) {
		counted(c)
		c.Journal.Dir = dir
	})
	require.Equal(t, 200, w.call(siptest.CallerCall{HangupAfter: time.Millisecond}).Code())
	journal, err := cdr.NewReader(cdr.ReaderConfig{Dir: dir, IDs: new(outdial.Registry)})
	require.NoError(t, err)
	var id outdial.AttemptID
	for ev, err := range journal.All() {
		require.NoError(t, err)
		if ev.Kind == outdial.EventAnswered {
			id = ev.Attempt.ID
		}
	}
	now := time.Now()
	require.NoError(t, w.proxy.Dispose(now, id, "sale", time.Minute))
	require.NoError(t, w.proxy.Dispose(now, id, "sale", time.Minute))
	require.NoError(t, w.proxy.Dispose(now, id, "CALLBACK", 0))
	c, _ := w.proxy.Meter().Cell(now, kpi.Key{})
	require.EqualValues(t, 1, c.Contacts)
	require.Equal(t, time.Minute, c.AgentTime)
	counts, err := w.proxy.Counts(now)
	require.NoError(t, err)
	require.Equal(t, map[string]uint64{"callback": 1}, counts.Unmapped)
}

// The dialer tells by HTTP what it knows, from this machine; what is not understood changes nothing.
func TestKPIsAreTold(t *testing.T) {
	w := loopback(t, siptest.Reject(503, ""), siptest.Answer(0, 0, 0), counted)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	post := func(path, kind, body string) int {
		res, err := client.Post("http://"+w.proxy.MetricsAddr().String()+path, kind, strings.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	const asJSON = "application/json"
	require.Equal(t, 204, post("/kpi/agents", asJSON, `{"idle": 3, "busy": 1}`))
	require.Equal(t, 204, post("/kpi/dispositions", asJSON+"; charset=utf-8", `{"attempt": "1f000-1", "code": "CALLBACK", "agent_seconds": 1.5}`))
	for body, want := range map[string]int{
		``: 400, `{}`: 400, `{"idle":1}`: 400, `{"idle":-1,"busy":1}`: 400, `{"idle":1,"busy":1,"away":1}`: 400, `{"idle":1,"busy":1}{}`: 400,
		`{"idle":1,"busy":1,"x":"` + strings.Repeat("x", 5000) + `"}`: 413,
	} {
		require.Equal(t, want, post("/kpi/agents", asJSON, body), body)
	}
	for body, want := range map[string]int{
		`{"attempt":"1f000","code":"SALE"}`: 400, `{"attempt":"1f000-1"}`: 400, `{"code":"SALE"}`: 400,
		`{"attempt":"1f000-1","code":"SALE","agent_seconds":-1}`: 400,
	} {
		require.Equal(t, want, post("/kpi/dispositions", asJSON, body), body)
	}
	require.Equal(t, 415, post("/kpi/agents", "text/plain", `{"idle": 9, "busy": 9}`))
	counts, err := w.proxy.Counts(time.Now())
	require.NoError(t, err)
	require.Equal(t, 3, counts.Agents.Waiting)
	require.Equal(t, map[string]uint64{"callback": 1}, counts.Unmapped)
}

// What changes is in the feed within a second.
func TestFeedLag(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, time.Hour), siptest.Answer(0, 0, time.Hour), func(c *b2bua.Config) {
		counted(c)
		c.Metrics.Listen = ""
	}, func(t *testing.T, w *world) {
		ctx, stop := context.WithCancel(t.Context())
		read, write := io.Pipe()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			w.proxy.Feed(&piped{ResponseRecorder: httptest.NewRecorder(), to: write}, httptest.NewRequest("GET", "/kpi/feed", nil).WithContext(ctx))
			_ = write.Close()
		}()
		lines := bufio.NewScanner(read)
		next := func() (pace b2bua.Pace) {
			for lines.Scan() {
				if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
					var got struct {
						Attempts uint64
						Now      time.Time
					}
					require.NoError(t, json.Unmarshal([]byte(text), &got))
					pace.Attempts, pace.Now = got.Attempts, got.Now
					return pace
				}
			}
			t.Error("the feed ended")
			return pace
		}
		require.Zero(t, next().Attempts)
		done := make(chan *siptest.CallResult, 1)
		began := time.Now()
		go func() { done <- w.call(siptest.CallerCall{HangupAfter: time.Second}) }()
		for next().Attempts == 0 {
			continue
		}
		require.LessOrEqual(t, time.Since(began), time.Second)
		stop()
		go func() { _, _ = io.Copy(io.Discard, read) }()
		<-ended
		<-done
		synctest.Wait()
	})
}

// piped writes what is answered to a pipe.
type piped struct {
	*httptest.ResponseRecorder
	to io.Writer
}

func (p *piped) Write(b []byte) (int, error) { return p.to.Write(b) }

func TestBudgetsAreChecked(t *testing.T) {
	cfg := config("127.0.0.1:1", "127.0.0.1:2")
	counted(&cfg)
	require.NoError(t, cfg.Validate())
	share := kpi.ShareFailed
	cfg.KPI.Budgets = []b2bua.Budget{
		{Of: map[string]string{"trunk": "none"}, Share: &share, Most: 2},
		{Name: "a", Of: map[string]string{"colour": "red"}},
		{Name: "a", Of: map[string]string{"carrier": "nobody"}, Share: &share, Most: 0.1},
	}
	cfg.KPI.Dispositions["X"] = b2bua.Disposition{By: "nobody"}
	cfg.KPI.Dispositions["Y"] = b2bua.Disposition{By: "fax", Contact: true}
	err := cfg.Validate()
	for _, want := range []string{
		"kpi.budgets[0].name: required", "kpi.budgets[0].most: ", `kpi.budgets[0].of: no trunk is of trunk "none"`,
		"kpi.budgets[1].share: required", "kpi.budgets[1].of: ", `kpi.budgets[2].name: "a": given twice`,
		"kpi.budgets[2].of: kpi.archive.views does not keep carrier", `kpi.budgets[2].of: no trunk is of carrier "nobody"`,
	} {
		require.ErrorContains(t, err, want)
	}
	cfg.KPI.Budgets = nil
	err = cfg.Validate()
	require.ErrorContains(t, err, `kpi.dispositions.X.by: "nobody" is not who answers`)
	require.ErrorContains(t, err, "kpi.dispositions")
	cfg = config("127.0.0.1:1", "127.0.0.1:2")
	cfg.KPI.Callees, cfg.KPI.Numbers = &b2bua.Callees{Period: 1}, &b2bua.Numbers{Max: -1}
	err = cfg.Validate()
	require.ErrorContains(t, err, "kpi.callees")
	require.ErrorContains(t, err, "kpi.numbers")
}
