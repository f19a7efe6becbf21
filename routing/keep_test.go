package routing_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// keeper is a router whose policy uses all that a router remembers, over a registry with its names in some order.
func keeper(t testing.TB, first int) (*routing.Router, *outdial.Registry) {
	ids := new(outdial.Registry)
	for i := range 4 {
		ids.Trunks.ID(string(rune('a' + (first+i)%4)))
		ids.Groups.ID(fmt.Sprint("group", (first+i)%4))
	}
	p := contest(routing.Success{AttemptCost: 2000}, 9000, 8000, 7000)
	p.Exploration = routing.Exploration{Share: 0.2, Money: 2_000_000}
	p.Caps = []routing.Cap{{Carrier: "a", Share: 0.4, Least: 10}, {Carrier: "b", Countries: []string{"US"}, Share: 0.5, Least: 5}}
	p.Commits = []routing.Commit{{Trunk: "b", Minutes: 20_000}}
	return routing.NewRouter(compile(t, p, routing.CompileConfig{IDs: ids, Quality: byName{ids}}).Table), ids
}

// byName knows trunks by their names.
type byName struct{ ids *outdial.Registry }

func (q byName) Estimate(_ time.Time, c *outdial.Candidate, _ outdial.GroupID) outdial.Estimate {
	return map[string]outdial.Estimate{"a": estimate(.5, 300), "b": estimate(.45, 80), "c": estimate(.4, 200)}[q.ids.Trunks.Name(c.Trunk)]
}

// TestRestoredRouterAndTail: a router that was saved at any event, restored in another process and told the rest decides as one
// that was told everything: budgets, shares, minutes, what has changed, overrides.
func TestRestoredRouterAndTail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tb testing.TB = quietTB{t: t}
		whole, here := keeper(tb, 0)
		before, beforeIDs := keeper(tb, 0)
		after, there := keeper(tb, 2)
		n := rapid.IntRange(0, 300).Draw(t, "events")
		at := rapid.IntRange(0, n).Draw(t, "at")
		now := monday
		type fact func(r *routing.Router, ids *outdial.Registry)
		var facts []fact
		for i := range n {
			now = now.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "gap")) * time.Second)
			when := now
			trunk := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "trunk")
			kind, group := rapid.IntRange(0, 9).Draw(t, "kind"), rapid.IntRange(0, 3).Draw(t, "group")
			facts = append(facts, func(r *routing.Router, ids *outdial.Registry) {
				if kind == 0 {
					r.Observe(&outdial.Event{Kind: outdial.EventControl, Time: when, Control: &outdial.Control{
						Actor: "ops", Action: "routing.penalise", Target: "trunk " + trunk, Value: "prefix=+1212", Reason: "test",
						Expires: when.Add(2 * time.Hour),
					}})
					return
				}
				ev := started(i+1, outdial.Candidate{Trunk: ids.Trunks.ID(trunk), Cost: 8000, Explore: kind == 1}, when, "US")
				ev.Attempt.Call.Dest.Group = ids.Groups.ID(fmt.Sprint("group", group))
				ev.Attempt.Call.Dest.DayPart = ids.DayParts.ID([]string{"day", "evening"}[group%2])
				r.Observe(ev)
				if kind%2 == 0 {
					ev.Attempt.Timeline.Set(outdial.MarkProvisional, time.Second)
					answer := *ev
					answer.Kind = outdial.EventAnswered
					r.Observe(&answer)
					r.Observe(ended(ev, time.Duration(kind)*time.Minute))
				} else {
					r.Observe(ended(ev, 0))
				}
			})
		}
		for i, f := range facts {
			f(whole, here)
			if i < at {
				f(before, beforeIDs)
			}
		}
		b, err := before.Save(uint64(at))
		require.NoError(t, err)
		require.NoError(t, after.Restore(b))
		require.EqualValues(t, at, after.Resumed())
		for _, f := range facts[at:] {
			f(after, there)
		}
		require.Equal(t, whole.Spent(), after.Spent())
		require.Equal(t, whole.Overrides(now), after.Overrides(now))
		for i := range 40 {
			call := outdial.Call{ID: outdial.CallID(i + 1), To: []outdial.Number{12125550123, 13125550123}[i%2]}
			plan := func(r *routing.Router, ids *outdial.Registry) (out []string) {
				call.Dest = outdial.Destination{Country: [2]byte{'U', 'S'}, Group: ids.Groups.ID(fmt.Sprint("group", i%4))}
				cs, err := r.Route(now, &call, nil)
				require.NoError(t, err)
				for _, c := range cs {
					out = append(out, fmt.Sprint(ids.Trunks.Name(c.Trunk), c.Tier, c.Cost, c.Propensity, c.Explore))
				}
				return out
			}
			require.Equal(t, plan(whole, here), plan(after, there), i)
		}
	})
}

// quietTB lets helpers that take a testing.TB fail a rapid test.
type quietTB struct {
	testing.TB
	t *rapid.T
}

