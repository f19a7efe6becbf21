package kpiprom_test

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/kpi/kpiprom"
)

var monday = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// dial gives the observers a call that is answered after a PDD of two seconds and talks for a minute, or is busy.
func dial(call int, trunk outdial.TrunkID, answered bool, observers ...outdial.Observer) {
	a := outdial.Attempt{ID: outdial.AttemptID{Call: outdial.CallID(call), Leg: 1}, Start: monday, CLI: 12125559876}
	a.Candidate.Trunk, a.Call.To = trunk, 13125550100
	tell := func(kind outdial.EventKind, at time.Duration) {
		for _, o := range observers {
			o.Observe(&outdial.Event{Kind: kind, Time: monday.Add(at), Attempt: &a})
		}
	}
	tell(outdial.EventStarted, 0)
	a.Timeline.Set(outdial.MarkProvisional, 2*time.Second)
	if answered {
		a.Timeline.Set(outdial.MarkAnswer, 9*time.Second)
		tell(outdial.EventAnswered, 9*time.Second)
		a.Result.Origin = outdial.OriginCalleeHangup
	} else {
		a.Result = outdial.Result{Origin: outdial.OriginCarrier, Code: 486}
	}
	a.Timeline.Set(outdial.MarkEnd, 69*time.Second)
	tell(outdial.EventEnded, 69*time.Second)
}

func build(t *testing.T, change func(*kpiprom.Config)) (*kpiprom.Collector, *kpi.Meter, *outdial.Registry) {
	ids := new(outdial.Registry)
	ids.Trunks.Add("gold", "silver", "bronze", "tin")
	m, err := kpi.New(kpi.Config{IDs: ids})
	require.NoError(t, err)
	cfg := kpiprom.Config{IDs: ids, Meter: m, Now: func() time.Time { return monday.Add(2 * time.Minute) }}
	if change != nil {
		change(&cfg)
	}
	c, err := kpiprom.New(cfg)
	require.NoError(t, err)
	return c, m, ids
}

func TestCollector(t *testing.T) {
	c, m, _ := build(t, nil)
	for i := range 10 {
		dial(i+1, 1, i < 4, c, m)
	}
	c.Observe(&outdial.Event{
		Kind: outdial.EventRefused, Time: monday, Attempt: &outdial.Attempt{Candidate: outdial.Candidate{Trunk: 1}},
		RefusalStage: outdial.StageTrunk, Refusal: "full",
	})
	c.Observe(&outdial.Event{
		Kind: outdial.EventDisposed, Attempt: &outdial.Attempt{Start: monday, Candidate: outdial.Candidate{Trunk: 1}},
		Disposition: &outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman, Contact: true},
	})
	for name, want := range map[string]string{
		"outdial_attempts_total":    `outdial_attempts_total{trunk="gold"} 10`,
		"outdial_contacts_total":    `outdial_contacts_total{trunk="gold"} 1`,
		"outdial_answered_by_total": `outdial_answered_by_total{by="human",trunk="gold"} 1`,
		"outdial_refused_total":     `outdial_refused_total{code="full",stage="trunk",trunk="gold"} 1`,
	} {
		text := exposed(t, c)
		require.Contains(t, text, want, name)
	}
	text := exposed(t, c)
	for _, want := range []string{
		`outdial_outcomes_total{class="answer",trunk="gold"} 4`, `outdial_outcomes_total{class="user_busy",trunk="gold"} 6`,
		`outdial_ratio{kpi="asr",trunk="gold"} 0.4`, `outdial_ratio_trials{kpi="asr",trunk="gold"} 10`,
		`outdial_pdd_seconds_bucket{trunk="gold",le="1.5"} 0`, `outdial_pdd_seconds_bucket{trunk="gold",le="2"} 10`,
		`outdial_pdd_seconds_sum{trunk="gold"} 20`, `outdial_duration_seconds_count{trunk="gold"} 4`,
		`outdial_duration_seconds_bucket{trunk="gold",le="60"} 4`, `outdial_series_truncated_total 0`,
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, `kpi="abandoned",trunk="gold"} NaN`)
	require.NotContains(t, text, `outdial_ratio{kpi="abandoned"`, "undefined is absent, not zero")
	problems, err := testutil.CollectAndLint(c)
	require.NoError(t, err)
	require.Empty(t, problems)
}

