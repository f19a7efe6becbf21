package admin_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/admin"
	"github.com/outdial/outdial/examples/proxy/door"
)

// huge is a configuration that is too long to be read.
var huge = strings.Repeat("#", 33<<20)

const by = `"actor":"ann","reason":"ticket 4711"`

// Every route is in the document and every operation of the document has a route.
func TestContractRoutes(t *testing.T) {
	doc, _ := contract(t)
	var documented []string
	served := admin.Routes()
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			documented = append(documented, method+" "+path)
		}
	}
	sort.Strings(documented)
	sort.Strings(served)
	require.Equal(t, documented, served)
}

// Every operation answers with every status that the document gives it, and with no other; do holds the bodies against the schemas.
func TestContractStatuses(t *testing.T) {
	w := newWorld(t)
	long := `{"reason":"` + strings.Repeat("x", door.MaxBody) + `"}`
	doc, _ := contract(t)

	// What each change has in common, in the order in which it is looked at.
	type change struct{ method, path, body, header, value string }
	changes := []change{
		{"PATCH", "/v1/trunks/first/limits", `{` + by + `,"channels":50}`, "If-Match", "*"},
		{"POST", "/v1/trunks/first/orders/reset", `{` + by + `}`, "", ""},
		{"POST", "/v1/orders/revert", `{` + by + `}`, "", ""},
		{"POST", "/v1/numbers/" + number + "/orders/complaint", `{` + by + `}`, "", ""},
		{"POST", "/v1/callees/" + callee + "/orders/suppress", `{` + by + `,"program":"sales"}`, "", ""},
		{"POST", "/v1/policy/rollback", `{` + by + `}`, "", ""},
		{"POST", "/v1/calls/1/hangup", `{` + by + `}`, "", ""},
		{"POST", "/v1/campaigns/spring/close", `{` + by + `}`, "", ""},
		{"POST", "/v1/campaigns/spring/open", `{` + by + `,"program":"sales","to":["` + callee + `"]}`, "", ""},
	}
	for _, c := range changes {
		with := []string{}
		if c.header != "" {
			with = []string{c.header, c.value}
		}
		w.do(c.method, c.path, `{"x":1}`, with...).want(400, "unknown_field")
		w.do(c.method, c.path, long, with...).want(413, "too_large")
		w.do(c.method, c.path, c.body, append(with, "Content-Type", "text/plain")...).want(415, "media_type")
		if !strings.Contains(c.path, "open") {
			w.do(c.method, c.path, `{"reason":""}`, with...).want(422, "invalid")
		}
	}
	w.post("/v1/campaigns/spring/open", `{"reason":""}`).want(422, "invalid")
	require.Empty(t, w.proxy.Orders(), "nothing of this has changed anything")

	answers(w)
	statesForbid(w)
	w.file = filepath.Join(t.TempDir(), "gone.yaml")
	w.serve(nil)
	w.do("PUT", "/v1/policy?actor=ann&reason=r&save=true", w.text, "Content-Type", "application/yaml", "If-Match", "*").want(500, "not_saved")
	callersMustBeKnown(w, doc)
	ended(w)

	bare := newWorld(t, "cli:\n", cut) // no caller IDs, no journal
	bare.seen = w.seen
	bare.get("/v1/pools").want(404, "no_caller_ids")
	bare.post("/v1/policy/diff?replay=1h", bare.text, "Content-Type", "application/yaml").want(409, "no_journal")

	var missing []string
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			for status := range op.Responses.Map() {
				if key := op.OperationID + " " + status; !w.seen[key] {
					missing = append(missing, fmt.Sprintf("%s %s: %s", method, path, key))
				}
			}
		}
	}
	sort.Strings(missing)
	require.Equal(t, exempt, missing)
}

// exempt are statuses that need a live call, which TestLiveCalls has, or a damaged journal.
var exempt = []string{
	"GET /v1/calls/{call}: call 200", "POST /v1/calls/{call}/hangup: hangUp 200", "POST /v1/calls/{call}/hangup: hangUp 503",
	"POST /v1/policy/diff: diffPolicy 500",
}

