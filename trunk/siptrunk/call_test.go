package siptrunk_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// Every row is one leg against one carrier, with the exact time of every report under the fake clock.
func TestTraces(t *testing.T) {
	after := func(d time.Duration, f func(*call)) func(*call) {
		return func(c *call) { time.AfterFunc(d, func() { f(c) }) }
	}
	hangup := func(c *call) { c.Hangup() }
	for _, tt := range []struct {
		name   string
		script siptest.Script
		change func(*siptrunk.Config, *siptrunk.Trunk)
		begin  func(*call) // as soon as the INVITE has left
		answer func(*call) // at the answer
		open   bool        // the carrier never learns that the call is over
		want   []string
	}{
		{
			name: "answered, the callee hangs up", script: siptest.Answer(time.Second, 2*time.Second, 5*time.Second),
			want: []string{
				"0s progress invite", "0s progress trying", "1s progress trying+provisional+ringing", "3s answer",
				"8s end callee_hangup",
			},
		},
		{
			name: "answered, we hang up", script: siptest.Answer(time.Second, 2*time.Second, 0), answer: after(4*time.Second, hangup),
			want: []string{
				"0s progress invite", "0s progress trying", "1s progress trying+provisional+ringing", "3s answer",
				"7s end caller_hangup",
			},
		},
		{
			name: "early media, then ringing", script: siptest.AnswerEarly(time.Second, time.Second, time.Second, time.Second),
			want: []string{
				"0s progress invite", "0s progress trying", "1s progress trying+provisional+early_sdp",
				"2s progress trying+provisional+ringing", "3s answer", "4s end callee_hangup",
			},
		},
		{
			name: "busy", script: siptest.Busy(300 * ms),
			want: []string{"0s progress invite", "0s progress trying", "300ms end carrier 486"},
		},
		{
			name: "silence", script: siptest.Silence(),
			want: []string{"0s progress invite", "1s abandon no_trying", "33s end no_trying"},
		},
		{
			name: "silence without T100", script: siptest.Silence(),
			change: func(_ *siptrunk.Config, tr *siptrunk.Trunk) { tr.T100, tr.PDDTimer = -1, -1 },
			want:   []string{"0s progress invite", "32s end no_trying"},
		},
		{
			name: "100 after T100 is cancelled at once", script: siptest.Play(siptest.Respond(3*time.Second, 100)),
			want: []string{"0s progress invite", "1s abandon no_trying", "3s progress trying", "3s end no_trying 487"},
		},
		{
			name: "answer after T100, ended by the host", script: siptest.Play(siptest.Respond(3*time.Second, 200)),
			answer: after(time.Second, hangup),
			want:   []string{"0s progress invite", "1s abandon no_trying", "3s answer", "4s end host"},
		},
		{
			name: "busy after T100", script: siptest.Play(siptest.Respond(3*time.Second, 486)),
			want: []string{"0s progress invite", "1s abandon no_trying", "3s end carrier 486"},
		},
		{
			name: "100 then silence", script: siptest.TryingOnly(),
			want: []string{"0s progress invite", "0s progress trying", "8s abandon no_progress", "8s end no_progress 487"},
		},
		{
			name: "rings for ever", script: siptest.RingForever(2 * time.Second),
			change: func(_ *siptrunk.Config, tr *siptrunk.Trunk) { tr.RingTimer = 30 * time.Second },
			want: []string{
				"0s progress invite", "0s progress trying", "2s progress trying+provisional+ringing", "32s abandon no_answer",
				"32s end no_answer 487",
			},
		},
		{
			name:   "the ring timer runs from the first 18x",
			script: siptest.Play(siptest.Respond(time.Second, 183), siptest.Respond(20*time.Second, 180)),
			change: func(_ *siptrunk.Config, tr *siptrunk.Trunk) { tr.RingTimer, tr.T100 = 30*time.Second, 2*time.Second },
			want: []string{
				"0s progress invite", "1s progress trying+provisional", "21s progress trying+provisional+ringing",
				"31s abandon no_answer", "31s end no_answer 487",
			},
		},
		{
			name: "rings for ever without a ring timer", script: siptest.RingForever(2 * time.Second),
			change: func(_ *siptrunk.Config, tr *siptrunk.Trunk) { tr.RingTimer = -1 },
			want: []string{
				"0s progress invite", "0s progress trying", "2s progress trying+provisional+ringing", "3m7s abandon no_answer",
				"3m7s end no_answer 487",
			},
		},
		{
			name: "100 then silence without a PDD timer", script: siptest.TryingOnly(),
			change: func(_ *siptrunk.Config, tr *siptrunk.Trunk) { tr.PDDTimer = -1 },
			want: []string{
				"0s progress invite", "0s progress trying", "3m5s abandon no_progress", "3m5s end no_progress 487",
			},
		},
		{
			name: "hung up while ringing", script: siptest.RingForever(time.Second), begin: after(2*time.Second, hangup),
			want: []string{
				"0s progress invite", "0s progress trying", "1s progress trying+provisional+ringing", "2s end caller 487",
			},
		},
		{
			name: "hung up before a provisional", script: siptest.Play(siptest.Respond(700*ms, 100)), begin: after(200*ms, hangup),
			want: []string{"0s progress invite", "700ms progress trying", "700ms end caller 487"},
		},
		{
			name: "hung up, silence", script: siptest.Silence(), begin: after(200*ms, hangup),
			want: []string{"0s progress invite", "32s end caller"},
		},
		{
			name:   "hung up before a provisional, answered without one",
			script: siptest.Play(siptest.Respond(700*ms, 200)), begin: after(200*ms, hangup),
			want: []string{"0s progress invite", "700ms answer", "700ms end host"},
		},
		{
			name: "answered after CANCEL", script: siptest.LateAnswer(time.Second, 3*time.Second, 0), begin: after(2*time.Second, hangup),
			want: []string{
				"0s progress invite", "0s progress trying", "1s progress trying+provisional+ringing", "5s answer", "5s end host",
			},
		},
		{
			name: "CANCEL without any effect",
			script: siptest.Script{
				Steps: []siptest.Step{siptest.Respond(0, 100), siptest.Respond(0, 180)}, OnCancel: siptest.CancelUnanswered,
			},
			begin: after(2*time.Second, hangup), open: true,
			want: []string{
				"0s progress invite", "0s progress trying", "0s progress trying+provisional+ringing", "34s end caller",
			},
		},
		{
			name: "answered after the CANCEL of the PDD timer",
			script: siptest.Script{
				Steps: []siptest.Step{siptest.Respond(0, 100)}, OnCancel: siptest.CancelIgnored,
				AfterCancel: []siptest.Step{siptest.Respond(time.Second, 200)},
			},
			want: []string{
				"0s progress invite", "0s progress trying", "8s abandon no_progress", "9s answer", "9s end host",
			},
		},
		{
			name: "busy after the CANCEL of the ring timer",
			script: siptest.Script{
				Steps: []siptest.Step{siptest.Respond(0, 180)}, OnCancel: siptest.CancelIgnored,
				AfterCancel: []siptest.Step{siptest.Respond(time.Second, 486)},
			},
			want: []string{
				"0s progress invite", "0s progress trying+provisional+ringing", "1m0s abandon no_answer", "1m1s end carrier 486",
			},
		},
		{
			name: "answered after the CANCEL of the ring timer",
			script: siptest.Script{
				Steps: []siptest.Step{siptest.Respond(0, 180)}, OnCancel: siptest.CancelIgnored,
				AfterCancel: []siptest.Step{siptest.Respond(time.Second, 200)},
			},
			want: []string{
				"0s progress invite", "0s progress trying+provisional+ringing", "1m0s abandon no_answer", "1m1s answer", "1m1s end host",
			},
		},
		{
			name: "silence with a PDD timer alone", script: siptest.Silence(),
			change: func(_ *siptrunk.Config, tr *siptrunk.Trunk) { tr.T100 = -1 },
			want:   []string{"0s progress invite", "8s abandon no_trying", "40s end no_trying"},
		},
		{
			name: "BYE without an answer", script: siptest.Script{Steps: []siptest.Step{siptest.Respond(0, 200)}, IgnoreBye: true},
			answer: after(time.Second, hangup), open: true,
			want: []string{"0s progress invite", "0s answer", "33s end caller_hangup"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, tt.script, tt.change, func(t *testing.T, w *world) {
				c := w.inviteWith(siptrunk.InviteOptions{}, tt.answer)
				if tt.begin != nil {
					tt.begin(c)
				}
				require.Equal(t, tt.want, c.trace())
				require.Zero(t, w.carrier.Stats().Strays, "all that left fits the dialog")
				if !tt.open {
					require.NoError(t, w.carrier.Settle(t.Context()))
				}
				synctest.Wait()
				require.Zero(t, w.dialer.Live())
				time.Sleep(siptest.TimeoutB)
				synctest.Wait()
				require.Equal(t, siptrunk.Stats{}, w.dialer.Stats(), "an ended leg is forgotten after 32 s")
			})
		})
	}
}