func (q quietTB) Helper()                   {}
func (q quietTB) Errorf(f string, a ...any) { q.t.Errorf(f, a...) }
func (q quietTB) FailNow()                  { q.t.FailNow() }

// TestRouterResumes: through an engine, a checkpoint and the tail of its journal.
func TestRouterResumes(t *testing.T) {
	var journal memoryJournal
	start := func(first int) (*outdial.Engine, *routing.Router) {
		r, ids := keeper(t, first)
		e, err := outdial.New(outdial.Config{IDs: ids, Router: r, Journal: &journal})
		require.NoError(t, err)
		return e, r
	}
	engine, live := start(0)
	now, s := monday, engine.NewSession()
	call := func(n int) {
		for range n {
			now = now.Add(time.Minute)
			require.NoError(t, s.Begin(now, outdial.Call{To: 12125550123}))
			step, err := s.Next(now)
			require.NoError(t, err)
			require.NoError(t, s.End(now.Add(time.Second), step.Attempt.ID, outdial.Result{Origin: outdial.OriginCarrier, Code: 486}))
		}
	}
	call(100)
	require.NoError(t, engine.Control(now, outdial.Control{
		Actor: "ops", Action: "routing.penalise", Target: "trunk c", Value: "prefix=+1213", Reason: "noise", Expires: now.Add(time.Hour),
	}))
	var mark outdial.Waterline
	var saved []byte
	engine.Checkpoint(func(m outdial.Waterline) {
		var err error
		saved, err = live.Save(m.Seq)
		require.NoError(t, err)
		mark = m
	})
	call(100)

	next, again := start(0)
	require.NoError(t, again.Restore(saved))
	got, err := next.RecoverFrom(now, mark)
	require.NoError(t, err)
	require.Less(t, got.Events, len(journal)/2+10, "the tail alone")
	require.Equal(t, live.Spent(), again.Spent())
	require.EqualValues(t, 200, again.Spent().Calls)
	require.Equal(t, live.Overrides(now), again.Overrides(now))
}

func TestRestoreTakesOnlyWhatSaveWrote(t *testing.T) {
	r, ids := keeper(t, 0)
	r.Observe(started(1, outdial.Candidate{Trunk: ids.Trunks.ID("a")}, monday, "US"))
	b, err := r.Save(7)
	require.NoError(t, err)
	require.ErrorContains(t, r.Restore(b), "told of events already")
	fresh, _ := keeper(t, 1)
	broken := append([]byte(nil), b...)
	broken[len(broken)/2]++
	for _, bad := range [][]byte{nil, []byte("OUTDRTE2"), b[:len(b)-1], append([]byte("X"), b[1:]...), broken} {
		require.ErrorIs(t, fresh.Restore(bad), routing.ErrSnapshot)
		require.Zero(t, fresh.Resumed())
	}
	require.NoError(t, fresh.Restore(b))
	require.EqualValues(t, 1, fresh.Spent().Calls)
	var none routing.Router
	_, err = none.Save(1)
	require.ErrorIs(t, err, routing.ErrNoTable)
	require.ErrorIs(t, none.Restore(b), routing.ErrNoTable)
}

// FuzzRestore: no bytes, also behind a checksum that holds, make a router panic.
func FuzzRestore(f *testing.F) {
	r, ids := keeper(f, 0)
	for i := range 40 {
		ev := started(i, outdial.Candidate{Trunk: ids.Trunks.ID("a"), Explore: true, Cost: 9000}, monday, "US")
		ev.Attempt.Call.Dest.Group = ids.Groups.ID("group1")
		r.Observe(ev)
		r.Observe(ended(ev, time.Duration(i%2)*time.Minute))
	}
	require.NoError(f, control(r, "routing.avoid", "carrier b", "prefix=+33", time.Hour))
	b, err := r.Save(7)
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte("OUTDRTE2...."))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, ids := keeper(t, 1)
		if r.Restore(routing.Resealed(b)) != nil {
			require.Zero(t, r.Spent())
			return
		}
		ev := started(1, outdial.Candidate{Trunk: ids.Trunks.ID("a")}, monday, "US")
		r.Observe(ev)
		r.Observe(ended(ev, time.Minute))
		call := outdial.Call{ID: 1, To: 12125550123, Dest: outdial.Destination{Group: ids.Groups.ID("group1")}}
		_, _ = r.Route(monday, &call, nil)
		_, err := r.Save(8)
		require.NoError(t, err)
	})
}

// BenchmarkSave writes the most that a router follows, meanwhile every call waits.
func BenchmarkSave(b *testing.B) {
	r, ids := keeper(b, 0)
	var groups []string
	for i := range 1 << 16 {
		groups = append(groups, fmt.Sprint("g", i))
	}
	ids.Groups.Add(groups...)
	for i, name := range groups {
		ev := started(i, outdial.Candidate{Trunk: 1}, monday, "US")
		ev.Attempt.Call.Dest.Group, _ = ids.Groups.Lookup(name)
		r.Observe(ended(ev, 0))
	}
	for b.Loop() {
		out, err := r.Save(1)
		require.NoError(b, err)
		b.SetBytes(int64(len(out)))
	}
}
