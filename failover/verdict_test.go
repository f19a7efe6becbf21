package failover_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/kpi/cdr"
)

// TestShortage: what a rejection says that the trunk has run out of, for trunk to learn from.
func TestShortage(t *testing.T) {
	const none, channels, cps, unknown = outdial.ShortageNone, outdial.ShortageChannels, outdial.ShortageCPS, outdial.ShortageUnknown
	ids := &outdial.Registry{}
	telnyx, twilio, other := ids.Carriers.ID("telnyx"), ids.Carriers.ID("twilio"), ids.Carriers.ID("other")
	s := newSelector(t, failover.Config{IDs: ids, Overrides: []failover.Override{
		{Carrier: "telnyx", Rules: failover.TelnyxRules()}, {Carrier: "twilio", Rules: failover.TwilioRules()},
	}})
	for _, c := range []struct {
		carrier outdial.CarrierID
		result  outdial.Result
		want    outdial.Shortage
	}{
		{other, final(403, "User channel limit exceeded D1"), channels},
		{other, final(503, "CPS Limit reached P05"), cps},
		{other, final(503, "Trunk CPS limit exceeded"), cps},
		{other, final(503, "calls per second exceeded"), cps},
		{other, final(503, "Call rate exceeded"), cps},
		{other, final(480, "concurrent call limit exceeded"), channels},
		{other, final(503, "too many concurrent calls"), channels},
		{other, final(503, "No circuit available"), channels},
		{other, final(480, "call admission control"), unknown},
		{other, final(500, "Trunk capacity exceeded"), unknown},
		{other, final(503, "Switching equipment congestion"), unknown},
		{other, final(503, 34), channels},
		{other, final(480, 44), channels},
		{other, final(503, 42), unknown},
		{other, final(503, 47), unknown},
		{other, final(503), none},
		{other, final(503, time.Minute), none},
		{other, final(486), none},
		{other, final(503, 17, "CPS limit exceeded"), cps},
		{other, final(403, "Limit exceeded D22"), none},
		{telnyx, final(403, "Limit exceeded D22"), channels},
		{telnyx, final(403, "Account disabled D17"), none},
		{telnyx, final(503, "P05"), cps},
		{telnyx, final(503, "Service Unavailable"), none},
		{twilio, final(503, "Trunk CPS limit exceeded"), cps},
		{twilio, final(503, "Concurrent call limit"), channels},
		{twilio, final(603, "Network Blocked"), none},
		{0, ended(outdial.OriginNoTrying), none},
	} {
		require.Equal(t, c.want, s.Shortage(c.carrier, &c.result), "%+v", c.result)
	}
	if !race.Enabled {
		r := final(503, "CPS Limit reached P05")
		require.Zero(t, testing.AllocsPerRun(100, func() { s.Shortage(telnyx, &r) }))
	}
}

// TestOverrides: a row of a route goes before one of its carrier, and that before the global ones, in whatever order they
// are configured.
func TestOverrides(t *testing.T) {
	ids := &outdial.Registry{}
	is := func(name string) []failover.Rule {
		return []failover.Rule{{Name: name, From: 480, Verdict: outdial.VerdictAdvance}}
	}
	s := newSelector(t, failover.Config{IDs: ids, Rules: is("global"), Overrides: []failover.Override{
		{Carrier: "acme", Rules: is("carrier")},
		{Matched: 1212, Rules: is("prefix")},
		{Trunk: "acme-1", Rules: is("trunk")},
		{Trunk: "acme-1", Matched: 1212, Rules: is("route")},
		{Carrier: "acme", Rules: []failover.Rule{{Name: "late", From: 480}, {Name: "second", From: 481}}},
	}})
	acme, first, second := ids.Carriers.ID("acme"), ids.Trunks.ID("acme-1"), ids.Trunks.ID("acme-2")
	for _, c := range []struct {
		on   outdial.Candidate
		code uint16
		want string
	}{
		{outdial.Candidate{Carrier: acme, Trunk: first, Matched: 1212}, 480, "route"},
		{outdial.Candidate{Carrier: acme, Trunk: first, Matched: 1}, 480, "trunk"},
		{outdial.Candidate{Carrier: acme, Trunk: second, Matched: 1212}, 480, "prefix"},
		{outdial.Candidate{Carrier: acme, Trunk: second, Matched: 1}, 480, "carrier"},
		{outdial.Candidate{Carrier: acme + 1, Trunk: second, Matched: 1}, 480, "global"},
		{outdial.Candidate{Carrier: acme, Trunk: first, Matched: 1212}, 481, "second"},
		{outdial.Candidate{Carrier: acme, Trunk: first, Matched: 1212}, 486, "busy"},
	} {
		require.Equal(t, c.want, s.Judge(&outdial.Attempt{Candidate: c.on, Result: final(c.code)}).Rule, "%+v", c.on)
	}

	_, err := failover.New(failover.Config{Overrides: []failover.Override{
		{Rules: is("x")}, {Carrier: "acme"}, {Matched: 1, Rules: []failover.Rule{{From: 1}}},
	}})
	for _, want := range []string{
		"Overrides[0]: neither", "Overrides[1]: names need IDs", `Overrides[2].Rules[0] "": From, To: 1`,
	} {
		require.ErrorContains(t, err, want)
	}
}