func TestRequestsOnTheWire(t *testing.T) {
	bubble(t, siptest.Answer(time.Second, time.Second, 0), nil, func(t *testing.T, w *world) {
		c := w.inviteWith(siptrunk.InviteOptions{
			Headers: []siptrunk.Header{{Name: "X-Campaign", Value: "spring"}}, MaxForwards: 12,
		}, func(c *call) { c.HangupReason(outdial.Cause{Value: 16, Location: outdial.LocationUser}) })
		require.Equal(t, outdial.Result{
			Origin: outdial.OriginCallerHangup, Cause: outdial.Cause{Value: 16, Location: outdial.LocationUser},
			Bye: 1, ByeCode: 200,
		}, c.result())
		recs := w.carrier.Records()
		require.Len(t, recs, 1)
		r := recs[0]
		require.Equal(t, "+12125550123", r.To)
		require.Equal(t, "+12125550123", r.ToUser)
		require.Equal(t, "+13035550100", r.From)
		require.Equal(t, "+13035550100", r.PAI)
		require.Equal(t, c.CallID(), r.CallID)
		require.Equal(t, offer, r.Body)
		require.True(t, r.Acked)
		require.Equal(t, siptest.CallerSide, r.EndedBy)
		require.Contains(t, r.Headers, siptest.Header{Name: "X-Campaign", Value: "spring"})
		require.Contains(t, r.Headers, siptest.Header{Name: "Max-Forwards", Value: "12"})
		require.Contains(t, r.Headers, siptest.Header{Name: "Contact", Value: "<sip:10.0.0.2:5060>"})
		require.Contains(t, r.ByeHeaders, siptest.Header{Name: "Reason", Value: "Q.850;cause=16;location=U"})
	})
}

