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

// inOrder is the smallest Failover: the next in order, while carriers fail or are silent.
type inOrder struct{}

func (inOrder) Pick(_ time.Time, _ *outdial.Call, plan []outdial.Candidate, eligible uint64) (int, outdial.Choice) {
	for i := range plan {
		if eligible&(1<<i) != 0 {
			return i, outdial.Choice{Probability: 1}
		}
	}
	return -1, outdial.Choice{}
}

func (inOrder) Return(time.Time, *outdial.Call, []outdial.Candidate, uint64, int, outdial.Choice) {}

func (inOrder) Verdict(a *outdial.Attempt) outdial.Verdict {
	if r := a.Outcome(); r.Origin == outdial.OriginNoTrying || r.Origin == outdial.OriginNoProgress || r.Code/100 == 5 {
		return outdial.VerdictAdvance
	}
	return outdial.VerdictStop
}

func (inOrder) Observe(*outdial.Event) {}

// The engine's own loop over real messages: what the first of two carriers does, and when the second one answers.
func TestPlace(t *testing.T) {
	for _, tt := range []struct {
		name     string
		first    siptest.Script
		answered time.Duration // 0 = not at all
		second   int           // INVITEs that the second carrier sees
		code     uint16        // that the first carrier sent; 0 = none
	}{
		{name: "503", first: siptest.Unavailable(0), answered: 100 * ms, second: 1, code: 503},
		{name: "silent", first: siptest.Silence(), answered: 1100 * ms, second: 1},
		{name: "100 only", first: siptest.TryingOnly(), answered: 8100 * ms, second: 1, code: 487},
		{name: "busy", first: siptest.Busy(0), code: 486},
		{name: "a late answer", first: siptest.Play(siptest.Respond(1050*ms, 200)), answered: 1100 * ms, second: 1, code: 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, tt.first, nil, func(t *testing.T, w *world) {
				conn, err := w.network.Listen("10.0.0.3:5060")
				require.NoError(t, err)
				second, err := siptest.StartCarrier(siptest.CarrierConfig{
					Conn: conn, Behaviour: siptest.Behaviour{Script: siptest.Answer(0, 100*ms, 0)},
				})
				require.NoError(t, err)
				defer second.Close()
				require.NoError(t, w.dialer.SetTrunks(map[outdial.TrunkID]siptrunk.Trunk{1: {Addr: carrierAddr}, 2: {Addr: "10.0.0.3:5060"}}))
				engine, err := outdial.New(outdial.Config{Router: outdial.Plan{{Trunk: 1}, {Trunk: 2}}, Failover: inOrder{}})
				require.NoError(t, err)
				start := time.Now()
				placed, err := engine.Place(t.Context(), outdial.Call{To: callee, From: cli}, w.dialer)
				require.NoError(t, err)
				_, ok := placed.Answered()
				require.Equal(t, tt.answered != 0, ok)
				if ok {
					require.Equal(t, tt.answered, time.Since(start))
				}
				placed.Hangup()
				require.NoError(t, placed.Wait(t.Context()))
				synctest.Wait()
				require.Zero(t, w.dialer.Live())
				require.Equal(t, tt.second, second.Stats().Invites)
				require.NoError(t, second.Settle(t.Context()))
				if tt.code != 0 {
					require.Equal(t, tt.code, uint16(w.carrier.Records()[0].Code))
				}
				require.Zero(t, second.Stats().Channels)
				if tt.code != 0 {
					require.Zero(t, w.carrier.Stats().Channels, "no call is left up, the late answer included")
				}
			})
		})
	}
}

// The answer is on its way when the ring timer expires: the call is not answered, and the callee not left waiting.
func TestRingTimeoutCrossesAnswer(t *testing.T) {
	bubble(t, siptest.Play(siptest.Respond(0, 180), siptest.Respond(60050*ms, 200)), nil, func(t *testing.T, w *world) {
		require.NoError(t, w.network.SetLink("", "", siptest.Link{Latency: 100 * ms}))
		engine, err := outdial.New(outdial.Config{Router: outdial.Plan{{Trunk: 1}}, Failover: inOrder{}})
		require.NoError(t, err)
		start := time.Now()
		placed, err := engine.Place(t.Context(), outdial.Call{To: callee, From: cli}, w.dialer)
		require.NoError(t, err)
		require.Equal(t, 60200*ms, time.Since(start), "hunting is over when the timer expires")
		require.NoError(t, placed.Wait(t.Context()))
		_, ok := placed.Answered()
		require.False(t, ok)
		require.Equal(t, outdial.StopProgress, placed.Stopped())
		a := placed.Attempts()[0]
		require.Equal(t, outdial.OriginNoAnswer, a.Abandoned.Origin)
		require.True(t, a.Late)
		require.Equal(t, 60250*ms, a.Timeline[outdial.MarkAnswer])
		require.Equal(t, outdial.OriginHost, a.Result.Origin)
		require.NoError(t, w.carrier.Settle(t.Context()))
		r := w.carrier.Records()[0]
		require.Equal(t, 200, r.Code)
		require.True(t, r.Acked)
		require.Equal(t, siptest.CallerSide, r.EndedBy)
		require.Zero(t, w.carrier.Stats().Channels)
	})
}
