package admin_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
	"github.com/outdial/outdial/kpi/cdr"
)

// plan is what would be done with a call now: the trunks that would be dialled, in their order.
func (w *world) plan() (trunks []string) {
	w.t.Helper()
	var x outdial.Explanation
	w.post("/v1/explain", `{"to":"`+callee+`","program":"sales"}`).want(200).json(&x)
	slices.SortFunc(x.Candidates, func(a, b outdial.ExplainedCandidate) int { return cmp.Compare(a.Leg, b.Leg) })
	for _, c := range x.Candidates {
		if c.Fate == "dialled" {
			trunks = append(trunks, c.Trunk)
		}
	}
	return trunks
}

// Each order changes what would be done with the next call, and the one that ends it puts it back.
func TestOrdersAreInForce(t *testing.T) {
	w := newWorld(t)
	both, turned := []string{"first", "second"}, []string{"second", "first"}
	order := func(name, body string) *answer { return w.post("/v1/trunks/"+name, `{`+by+body+`}`).want(200) }
	for _, c := range []struct {
		order, more string
		then        []string
		back        string
	}{
		{"first/orders/drain", "", []string{"second"}, "first/orders/reset"},
		{"first/orders/out", "", []string{"second"}, "first/orders/reset"},
		{"first/orders/hold", `,"for":"1h"`, []string{"second"}, "first/orders/release"},
		{"first/orders/avoid", `,"for":"1h"`, []string{"second"}, "first/orders/clear"},
		{"first/orders/penalise", `,"for":"1h"`, turned, "first/orders/clear"},
		{"second/orders/prefer", `,"for":"1h"`, turned, "second/orders/clear"},
		{"second/orders/pin", `,"for":"1h"`, []string{"second"}, "second/orders/clear"},
		{"second/orders/force", `,"for":"1h","calls":"prefix=+1212"`, []string{"second"}, "second/orders/clear"},
		{"second/orders/force", `,"for":"1h","calls":"prefix=+44"`, both, "second/orders/clear"},
		{"second/orders/flip", `,"share":1,"for":"1h"`, turned, "second/orders/revert"},
		{"second/orders/drill", `,"share":1,"for":"1h"`, turned, "second/orders/revert"},
	} {
		require.Equal(t, both, w.plan(), "before %s", c.order)
		a := order(c.order, c.more)
		require.Equal(t, "ann", a.at("orders", 0, "actor"))
		require.Equal(t, "ticket 4711", a.at("orders", 0, "reason"))
		require.NotZero(t, a.at("orders", 0, "seq"))
		require.Equal(t, c.then, w.plan(), c.order)
		order(c.back, "")
	}
	require.Equal(t, both, w.plan())
	require.Len(t, w.get("/v1/drills").at("drills"), 1)
}

// Limits are changed by whoever has seen the latest ones; the second of two that saw the same is told.
func TestConcurrentEdits(t *testing.T) {
	w := newWorld(t)
	path := "/v1/trunks/first/limits"
	tag := w.tag("/v1/trunks/first")
	a := w.do("PATCH", path, `{`+by+`,"channels":60,"cps":20,"for":"1h"}`, "If-Match", tag).want(200)
	require.Len(t, a.at("orders"), 2)
	w.do("PATCH", path, `{`+by+`,"channels":70}`, "If-Match", tag).want(412, "changed")
	id, _ := w.proxy.IDs().Trunks.Lookup("first")
	st, _ := w.proxy.Trunks().Status(time.Now(), id)
	require.Equal(t, []int{60, 20}, []int{st.Contracted, st.ContractedCPS})
	require.Equal(t, a.header.Get("ETag"), w.tag("/v1/trunks/first"))
	w.do("PATCH", path, `{`+by+`,"channels":null,"cps":null}`, "If-Match", a.header.Get("ETag")).want(200)
	st, _ = w.proxy.Trunks().Status(time.Now(), id)
	require.Equal(t, []int{100, 50}, []int{st.Contracted, st.ContractedCPS})

	results := make(chan int, 8) // of eight that saw the same, one is right
	tag = w.tag("/v1/trunks/first")
	for i := range cap(results) {
		go func() { results <- w.send("PATCH", path, fmt.Sprintf(`{%s,"channels":%d}`, by, 10+i), "If-Match", tag) }()
	}
	count := map[int]int{}
	for range cap(results) {
		count[<-results]++
	}
	require.Equal(t, map[int]int{200: 1, 412: 7}, count)
}

