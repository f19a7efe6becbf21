package siptrunk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk/siptrunk"
)

func TestReason(t *testing.T) {
	q := func(v uint8, l outdial.Location) outdial.Cause { return outdial.Cause{Value: v, Location: l} }
	for _, tt := range []struct {
		fields []string
		want   siptrunk.Reason
	}{
		{[]string{"Q.850;cause=17"}, siptrunk.Reason{Cause: q(17, 0)}},
		{[]string{`Q.850 ; cause = 16 ; text="Terminated"`}, siptrunk.Reason{Cause: q(16, 0)}},
		{[]string{"q.850;CAUSE=21;Location=u"}, siptrunk.Reason{Cause: q(21, outdial.LocationUser)}},
		{[]string{`SIP;cause=200;text="Call completed elsewhere"`}, siptrunk.Reason{SIPCause: 200, Text: "Call completed elsewhere"}},
		{
			[]string{`SIP ;cause=603 ;text="v=analytics1;url=https://a.example/x?y=1,2;tel=+1800\"5550100"`},
			siptrunk.Reason{SIPCause: 603, Text: `v=analytics1;url=https://a.example/x?y=1,2;tel=+1800"5550100`},
		},
		{
			[]string{`SIP;cause=580;text="a, b; c",Q.850;cause=34;location=TN;text="x"`},
			siptrunk.Reason{SIPCause: 580, Text: "a, b; c", Cause: q(34, outdial.LocationTransit)},
		},
		{
			[]string{"preemption;cause=1;text=\"UA Preemption\"", "Q.850;cause=41", "Q.850;cause=16", "SIP;cause=503"},
			siptrunk.Reason{SIPCause: 503, Cause: q(41, 0)},
		},
		{[]string{"Q.850;cause=0", "Q.850;cause=128", "Q.850;cause=x", "Q.850", "Q.850;cause=", "", ",,;;", "SIP;cause=99"}, siptrunk.Reason{}},
		{[]string{`SIP;text="unfinished`, `Q.850;cause=31;text="never closed, SIP;cause=480`}, siptrunk.Reason{Cause: q(31, 0)}},
		{[]string{"Q.850;cause=18;location=XX"}, siptrunk.Reason{Cause: q(18, 0)}},
	} {
		var got siptrunk.Reason
		for _, f := range tt.fields {
			got.Add(f)
		}
		require.Equal(t, tt.want, got, "%q", tt.fields)
		var again siptrunk.Reason
		again.Add(got.String())
		require.Equal(t, got, again, "what String writes, Add reads")
	}
	require.Empty(t, siptrunk.Reason{}.String())
	require.NotContains(t, siptrunk.Reason{SIPCause: 603, Text: "a\r\nVia: x"}.String(), "\n")
}

func TestParseRetryAfter(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"30": 30 * time.Second, " 120 (I'm in a meeting)": 120 * time.Second, "18000;duration=3600": 5 * time.Hour, "0": 0,
		"5(x)": 5 * time.Second, "": 0, "-1": 0, "soon": 0, "Fri, 07 Nov 2014 23:59:59 GMT": 0, "1.5": 0, "7 apples": 0,
		"99999999999999999999999": (1<<32 - 1) * time.Second, "4294967296": (1<<32 - 1) * time.Second,
	} {
		require.Equal(t, want, siptrunk.ParseRetryAfter(s), "%q", s)
	}
}
