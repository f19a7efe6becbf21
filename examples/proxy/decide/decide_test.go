package decide_test

import (
	"fmt"
	"sort"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/decide"
	"github.com/outdial/outdial/examples/proxy/door"
)

// A call goes from leg to leg by the outcomes that are told, is answered, and gives back what it held.
func TestCall(t *testing.T) {
	w := newWorld(t, decide.Config{})
	a := w.begin("c1").want(200, "dial")
	require.Equal(t, []any{1, "first", "one", "sip:9+12125550123@10.0.1.1:5060", "<sip:+13035550100@"}, []any{a.Leg, a.Trunk, a.Carrier, a.URI, a.Identity[:18]})
	require.Equal(t, 1, w.inUse())
	w.post("/v1/calls/"+a.Token+"/progress", `{"leg":1,"code":100}`).want(200, "none")
	b := w.outcome(a, 1, `,"code":503,"phrase":"Service Unavailable"`).want(200, "dial")
	require.Equal(t, []any{2, "second", "sip:12125550123@10.0.1.2:5060", "<sip:13035550100@127.0.0.1>", a.Token}, []any{b.Leg, b.Trunk, b.URI, b.Identity, b.Token})
	require.Equal(t, 1, w.inUse())
	w.now = w.now.Add(2 * time.Second)
	w.post("/v1/calls/"+a.Token+"/progress", `{"leg":2,"code":183,"sdp":true,"ago_ms":1000}`).want(200, "none")
	w.post("/v1/calls/"+a.Token+"/progress", `{"leg":2,"code":200}`).want(200, "connect")
	x := w.do("GET", "/v1/calls/"+a.Token, "")
	require.Contains(t, x.body, `"outcome":"answered"`)
	w.now = w.now.Add(time.Minute)
	w.outcome(a, 2, `,"origin":"caller_hangup"`).want(200, "none")
	require.Zero(t, w.inUse())
	require.Equal(t, decide.Stats{Decisions: 1, Dialled: 1, Ended: 1}, w.server.Stats())
}

// A leg that stays silent is given up while it lives; when it is answered after all, it is to be ended.
func TestAbandonedLeg(t *testing.T) {
	w := newWorld(t, decide.Config{})
	a := w.begin("c1").want(200, "dial")
	b := w.outcome(a, 1, `,"origin":"no_trying","abandoned":true`).want(200, "dial")
	require.Equal(t, 2, w.inUse(), "the silent leg still holds its channel")
	w.post("/v1/calls/"+a.Token+"/progress", `{"leg":1,"code":200}`).want(200, "end")
	w.outcome(a, 1, `,"origin":"host"`).want(200, "none")
	require.Equal(t, 1, w.inUse())
	stop := w.outcome(a, b.Leg, `,"code":503`).want(200, "stop")
	require.Equal(t, "progress", stop.Why, "the callee was there, and is not rung again")
	require.Zero(t, w.inUse())
}

// A callee who is busy ends hunting; what the caller is told is what the callee said.
func TestBusyStops(t *testing.T) {
	w := newWorld(t, decide.Config{})
	a := w.begin("c1").want(200, "dial")
	stop := w.outcome(a, 1, `,"code":486,"phrase":"Busy Here","cause":17`).want(200, "stop")
	require.Equal(t, []any{"verdict", 486}, []any{stop.Why, stop.Code})
	require.Zero(t, w.inUse())
}

// What is not placed is no error of the API, and says what the caller is to be told.
func TestRefuse(t *testing.T) {
	w := newWorld(t, decide.Config{}, "channels: 100", "channels: 1")
	w.begin("c1").want(200, "dial")
	w.begin("c2").want(200, "dial")
	w.begin("c3").want(200, "dial")
	r := w.begin("c4").want(200, "refuse")
	require.Equal(t, []any{503, "channels"}, []any{r.Code, r.Refusal})
	require.Equal(t, 3, w.inUse())
	denied := w.post("/v1/decide", `{"to":"+19005550123","dialer":"test"}`).want(200, "refuse")
	require.Equal(t, 403, denied.Code)
	require.Equal(t, uint64(2), w.server.Stats().Refused)
}

// scarce has each trunk carry one call, and others wait for it.
var scarce = []string{"channels: 100", "channels: 1, capacity: {queue: {length: 5, wait: 1m}}", "hunting: {", "hunting: {max_wait: 1m, "}

