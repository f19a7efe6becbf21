package cli_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

func drawConfig(t *rapid.T, ids *outdial.Registry) cli.Config {
	seconds := func(label string, from, to int) time.Duration {
		return time.Duration(rapid.IntRange(from, to).Draw(t, label)) * time.Second
	}
	cfg := cli.Config{
		IDs:    ids,
		Secret: []byte("0123456789abcdef"),
		Pools:  []cli.PoolConfig{{Name: "a", Program: "A"}, {Name: "a2", Program: "A"}, {Name: "b", Program: "B"}},
		Limits: cli.Limits{
			Caps:       []cli.Cap{{rapid.IntRange(1, 3).Draw(t, "cap1"), seconds("window1", 5, 20)}},
			Concurrent: rapid.SampledFrom([]int{-1, 1, 2}).Draw(t, "concurrent"),
			Spacing:    rapid.SampledFrom([]time.Duration{-1, 2 * time.Second}).Draw(t, "spacing"),
		},
		Lifecycle: cli.Lifecycle{Off: true}, // it has tests of its own
		Callee:    []cli.Cap{{rapid.IntRange(1, 4).Draw(t, "callee"), seconds("callee window", 10, 60)}},
		Sticky: cli.Sticky{
			Mode: rapid.SampledFrom([]cli.StickyMode{cli.StickyPrefer, cli.StickyStrict, cli.StickyOff}).Draw(t, "sticky"),
			TTL:  seconds("ttl", 10, 60),

			Strict: -1,
		},
	}
	if rapid.Bool().Draw(t, "second cap") {
		cfg.Limits.Caps = append(cfg.Limits.Caps, cli.Cap{rapid.IntRange(2, 5).Draw(t, "cap2"), seconds("window2", 20, 90)})
	}
	for i := range rapid.IntRange(2, 9).Draw(t, "numbers") {
		home := rapid.SampledFrom([]struct {
			area    int
			country string
			region  string
		}{{212, "US", "NY"}, {646, "US", "NY"}, {415, "US", "CA"}, {305, "US", ""}, {867, "CA", ""}, {800, "", ""}}).Draw(t, "home")
		n := cli.NumberConfig{
			Number: num(home.area, i), Country: home.country, Region: home.region, Evidence: "LOA",
			Pool: rapid.SampledFrom([]string{"a", "a", "a2", "b"}).Draw(t, "pool"),
		}
		switch rapid.IntRange(0, 9).Draw(t, "flaw") {
		case 0:
			n.Evidence = ""
		case 1:
			n.Expires = at(time.Duration(rapid.IntRange(1, 100).Draw(t, "expires")) * time.Second)
		case 2:
			n.State = rapid.SampledFrom([]cli.State{cli.StateWarming, cli.StateQuarantined, cli.StateRetiring}).Draw(t, "state")
		case 3, 4:
			n.Carriers = []string{rapid.SampledFrom([]string{"x", "y"}).Draw(t, "carrier")}
		}
		cfg.Numbers = append(cfg.Numbers, n)
	}
	return cfg
}

