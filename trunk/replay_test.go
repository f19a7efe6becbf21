package trunk_test

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

// tape is a Journal in memory.
type tape struct{ events []outdial.Event }

func (j *tape) Append(ev *outdial.Event) error {
	c := *ev
	c.Seq = uint64(len(j.events)) + 1
	ev.Seq = c.Seq
	if ev.Attempt != nil {
		a := *ev.Attempt
		a.Channel, a.Use = 0, 0 // leases mean nothing after a restart
		c.Attempt = &a
	}
	if ev.Control != nil {
		o := *ev.Control
		c.Control = &o
	}
	j.events = append(j.events, c)
	return nil
}

func (j *tape) Replay(after uint64, fn func(*outdial.Event) error) error {
	for _, ev := range j.events[min(after, uint64(len(j.events))):] {
		if ev.Attempt != nil {
			a := *ev.Attempt
			ev.Attempt = &a
		}
		ev.Replay = true
		if err := fn(&ev); err != nil {
			return err
		}
	}
	return nil
}

// TestReplayIsLive: calls through an Engine to a carrier with less room than its contract says, with orders and a burst, and
// then a restart: what was learned, spent, ordered and judged is the same, and nothing is told again.
func TestReplayIsLive(t *testing.T) {
	for seed := range uint64(6) {
		limits := trunk.Limits{
			Channels: 8, CPS: -1, Burst: trunk.Burst{Channels: 14, Budget: -1}, State: trunk.Canary,
			Trial: trunk.Trial{Calls: 15, Good: 0.5, Channels: -1}, Reserve: -1,
		}
		j := &tape{}
		live := newFixture(t, limits)
		engine, err := outdial.New(outdial.Config{IDs: live.ids, Router: outdial.Plan{*live.c}, Trunks: live.set, Journal: j})
		require.NoError(t, err)
		s := newSimulation(t, seed)
		s.Rand = rand.New(rand.NewPCG(seed, 5))
		up := 0
		s.poisson(0.4, func() {
			call := engine.NewSession()
			require.NoError(t, call.Begin(s.now, outdial.Call{To: callee}))
			step, err := call.Next(s.now)
			if err != nil {
				return
			}
			id := step.Attempt.ID
			if up >= 11 {
				s.after(50*time.Millisecond, func() {
					require.NoError(t, call.End(s.now, id, outdial.Result{Origin: outdial.OriginCarrier, Code: 403, Phrase: "channel limit exceeded"}))
				})
				return
			}
			up++
			s.after(time.Second, func() { require.NoError(t, call.Progress(s.now, id, outdial.MarkProvisional.Of())) })
			s.after(time.Second+s.exp(40*time.Second), func() {
				up--
				require.NoError(t, call.End(s.now, id, outdial.Result{Origin: outdial.OriginNoAnswer}))
			})
		})
		for i := range 4 {
			s.after(time.Duration(10+7*i)*time.Minute, func() {
				require.NoError(t, engine.Control(s.now, outdial.Control{
					Actor: "kim", Action: trunk.ActionChannels, Target: "alpha", Value: strconv.Itoa(6 + 2*i), Reason: "test",
				}))
			})
		}
		s.every(time.Second, func() { live.set.Advance(s.now) })
		s.run(time.Hour)
		require.NoError(t, engine.Control(s.now, outdial.Control{
			Actor: "kim", Action: trunk.ActionDrain, Target: "alpha", Reason: "test", Expires: s.now.Add(time.Hour),
		}))

		again := newFixture(t, limits)
		restarted, err := outdial.New(outdial.Config{IDs: again.ids, Router: outdial.Plan{*again.c}, Trunks: again.set, Journal: j})
		require.NoError(t, err)
		before := live.status(s.now)
		_, err = restarted.Recover(s.now)
		require.NoError(t, err)
		after := again.status(s.now)
		require.NotZero(t, before.Learned.Limit)
		require.NotZero(t, before.Burst.Total)
		require.Equal(t, before.Burst.Total, after.Burst.Total)
		require.Equal(t, before.Burst.Today, after.Burst.Today)
		require.Equal(t, before.Learned.Limit, after.Learned.Limit)
		require.Equal(t, before.Learned.At, after.Learned.At)
		require.Equal(t, before.Learned.Rejects, after.Learned.Rejects)
		require.InDelta(t, before.Learned.Confidence, after.Learned.Confidence, 1e-9)
		require.Equal(t, trunk.Draining, after.State)
		require.Equal(t, before.Channels, after.Channels)
		require.Equal(t, live.set.Changes(live.c.Trunk), again.set.Changes(again.c.Trunk))
		require.Equal(t, before.Traffic.Refused, after.Traffic.Refused)
		require.Equal(t, before.Traffic.Attempts, after.Traffic.Attempts)
		// The same from what was saved half way, and the rest of the journal.
		half := newFixture(t, limits)
		for i := range j.events[:len(j.events)/2] {
			ev := j.events[i]
			ev.Replay = true
			half.set.Observe(&ev)
		}
		seq := uint64(len(j.events) / 2)
		file, err := half.set.Save(seq)
		require.NoError(t, err)
		restored, err := trunk.New(trunk.Config{IDs: again.ids, Trunks: []trunk.Limits{named(limits)}})
		require.NoError(t, err)
		require.NoError(t, restored.Restore(file))
		require.Equal(t, seq, restored.Resumed())
		resuming, err := outdial.New(outdial.Config{IDs: again.ids, Router: outdial.Plan{*again.c}, Trunks: restored, Journal: j})
		require.NoError(t, err)
		found, err := resuming.RecoverFrom(s.now, outdial.Waterline{Seq: seq, Since: seq})
		require.NoError(t, err)
		require.Equal(t, len(j.events)-int(seq), found.Events, "what was saved is not told again")
		whole, _ := again.set.Status(s.now, again.c.Trunk)
		tail, _ := restored.Status(s.now, again.c.Trunk)
		require.Equal(t, whole, tail)
		require.Equal(t, again.set.Changes(again.c.Trunk), restored.Changes(again.c.Trunk))

		require.NotEmpty(t, live.set.Alerts(nil))
		require.Empty(t, again.set.Alerts(nil), "what is replayed raises no alert")
		require.Zero(t, after.InUse)
		require.Equal(t, trunk.Live, again.status(s.now.Add(time.Hour)).State, "the trial was passed")
		require.Equal(t, after.Burst.Total, again.status(s.now.Add(time.Hour)).Burst.Total, "nothing is up, nothing is spent")
	}
}