// answers brings about what is not refused, and what is refused for what it says.
func answers(w *world) {
	w.t.Helper()
	for _, path := range []string{
		"/healthz", "/readyz", "/v1/openapi.yaml", "/v1/status", "/v1/trunks", "/v1/trunks/first", "/v1/pools", "/v1/pools/sales",
		"/v1/numbers/" + number, "/v1/policy", "/v1/calls", "/v1/kpis", "/v1/kpis?view=trunk", "/v1/incidents", "/v1/drills", "/v1/alarms",
		"/v1/alerts", "/v1/providers", "/v1/providers/one", "/v1/providers/two", "/v1/campaigns/spring?program=sales&to=" + callee, "/v1/audit",
	} {
		w.get(path).want(200)
	}
	for _, path := range []string{"/v1/trunks/first", "/v1/numbers/" + number, "/v1/policy"} {
		w.get(path, "If-None-Match", w.tag(path)).want(304)
	}
	for path, code := range map[string]string{
		"/v1/trunks/third": "no_such_trunk", "/v1/pools/third": "no_such_pool", "/v1/numbers/+13035559999": "no_such_number",
		"/v1/numbers/x": "no_such_number", "/v1/calls/1": "no_such_call", "/v1/calls/x": "no_such_call", "/v1/providers/three": "no_such_carrier",
		"/v1/kpis?span=7m": "no_such_span", "/v1/nothing": "no_such_path",
	} {
		w.get(path).want(404, code)
	}
	for _, path := range []string{
		"/v1/calls?limit=0", "/v1/calls?limit=1001", "/v1/calls?before=x", "/v1/kpis?view=x", "/v1/kpis?span=x", "/v1/kpis?x=1",
		"/v1/alerts?after=-1", "/v1/audit?limit=x", "/v1/audit?after=1&after=2", "/v1/campaigns/spring?program=nobody",
	} {
		w.get(path).want(400, "query")
	}
	w.do("DELETE", "/v1/trunks/first", "").want(405, "method")

	patch := func(body, tag string) *answer { return w.do("PATCH", "/v1/trunks/first/limits", body, "If-Match", tag) }
	patch(`{`+by+`,"channels":50}`, w.tag("/v1/trunks/first")).want(200)
	patch(`{`+by+`,"channels":0}`, "*").want(422, "invalid")
	patch(`{`+by+`,"channels":50}`, `"x"`).want(412, "changed")
	w.do("PATCH", "/v1/trunks/first/limits", `{`+by+`,"channels":50}`).want(428, "if_match")
	w.do("PATCH", "/v1/trunks/third/limits", `{`+by+`,"channels":50}`, "If-Match", "*").want(404, "no_such_trunk")
	w.post("/v1/trunks/first/orders/drain", `{`+by+`,"for":"1m"}`).want(200)
	w.post("/v1/trunks/first/orders/reset", `{`+by+`}`, "If-Match", `"x"`).want(412, "changed")
	w.post("/v1/trunks/first/orders/reset", `{`+by+`}`).want(200)
	w.post("/v1/trunks/first/orders/dance", `{`+by+`}`).want(404, "no_such_order")
	w.post("/v1/orders/dance", `{`+by+`}`).want(404, "no_such_order")
	w.post("/v1/orders/revert", `{`+by+`}`).want(200)
	w.post("/v1/numbers/"+number+"/orders/quarantine", `{`+by+`,"for":"1h"}`).want(200)
	w.get("/v1/numbers/" + number).want(200)
	w.post("/v1/numbers/"+number+"/orders/release", `{`+by+`}`, "If-Match", `"x"`).want(412, "changed")
	w.post("/v1/numbers/"+number+"/orders/release", `{`+by+`}`).want(200)
	w.post("/v1/numbers/"+number+"/orders/dance", `{`+by+`}`).want(404, "no_such_order")
	w.post("/v1/callees/"+callee+"/orders/suppress", `{`+by+`,"program":"sales"}`).want(200)
	w.post("/v1/callees/x/orders/suppress", `{`+by+`,"program":"sales"}`).want(404, "no_such_number")
	w.post("/v1/callees/"+callee+"/orders/unsuppress", `{`+by+`,"program":"sales"}`).want(200)
	w.post("/v1/calls/1/hangup", `{`+by+`}`).want(404, "no_such_call")

	w.post("/v1/explain", `{"to":"`+callee+`","program":"sales"}`).want(200)
	w.post("/v1/explain", `{"to":"911"}`).want(422, "invalid")
	w.post("/v1/explain", `{"too":"911"}`).want(400, "unknown_field")
	w.post("/v1/explain", `{"to":"`+strings.Repeat("1", door.MaxBody)+`"}`).want(413, "too_large")
	w.post("/v1/explain", `{}`, "Content-Type", "text/plain").want(415, "media_type")

	yaml := []string{"Content-Type", "application/yaml"}
	for _, path := range []string{"/v1/policy/validate", "/v1/policy/diff"} {
		w.post(path, w.text, yaml...).want(200)
		w.post(path, "trunks: 1", yaml...).want(422, "configuration")
		w.post(path, w.text).want(415, "media_type")
		w.post(path, huge, yaml...).want(413, "too_large")
	}
	w.post("/v1/policy/diff?replay=x", w.text, yaml...).want(400, "query")
	w.post("/v1/policy/diff?replay=1h", w.text, yaml...).want(200)
	w.post("/v1/policy/rollback", `{`+by+`}`).want(409, "no_former")
	put := func(query, text string, headers ...string) *answer {
		return w.do("PUT", "/v1/policy?"+query, text, append([]string{"Content-Type", "application/yaml"}, headers...)...)
	}
	next := strings.Replace(w.text, "version: a", "version: b", 1)
	who := "actor=ann&reason=ticket+4711"
	put(who, next).want(428, "if_match")
	put(who, next, "If-Match", `"x"`).want(412, "changed")
	put(who, "trunks: 1", "If-Match", "*").want(422, "configuration")
	put("actor=ann", next, "If-Match", "*").want(422, "invalid")
	put(who+"&x=1", next, "If-Match", "*").want(400, "query")
	put(who, strings.Replace(next, "explain: true", "explain: false", 1), "If-Match", "*").want(409, "not_now")
	put(who, huge, "If-Match", "*").want(413, "too_large")
	put(who, next, "If-Match", "*", "Content-Type", "text/plain").want(415, "media_type")
	put(who+"&save=true", next, "If-Match", w.tag("/v1/policy")).want(200)
	w.post("/v1/policy/rollback", `{`+by+`}`, "If-Match", `"x"`).want(412, "changed")
	w.post("/v1/policy/rollback", `{`+by+`}`).want(200)

	w.post("/v1/campaigns/spring/open", `{`+by+`,"program":"sales"}`).want(409, "preflight")
	w.post("/v1/campaigns/spring/open", `{`+by+`,"program":"sales","to":["`+callee+`"]}`).want(200)
	w.post("/v1/campaigns/spring/close", `{`+by+`}`).want(200)
	w.get("/v1/audit").want(200)
	w.get("/v1/status").want(200)
}