func TestRejections(t *testing.T) {
	const block = `v=analytics1;url=https://redress.example/a,b;tel=+18005550100`
	for _, tt := range []struct {
		name   string
		script siptest.Script
		want   outdial.Result
	}{
		{"503", siptest.Unavailable(0), outdial.Result{Code: 503, Phrase: "Service Unavailable"}},
		{
			"503 Retry-After", siptest.Unavailable(30 * time.Second),
			outdial.Result{Code: 503, Phrase: "Service Unavailable", RetryAfter: 30 * time.Second},
		},
		{
			"603+", siptest.Reject(603, "Network Blocked",
				siptest.Header{Name: "Reason", Value: `Q.850;cause=21;location=TN, SIP;cause=603;text="` + block + `";location=LN`}),
			outdial.Result{
				Code: 603, Phrase: "Network Blocked", SIPCause: 603, Text: block,
				Cause: outdial.Cause{Value: 21, Location: outdial.LocationTransit},
			},
		},
		{
			"two Reason fields", siptest.Reject(480, "",
				siptest.Header{Name: "Reason", Value: `preemption;cause=1`}, siptest.Reason(20, "absent")),
			outdial.Result{Code: 480, Phrase: "Temporarily Unavailable", Cause: outdial.Cause{Value: 20}},
		},
		{
			"a header that is kept", siptest.Reject(503, "", siptest.Header{Name: "X-ERROR-code", Value: "P05"},
				siptest.Header{Name: "X-Other", Value: "no"}, siptest.Header{Name: "Warning", Value: `370 carrier "bandwidth"`}),
			outdial.Result{Code: 503, Phrase: "Service Unavailable", Headers: "X-ERROR-code: P05\nWarning: 370 carrier \"bandwidth\""},
		},
		{"limit only in the phrase", siptest.Reject(403, "User channel limit exceeded D1"), outdial.Result{Code: 403, Phrase: "User channel limit exceeded D1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			keep := func(cfg *siptrunk.Config, _ *siptrunk.Trunk) { cfg.Headers = []string{"warning", "x-error-code"} }
			bubble(t, tt.script, keep, func(t *testing.T, w *world) {
				tt.want.Origin = outdial.OriginCarrier
				require.Equal(t, tt.want, w.invite(siptrunk.InviteOptions{}).result())
				require.NoError(t, w.carrier.Settle(t.Context()))
				require.True(t, w.carrier.Records()[0].Acked)
			})
		})
	}
}

func TestEvents(t *testing.T) {
	s := siptest.Play(siptest.Respond(0, 100), siptest.Step{Code: 183, Tag: "fork", SDP: true, Phrase: "Early"}, siptest.Step{Code: 180},
		siptest.Step{After: time.Second, Code: 200, Headers: []siptest.Header{{Name: "X-Carrier", Value: "one"}}})
	bubble(t, s, nil, func(t *testing.T, w *world) {
		c := w.inviteWith(siptrunk.InviteOptions{}, (*call).Hangup)
		evs := c.wait()
		require.Len(t, evs, 6)
		early, ring, answer := evs[2], evs[3], evs[4]
		require.Equal(t, 183, early.Code)
		require.Equal(t, "Early", early.Phrase)
		require.Equal(t, "fork", early.ToTag)
		require.Equal(t, "application/sdp", early.ContentType)
		require.NotEmpty(t, early.SDP)
		require.Empty(t, ring.SDP)
		require.NotEqual(t, early.ToTag, ring.ToTag)
		require.Equal(t, ring.ToTag, answer.ToTag)
		require.NotEmpty(t, answer.SDP)
		require.Equal(t, "one", answer.Response.GetHeader("x-carrier").Value())
		require.Equal(t, attempt().ID, answer.Attempt)
	})
}