func named(l trunk.Limits) trunk.Limits {
	l.Name = "alpha"
	return l
}

// FuzzRestore: what is not a state is an error; what is one can be used.
func FuzzRestore(f *testing.F) {
	live := newFixture(f, trunk.Limits{Channels: 10, Burst: trunk.Burst{Channels: 20, Budget: -1}, State: trunk.Canary})
	live.attempt(start, outdial.Result{Origin: outdial.OriginCarrier, Code: 503, Phrase: "channel limit"}, false)
	live.attempt(at(time.Second), outdial.Result{Origin: outdial.OriginCarrier, Code: 503, Phrase: "channel limit"}, false)
	require.NoError(f, live.order(at(time.Minute), trunk.ActionChannels, "5", at(time.Hour)))
	file, err := live.set.Save(7)
	require.NoError(f, err)
	f.Add(file)
	f.Add([]byte("{}"))
	f.Add([]byte(`{"version": 1, "seq": 7, "trunks": [{"name": "alpha", "latest": "2026-03-02T09:00:00Z", "trial": [-1, 0]}]}`))
	f.Add([]byte(`{"version": 1, "trunks": [{"name": "alpha", "latest": "9999-01-01T00:00:00Z", "up": 3, "burst": {"Total": 1, "Spent": 1}}]}`))
	f.Add([]byte(`{"version": 1, "trunks": [{"name": "alpha", "begun": "2026-03-02T08:00:00Z", "latest": "2026-03-02T09:00:00Z", "up": 12,
		"burst": {"DayEnd": "2026-03-03T00:00:00Z", "Mark": "2026-03-02T09:00:00Z", "Spent": 5, "Total": 9}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		ids := &outdial.Registry{}
		set, err := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{{Name: "alpha", Channels: 10}}})
		require.NoError(t, err)
		if set.Restore(data) != nil {
			return
		}
		c := &outdial.Candidate{Trunk: ids.Trunks.ID("alpha")}
		for _, now := range []time.Time{start, at(time.Hour)} {
			l, _, err := set.Acquire(now, nil, c)
			if err == nil {
				_, _ = set.Seize(now, nil, c, l)
				set.Release(now, l)
			}
			set.Advance(now)
			st, _ := set.Status(now, c.Trunk)
			require.Zero(t, st.InUse)
		}
	})
}

func TestRestoreRejects(t *testing.T) {
	f := newFixture(t, trunk.Limits{})
	for text, want := range map[string]string{
		"":               "restore",
		`{"version": 9}`: "version 9",
		`{"version": 1, "trunks": [{"name": "alpha", "up": -1, "channels": {"n": 0}, "burst": {"Spent": 5}}]}`: "trunks[0] \"alpha\"",
		`{"version": 1, "what": 2}`: "unknown field",
	} {
		require.ErrorContains(t, f.set.Restore([]byte(text)), want)
	}
	saved, err := f.set.Save(3)
	require.NoError(t, err)
	require.NoError(t, f.set.Restore(saved))
	require.EqualValues(t, 3, f.set.Resumed())
	f.status(start)
	require.ErrorContains(t, f.set.Restore(saved), `"alpha" is in use already`)
}
