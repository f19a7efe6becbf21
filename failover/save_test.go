package failover_test

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// TestResumed: whenever it is saved, a Selector that is restored and told the rest knows what one that lived through all of it
// does: the same health, incidents, orders and reports, and the same to be saved again. One to which trunks and groups have
// other ids has restored the same.
func TestResumed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newLife(t)
		savedAt, kept := 0, []byte(nil)
		actions := w.actions()
		actions["save"] = func(t *rapid.T) {
			var err error
			savedAt = len(w.b.log)
			kept, err = w.b.s.Save(uint64(savedAt))
			require.NoError(t, err)
		}
		t.Repeat(actions)
		if kept == nil {
			return
		}
		other := w.cfg
		other.IDs = named("c", "b")
		other.IDs.Groups.Add("far")
		r := newSelector(t, other)
		require.NoError(t, r.Restore(kept))
		require.Equal(t, told(t, restored(t, w.cfg, kept), w.now), told(t, r, w.now))

		r = restored(t, w.cfg, kept)
		require.Equal(t, uint64(savedAt), r.Resumed())
		for i := savedAt; i < len(w.b.log); i++ {
			ev := w.b.log[i]
			ev.Replay = true
			r.Observe(&ev)
		}
		require.Equal(t, told(t, w.b.s, w.now), told(t, r, w.now))
		w.b.s.Advance(w.now) // what has expired goes
		r.Advance(w.now)
		require.Equal(t, string(save(t, w.b.s)), string(save(t, r)))
	})
}

func save(t require.TestingT, s *failover.Selector) []byte {
	b, err := s.Save(1)
	require.NoError(t, err)
	return b
}

func restored(t require.TestingT, cfg failover.Config, b []byte) *failover.Selector {
	s := newSelector(t, cfg)
	require.NoError(t, s.Restore(b))
	return s
}

// told is what a Selector tells of everything, by names and in no order of ids.
func told(t require.TestingT, s *failover.Selector, now time.Time) (text []string) {
	add := func(v any) {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		text = append(text, string(b))
	}
	for _, st := range s.Snapshot(now) {
		st.Trunk, st.Group = 0, 0
		add(st)
	}
	for _, i := range s.Incidents(now) {
		i.Trunk, i.Group = 0, 0
		add(i)
	}
	slices.Sort(text)
	add(s.Flips(now))
	add(s.Drills(now))
	return text
}

// TestRestoredOrdersOutliveTheJournal: the events behind a standing order may be gone from the journal; the snapshot has it.
func TestRestoredOrdersOutliveTheJournal(t *testing.T) {
	ids := named("a", "b")
	cfg := failover.Config{IDs: ids, KeepWarm: -1}
	j := &memory{}
	build := func(s *failover.Selector) *outdial.Engine {
		e, err := outdial.New(outdial.Config{IDs: ids, Router: outdial.Plan{{Trunk: 1}, {Trunk: 2}}, Failover: s, Journal: j})
		require.NoError(t, err)
		return e
	}
	s := newSelector(t, cfg)
	e := build(s)
	order := func(now time.Time, c outdial.Control) {
		c.Actor, c.Reason = "ops", "test"
		require.NoError(t, e.Control(now, c))
	}
	place := func(e *outdial.Engine, now time.Time) outdial.TrunkID {
		session := e.NewSession()
		require.NoError(t, session.Begin(now, outdial.Call{To: callee}))
		step, err := session.Next(now)
		require.NoError(t, err)
		trunk := step.Attempt.Candidate.Trunk
		require.NoError(t, session.End(now, step.Attempt.ID, final(486)))
		return trunk
	}
	order(start, flip(1, "b").Control(failover.ActionFlip, "", "", time.Time{}))
	order(start, outdial.Control{Action: failover.ActionLaunch, Target: "b"})
	for i := range 20 {
		require.Equal(t, outdial.TrunkID(2), place(e, at(time.Duration(i)*time.Second)))
	}
	var kept []byte
	var mark outdial.Waterline
	e.Checkpoint(func(m outdial.Waterline) {
		var err error
		mark = m
		kept, err = s.Save(m.Seq)
		require.NoError(t, err)
	})
	order(at(time.Minute), outdial.Control{Action: failover.ActionHold, Target: "a"})
	for i := range mark.Seq {
		j.events[i] = outdial.Event{Kind: outdial.EventControl, Seq: i + 1, Time: start, Control: &outdial.Control{Action: "gone"}}
	}
	r := restored(t, cfg, kept)
	again := build(r)
	recovery, err := again.RecoverFrom(at(time.Hour), mark)
	require.NoError(t, err)
	require.Equal(t, 1, recovery.Events)
	require.Equal(t, s.Snapshot(at(time.Hour)), r.Snapshot(at(time.Hour)))
	require.Equal(t, s.Flips(at(time.Hour)), r.Flips(at(time.Hour)))
	require.Equal(t, outdial.TrunkID(2), place(again, at(time.Hour)))
}