// TestHeaderRows: a row can ask for any header field that the host keeps, and the Selector says which those are.
func TestHeaderRows(t *testing.T) {
	ids := &outdial.Registry{}
	acme := ids.Carriers.ID("acme")
	s := newSelector(t, failover.Config{
		IDs: ids,
		Rules: []failover.Rule{
			{Name: "code", Header: failover.Header{Name: "X-Error", Value: "E17"}, Verdict: outdial.VerdictAdvance, Evidence: failover.EvidenceFull},
			{Name: "part", From: 480, Header: failover.Header{Name: "x-error", Contains: "No Channel"}, Verdict: outdial.VerdictAdvance},
			{Name: "there", Header: failover.Header{Name: "X-Drop"}},
		},
		Overrides: []failover.Override{{Carrier: "acme", Rules: failover.AsteriskRules()}},
	})
	require.Equal(t, []string{"warning", "x-asterisk-hangupcausecode", "x-drop", "x-error"}, s.Headers())
	for _, c := range []struct {
		carrier outdial.CarrierID
		code    uint16
		headers outdial.Headers
		want    string
	}{
		{0, 503, "X-Error: E17", "code"},
		{0, 503, "x-ERROR: e17", "code"},
		{0, 503, "X-Error: E170", "server_fault"},
		{0, 503, "X-Error: E1\nX-Error: E17", "code"},
		{0, 503, "X-Errors: E17", "server_fault"},
		{0, 480, "X-Error: sorry, no channels", "part"},
		{0, 503, "X-Error: sorry, no channels", "server_fault"},
		{0, 503, "X-Drop: ", "there"},
		{0, 503, "X-Asterisk-HangupCauseCode: 34", "server_fault"},
		{acme, 503, "X-Asterisk-HangupCauseCode: 34", "asterisk_channels"},
		{acme, 503, "X-Asterisk-HangupCauseCode: 3", "server_fault"},
		{acme, 503, "X-Asterisk-HangupCauseCode: 17", "asterisk_busy"},
		{acme, 503, "X-Asterisk-HangupCauseCode: 38", "asterisk_fault"},
		{acme, 503, "X-Error: E17", "code"},
		{acme, 603, "X-Error: E17", "code"},
	} {
		a := &outdial.Attempt{Candidate: outdial.Candidate{Carrier: c.carrier}, Result: final(c.code, c.headers)}
		j := s.Judge(a)
		require.Equal(t, c.want, j.Rule, "%+v", c)
		if c.code == 603 {
			require.Equal(t, outdial.VerdictStop, j.Verdict, "no row goes on after a refusal by the callee")
		}
		if !race.Enabled {
			require.Zero(t, testing.AllocsPerRun(20, func() { s.Judge(a) }))
		}
	}

	_, err := failover.New(failover.Config{Rules: []failover.Rule{
		{Header: failover.Header{Value: "1"}},
		{Header: failover.Header{Name: "X-A:"}},
		{Header: failover.Header{Name: "X-A", Value: "1", Contains: "1"}},
	}})
	for _, want := range []string{
		`Rules[0] "": Header: Name: required`, `Rules[1] "": Header: Name: "X-A:"`, `Rules[2] "": Header: Value and Contains`,
	} {
		require.ErrorContains(t, err, want)
	}
}