// What does not fit is refused with the field that it is about, and nothing is changed.
func TestRefusalsChangeNothing(t *testing.T) {
	w := newWorld(t)
	before := w.get("/v1/trunks").body
	for _, c := range []struct {
		path, body, field string
		status            int
	}{
		{"/v1/trunks/first/orders/drain", `{"actor":"ann"}`, "reason", 422},
		{"/v1/trunks/first/orders/drain", `{"reason":"r"}`, "actor", 422},
		{"/v1/trunks/first/orders/drain", `{` + by + `,"for":"1h","expires":"2999-01-01T00:00:00Z"}`, "for", 422},
		{"/v1/trunks/first/orders/drain", `{` + by + `,"for":"-1h"}`, "for", 422},
		{"/v1/trunks/first/orders/drain", `{` + by + `,"expires":"1999-01-01T00:00:00Z"}`, "expires", 422},
		{"/v1/trunks/first/orders/drain", `{` + by + `,"share":0.5}`, "share", 422},
		{"/v1/trunks/first/orders/drain", `{` + by + `,"Actor":"x"}`, "Actor", 400},
		{"/v1/trunks/first/orders/drain", `{` + by + `,"actor":"x"}`, "actor", 400},
		{"/v1/trunks/first/orders/drain", `{"actor":1}`, "actor", 400},
		{"/v1/trunks/first/orders/pin", `{` + by + `}`, "expires", 422},
		{"/v1/trunks/first/orders/pin", `{` + by + `,"for":"1h","calls":"colour=red"}`, "calls", 422},
		{"/v1/trunks/first/orders/drill", `{` + by + `,"share":0.5}`, "expires", 422},
		{"/v1/trunks/first/orders/flip", `{` + by + `,"share":1.5}`, "share", 422},
		{"/v1/trunks/first/orders/flip", `{` + by + `,"share":0.5,"over":"soon"}`, "over", 422},
		{"/v1/numbers/" + number + "/orders/state", `{` + by + `,"state":"asleep"}`, "state", 422},
		{"/v1/numbers/" + number + "/orders/state", `{` + by + `}`, "state", 422},
		{"/v1/numbers/" + number + "/orders/quarantine", `{` + by + `,"state":"active"}`, "state", 422},
		{"/v1/numbers/" + number + "/orders/attested", `{` + by + `}`, "attestation", 422},
		{"/v1/callees/" + callee + "/orders/suppress", `{` + by + `,"program":"nothing"}`, "program", 422},
		{"/v1/campaigns/spring/open", `{` + by + `,"program":"sales","despite":true}`, "expires", 422},
	} {
		a := w.post(c.path, c.body).want(c.status)
		require.Equal(t, c.field, a.at("errors", 0, "field"), "%s %s: %s", c.path, c.body, a.body)
	}
	for _, body := range []string{"", "null", "[]", "{", `{} {}`, `"x"`} {
		w.post("/v1/trunks/first/orders/drain", body, "Content-Type", "application/json").want(400, "json")
	}
	require.Equal(t, string(before), string(w.get("/v1/trunks").body))
	require.Empty(t, w.proxy.Orders())
}