// A call may wait for room, and goes on when it asks again.
func TestWait(t *testing.T) {
	w := newWorld(t, decide.Config{}, scarce...)
	held := []*answer{w.begin("c1").want(200, "dial"), w.begin("c2").want(200, "dial"), w.begin("c3").want(200, "dial")}
	a := w.begin("c4").want(200, "wait")
	require.Positive(t, a.Delay)
	w.outcome(held[0], 1, `,"code":486`).want(200, "stop")
	w.now = w.now.Add(time.Duration(a.Delay) * time.Millisecond)
	b := w.post("/v1/calls/"+a.Token+"/next", `{}`).want(200, "dial")
	require.Equal(t, b.body, w.post("/v1/calls/"+a.Token+"/next", `{}`).body, "told twice, answered twice")
	w.post("/v1/calls/"+a.Token+"/cancel", `{}`).want(200, "stop")
	require.Equal(t, 2, w.inUse())
}

// What is told twice is answered twice, and counts once: in the call, and for half a minute after it.
func TestRepeats(t *testing.T) {
	w := newWorld(t, decide.Config{})
	a := w.begin("c1")
	require.Equal(t, a.body, w.begin("c1").body)
	w.post("/v1/decide", `{"key":"c1","to":"+12125550199","dialer":"test"}`).want(409, "key")
	require.Equal(t, 1, w.inUse())
	b := w.outcome(a, 1, `,"code":503`)
	require.Equal(t, b.body, w.outcome(a, 1, `,"code":503`).body)
	require.Equal(t, 1, w.inUse())
	c := w.outcome(a, 2, `,"code":486`).want(200, "stop")
	w.now = w.now.Add(31 * time.Second)
	w.sweep()
	require.Equal(t, c.body, w.outcome(a, 2, `,"code":486`).body)
	require.Equal(t, a.body, w.begin("c1").body)
	w.now = w.now.Add(2 * time.Second)
	w.sweep()
	w.outcome(a, 2, `,"code":486`).want(404, "no_such_call")
	require.NotEqual(t, a.Token, w.begin("c1").want(200, "dial").Token)
}

// sweep does what Run does once a second.
func (w *world) sweep() { w.server.Sweep(w.now) }

// A call of which nothing is heard is given up: sooner before an answer than after one.
func TestSilenceExpires(t *testing.T) {
	w := newWorld(t, decide.Config{Lease: time.Minute, Longest: time.Hour})
	a, b := w.begin("c1"), w.begin("c2")
	w.post("/v1/calls/"+b.Token+"/progress", `{"leg":1,"code":200}`).want(200, "connect")
	w.now = w.now.Add(time.Minute)
	w.sweep()
	require.Equal(t, 1, w.inUse())
	w.outcome(a, 1, `,"code":503`).want(409, "over")
	w.now = w.now.Add(time.Hour)
	w.sweep()
	require.Zero(t, w.inUse())
	require.Equal(t, decide.Stats{Decisions: 2, Dialled: 2, Expired: 2}, w.server.Stats())
}

// There are so many calls under way at most, and what is kept of those that are over is bounded too.
func TestBounded(t *testing.T) {
	w := newWorld(t, decide.Config{MaxCalls: 3})
	for i := range 3 {
		w.begin(fmt.Sprint(i)).want(200, "dial")
	}
	w.begin("3").want(503, "too_many")
	require.Equal(t, 3, w.inUse())
	for i := range 3 {
		w.post("/v1/calls/"+w.begin(fmt.Sprint(i)).Token+"/cancel", `{}`).want(200, "stop")
	}
	for i := range 20 {
		w.post("/v1/calls/"+w.begin("n"+fmt.Sprint(i)).Token+"/cancel", `{}`).want(200, "stop")
	}
	require.LessOrEqual(t, w.server.Kept(), 3)
	require.Zero(t, w.inUse())
}

// Draining takes no more calls, lets those that are under way go on for a while, and forgets the rest.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, decide.Config{})
		a := w.begin("c1")
		w.begin("c2")
		done := make(chan bool)
		go func() { w.server.Drain(time.Minute); close(done) }()
		synctest.Wait()
		w.begin("c3").want(503, "draining")
		w.do("GET", "/readyz", "").want(503, "draining")
		w.post("/v1/calls/"+a.Token+"/progress", `{"leg":1,"code":180}`).want(200, "none")
		w.outcome(a, 1, `,"code":486`).want(200, "stop")
		start := time.Now()
		<-done
		require.Equal(t, time.Minute, time.Since(start))
		require.Zero(t, w.inUse())
		w.server.Drain(time.Minute) // nobody is left to wait for
		require.Equal(t, time.Minute, time.Since(start))
	})
}