// exposed is what a scrape sees.
func exposed(t *testing.T, c prometheus.Collector) string {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, reg.Register(c))
	w := httptest.NewRecorder()
	promhttp.HandlerFor(reg, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	require.Equal(t, 200, w.Code, w.Body.String())
	return w.Body.String()
}

// No number of a caller or a callee comes out, whatever the traffic was.
func TestNoTelephoneNumberIsALabel(t *testing.T) {
	c, m, _ := build(t, nil)
	for i := range 20 {
		dial(i+1, outdial.TrunkID(i%3+1), i%2 == 0, c, m)
	}
	text := exposed(t, c)
	for _, digits := range []string{"2125559876", "3125550100"} {
		require.NotContains(t, text, digits)
	}
	for _, v := range []kpi.View{kpi.ByCLI, kpi.ByTrunk | kpi.ByBlock} {
		_, err := kpiprom.New(kpiprom.Config{IDs: new(outdial.Registry), View: &v})
		require.ErrorContains(t, err, "telephone numbers")
	}
}

// Label sets beyond the limit are counted together, and how often is counted too.
func TestCardinalityIsCapped(t *testing.T) {
	c, m, _ := build(t, func(cfg *kpiprom.Config) { cfg.MaxSeries = 2 })
	for i := range 40 {
		dial(i+1, outdial.TrunkID(i%4+1), true, c, m)
	}
	text := exposed(t, c)
	require.Contains(t, text, `outdial_attempts_total{trunk="gold"} 10`)
	require.Contains(t, text, `outdial_attempts_total{trunk="other"} 20`)
	require.NotContains(t, text, `"bronze"`)
	require.Contains(t, text, "outdial_series_truncated_total 60")
	for i := range 200 { // codes too
		c.Observe(&outdial.Event{
			Kind: outdial.EventRefused, Attempt: &outdial.Attempt{Candidate: outdial.Candidate{Trunk: 1}},
			RefusalStage: outdial.StageTrunk, Refusal: fmt.Sprint("code", i),
		})
	}
	text = exposed(t, c)
	require.LessOrEqual(t, strings.Count(text, "outdial_refused_total{"), 66)
	require.Contains(t, text, `outdial_refused_total{code="other",stage="trunk",trunk="gold"} 136`)
}

func TestConfigNamesEveryBadField(t *testing.T) {
	v := kpi.ByRegion
	_, err := kpiprom.New(kpiprom.Config{View: &v, MaxSeries: -1, PDD: []float64{2, 1}, Duration: []float64{-1}})
	for _, field := range []string{"IDs", "View", "MaxSeries", "PDD", "Duration"} {
		require.ErrorContains(t, err, "kpiprom: "+field)
	}
}

func TestConcurrentUse(t *testing.T) {
	c, m, _ := build(t, nil)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 200 {
				dial(w*200+i+1, outdial.TrunkID(i%4+1), true, c, m)
			}
			exposed(t, c)
		})
	}
	wg.Wait()
	require.Contains(t, exposed(t, c), `outdial_attempts_total{trunk="gold"} 200`)
}

// The rules are what promtool takes, and name only metrics that there are.
func TestAlertRules(t *testing.T) {
	rules, err := os.ReadFile("alerts.yml")
	require.NoError(t, err)
	c, m, _ := build(t, nil)
	dial(1, 1, true, c, m)
	text := exposed(t, c)
	for _, name := range regexp.MustCompile(`outdial_[a-z_]+`).FindAllString(string(rules), -1) {
		require.Contains(t, text, strings.TrimSuffix(name, "_bucket"), name)
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed; .ci/run installs it")
	}
	var out bytes.Buffer
	cmd := exec.Command(promtool, "check", "rules", "alerts.yml")
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Run(), out.String())
	require.Contains(t, out.String(), "7 rules found")
}