// The audit log is what stands in the journal, from whichever side a change came; a restart knows it, and what it ordered.
func TestAuditIsTheJournal(t *testing.T) {
	w := prepare(t)
	w.build(b2bua.Options{}, nil)
	w.post("/v1/trunks/first/orders/drain", `{`+by+`,"for":"1h"}`).want(200)
	w.post("/v1/numbers/"+number+"/orders/quarantine", `{`+by+`}`).want(200)
	w.post("/v1/campaigns/spring/open", `{`+by+`,"program":"sales","to":["`+callee+`"]}`).want(200)
	w.post("/v1/trunks/second/orders/freeze", `{`+by+`,"for":"1h"}`).want(200)
	cfg, err := b2bua.Load(w.file, []byte(w.text))
	require.NoError(t, err)
	require.Error(t, w.proxy.Reload(b2bua.Config{}))
	require.NoError(t, w.proxy.Reload(cfg)) // as SIGHUP does
	var listed struct {
		Orders []struct {
			Seq                                  uint64
			Time                                 time.Time
			Actor, Action, Target, Value, Reason string
			Expires                              time.Time
		}
	}
	w.get("/v1/audit").want(200).json(&listed)
	require.Len(t, w.get("/v1/audit?action=trunk.drain").at("orders"), 1)
	require.Len(t, w.get("/v1/audit?after=1&limit=2").at("orders"), 2)
	require.NoError(t, w.proxy.Close())

	r, err := cdr.NewReader(cdr.ReaderConfig{Dir: cfg.Journal.Dir, IDs: new(outdial.Registry)})
	require.NoError(t, err)
	i := 0
	for ev, err := range r.All() {
		require.NoError(t, err)
		require.Equal(t, outdial.EventControl, ev.Kind)
		o := listed.Orders[i]
		require.Equal(t, outdial.Control{Actor: o.Actor, Action: o.Action, Target: o.Target, Value: o.Value, Reason: o.Reason, Expires: o.Expires},
			outdial.Control{
				Actor: ev.Control.Actor, Action: ev.Control.Action, Target: ev.Control.Target, Value: ev.Control.Value,
				Reason: ev.Control.Reason, Expires: o.Expires,
			})
		require.True(t, o.Expires.Equal(ev.Control.Expires))
		require.True(t, o.Time.Equal(ev.Time))
		require.Equal(t, o.Seq, ev.Seq)
		i++
	}
	require.Len(t, listed.Orders, i)
	require.Equal(t, "file", listed.Orders[i-1].Actor)

	w.build(b2bua.Options{}, nil)
	defer func() { require.NoError(t, w.proxy.Close()) }()
	require.Equal(t, "draining", w.get("/v1/trunks/first").at("state"))
	require.Equal(t, "quarantined", w.get("/v1/numbers/"+number).at("state"))
	require.Equal(t, true, w.get("/v1/campaigns/spring").at("open"))
	w.post("/v1/trunks/second/orders/forget", `{`+by+`}`).want(423, "frozen")
	require.Len(t, w.get("/v1/audit").at("orders"), i)
}

// A campaign whose preflight does not pass stays closed, its calls are refused through every door, and what is missing is listed.
func TestGate(t *testing.T) {
	w := newWorld(t)
	explain := func() *answer {
		return w.post("/v1/explain", `{"to":"`+callee+`","program":"sales","campaign":"spring"}`).want(200)
	}
	require.Equal(t, "gate", explain().at("refused", "code"))
	_, err := w.proxy.Engine().Place(t.Context(), outdial.Call{
		To: outdial.MustNumber(callee), Campaign: w.proxy.IDs().Campaigns.ID("spring"), Program: w.proxy.IDs().Programs.ID("sales"),
	}, nil)
	require.ErrorIs(t, err, b2bua.ErrGate)

	open := `{` + by + `,"program":"sales","to":["` + callee + `"]}`
	for _, n := range []string{number, "+13035550101"} {
		w.post("/v1/numbers/"+n+"/orders/quarantine", `{`+by+`}`).want(200)
	}
	a := w.post("/v1/campaigns/spring/open", open).want(409, "preflight")
	require.Contains(t, string(a.body), "no number of the pool may be presented")
	require.Contains(t, string(a.body), "one has not answered in writing: Over which separate addresses")
	require.Contains(t, string(a.body), "contract.channels of one is older than 90 days")
	require.Contains(t, string(a.body), "nothing is on record of two")
	require.Equal(t, "gate", explain().at("refused", "code"))
	w.post("/v1/campaigns/spring/open", `{`+by+`,"program":"sales","despite":true,"for":"1h"}`).want(200)
	require.NotEqual(t, "gate", fmt.Sprint(explain().at("refused")))
	w.post("/v1/campaigns/spring/close", `{`+by+`}`).want(200)
	require.Equal(t, "gate", explain().at("refused", "code"))
	for _, n := range []string{number, "+13035550101"} {
		w.post("/v1/numbers/"+n+"/orders/release", `{`+by+`}`).want(200)
	}
	w.post("/v1/campaigns/spring/open", open).want(200)
	require.Equal(t, "dial", explain().at("outcome"))
}