// TestGovernorOracle drives a Governor and the oracle through the same random history and compares every answer; at
// the end, the events of that history replayed into a new Governor must give the same snapshot; where the clock went
// backwards, one that counts no less than what left.
func TestGovernorOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := new(outdial.Registry)
		for _, program := range []string{"A", "B"} {
			ids.Programs.ID(program)
		}
		cfg := drawConfig(t, ids)
		backwards := rapid.Bool().Draw(t, "backwards")
		g := mustNew(t, cfg)
		o := &oracle{cfg: cfg, held: t0, quiet: map[string]bool{}, resting: map[outdial.Number]time.Time{}}
		g.Advance(t0)
		now := t0
		var events []outdial.Event
		observe := func(ev *outdial.Event) {
			g.Observe(ev)
			events = append(events, *ev)
		}
		var calls outdial.CallID
		legs, attempts := map[outdial.CallID]uint8{}, map[*oracleUse]outdial.Attempt{}
		pick := func(t *rapid.T, held bool) *oracleUse {
			var open []*oracleUse
			for _, u := range o.uses {
				if u.inFlight || !held && !u.undone {
					open = append(open, u)
				}
			}
			if len(open) == 0 {
				t.Skip("none open")
			}
			return rapid.SampledFrom(open).Draw(t, "use")
		}
		place := func(t *rapid.T, program, pool, carrier string, call *outdial.Call, prev outdial.Number) {
			clock := o.tick(now)
			w := o.reserve(clock, program, pool, carrier, call, prev)
			c := &outdial.Candidate{Pool: ids.Pools.ID(pool), Carrier: ids.Carriers.ID(carrier)}
			p, again, err := g.Reserve(now, call, c, prev)
			if w.err != nil {
				require.ErrorIs(t, err, w.err)
				require.True(t, w.again.Equal(again), "again: want %v, got %v", w.again, again)
				return
			}
			require.NoError(t, err)
			require.Contains(t, w.any, p.Number)
			counted := true
			for _, u := range o.uses {
				if !u.undone && u.counted && u.program == program && u.callee == call.To {
					counted = prev == 0 || u.call != call.ID || !wholeSecond(u.at).Add(cfg.Callee[0].Window).After(clock)
				}
			}
			u := &oracleUse{
				at: clock, number: p.Number, callee: call.To, program: program, call: call.ID,
				counted: counted, inFlight: true, carrier: carrier, lease: p.Lease,
			}
			o.uses = append(o.uses, u)
			if rapid.IntRange(0, 4).Draw(t, "refused later") == 0 {
				g.Undo(now, p.Lease)
				u.undone, u.inFlight = true, false
				return
			}
			legs[call.ID]++
			a := outdial.Attempt{
				ID: outdial.AttemptID{Call: call.ID, Leg: legs[call.ID]}, Call: *call, CLI: p.Number, Pool: p.Pool, Use: p.Lease, Start: now,
			}
			attempts[u] = a
			observe(&outdial.Event{Kind: outdial.EventStarted, Time: now, Attempt: &a})
		}
		callees := []outdial.Number{num(212, 901), num(212, 902), num(415, 903), num(305, 904), num(907, 905)}
		t.Repeat(map[string]func(*rapid.T){
			"call": func(t *rapid.T) {
				pool := rapid.SampledFrom([]string{"a", "a", "a2", "b"}).Draw(t, "pool")
				program := o.pool(pool).Program
				call := callTo(ids, program, rapid.SampledFrom(callees).Draw(t, "to"))
				calls++
				call.ID = calls
				call.Dest.Country = [2]byte{'U', 'S'}
				place(t, program, pool, rapid.SampledFrom([]string{"x", "y"}).Draw(t, "carrier"), call, 0)
			},
			"again": func(t *rapid.T) {
				u := pick(t, true)
				call := callTo(ids, u.program, u.callee)
				call.ID = u.call
				call.Dest.Country = [2]byte{'U', 'S'}
				place(t, u.program, o.config(u.number).Pool, rapid.SampledFrom([]string{"x", "y"}).Draw(t, "carrier"), call, u.number)
			},
			"admit": func(t *rapid.T) {
				program := rapid.SampledFrom([]string{"A", "B"}).Draw(t, "program")
				call := callTo(ids, program, rapid.SampledFrom(callees).Draw(t, "to"))
				calls++
				call.ID = calls
				w := o.reserve(o.tick(now), program, "", "", call, 0)
				again, err := g.Admit(now, call)
				if w.err == cli.ErrCallee || w.err == cli.ErrSuppressed {
					require.ErrorIs(t, err, w.err)
					require.True(t, w.again.Equal(again))
				} else {
					require.NoError(t, err)
				}
			},
			"release": func(t *rapid.T) {
				u := pick(t, true)
				o.tick(now)
				g.Release(now, u.lease)
				u.inFlight = false
			},
			"never sent": func(t *rapid.T) {
				if backwards {
					t.Skip("a use that pushed out another one, and is taken back, leaves a count that only a refusal shows")
				}
				u := pick(t, true)
				for _, later := range o.uses { // a host has one leg open at a time
					if !later.undone && later.call == u.call && later != u && attempts[later].ID.Leg > attempts[u].ID.Leg {
						t.Skip("it was followed by another leg")
					}
				}
				o.tick(now)
				g.Undo(now, u.lease)
				u.undone, u.inFlight = true, false
				a := attempts[u]
				a.Result.Origin = outdial.OriginNeverSent
				observe(&outdial.Event{Kind: outdial.EventEnded, Time: now, Attempt: &a})
			},
			"stale": func(t *rapid.T) {
				u := pick(t, false)
				if u.inFlight {
					t.Skip("held")
				}
				g.Undo(now, u.lease)
			},
			"time": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 15_000).Draw(t, "ms")) * time.Millisecond)
			},
			"back": func(t *rapid.T) {
				if !backwards {
					t.Skip("the clock is right")
				}
				now = now.Add(-time.Duration(rapid.IntRange(0, 30_000).Draw(t, "ms")) * time.Millisecond)
			},
			"quarantine": func(t *rapid.T) {
				n := rapid.SampledFrom(cfg.Numbers).Draw(t, "number").Number
				clock := o.tick(now)
				until := time.Time{}
				if rapid.Bool().Draw(t, "for a time") {
					until = clock.Add(10 * time.Second)
				}
				observe(control(now, cli.ActionQuarantine, n.String(), "", until))
				o.resting[n] = until
			},
			"free": func(t *rapid.T) {
				n := rapid.SampledFrom(cfg.Numbers).Draw(t, "number").Number
				o.tick(now)
				observe(control(now, cli.ActionRelease, n.String(), "", time.Time{}))
				delete(o.resting, n)
			},
			"block": func(t *rapid.T) {
				if rapid.IntRange(0, 5).Draw(t, "seldom") > 0 {
					t.Skip("seldom")
				}
				u := pick(t, true)
				o.tick(now)
				observe(&outdial.Event{Kind: outdial.EventEnded, Time: now, Attempt: &outdial.Attempt{
					Call: *callTo(ids, u.program, u.callee), Result: outdial.Result{Code: 607},
				}})
				o.quiet[u.program+u.callee.String()] = true
			},
			"reload": func(t *rapid.T) { require.NoError(t, g.Update(cfg)) },
			"advance": func(t *rapid.T) {
				o.tick(now)
				g.Advance(now)
			},
			"": func(t *rapid.T) { checkCaps(t, o) },
		})
		for _, u := range o.uses {
			g.Release(now, u.lease)
			u.inFlight = false
		}
		replayed := mustNew(t, cfg)
		for i := range events {
			ev := events[i]
			ev.Replay = true
			if ev.Attempt != nil {
				a := *ev.Attempt
				a.Use, a.Channel = 0, 0
				ev.Attempt = &a
			}
			replayed.Observe(&ev)
		}
		unsent := map[outdial.AttemptID]bool{}
		for u, a := range attempts {
			unsent[a.ID] = u.undone
		}
		held := now // what the replayed clock reads
		for i := range events {
			if events[i].Time.After(held) {
				held = events[i].Time
			}
		}
		for _, n := range cfg.Numbers {
			s, _ := replayed.Number(now, n.Number)
			for _, use := range s.Uses {
				left := 0
				for i := range events {
					a := events[i].Attempt
					if events[i].Kind == outdial.EventStarted && !unsent[a.ID] && a.CLI == n.Number && a.Start.After(held.Add(-use.Cap.Window)) {
						left++
					}
				}
				require.GreaterOrEqual(t, use.Used, min(left, use.Cap.Max), "a restart forgets no use")
			}
		}
		if backwards {
			return // time was held for reasons that no event tells
		}
		undone := slices.ContainsFunc(o.uses, func(u *oracleUse) bool { return u.undone })
		require.Equal(t, portable(g.Snapshot(now), undone), portable(replayed.Snapshot(now), undone))
		for _, to := range callees {
			for _, p := range cfg.Pools {
				call, c := callTo(ids, p.Program, to), &outdial.Candidate{Pool: ids.Pools.ID(p.Name)}
				call.ID = calls + 1
				call.Dest.Country = [2]byte{'U', 'S'}
				p1, again1, err1 := g.Reserve(now, call, c, 0)
				p2, again2, err2 := replayed.Reserve(now, call, c, 0)
				require.Equal(t, err1, err2)
				require.True(t, again1.Equal(again2))
				w := o.reserve(o.tick(now), p.Program, p.Name, "", call, 0)
				if len(w.any) == 1 { // else the order of use decides
					require.Equal(t, p1.Number, p2.Number)
				}
				g.Undo(now, p1.Lease)
				replayed.Undo(now, p2.Lease)
			}
		}
	})
}

// checkCaps counts every window of the list of uses.
func checkCaps(t *rapid.T, o *oracle) {
	for i, u := range o.uses {
		if u.undone {
			continue
		}
		for _, c := range o.cfg.Limits.Caps {
			k := 0
			for _, v := range o.uses[:i+1] {
				if !v.undone && v.number == u.number && v.at.After(u.at.Add(-c.Window)) {
					k++
				}
			}
			require.LessOrEqual(t, k, c.Max)
		}
	}
}

// portable drops what a replay need not give: callees of whom nothing is remembered that still matters.
// A use that was undone may have pushed out the last one that left every window, which a replay has never lost: then
// LastUsed, which decides nothing, is not compared.
func portable(s cli.Snapshot, undone bool) cli.Snapshot {
	for _, p := range s.Pools {
		for i := range p.Numbers {
			if undone {
				p.Numbers[i].LastUsed = time.Time{}
			}
		}
	}
	var used []cli.ProgramSnapshot
	for _, p := range s.Programs {
		if p.Callees = 0; p.Suppressed > 0 {
			used = append(used, p)
		}
	}
	s.Programs = used
	return s
}
