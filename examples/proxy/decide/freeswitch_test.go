package decide_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"

	"github.com/outdial/outdial/examples/proxy/decide"
)

// leg is how a bridge of freeSwitch ends: the variables that it leaves behind.
type leg map[string]string

// freeSwitch is as much of FreeSWITCH as docs/freeswitch.lua sees of it: mod_lua's session, mod_curl's API command, and bridges that end as
// they are told.
type freeSwitch struct {
	w         *world
	variables map[string]string
	legs      []leg
	bridged   []string // what was dialled
	did       []string // the other applications
	gone      bool     // the caller has hung up
	slept     []time.Duration
	asleep    func() // what happens during a pause; nil = nothing
}

// curl is the command as mod_curl reads it: at most ten words between blanks, and the one behind "post" percent-encoded.
func (f *freeSwitch) curl(args string) string {
	words := strings.SplitN(args, " ", 10)
	_, path, ok := strings.Cut(words[0], "http://127.0.0.1:9466")
	require.True(f.w.t, ok, args)
	kind, body := "", ""
	for i, word := range words[:len(words)-1] {
		switch word {
		case "content-type":
			kind = words[i+1]
		case "post":
			var err error
			body, err = url.PathUnescape(words[i+1])
			require.NoError(f.w.t, err)
		}
	}
	return f.w.do("POST", path, body, "Content-Type", kind).body
}

func (f *freeSwitch) execute(app, data string) {
	if app != "bridge" {
		f.did = append(f.did, app+" "+data)
		return
	}
	f.bridged = append(f.bridged, data)
	next := f.legs[0]
	f.legs = f.legs[1:]
	for k, v := range next {
		f.variables[k] = v
	}
	f.w.now = f.w.now.Add(10 * time.Second)
	f.gone = next["originate_disposition"] == "ORIGINATOR_CANCEL" || next["originate_disposition"] == "SUCCESS"
}

// run runs the script for a call.
func (f *freeSwitch) run() {
	l := lua.NewState()
	defer l.Close()
	object := func(methods map[string]func(l *lua.LState) int) *lua.LTable {
		t := l.NewTable()
		for name, m := range methods {
			t.RawSetString(name, l.NewFunction(m))
		}
		return t
	}
	text := func(s string) func(*lua.LState) int {
		return func(l *lua.LState) int { l.Push(lua.LString(s)); return 1 }
	}
	api := object(map[string]func(*lua.LState) int{"execute": func(l *lua.LState) int {
		require.Equal(f.w.t, "curl", l.CheckString(2))
		l.Push(lua.LString(f.curl(l.CheckString(3))))
		return 1
	}})
	l.SetGlobal("freeswitch", object(map[string]func(*lua.LState) int{
		"API": func(l *lua.LState) int { l.Push(api); return 1 },
		"msleep": func(l *lua.LState) int {
			d := time.Duration(l.CheckInt(1)) * time.Millisecond
			f.w.now = f.w.now.Add(d)
			if f.slept = append(f.slept, d); d > 0 && f.asleep != nil {
				f.asleep()
			}
			return 0
		},
	}))
	l.SetGlobal("session", object(map[string]func(*lua.LState) int{
		"get_uuid": text("5f0d6c2e"),
		"ready":    func(l *lua.LState) int { l.Push(lua.LBool(!f.gone)); return 1 },
		"hangup":   func(l *lua.LState) int { f.did = append(f.did, "hangup "+l.CheckString(2)); return 0 },
		"execute":  func(l *lua.LState) int { f.execute(l.CheckString(2), l.CheckString(3)); return 0 },
		"setVariable": func(l *lua.LState) int {
			f.variables[l.CheckString(2)] = l.CheckString(3)
			return 0
		},
		"getVariable": func(l *lua.LState) int {
			if v, ok := f.variables[l.CheckString(2)]; ok {
				l.Push(lua.LString(v))
			} else {
				l.Push(lua.LNil)
			}
			return 1
		},
	}))
	require.NoError(f.w.t, l.DoFile("../docs/freeswitch.lua"))
}

