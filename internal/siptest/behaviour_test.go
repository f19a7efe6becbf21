package siptest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
)

// A row is one behaviour as a caller sees it. Every row runs on the fake clock; those that need no long timer
// run on real sockets too.
type row struct {
	name   string
	script siptest.Script
	auth   *siptest.Auth
	call   siptest.CallerCall
	long   bool // only on the fake clock
	paced  bool // what is checked depends on who is quicker: for the fake clock only
	stays  bool // the carrier never learns that it is over
	check  func(t *testing.T, r *siptest.CallResult, s siptest.Stats, rec siptest.Record)
	// at are exact times on the fake clock: PDD, answer, end.
	pdd, answer, end time.Duration
}

func withMedia(s siptest.Script, m siptest.Media) siptest.Script {
	s.Media = &m
	return s
}

var rows = []row{
	{
		name:   "answered, the carrier hangs up",
		script: siptest.Answer(20*ms, 30*ms, 40*ms),
		pdd:    20 * ms, answer: 50 * ms, end: 90 * ms,
		check: func(t *testing.T, r *siptest.CallResult, s siptest.Stats, rec siptest.Record) {
			require.Equal(t, []int{100, 180, 200}, r.Codes())
			require.Equal(t, siptest.CarrierSide, r.EndedBy)
			require.True(t, r.Final.SDP)
			require.Equal(t, r.Final.ToTag, r.Provisionals[1].ToTag)
			require.Empty(t, r.Provisionals[0].ToTag, "a 100 has no tag")
			require.Equal(t, 1, s.Answered)
			require.Equal(t, 1, s.ByesSent)
			require.Equal(t, 1, s.Acks)
			require.True(t, rec.ByeAnswered)
			require.Equal(t, siptest.CarrierSide, rec.EndedBy)
		},
	},
	{
		name:   "answered, the caller hangs up, the carrier never does",
		script: siptest.Answer(0, 10*ms, 0),
		call:   siptest.CallerCall{From: "+15550001", To: "+4930123", PAI: "+15550002", HangupAfter: 30 * ms},
		answer: 10 * ms, end: 40 * ms,
		check: func(t *testing.T, r *siptest.CallResult, s siptest.Stats, rec siptest.Record) {
			require.Equal(t, siptest.CallerSide, r.EndedBy)
			require.Equal(t, 200, r.ByeCode)
			require.Equal(t, 1, s.ByesReceived)
			require.Zero(t, s.ByesSent)
			require.Equal(t, map[string]int{"+15550001": 1}, s.ByFrom)
			require.Equal(t, map[string]int{"+15550002": 1}, s.ByPAI)
			require.Equal(t, "+4930123", rec.To)
			require.Equal(t, "+4930123", rec.ToUser)
			require.Equal(t, r.CallID, rec.CallID)
			require.NotEmpty(t, rec.Body)
		},
	},
	{
		name:   "183 with SDP, then 180",
		script: siptest.AnswerEarly(10*ms, 10*ms, 10*ms, 10*ms),
		pdd:    10 * ms, answer: 30 * ms, end: 40 * ms,
		check: func(t *testing.T, r *siptest.CallResult, _ siptest.Stats, _ siptest.Record) {
			require.Equal(t, []int{100, 183, 180, 200}, r.Codes())
			require.True(t, r.Provisionals[1].SDP)
			require.False(t, r.Provisionals[2].SDP)
		},
	},
	{
		name: "two early dialogs",
		script: siptest.Script{Steps: []siptest.Step{
			{Code: 180, Tag: "one"}, {Code: 183, Tag: "two", SDP: true}, {After: 5 * ms, Code: 200, Tag: "two"},
		}, Talk: 5 * ms},
		answer: 5 * ms, end: 10 * ms,
		check: func(t *testing.T, r *siptest.CallResult, _ siptest.Stats, _ siptest.Record) {
			require.Equal(t, []string{"one", "two", "two"}, []string{r.Provisionals[0].ToTag, r.Provisionals[1].ToTag, r.Final.ToTag})
			require.Equal(t, siptest.CarrierSide, r.EndedBy)
		},
	},
	{
		name: "busy", script: siptest.Busy(10 * ms), end: 10 * ms,
		check: func(t *testing.T, r *siptest.CallResult, s siptest.Stats, rec siptest.Record) {
			require.Equal(t, []int{100, 486}, r.Codes())
			require.Equal(t, 1, s.Busy)
			require.Equal(t, 1, s.Acks)
			require.True(t, rec.Acked)
			require.Zero(t, s.Answered)
		},
	},
	{
		name:   "a code with phrase, Reason and other headers",
		script: siptest.Reject(480, "No Circuit", siptest.Reason(34, "no circuit"), siptest.Reason(42, ""), siptest.Header{Name: "X-Trunk", Value: "7"}),
		check: func(t *testing.T, r *siptest.CallResult, s siptest.Stats, _ siptest.Record) {
			require.Equal(t, 480, r.Code())
			require.Equal(t, "No Circuit", r.Final.Phrase)
			require.Equal(t, []string{`Q.850;cause=34;text="no circuit"`, "Q.850;cause=42"}, r.Final.Values("Reason"))
			require.Equal(t, "7", r.Final.Header("x-trunk"))
			require.Equal(t, 1, s.Failed)
		},
	},
	{
		name: "503 with Retry-After", script: siptest.Unavailable(1500 * ms),
		check: func(t *testing.T, r *siptest.CallResult, _ siptest.Stats, _ siptest.Record) {
			require.Equal(t, []int{503}, r.Codes())
			require.Equal(t, "2", r.Final.Header("Retry-After"))
		},
	},
	{
		name: "503 without Retry-After", script: siptest.Unavailable(0),
		check: func(t *testing.T, r *siptest.CallResult, _ siptest.Stats, _ siptest.Record) {
			require.Equal(t, []int{503}, r.Codes())
			require.Empty(t, r.Final.Header("Retry-After"))
		},
	},
	{
		name: "silence", script: siptest.Silence(), long: true, end: 32 * time.Second,
		check: func(t *testing.T, r *siptest.CallResult, s siptest.Stats, rec siptest.Record) {
			require.True(t, r.TimedOut)
			require.Empty(t, r.Codes())
			require.Equal(t, 6, r.InviteRetransmits)
			require.Equal(t, 6, s.InviteRetransmits)
			require.Equal(t, 1, s.Invites)
			require.Equal(t, 1, s.PeakCPS)
			require.Zero(t, s.Channels)
			require.Zero(t, rec.Code)
		},
	},
	{
		name: "100, then silence, cancelled", script: siptest.TryingOnly(), call: siptest.CallerCall{CancelAfter: 50 * ms}, end: 50 * ms,
		check: func(t *testing.T, r *siptest.CallResult, s siptest.Stats, rec siptest.Record) {
			require.Equal(t, []int{100, 487}, r.Codes())
			require.True(t, r.Cancelled)
			require.Equal(t, 200, r.CancelCode)
			require.Equal(t, 1, s.Cancelled)
			require.Equal(t, 1, s.CancelsReceived)
			require.Equal(t, 1, s.Failed)
			require.True(t, rec.Cancelled)
		},
	},
	{
		name: "ring for ever, cancelled at the first 18x", script: siptest.RingForever(10 * ms), call: siptest.CallerCall{CancelOnRing: true},
		pdd: 10 * ms, end: 10 * ms,
		check: func(t *testing.T, r *siptest.CallResult, s siptest.Stats, _ siptest.Record) {
			require.Equal(t, []int{100, 180, 487}, r.Codes())
			require.Equal(t, 1, s.Cancelled)
		},
	},
	{
		name: "ring for a quarter of an hour", script: siptest.RingForever(time.Second), call: siptest.CallerCall{CancelAfter: 15 * time.Minute},
		long: true, pdd: time.Second, end: 15 * time.Minute,
		check: func(t *testing.T, r *siptest.CallResult, _ siptest.Stats, _ siptest.Record) {
			require.Equal(t, []int{100, 180, 487}, r.Codes())
		},
	},
	{
		name:   "no CANCEL before a provisional response",
		script: siptest.Script{Steps: []siptest.Step{{After: 100 * ms, Code: 180}}}, call: siptest.CallerCall{CancelAfter: 20 * ms},
		pdd: 100 * ms, end: 100 * ms,
		check: func(t *testing.T, r *siptest.CallResult, _ siptest.Stats, _ siptest.Record) {
			require.Equal(t, []int{180, 487}, r.Codes())
		},
	},
	{
		name: "late 200 after the 200 to the CANCEL", paced: true, script: siptest.LateAnswer(0, 20*ms, 0), call: siptest.CallerCall{CancelOnRing: true},
		answer: 20 * ms, end: 20 * ms,
		check: func(t *testing.T, r *siptest.CallResult, s siptest.Stats, rec siptest.Record) {
			require.Equal(t, []int{100, 180, 200}, r.Codes())
			require.True(t, r.Cancelled)
			require.Equal(t, 200, r.CancelCode)
			require.Equal(t, siptest.CallerSide, r.EndedBy)
			require.Equal(t, 1, s.Cancelled)
			require.Equal(t, 1, s.Answered)
			require.Equal(t, 1, s.ByesReceived)
			require.True(t, rec.Cancelled && rec.Acked && rec.Code == 200)
		},
	},
	{
		name: "a CANCEL that nobody answers", long: true, stays: true,
		script: siptest.Script{Steps: []siptest.Step{{Code: 180}}, OnCancel: siptest.CancelUnanswered}, call: siptest.CallerCall{CancelOnRing: true},
		end: 32 * time.Second,
		check: func(t *testing.T, r *siptest.CallResult, s siptest.Stats, _ siptest.Record) {
			require.True(t, r.TimedOut)
			require.Zero(t, r.CancelCode)
			require.Equal(t, 1, s.Cancelled)
			require.Greater(t, s.CancelsReceived, 5)
		},
	},
	{
		name:   "the same failure three times more",
		paced:  true,
		script: siptest.Script{Steps: []siptest.Step{{Code: 486, Repeat: 3, Every: 10 * ms}}},
		call:   siptest.CallerCall{Linger: 100 * ms},
		check: func(t *testing.T, r *siptest.CallResult, s siptest.Stats, rec siptest.Record) {
			require.Equal(t, []int{486}, r.Codes())
			require.Equal(t, 3, r.FinalRetransmits)
			require.Equal(t, 1, s.Acks)
			require.Equal(t, 3, rec.FinalRetransmits)
		},
	},
	{
		name: "2xx until the ACK that never comes", script: siptest.Answer(0, 0, 0), call: siptest.CallerCall{NoAck: true},
		long: true, end: 32 * time.Second,
		check: func(t *testing.T, r *siptest.CallResult, s siptest.Stats, rec siptest.Record) {
			require.Equal(t, siptest.CarrierSide, r.EndedBy, "RFC 3261 section 13.3.1.4: BYE after 64*T1")
			require.Equal(t, 10, r.FinalRetransmits, "0.5, 1.5, 3.5 s and every 4 s up to 31.5 s")
			require.Equal(t, 10, rec.FinalRetransmits)
			require.Equal(t, 1, s.Unacked)
			require.Zero(t, s.Acks)
			require.False(t, rec.Acked)
		},
	},
	{
		name: "401 with the right password", script: siptest.Answer(0, 0, 10*ms), auth: &siptest.Auth{User: "out", Password: "s3cret"},
		call: siptest.CallerCall{Auth: &siptest.Auth{User: "out", Password: "s3cret"}}, end: 10 * ms,
		check: func(t *testing.T, r *siptest.CallResult, s siptest.Stats, rec siptest.Record) {
			require.Len(t, r.Challenges, 1)
			require.Equal(t, 401, r.Challenges[0].Code)
			require.Equal(t, 200, r.Code())
			require.Equal(t, 1, s.Invites, "one call")
			require.Equal(t, 1, s.Challenged)
			require.Equal(t, 1, s.Answered)
			require.Equal(t, 1, s.Acks)
			require.True(t, rec.Challenged)
		},
	},
	{
		name: "407 with the wrong password", script: siptest.Answer(0, 0, 0), auth: &siptest.Auth{User: "out", Password: "s3cret", Proxy: true, Realm: "carrier"},
		call: siptest.CallerCall{Auth: &siptest.Auth{User: "out", Password: "wrong"}},
		check: func(t *testing.T, r *siptest.CallResult, s siptest.Stats, _ siptest.Record) {
			require.Len(t, r.Challenges, 1)
			require.Equal(t, 407, r.Code())
			require.Contains(t, r.Final.Header("Proxy-Authenticate"), `realm="carrier"`)
			require.Equal(t, 1, s.Challenged)
			require.Zero(t, s.Answered)
		},
	},
	{
		name:   "reliable provisional responses",
		script: siptest.Script{Steps: []siptest.Step{{Code: 183, SDP: true, Reliable: true}, {After: 20 * ms, Code: 200}}, Talk: 10 * ms},
		call:   siptest.CallerCall{Reliable: true}, answer: 20 * ms, end: 30 * ms,
		check: func(t *testing.T, r *siptest.CallResult, _ siptest.Stats, _ siptest.Record) {
			require.Equal(t, []int{183, 200}, r.Codes())
			require.Equal(t, 1, r.Pracks)
			require.Equal(t, "1", r.Provisionals[0].Header("RSeq"))
			require.Equal(t, siptest.CarrierSide, r.EndedBy)
		},
	},
	{
		name:   "a BYE that nobody answers",
		script: siptest.Script{Steps: []siptest.Step{{Code: 200}}, IgnoreBye: true},
		call:   siptest.CallerCall{HangupAfter: 10 * ms}, long: true, end: 32*time.Second + 10*ms,
		check: func(t *testing.T, r *siptest.CallResult, s siptest.Stats, _ siptest.Record) {
			require.Zero(t, r.ByeCode)
			require.Equal(t, siptest.CallerSide, r.EndedBy)
			require.Equal(t, 1, s.ByesReceived)
		},
	},
	{
		name:   "RTP after the answer",
		paced:  true,
		script: withMedia(siptest.Answer(0, 0, 200*ms), siptest.Media{For: 100 * ms}),
		call:   siptest.CallerCall{CountRTP: true}, end: 200 * ms,
		check: func(t *testing.T, r *siptest.CallResult, s siptest.Stats, rec siptest.Record) {
			require.Equal(t, 5, r.RTPReceived)
			require.Zero(t, r.RTPLost)
			require.Less(t, r.FirstRTP, 100*ms)
			require.Equal(t, 5, s.RTPSent)
			require.Equal(t, 5, rec.RTPSent)
			require.Zero(t, rec.RTPReceived, "one way")
		},
	},
	{
		name:   "early media, and RTP both ways with loss",
		paced:  true,
		script: withMedia(siptest.AnswerEarly(0, 0, 40*ms, 400*ms), siptest.Media{Early: true, Loss: 0.5}),
		call:   siptest.CallerCall{Media: &siptest.Media{For: 200 * ms}}, answer: 40 * ms, end: 440 * ms,
		check: func(t *testing.T, r *siptest.CallResult, s siptest.Stats, rec siptest.Record) {
			require.Equal(t, 10, r.RTPSent)
			require.Equal(t, 10, rec.RTPReceived)
			require.Equal(t, 10, s.RTPReceived)
			require.Positive(t, rec.RTPSent)
			require.Less(t, rec.RTPSent, 22)
			require.Positive(t, r.RTPLost)
		},
	},
}