// A policy is checked, compared, put in force and gone back from; a bad one leaves the former in force.
func TestPolicy(t *testing.T) {
	w := newWorld(t)
	yaml := []string{"Content-Type", "application/yaml"}
	next := strings.NewReplacer("version: a", "version: b", "{trunk: first}, {trunk: second}", "{trunk: second}, {trunk: first}",
		"channels: 100,", "channels: 200, username: u, password: hush,").Replace(w.text)
	d := w.post("/v1/policy/diff", next, yaml...).want(200)
	require.Contains(t, string(d.body), `{"path":"trunks[first].channels","from":"100","to":"200"}`)
	require.NotContains(t, string(d.body), "hush")
	require.Equal(t, []string{"first", "second"}, w.plan())
	before := w.tag("/v1/policy")
	put := func(text, tag string) *answer {
		return w.do("PUT", "/v1/policy?actor=ann&reason=new+deck", text, append(yaml, "If-Match", tag)...)
	}
	bad := put(strings.Replace(next, "channels: 200", "channels: lots", 1), before).want(422, "configuration")
	require.Contains(t, bad.at("errors", 0, "field"), "7:", "the line is named: %s", bad.body)
	require.Equal(t, []string{"first", "second"}, w.plan())
	a := put(next, before).want(200)
	require.Equal(t, "policy.load", a.at("orders", 0, "action"))
	require.Equal(t, false, a.at("now", "saved"))
	require.Equal(t, []string{"second", "first"}, w.plan())
	put(w.text, before).want(412, "changed")
	w.post("/v1/policy/rollback", `{`+by+`}`, "If-Match", a.header.Get("ETag")).want(200)
	require.Equal(t, []string{"first", "second"}, w.plan())
	require.Equal(t, before, w.tag("/v1/policy"))
	require.Contains(t, w.get("/v1/status").at("change_latency"), "policy.load")
	restart := put(strings.Replace(w.text, "ping_every: -1s", "ping_every: 9s", 1), "*").want(409, "not_now")
	require.Equal(t, "failover", restart.at("errors", 0, "field"))
}

// A token with a name names the actor; one that may only look changes nothing.
func TestTokens(t *testing.T) {
	w := newWorld(t)
	tokens, err := door.ParseTokens([]byte("ann " + token + "\nviewer " + token + "ff read\n"))
	require.NoError(t, err)
	w.serve(tokens)
	w.token = token
	a := w.post("/v1/trunks/first/orders/drain", `{"reason":"r"}`).want(200)
	require.Equal(t, "ann", a.at("orders", 0, "actor"))
	w.post("/v1/trunks/first/orders/reset", `{"actor":"bob","reason":"r"}`).want(422, "invalid")
	w.token += "ff"
	w.post("/v1/trunks/first/orders/reset", `{"reason":"r"}`).want(403, "read_only")
	w.get("/v1/trunks/first").want(200)
	w.post("/v1/explain", `{"to":"`+callee+`"}`).want(200)
	w.post("/v1/explain", `{"to":"`+callee+`"}`, "Sec-Fetch-Site", "cross-site").want(403, "cross_origin")
	require.Len(t, w.proxy.Orders(), 1)
}
