package siptrunk_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// Whatever the network does to the datagrams and whenever the host hangs up, a leg ends exactly once, with its
// answer, if any, before the end and nothing after it; and both sides forget it.
func TestChaos(t *testing.T) {
	for seed := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			s := time.Second
			w := newWorld(t, siptest.Behaviour{Mix: []siptest.Weighted{
				{Weight: 3, Script: siptest.Answer(s, 2*s, 5*s)},
				{Weight: 3, Script: siptest.Answer(s, 2*s, 0)},
				{Weight: 1, Script: siptest.AnswerEarly(s/2, s, s, 3*s)},
				{Weight: 1, Script: siptest.Busy(s)},
				{Weight: 1, Script: siptest.Unavailable(0)},
				{Weight: 1, Script: siptest.TryingOnly()},
				{Weight: 1, Script: siptest.Silence()},
				{Weight: 1, Script: siptest.LateAnswer(s, s, 3*s)},
				{Weight: 1, Script: siptest.Answer(9*s, s, 3*s)},
			}}, nil)
			defer w.close()
			require.NoError(t, w.network.SetLink("", "", siptest.Link{
				Latency: 20 * ms, Jitter: 30 * ms, Loss: 0.15, Duplicate: 0.1, Reorder: 0.1, ReorderBy: 100 * ms,
			}))
			rng := rand.New(rand.NewPCG(seed, 1))
			calls := make([]*call, 100)
			for i := range calls {
				calls[i] = w.invite(siptrunk.InviteOptions{})
				time.AfterFunc(time.Duration(rng.Int64N(int64(20*s))), calls[i].Hangup)
				time.Sleep(20 * ms)
			}
			answered := 0
			for i, c := range calls {
				counts := map[outdial.ReportKind]int{}
				evs := c.wait()
				for j, ev := range evs {
					counts[ev.Kind]++
					require.Equal(t, outdial.AttemptID{Call: 7, Leg: 1}, ev.Attempt)
					require.Equal(t, ev.Kind == outdial.ReportEnd, j == len(evs)-1, "seed %d call %d", seed, i)
					require.False(t, j > 0 && ev.Time.Before(evs[j-1].Time), "time goes on")
				}
				require.LessOrEqual(t, counts[outdial.ReportAnswer], 1)
				require.LessOrEqual(t, counts[outdial.ReportAbandon], 1)
				require.Equal(t, 1, counts[outdial.ReportEnd])
				answered += counts[outdial.ReportAnswer]
				after := evs[len(evs)-1].Result.Origin >= outdial.OriginCallerHangup
				require.Equal(t, counts[outdial.ReportAnswer] == 1, after, "the origin fits: %s", evs[len(evs)-1].Result.Origin)
			}
			require.Greater(t, answered, 20, "seed %d", seed)
			time.Sleep(3 * siptest.DrainTime)
			synctest.Wait()
			st := w.dialer.Stats()
			require.Zero(t, st.Live)
			require.Zero(t, st.Parties)
			for i, c := range calls {
				evs := c.all()
				require.Equal(t, outdial.ReportEnd, evs[len(evs)-1].Kind, "call %d: nothing after the end", i)
			}
		})
	}
}
