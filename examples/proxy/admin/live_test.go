package admin_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// bubble runs a world whose proxy serves on an in-memory network under a fake clock, with carriers that play the scripts.
func bubble(t *testing.T, first, second siptest.Script, f func(w *world, caller *siptest.Caller), change ...string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network, err := siptest.NewNetwork(siptest.NetworkConfig{})
		require.NoError(t, err)
		listen := func(addr string) *siptest.Conn {
			conn, err := network.Listen(addr)
			require.NoError(t, err)
			return conn
		}
		var carriers []*siptest.Carrier
		for i, s := range []siptest.Script{first, second} {
			c, err := siptest.StartCarrier(siptest.CarrierConfig{
				Conn: listen([]string{"10.0.1.1:5060", "10.0.1.2:5060"}[i]), Behaviour: siptest.Behaviour{Script: s},
			})
			require.NoError(t, err)
			carriers = append(carriers, c)
		}
		caller, err := siptest.StartCaller(siptest.CallerConfig{Conn: listen("10.0.0.2:5060")})
		require.NoError(t, err)
		w := prepare(t, append([]string{
			`carrier: one, address: "127.0.0.1:9"`, `carrier: one, address: "10.0.1.1:5060"`,
			`carrier: two, address: "127.0.0.1:9"`, `carrier: two, address: "10.0.1.2:5060"`,
		}, change...)...)
		w.build(b2bua.Options{DialerConn: listen("10.0.0.1:5060"), CarrierConn: listen("10.0.0.1:5080")}, nil)
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- w.proxy.Run(ctx) }()
		f(w, caller)
		stop()
		require.NoError(t, <-ran)
		require.NoError(t, caller.Close())
		for _, c := range carriers {
			require.NoError(t, c.Close())
		}
	})
}

// call places a call on another goroutine.
func (w *world) call(caller *siptest.Caller) <-chan *siptest.CallResult {
	done := make(chan *siptest.CallResult, 1)
	go func() {
		r, err := caller.Call(context.Background(), w.proxy.Addr().String(), siptest.CallerCall{To: callee, HangupAfter: time.Hour})
		if err != nil {
			panic(err)
		}
		done <- r
	}()
	time.Sleep(5 * time.Second) // it is up, or rings
	return done
}

// Live calls are listed, one is explained and hung up; the other one goes on.
func TestLiveCalls(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, 0), siptest.Answer(0, 0, 0), func(w *world, caller *siptest.Caller) {
		one, two := w.call(caller), w.call(caller)
		list := w.get("/v1/calls").want(200)
		require.EqualValues(t, 2, list.at("live"))
		latest, earlier := list.at("calls", 0, "id").(string), list.at("calls", 1, "id").(string)
		require.Equal(t, earlier, w.get("/v1/calls?before="+latest).want(200).at("calls", 0, "id"))
		require.Len(t, w.get("/v1/calls?limit=1").want(200).at("calls"), 1)
		a := w.get("/v1/calls/" + earlier).want(200)
		require.Equal(t, "up", a.at("state"))
		require.Equal(t, "first", a.at("trunk"))
		require.Equal(t, "sales", a.at("program"))
		require.Equal(t, "dialled", a.at("decision", "candidates", 0, "fate"))
		require.NotContains(t, a.at("to"), "0123", "the callee's number is masked")

		hung := w.post("/v1/calls/"+earlier+"/hangup", `{`+by+`}`).want(200)
		require.Equal(t, []any{"call.hangup", earlier}, []any{hung.at("orders", 0, "action"), hung.at("orders", 0, "target")})
		r := <-one
		require.Equal(t, 200, r.Code())
		require.NotEmpty(t, r.ByeHeaders, "it was hung up on the dialer's side too, with a reason")
		up := 0
		for _, c := range w.get("/v1/calls").at("calls").([]any) {
			if c.(map[string]any)["state"] == "up" {
				up++
			}
		}
		require.Equal(t, 1, up, "the other one goes on")
		require.Equal(t, "up", w.get("/v1/calls/"+latest).at("state"))
		w.post("/v1/calls/"+latest+"/hangup", `{`+by+`}`).want(200)
		<-two
	})
}

// A call that is still being set up is hung up with 480, and its leg is cancelled.
func TestHangUpEarly(t *testing.T) {
	bubble(t, siptest.RingForever(0), siptest.RingForever(0), func(w *world, caller *siptest.Caller) {
		done := w.call(caller)
		id := w.get("/v1/calls").at("calls", 0, "id").(string)
		require.Equal(t, "ringing", w.get("/v1/calls/"+id).at("state"))
		w.post("/v1/calls/"+id+"/hangup", `{`+by+`}`).want(200)
		require.Equal(t, 480, (<-done).Code())
	})
}

// An outage raises an alert that says whom to call at the carrier, leaves an incident with its times, and is over when the trunk is back.
func TestAlertCarriesContact(t *testing.T) {
	bubble(t, siptest.Reject(503, "Service Unavailable"), siptest.Answer(0, 0, 0), func(w *world, caller *siptest.Caller) {
		for range 20 {
			r, err := caller.Call(context.Background(), w.proxy.Addr().String(), siptest.CallerCall{To: callee, HangupAfter: time.Second})
			require.NoError(t, err)
			require.Equal(t, 200, r.Code())
			time.Sleep(time.Second)
		}
		a := w.get("/v1/alerts").want(200)
		i := -1
		for k, x := range a.at("alerts").([]any) {
			if m := x.(map[string]any); m["kind"] == "out" && m["trunk"] == "first" {
				i = k
			}
		}
		require.GreaterOrEqual(t, i, 0, "%s", a.body)
		require.Equal(t, "noc@one.example", a.at("alerts", i, "contact", "email"))
		require.Equal(t, "one", a.at("alerts", i, "carrier"))
		incident := w.get("/v1/incidents").want(200)
		for _, moment := range []string{"began", "detected", "isolated"} {
			require.NotEmpty(t, incident.at("incidents", 0, moment), moment)
		}
		require.Equal(t, "+44 20 7946 0000", incident.at("incidents", 0, "contact", "tel"))
		require.True(t, strings.Contains(string(w.get("/v1/alarms").want(200).body), `"code":"out"`))
		out := false
		for _, h := range w.get("/v1/trunks/first").at("health").([]any) {
			out = out || h.(map[string]any)["state"] == "out"
		}
		require.True(t, out)
		require.NotEmpty(t, w.get("/v1/kpis?view=trunk").want(200).at("cells", 0, "ner", "high"))
	})
}