func (x row) behaviour() siptest.Behaviour { return siptest.Behaviour{Script: x.script, Auth: x.auth} }

func (x row) run(t *testing.T, w *world) *siptest.CallResult {
	r := w.call(t, x.call)
	if !x.stays {
		w.settle(t)
	}
	records := w.carrier.Records()
	require.Len(t, records, 1)
	s := w.carrier.Stats()
	require.Equal(t, 1, s.Invites)
	require.Zero(t, s.Strays)
	if x.paced && w.network == nil {
		require.NotNil(t, r.Final)
		return r
	}
	x.check(t, r, s, records[0])
	return r
}

func TestBehavioursOnFakeClock(t *testing.T) {
	for _, x := range rows {
		t.Run(x.name, func(t *testing.T) {
			began := time.Now()
			bubble(t, siptest.NetworkConfig{}, x.behaviour(), func(t *testing.T, w *world) {
				r := x.run(t, w)
				require.Equal(t, x.pdd, r.PDD)
				require.Equal(t, x.answer, r.AnsweredAt)
				require.Equal(t, x.end, r.EndedAt)
			})
			require.Less(t, time.Since(began), 20*time.Second, "fake time takes no real time")
		})
	}
}

func TestBehavioursOnLoopback(t *testing.T) {
	for _, x := range rows {
		if x.long {
			continue
		}
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			w := realWorld(t, x.behaviour())
			defer w.close(t)
			r := x.run(t, w)
			require.GreaterOrEqual(t, r.PDD, x.pdd)
			require.GreaterOrEqual(t, r.AnsweredAt, x.answer)
			require.GreaterOrEqual(t, r.EndedAt, x.end)
		})
	}
}