// TestRestoredBaselines: what was learned stands, whatever is configured since; a baseline that is not learned is the configured one,
// and what it takes to be ejected follows it.
func TestRestoredBaselines(t *testing.T) {
	for _, learns := range []int{0, -1} {
		cfg := failover.Config{IDs: named("a", "b"), Trunks: []failover.Trunk{{Name: "b", Baseline: 0.1}}, BaselineCalls: learns}
		b := newBench(t, cfg, on(1, 0, 0), on(2, 0, 0))
		for trunk := range outdial.TrunkID(2) {
			b.call.Dest.Group = 3
			for range 10 {
				b.end(start, trunk+1, 0, final(500))
				b.ring(start, trunk+1, 0)
				b.ring(start, trunk+1, 0)
				b.ring(start, trunk+1, 0)
			}
		}
		before := b.s.Snapshot(start)
		cfg.Baseline, cfg.Trunks = 0.2, []failover.Trunk{{Name: "b", Baseline: 0.3}}
		r := &bench{t: t, s: restored(t, cfg, save(t, b.s)), plan: b.plan}
		for i, st := range r.s.Snapshot(start) {
			want := before[i].Baseline
			if learns < 0 {
				want = map[outdial.TrunkID]float64{1: 0.2, 2: 0.3}[st.Trunk]
			}
			require.InDelta(t, want, st.Baseline, 1e-9, "trunk %d, group %d", st.Trunk, st.Group)
		}
		if learns < 0 {
			for range 9 {
				require.Less(t, r.target(start, 1, 0).State, failover.Out)
				r.end(start, 1, 0, final(500))
			}
			require.Equal(t, failover.Out, r.target(start, 1, 0).State)
		}
	}
}

