package b2bua_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/kpi/cdr"
)

// A dialer with credentials is asked for them, by 401 or 407; who has none or wrong ones places no call.
func TestDigestOfDialers(t *testing.T) {
	for _, proxy := range []bool{false, true} {
		change := func(c *b2bua.Config) {
			c.Dialers[0].Auth = b2bua.Auth{Username: "pbx", Password: "secret", Proxy: proxy}
		}
		bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), change, func(t *testing.T, w *world) {
			code := map[bool]int{false: 401, true: 407}[proxy]
			r := w.call(siptest.CallerCall{})
			require.Equal(t, code, r.Code())
			require.Empty(t, r.Provisionals)
			name := map[bool]string{false: "WWW-Authenticate", true: "Proxy-Authenticate"}[proxy]
			asked := r.Final.Values(name)
			require.Len(t, asked, 2)
			require.Contains(t, asked[0], "algorithm=SHA-256")
			require.Contains(t, asked[1], "algorithm=MD5")
			for _, a := range []siptest.Auth{{User: "pbx", Password: "wrong"}, {User: "other", Password: "secret"}} {
				require.Equal(t, code, w.call(siptest.CallerCall{Auth: &a}).Code())
			}
			r = w.call(siptest.CallerCall{Auth: &siptest.Auth{User: "pbx", Password: "secret"}})
			require.Equal(t, 200, r.Code())
			require.Len(t, r.Challenges, 1)
			w.settled()
			s := w.proxy.Stats()
			require.EqualValues(t, 1, s.Calls)
			require.EqualValues(t, 1+2+2+1, s.Challenged)
			require.Equal(t, 1, w.first.Stats().Invites)
		})
	}
}

// redirected is a dialer in redirect mode.
func redirected(c *b2bua.Config) {
	c.Dialers[0].Redirect, c.Dialers[0].Lease = true, time.Minute
	c.Trunks[0].Prefix = "77"
}

// A dialer in redirect mode is told where to call and whom to present. The channel is held for the lease, and then nobody knows.
func TestRedirect(t *testing.T) {
	bubble(t, siptest.Silence(), siptest.Silence(), redirected, func(t *testing.T, w *world) {
		r := w.call(siptest.CallerCall{})
		require.Equal(t, 302, r.Code())
		require.Equal(t, "<sip:77"+callee+"@10.0.1.1:5060>", r.Final.Header("Contact"))
		require.Equal(t, "<sip:"+cli+"@10.0.0.1>", r.Final.Header("P-Asserted-Identity"))
		token := r.Final.Header("X-Outdial-Token")
		require.Len(t, token, 32)
		time.Sleep(30 * time.Second)
		require.Equal(t, 1, w.proxy.Trunks().Snapshot(time.Now())[0].InUse, "the channel is held")
		w.settled()
		require.Zero(t, w.proxy.Trunks().Snapshot(time.Now())[0].InUse)
		require.ErrorIs(t, w.proxy.Report(token, b2bua.Outcome{}), b2bua.ErrUnknownToken)
		require.Equal(t, b2bua.Stats{Calls: 1, Redirected: 1}, w.proxy.Stats())
		require.Zero(t, w.first.Stats().Invites)
	})
}

// The dialer's CDR comes by HTTP too: once, and only what makes sense.
func TestRedirectOutcomeIsTold(t *testing.T) {
	change := func(c *b2bua.Config) { redirected(c); c.Metrics.Listen = "127.0.0.1:0"; c.DrainTimeout = -1 }
	w := loopback(t, siptest.Silence(), siptest.Silence(), change)
	post := func(body string) int {
		res, err := http.Post("http://"+w.proxy.MetricsAddr().String()+"/kpi/outcomes", "application/json", strings.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	token := func() string { return w.call(siptest.CallerCall{}).Final.Header("X-Outdial-Token") }
	const early, late = `"2026-03-02T15:04:05Z"`, `"2026-03-02T15:04:06Z"`
	t1 := token()
	for _, wrong := range []string{
		`{}`, `{"token":""}`, `{"token":"$","code":200}`, `{"token":"$","code":700}`, `{"token":"$","cause":128}`, `{"token":"$","ended_by":"me"}`, `{"token":"$","more":1}`,
		`{"token":"$","code":486,"answered":` + early + `}`, `{"token":"$","rang":` + late + `,"answered":` + early + `}`, `{"token":"$","ended_by":"callee"}`,
		`{"token":"$","answered":` + late + `,"ended":` + early + `}`, `{"token":"$","rang":` + late + `,"ended":` + early + `}`, `{"token":"$","code":486,"ended_by":"caller"}`,
		`{"token":"$","phrase":"` + strings.Repeat("x", outdial.MaxText+1) + `"}`,
	} {
		require.Equal(t, 400, post(strings.ReplaceAll(wrong, "$", t1)), wrong)
	}
	for _, right := range []string{
		`{"token":"$"}`, `{"token":"$","code":486,"phrase":"Busy Here","cause":17}`, `{"token":"$","ended_by":"caller"}`,
		`{"token":"$","rang":` + early + `,"answered":` + early + `,"ended":` + late + `,"ended_by":"callee"}`, `{"token":"$","answered":` + early + `,"ended_by":"caller"}`,
	} {
		right = strings.ReplaceAll(right, "$", token())
		require.Equal(t, 204, post(right), right)
		require.Equal(t, 404, post(right), "twice")
	}
	require.Equal(t, 404, post(`{"token":"x"}`))
	require.Equal(t, 204, post(`{"token":"`+t1+`"}`), "what made no sense has changed nothing")
}

// The outcome of a redirected call, when the dialer's CDR brings it.
func TestRedirectOutcome(t *testing.T) {
	for name, tt := range map[string]struct {
		outcome func(start time.Time) b2bua.Outcome
		talked  time.Duration
	}{
		"answered": {func(s time.Time) b2bua.Outcome {
			return b2bua.Outcome{Rang: s.Add(2 * time.Second), Answered: s.Add(5 * time.Second), Ended: s.Add(25 * time.Second)}
		}, 20 * time.Second},
		"busy": {func(s time.Time) b2bua.Outcome {
			return b2bua.Outcome{Code: 486, Phrase: "Busy Here", Ended: s.Add(time.Second)}
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			change := func(c *b2bua.Config) { redirected(c); c.Journal.Dir = dir }
			bubble(t, siptest.Silence(), siptest.Silence(), change, func(t *testing.T, w *world) {
				start := time.Now()
				r := w.call(siptest.CallerCall{})
				time.Sleep(30 * time.Second)
				require.NoError(t, w.proxy.Report(r.Final.Header("X-Outdial-Token"), tt.outcome(start)))
				w.settled()
				var ended []outdial.Attempt
				journal, err := cdr.NewReader(cdr.ReaderConfig{Dir: dir, IDs: new(outdial.Registry)})
				require.NoError(t, err)
				for ev, err := range journal.All() {
					require.NoError(t, err)
					if ev.Kind == outdial.EventEnded {
						ended = append(ended, *ev.Attempt)
					}
				}
				require.Len(t, ended, 1)
				require.Equal(t, tt.outcome(start).Code, ended[0].Result.Code)
				require.NotEqual(t, outdial.OriginUnknown, ended[0].Result.Origin)
				talked, _ := ended[0].Timeline.Duration()
				require.Equal(t, tt.talked, talked)
			})
		})
	}
}