// docs/freeswitch.lua, run against the API: it fails over, stops at busy, gives up with its caller, and tells how an answered call ended.
func TestFreeSWITCHScript(t *testing.T) {
	failed := func(code, phrase string) leg {
		return leg{"originate_disposition": "NORMAL_TEMPORARY_FAILURE", "last_bridge_proto_specific_hangup_cause": "sip:" + code, "sip_invite_failure_phrase": phrase}
	}
	answered := leg{"originate_disposition": "SUCCESS", "bridge_billmsec": "4000", "last_bridge_hangup_cause": "NORMAL_CLEARING"}
	for _, c := range []struct {
		name    string
		to      string
		legs    []leg
		bridged []string
		did     []string
		ended   uint64
	}{
		{
			"fails over", callee,
			[]leg{failed("503", `Service 100 % "Un\available"`), answered},
			[]string{"sofia/external/9+12125550123@10.0.1.1:5060", "sofia/external/12125550123@10.0.1.2:5060"},
			[]string{"hangup NORMAL_CLEARING"},
			1,
		},
		{"busy", callee, []leg{failed("486", "Busy Here")}, []string{"sofia/external/9+12125550123@10.0.1.1:5060"}, []string{"respond 486"}, 1},
		{
			"the caller gives up", callee,
			[]leg{{"originate_disposition": "ORIGINATOR_CANCEL"}},
			[]string{"sofia/external/9+12125550123@10.0.1.1:5060"},
			nil, 1,
		},
		{"refused", "+19005550123", nil, nil, []string{"respond 403"}, 0},
		{"no number", "sales", nil, nil, []string{"hangup INVALID_NUMBER_FORMAT"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, decide.Config{}, "name: test", "name: predictive")
			f := &freeSwitch{w: w, variables: map[string]string{"destination_number": c.to}, legs: c.legs}
			f.run()
			var bridged []string
			for _, b := range f.bridged {
				require.True(t, strings.HasPrefix(b, "{origination_caller_id_number=+1303555010"), b)
				_, at, _ := strings.Cut(b, "}")
				bridged = append(bridged, at)
			}
			require.Equal(t, c.bridged, bridged)
			require.Equal(t, c.did, f.did)
			require.Empty(t, f.legs)
			require.Equal(t, c.ended, w.server.Stats().Ended)
			require.Zero(t, w.inUse(), "what it held is given back")
		})
	}
}

// Where there is no room, docs/freeswitch.lua waits as it is told, before the first leg and between two, and places the leg when there is; it does not
// place one before its time, and tells when its caller hangs up meanwhile.
func TestFreeSWITCHWaits(t *testing.T) {
	answered := leg{"originate_disposition": "SUCCESS", "bridge_billmsec": "4000", "last_bridge_hangup_cause": "NORMAL_CLEARING"}
	failed := leg{"originate_disposition": "NORMAL_TEMPORARY_FAILURE", "last_bridge_proto_specific_hangup_cause": "sip:503"}
	full := func(t *testing.T) (f *freeSwitch, held []*answer) {
		w := newWorld(t, decide.Config{}, append([]string{"name: test", "name: predictive"}, scarce...)...)
		for range 3 {
			held = append(held, w.post("/v1/decide", `{"to":"`+callee+`","dialer":"predictive"}`).want(200, "dial"))
		}
		return &freeSwitch{w: w, variables: map[string]string{"destination_number": callee}}, held
	}
	free := func(f *freeSwitch, a *answer) { f.w.outcome(a, 1, `,"code":486`).want(200, "stop") }
	t.Run("before the first leg", func(t *testing.T) {
		f, held := full(t)
		f.legs, f.asleep = []leg{answered}, func() { free(f, held[0]); f.asleep = nil }
		f.run()
		require.Len(t, f.bridged, 1)
		require.Contains(t, f.bridged[0], "sofia/external/9+12125550123@10.0.1.1:5060")
		require.Positive(t, f.slept[0])
		require.Equal(t, []string{"hangup NORMAL_CLEARING"}, f.did)
		require.Equal(t, 2, f.w.inUse())
	})
	t.Run("between two legs", func(t *testing.T) {
		f, held := full(t)
		free(f, held[0])
		f.legs, f.asleep = []leg{failed, answered}, func() { free(f, held[1]); f.asleep = nil }
		f.run()
		require.Len(t, f.bridged, 2)
		require.Contains(t, f.bridged[1], "sofia/external/12125550123@10.0.1.2:5060")
		require.Equal(t, 1, f.w.inUse())
	})
	t.Run("the caller hangs up", func(t *testing.T) {
		f, _ := full(t)
		f.asleep = func() { f.gone = true }
		f.run()
		require.Empty(t, f.bridged)
		require.Empty(t, f.did)
		require.Equal(t, 3, f.w.inUse())
		require.Equal(t, 3, f.w.server.Stats().Live, "the call that waited is over for the API")
	})
	t.Run("no room came", func(t *testing.T) {
		f, _ := full(t)
		f.run()
		require.Empty(t, f.bridged)
		require.Equal(t, []string{"respond 503"}, f.did)
		require.Equal(t, 3, f.w.server.Stats().Live)
	})
	t.Run("not before its time", func(t *testing.T) {
		w := newWorld(t, decide.Config{}, "name: test", "name: predictive", "cps: -1", "cps: 1, smooth: 5s", "hunting: {", "hunting: {max_wait: 10s, ")
		var delay int64
		for range 6 { // until each trunk's second has its calls
			delay = w.post("/v1/decide", `{"to":"`+callee+`","dialer":"predictive"}`).want(200, "dial").Delay
		}
		require.Positive(t, delay)
		f := &freeSwitch{w: w, variables: map[string]string{"destination_number": callee}, legs: []leg{answered}}
		f.run()
		require.Len(t, f.bridged, 1)
		require.Positive(t, f.slept[len(f.slept)-1])
	})
}