// TestRestoreRefuses: what was not saved by a Selector like this one changes nothing, and the error says what is wrong.
func TestRestoreRefuses(t *testing.T) {
	cfg := failover.Config{IDs: named("a", "b")}
	b := newBench(t, cfg, on(1, 0, 0), on(2, 0, 0))
	b.kill(start, 1)
	b.control(start, flip(0.5, "b").Control(failover.ActionDrill, "", "", at(time.Hour)))
	good := save(t, b.s)
	body := string(good[12:])
	refused := func(kept []byte, want string) {
		t.Helper()
		s := newSelector(t, cfg)
		err := s.Restore(kept)
		require.ErrorContains(t, err, want)
		require.ErrorIs(t, err, failover.ErrSaved)
		require.Empty(t, s.Snapshot(start))
		require.Empty(t, s.Drills(start))
		require.Zero(t, s.Resumed())
	}
	refused(nil, "something else")
	refused([]byte("OUTDKPI1....{}"), "something else")
	refused(append(slices.Clone(good[:20]), good[21:]...), "damaged")
	for from, c := range map[string][2]string{
		`"state":"out"`:    {`"state":"held"`, "trunks[0]: targets[0]: state: held is none of a target"},
		`"seq":1`:          {`"sequence":1`, `unknown field "sequence"`},
		`"name":"b"`:       {`"name":"a"`, "trunks[1]: trunk: it is there twice"},
		`"calls":500,`:     {`"calls":0,`, "targets[0]: test: out of range"},
		`"share":0.5`:      {`"share":0`, ""},
		`"Share":0.5`:      {`"Share":1.5`, `orders[0]: failover: failover.flip: Value "150%"`},
		`"To":["b"]`:       {`"To":[]`, `orders[0]: failover: failover.flip: Target ""`},
		`"group":{`:        {`"groupe":{`, ""},
		`"targets":[{`:     {`"targets":[{"group":{"name":"x"},`, "the first must be the trunk as a whole"},
		`"expires":"2026-`: {`"ended":"2026-`, "orders[0]: expires: required for a drill"},
	} {
		if strings.Contains(body, from) {
			refused(wrapped(strings.Replace(body, from, c[0], 1)), c[1])
		} else {
			require.Empty(t, c[1], "%s does not occur in %s", from, body)
		}
	}
	require.ErrorContains(t, b.s.Restore(good), "has learned something already")
	require.ErrorIs(t, newSelector(t, failover.Config{}).Restore(good), failover.ErrSaved, "names, and no registry")

	unnamed := newBench(t, failover.Config{}, on(1, 0, 0), on(2, 0, 0))
	unnamed.call.Dest.Group = 70
	unnamed.kill(start, 1)
	s := restored(t, failover.Config{}, save(t, unnamed.s))
	require.Equal(t, unnamed.s.Snapshot(start), s.Snapshot(start))
	require.Equal(t, unnamed.s.Incidents(start), s.Incidents(start))
	trunk, _ := unnamed.pick(start, 3)
	i, _ := s.Pick(start, &unnamed.call, unnamed.plan, 3)
	require.Equal(t, trunk, unnamed.plan[i].Trunk, "and choices know of it")
}

// wrapped is a body with the head that goes before it.
func wrapped(body string) []byte {
	head := binary.LittleEndian.AppendUint32([]byte("OUTDFOV1"), crc32.ChecksumIEEE([]byte(body)))
	return append(head, body...)
}

// FuzzRestore: whatever stands in a snapshot is refused, or taken and lived with: it can be saved and restored again.
func FuzzRestore(f *testing.F) {
	b := newBench(f, failover.Config{IDs: named("a", "b")}, on(1, 0, 0), on(2, 0, 0))
	b.call.Dest.Group = 3
	b.kill(start, 1)
	b.ring(start, 2, 0)
	b.control(start, flip(0.5, "b").Control(failover.ActionDrill, "", "", at(time.Hour)))
	f.Add(string(save(f, b.s)[12:]))
	f.Add(`{"seq":9,"trunks":[{"trunk":{"id":1},"targets":[{"state":"ramping","until":"2026-03-02T09:00:00Z","test":{"calls":1,"failed":0}}]}]}`)
	f.Add(`{"seq":9,"trunks":[{"trunk":{"id":1},"targets":[{"state":"up","test":{"calls":1e-300,"failed":0},"slots":[{"n":1e9}]}]}],"orders":[]}`)
	f.Fuzz(func(t *testing.T, body string) {
		s := newSelector(t, failover.Config{IDs: named("a", "b")})
		if s.Restore(wrapped(body)) != nil {
			return
		}
		plan := []outdial.Candidate{on(1, 0, 0), on(2, 0, 0)}
		for i := range 20 {
			now := at(time.Duration(i) * time.Minute)
			call := outdial.Call{Dest: outdial.Destination{Group: outdial.GroupID(i % 3)}}
			k, choice := s.Pick(now, &call, plan, 3)
			if k < 0 {
				continue
			}
			a := &outdial.Attempt{Call: call, Candidate: plan[k], Choice: choice, Start: now, State: outdial.AttemptEnded, Result: final(503)}
			s.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: now, Attempt: a})
			s.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: now, Attempt: a})
			s.Advance(now)
			s.Snapshot(now)
			s.Incidents(now)
		}
		kept := save(t, s)
		require.Equal(t, kept, save(t, restored(t, failover.Config{IDs: named("a", "b")}, kept)))
	})
}