// statesForbid brings about what a freeze and a configured state forbid.
func statesForbid(w *world) {
	w.t.Helper()
	put := func(text string) *answer {
		return w.do("PUT", "/v1/policy?actor=ann&reason=r", text, "Content-Type", "application/yaml", "If-Match", "*")
	}
	put(strings.Replace(w.text, "channels: 100,", "channels: 100, state: draining,", 1)).want(200)
	w.post("/v1/trunks/first/orders/live", `{`+by+`}`).want(409, "refused")
	w.post("/v1/orders/freeze", `{`+by+`}`).want(422, "invalid")
	w.post("/v1/orders/freeze", `{`+by+`,"for":"10m"}`).want(200)
	w.do("PATCH", "/v1/trunks/first/limits", `{`+by+`,"channels":50}`, "If-Match", "*").want(423, "frozen")
	w.post("/v1/trunks/first/orders/forget", `{`+by+`}`).want(423, "frozen")
	w.post("/v1/numbers/"+number+"/orders/state", `{`+by+`,"state":"active"}`).want(423, "frozen")
	w.post("/v1/callees/"+callee+"/orders/unsuppress", `{`+by+`,"program":"sales"}`).want(423, "frozen")
	w.post("/v1/campaigns/spring/open", `{`+by+`,"program":"sales","to":["`+callee+`"]}`).want(423, "frozen")
	put(w.text).want(423, "frozen")
	w.post("/v1/policy/rollback", `{`+by+`}`).want(423, "frozen")
	w.post("/v1/trunks/first/orders/drain", `{`+by+`}`).want(200) // what keeps calls away from harm is not
	w.post("/v1/orders/thaw", `{`+by+`}`).want(200)
	put(w.text).want(200)
}

// callersMustBeKnown asks for every operation without a token and with a wrong one, and from elsewhere.
func callersMustBeKnown(w *world, doc *openapi3.T) {
	w.t.Helper()
	tokens, err := door.ParseTokens([]byte("ann " + token))
	require.NoError(w.t, err)
	path := strings.NewReplacer("{trunk}", "first", "{pool}", "sales", "{number}", "+13035550100", "{call}", "1", "{carrier}", "one",
		"{campaign}", "spring")
	for p, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.Responses.Value("401") == nil {
				continue
			}
			at := path.Replace(p)
			for _, o := range []string{"thaw", "attested", "suppress", "revert"} {
				if strings.Contains(p, map[string]string{"thaw": "trunks", "attested": "numbers", "suppress": "callees", "revert": "v1/orders"}[o]) {
					at = strings.Replace(at, "{order}", o, 1)
				}
			}
			w.serve(nil)
			w.do(method, at, "", "Host", "elsewhere.example").want(403, "host")
			w.do(method, at, "", "Host", "127.0.0.1.elsewhere.example:9465").want(403, "host")
			w.serve(tokens)
			w.do(method, at, "").want(401, "token")
			w.do(method, at, "", "Authorization", "Bearer "+token+"0").want(401, "token")
			w.do(method, at, "", "Authorization", token).want(401, "token")
		}
	}
	w.serve(nil)
}

// ended lets the proxy end: it is not ready then, and its journal takes no change.
func ended(w *world) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.NoError(w.t, w.proxy.Run(ctx))
	w.ran = true
	w.get("/readyz").want(503, "draining")
	w.get("/healthz").want(200)
	for path, body := range map[string]string{
		"/v1/trunks/first/orders/reset": "", "/v1/orders/revert": "", "/v1/numbers/" + number + "/orders/complaint": "",
		"/v1/callees/" + callee + "/orders/suppress": `,"program":"sales"`, "/v1/policy/rollback": "", "/v1/campaigns/spring/close": "",
		"/v1/campaigns/spring/open": `,"program":"sales","despite":true,"for":"1h"`,
	} {
		w.post(path, `{`+by+body+`}`).want(503, "journal")
	}
	w.do("PATCH", "/v1/trunks/first/limits", `{`+by+`,"channels":50}`, "If-Match", "*").want(503, "journal")
	w.do("PUT", "/v1/policy?actor=ann&reason=r", w.text, "Content-Type", "application/yaml", "If-Match", "*").want(503, "journal")
}