func ExampleCollector() {
	ids := new(outdial.Registry)
	c, err := kpiprom.New(kpiprom.Config{IDs: ids})
	if err != nil {
		panic(err)
	}
	prometheus.NewRegistry().MustRegister(c)
	dial(1, ids.Trunks.ID("gold"), true, c) // the engine's observer, as a rule
	fmt.Println(testutil.CollectAndCount(c, "outdial_attempts_total"))
	// Output: 1
}

func ExampleConfig() {
	v := kpi.ByCLI
	_, err := kpiprom.New(kpiprom.Config{IDs: new(outdial.Registry), View: &v})
	fmt.Println(err)
	// Output: kpiprom: View: cli: telephone numbers and regions cannot be labels
}

// A scrape that is read slowly, or not at all, lets nobody who counts wait.
func TestNobodyWaitsForAScrape(t *testing.T) {
	c, m, _ := build(t, nil)
	dial(1, 1, true, c, m)
	ch := make(chan prometheus.Metric)
	var scrape sync.WaitGroup
	scrape.Go(func() {
		c.Collect(ch)
		close(ch)
	})
	<-ch                   // it is under way
	dial(2, 1, true, c, m) // and this would wait for the one who reads next: itself
	for range ch {
		continue
	}
	scrape.Wait()
	require.Contains(t, exposed(t, c), `outdial_attempts_total{trunk="gold"} 2`)
}

// Names that look alike, a trunk that is called as what takes the rest is, and what is not UTF-8 do not make a scrape fail.
func TestNamesThatLookAlike(t *testing.T) {
	c, m, ids := build(t, func(c *kpiprom.Config) { c.MaxSeries = 3 })
	named := []outdial.TrunkID{ids.Trunks.ID("other"), ids.Trunks.ID("a\xff"), ids.Trunks.ID("a\xfe"), ids.Trunks.ID("beyond")}
	for i, trunk := range named {
		dial(i+1, trunk, i%2 == 0, c, m)
	}
	for _, code := range []string{"full\xff", "full\xfe"} {
		for _, stage := range []outdial.Stage{outdial.StageTrunk, 100, 101} {
			c.Observe(&outdial.Event{
				Kind: outdial.EventRefused, Time: monday, Attempt: &outdial.Attempt{Candidate: outdial.Candidate{Trunk: named[1]}},
				RefusalStage: stage, Refusal: code,
			})
		}
	}
	text := exposed(t, c)
	require.Contains(t, text, `outdial_attempts_total{trunk="other"} 2`)
	require.Contains(t, text, "outdial_attempts_total{trunk=\"a\uFFFD\"} 2")
	require.Contains(t, text, "outdial_ratio{kpi=\"asr\",trunk=\"a\uFFFD\"} 0.5")
	require.Contains(t, text, "code=\"full\uFFFD\",stage=\"trunk\",trunk=\"a\uFFFD\"} 2")
	require.Contains(t, text, `outdial_pdd_seconds_count{trunk="other"} 2`)
}

// What is learned later counts where the attempt was, once, also by its id alone.
func TestDispositionsJoin(t *testing.T) {
	for _, kept := range []int{0, -1} {
		c, m, _ := build(t, func(c *kpiprom.Config) { c.RecentAnswers = kept })
		dial(1, 1, true, c, m)
		alone := &outdial.Attempt{ID: outdial.AttemptID{Call: 1, Leg: 1}}
		ev := &outdial.Event{Kind: outdial.EventDisposed, Attempt: alone, Disposition: &outdial.Disposition{Contact: true}}
		c.Observe(ev)
		c.Observe(ev)
		text := exposed(t, c)
		require.Contains(t, text, fmt.Sprintf(`outdial_contacts_total{trunk="gold"} %d`, 1+kept))
		require.NotContains(t, text, `trunk=""`)
	}
	_, err := kpiprom.New(kpiprom.Config{IDs: new(outdial.Registry), RecentAnswers: 1 << 30})
	require.ErrorContains(t, err, "RecentAnswers")
}