// TestReplayedVerdict: what the journal keeps of a result is judged as the result was.
func TestReplayedVerdict(t *testing.T) {
	ids := named("a")
	s := newSelector(t, failover.Config{IDs: ids, Rules: []failover.Rule{{
		Name: "mine", Header: failover.Header{Name: "X-Error", Contains: "busy lines"}, Verdict: outdial.VerdictAdvance,
		Evidence: failover.EvidenceFull, Shortage: outdial.ShortageChannels,
	}}})
	j, _, err := cdr.Open(cdr.Config{Dir: t.TempDir(), IDs: ids})
	require.NoError(t, err)
	defer func() { require.NoError(t, j.Close()) }()
	var long outdial.Headers
	long = long.With("X-Error", strings.Repeat("all busy lines ", 40)).With("X-Other", "no room")
	var want []failover.Judgement
	for _, r := range []outdial.Result{
		final(480, outdial.Headers("X-Error: no\nX-Error: busy lines")), final(503, long), final(503, time.Minute, "Limit", 34), analytics("Decline"),
	} {
		a := &outdial.Attempt{Candidate: outdial.Candidate{Trunk: 1}, Start: start, State: outdial.AttemptEnded, Result: r}
		want = append(want, s.Judge(a))
		require.NoError(t, j.Append(&outdial.Event{Kind: outdial.EventEnded, Time: start, Attempt: a}))
	}
	require.Equal(t, "mine", want[0].Rule)
	require.Equal(t, "mine", want[1].Rule)
	var got []failover.Judgement
	require.NoError(t, j.Replay(0, func(ev *outdial.Event) error {
		got = append(got, s.Judge(ev.Attempt))
		return nil
	}))
	require.Equal(t, want, got)
}

func TestPresets(t *testing.T) {
	for _, name := range []string{"default", "telnyx", "twilio", "asterisk", "strict-6xx"} {
		rules, err := failover.Preset(name)
		require.NoError(t, err)
		newSelector(t, failover.Config{Rules: rules})
	}
	_, err := failover.Preset("acme")
	require.ErrorContains(t, err, `"acme"`)

	strict := newSelector(t, failover.Config{Rules: failover.Strict6xxRules()})
	for code := uint16(600); code < 700; code++ {
		a := &outdial.Attempt{Result: final(code)}
		require.Equal(t, outdial.VerdictStop, strict.Verdict(a), code)
		a.Result = behind(503, code, "")
		require.Equal(t, outdial.VerdictStop, strict.Verdict(a), code)
	}
	require.Equal(t, outdial.VerdictAdvance, newSelector(t, failover.Config{}).Verdict(&outdial.Attempt{Result: final(606)}))
}

// TestOnlyWhatLeftIsBlamed: which evidence is held against a carrier, whether it comes first or again.
func TestOnlyWhatLeftIsBlamed(t *testing.T) {
	for name, c := range map[string]struct {
		result          outdial.Result
		healthy, failed uint64
	}{
		"never sent":   {ended(outdial.OriginNeverSent), 0, 0},
		"the caller":   {ended(outdial.OriginCaller), 0, 0},
		"full":         {final(503, 34), 0, 0},
		"config fault": {final(403), 0, 0},
		"number fault": {final(404), 0, 0},
		"CLI blocked":  {final(608), 0, 0},
		"3xx":          {final(302), 0, 0},
		"callee":       {final(486), 1, 0},
		"rang":         {ended(outdial.OriginNoAnswer), 1, 0},
		"soft":         {final(500), 0, 1},
		"silent":       {ended(outdial.OriginNoTrying), 0, 1},
		"refused":      {ended(outdial.OriginTransport), 0, 1},
	} {
		b := newBench(t, failover.Config{}, on(1, 0, 0))
		a := b.attempt(start, 1, 0)
		a.State, a.Result = outdial.AttemptEnded, c.result
		b.observe(start, outdial.EventEnded, a, outdial.MarkEnd)
		st := b.target(start, 1, 0)
		require.Equal(t, [2]uint64{c.healthy, c.failed}, [2]uint64{st.Healthy, st.Failed}, name)
	}

	// After the local timeout, a late 1xx or a final response adds nothing.
	b := newBench(t, failover.Config{}, on(1, 0, 0))
	a := b.attempt(start, 1, 0)
	b.abandon(at(time.Second), a)
	b.observe(at(1100*time.Millisecond), outdial.EventProgressed, a, outdial.MarkTrying)
	b.observe(at(1200*time.Millisecond), outdial.EventProgressed, a, outdial.MarkProvisional, outdial.MarkRinging)
	a.State, a.Result = outdial.AttemptEnded, final(503)
	b.observe(at(2*time.Second), outdial.EventEnded, a, outdial.MarkEnd)
	st := b.target(at(2*time.Second), 1, 0)
	require.Equal(t, [2]uint64{0, 1}, [2]uint64{st.Healthy, st.Failed})
}