// Every status of the document is brought about, and what is refused names its field and changes nothing.
func TestContract(t *testing.T) {
	w := newWorld(t, decide.Config{})
	a := w.begin("c1").want(200, "dial")
	call := "/v1/calls/" + a.Token
	long := `{"key":"` + strings.Repeat("x", 9000) + `"}`
	for _, path := range []string{"/v1/decide", call + "/progress", call + "/outcome", call + "/next", call + "/cancel"} {
		w.post(path, `{"x":1}`).want(400, "unknown_field")
		w.post(path, `{`).want(400, "json")
		w.post(path, long).want(413, "too_large")
		w.do("POST", path, `{}`, "Content-Type", "text/plain").want(415, "media_type")
	}
	for _, path := range []string{"progress", "outcome", "next", "cancel"} {
		w.post("/v1/calls/none/"+path, `{}`).want(404, "no_such_call")
	}
	w.do("GET", "/v1/calls/none", "").want(404, "no_such_call")
	for body, field := range map[string]string{
		`{"to":"911"}`: "to", `{}`: "to", `{"to":"+12125550123","program":"x"}`: "program", `{"to":"+12125550123","mode":"x"}`: "mode",
		`{"to":"+12125550123","priority":"x"}`: "priority", `{"to":"+12125550123","dialer":"x"}`: "dialer", `{"to":"+12125550123","from":"x"}`: "from",
	} {
		require.Equal(t, field, w.post("/v1/decide", body).want(422, "invalid").Errors[0].Field, body)
	}
	for body, field := range map[string]string{
		`{"leg":1}`: "code", `{"leg":0,"code":180}`: "leg", `{"leg":2,"code":180}`: "leg", `{"leg":1,"code":300}`: "code",
		`{"leg":1,"code":180,"ago_ms":-1}`: "ago_ms",
	} {
		require.Equal(t, field, w.post(call+"/progress", body).want(422, "invalid").Errors[0].Field, body)
	}
	for body, field := range map[string]string{
		`{"leg":1}`: "origin", `{"leg":1,"code":200}`: "code", `{"leg":1,"code":503,"cause":128}`: "cause", `{"leg":1,"origin":"x"}`: "origin",
		`{"leg":1,"code":503,"retry_after":-1}`: "retry_after", `{"leg":9,"code":503}`: "leg",
	} {
		require.Equal(t, field, w.post(call+"/outcome", body).want(422, "invalid").Errors[0].Field, body)
	}
	require.Equal(t, 1, w.inUse(), "none of this has changed anything")
	w.post(call+"/next", `{}`).want(409, "not_waiting")
	w.post("/v1/decide", `{"key":"c1","to":"+12125550124"}`).want(409, "key")
	w.do("GET", call, "").want(200, "")
	w.do("GET", "/readyz", "").want(200, "")
	w.do("GET", "/v1/openapi.yaml", "").want(200, "")
	w.post(call+"/progress", `{"leg":1,"code":200}`).want(200, "connect")
	w.post(call+"/outcome", `{"leg":1}`).want(200, "none")
	w.post(call+"/progress", `{"leg":1,"code":180}`).want(409, "over")
	b := w.begin("c2")
	w.post("/v1/calls/"+b.Token+"/cancel", `{}`).want(200, "stop")
	w.post("/v1/calls/"+b.Token+"/outcome", `{"leg":1,"code":503}`).want(409, "over")
	w.wait()

	doc, _ := contract(t)
	tokens, err := door.ParseTokens([]byte("0123456789abcdef0123456789abcdef"))
	require.NoError(t, err)
	guarded := newWorld(t, decide.Config{Tokens: tokens})
	guarded.seen = w.seen
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			at := strings.Replace(path, "{token}", "x", 1)
			if op.Responses.Value("401") != nil {
				guarded.do(method, at, "").want(401, "token")
				w.do(method, at, "", "Host", "elsewhere.example").want(403, "host")
			}
		}
	}
	w.server.Drain(0)
	w.do("GET", "/readyz", "").want(503, "draining")
	w.begin("c9").want(503, "draining")

	var missing []string
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			for status := range op.Responses.Map() {
				if !w.seen[op.OperationID+" "+status] {
					missing = append(missing, fmt.Sprintf("%s %s: %s", method, path, status))
				}
			}
		}
	}
	sort.Strings(missing)
	require.Empty(t, missing)
}

// wait has a call wait and go on, for the contract.
func (w *world) wait() {
	w.t.Helper()
	full := newWorld(w.t, decide.Config{}, scarce...)
	full.seen = w.seen
	for i := range 3 {
		full.begin(fmt.Sprint(i)).want(200, "dial")
	}
	a := full.begin("w").want(200, "wait")
	full.now = full.now.Add(time.Duration(a.Delay) * time.Millisecond)
	full.post("/v1/calls/"+a.Token+"/next", `{}`)
}
