package trunk_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

// ask acquires for a call and returns the refusal.
func (f *fixture) ask(now time.Time, call *outdial.Call) error {
	_, _, err := f.set.Acquire(now, call, f.c)
	return err
}

func (f *fixture) campaign(name string) *outdial.Call {
	return &outdial.Call{Campaign: f.ids.Campaigns.ID(name)}
}

func TestFloors(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 10, Floors: []trunk.Floor{
		{Campaign: "a", Channels: 3}, {Program: "p", Channels: 2},
	}})
	other := f.campaign("other")
	for range 5 {
		require.NoError(t, f.ask(start, other))
	}
	require.ErrorIs(t, f.ask(start, other), trunk.ErrFloor)
	require.ErrorIs(t, f.ask(start, nil), trunk.ErrFloor)
	both := &outdial.Call{Campaign: f.ids.Campaigns.ID("a"), Program: f.ids.Programs.ID("p")}
	for range 3 {
		require.NoError(t, f.ask(start, both), "the campaign's floor comes first")
	}
	require.ErrorIs(t, f.ask(start, both), trunk.ErrFloor, "above it, it borrows like everyone")
	program := &outdial.Call{Campaign: other.Campaign, Program: f.ids.Programs.ID("p")}
	for range 2 {
		require.NoError(t, f.ask(start, program))
	}
	require.ErrorIs(t, f.ask(start, program), trunk.ErrChannels)
	st := f.status(start)
	require.Equal(t, 10, st.InUse)
	require.Zero(t, st.Guaranteed)
	require.Equal(t, uint64(3), st.Blocked.Floor)
	require.Equal(t, uint64(1), st.Blocked.Channels)

	// Floors that change at run time: what is up is counted for the new ones.
	f.update(trunk.Limits{Channels: 12, Floors: []trunk.Floor{{Campaign: "a", Channels: 5}}})
	require.Equal(t, 2, f.status(start).Guaranteed)
	require.ErrorIs(t, f.ask(start, other), trunk.ErrFloor)
	require.NoError(t, f.ask(start, f.campaign("a")))
	f.update(trunk.Limits{Channels: 12})
	require.NoError(t, f.ask(start, other))
	require.ErrorIs(t, f.ask(start, other), trunk.ErrChannels)
}

func TestReservation(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 10, Reserve: 2, ReserveUrgent: 1})
	bulk, normal, urgent := &outdial.Call{}, &outdial.Call{Priority: outdial.PriorityNormal}, &outdial.Call{Priority: outdial.PriorityUrgent}
	for range 7 {
		require.NoError(t, f.ask(start, bulk))
	}
	require.ErrorIs(t, f.ask(start, bulk), trunk.ErrReservation)
	require.NoError(t, f.ask(start, normal))
	require.NoError(t, f.ask(start, normal))
	require.ErrorIs(t, f.ask(start, normal), trunk.ErrReservation)
	require.NoError(t, f.ask(start, urgent))
	require.ErrorIs(t, f.ask(start, urgent), trunk.ErrChannels)
	require.Equal(t, uint64(2), f.status(start).Blocked.Reservation)
}

func TestQuotas(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 10, CPS: 100, Quotas: []trunk.Quota{
		{Tenant: "big", Channels: 5}, {Channels: 2, CPS: 3},
	}})
	call := func(name string) *outdial.Call { return &outdial.Call{Tenant: f.ids.Tenants.ID(name)} }
	l, _, err := f.set.Acquire(start, call("small"), f.c)
	require.NoError(t, err)
	require.NoError(t, f.ask(start, call("small")))
	require.ErrorIs(t, f.ask(start, call("small")), trunk.ErrQuota)
	require.NoError(t, f.ask(start, call("other")), "each of those without a quota of its own")
	for range 5 {
		require.NoError(t, f.ask(start, call("big")))
	}
	require.ErrorIs(t, f.ask(start, call("big")), trunk.ErrQuota)
	require.NoError(t, f.ask(start, nil), "a call without a tenant has none")
	f.set.Release(start, l)
	l, _, err = f.set.Acquire(start, call("small"), f.c)
	require.NoError(t, err)

	for i := range 3 {
		_, err := f.set.Seize(at(time.Duration(i)*time.Millisecond), call("small"), f.c, 0)
		require.NoError(t, err)
	}
	again, err := f.set.Seize(at(10*time.Millisecond), call("small"), f.c, l)
	require.ErrorIs(t, err, trunk.ErrQuota)
	require.Equal(t, at(time.Second), again)
	_, err = f.set.Seize(at(10*time.Millisecond), call("other"), f.c, 0)
	require.NoError(t, err)
	_, err = f.set.Seize(again, call("small"), f.c, l)
	require.NoError(t, err)
	f.set.Undo(again, l)

	f.update(trunk.Limits{Channels: 10})
	f.update(trunk.Limits{Channels: 20, Quotas: []trunk.Quota{{Tenant: "big", Channels: 1}}})
	require.NoError(t, f.ask(start, call("big")), "a quota that was away counts from when it is back")
	require.ErrorIs(t, f.ask(start, call("big")), trunk.ErrQuota)
}

func TestHeadroom(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 10, CPS: 4, ReserveUrgent: 1, Floors: []trunk.Floor{{Campaign: "a", Channels: 3}}})
	room := func() [2]int {
		c, cps := f.set.Headroom(start, f.c.Trunk)
		return [2]int{c, cps}
	}
	require.Equal(t, [2]int{6, 4}, room())
	normal := &outdial.Call{Priority: outdial.PriorityNormal}
	for n := 6; n > 0; n-- {
		require.Equal(t, n, room()[0])
		require.NoError(t, f.ask(start, normal))
	}
	require.Equal(t, 0, room()[0])
	require.Error(t, f.ask(start, normal), "headroom says what could be admitted")
	require.NoError(t, f.ask(start, f.campaign("a")))
	_, err := f.set.Seize(start, nil, f.c, 0)
	require.NoError(t, err)
	require.Equal(t, 3, room()[1])
	f.update(trunk.Limits{Channels: -1, CPS: -1})
	require.Equal(t, [2]int{1<<31 - 1, 1<<31 - 1}, room())
	f.update(trunk.Limits{State: trunk.Draining})
	require.Equal(t, [2]int{}, room())
	c, cps := f.set.Headroom(start, 99)
	require.Zero(t, c+cps)
}

func TestLimitsRejected(t *testing.T) {
	ids := &outdial.Registry{}
	_, err := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{{
		Name: "a", Channels: 20, CPS: 5, Sustain: 6, Jitter: 2, Hard: 10, Alarm: 1.5, Learning: 7,
		Burst:  trunk.Burst{Channels: 15, Price: -1, From: 9, Zone: "Moon"},
		Floors: []trunk.Floor{{Campaign: "x", Program: "y", Channels: 1}, {}, {Campaign: "z"}, {Campaign: "w", Channels: 30}},
		Quotas: []trunk.Quota{{Tenant: "t"}, {Tenant: "t", CPS: trunk.MaxCPS + 1}},
		Queue:  trunk.Queue{Length: 1 << 20, Wait: -1, Retry: -1}, Trial: trunk.Trial{Calls: -1, Good: 2},
	}, {Name: "b", Channels: 3, Reserve: 3}, {Name: "c", Hard: 10}, {
		Name: "d", Channels: -1, Hard: 10, Floors: []trunk.Floor{{Campaign: "x", Channels: 25}},
	}, {Name: "e", CPS: 5, Smooth: time.Second, Manual: 5}, {Name: "f", Manual: 1}}})
	for _, want := range []string{
		`"a": Sustain: 6`, "Jitter: 2", "Hard: 10", "Alarm: 1.5", "Learning: 7", "Burst.Channels: 15", "Burst.Budget: required",
		"Burst.Price: -1", "Burst.From: 9", "Burst.Zone", "Floors[0]: either", "Floors[1]: either", "Floors[2].Channels: 0",
		"Floors: their sum 31", "Quotas[0]: bounds nothing", `Quotas[1].Tenant: "t"`, "Quotas[1].CPS", "Queue.Length",
		"Queue.Wait", "Queue.Retry", "Trial.Calls", "Trial.Good", `"b": Reserve`,
		`"c": Hard: 10 is less than the 30`, `"d": Floors: their sum 25 is more than Hard`, `"e": Manual: 5`, `"f": Manual`,
	} {
		require.ErrorContains(t, err, want)
	}
}

// TestFloorsComeAndGo: campaigns with floors follow each other for as long as the process lives; what calls of former ones use
// keeps its place until they end.
func TestFloorsComeAndGo(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 50, CPS: -1, Reserve: -1})
	var held []outdial.Lease
	for day := range 30 {
		limits := trunk.Limits{Channels: 100, CPS: -1, Reserve: -1, Floors: []trunk.Floor{{Campaign: "always", Channels: 2}}}
		for i := range 60 {
			limits.Floors = append(limits.Floors, trunk.Floor{Campaign: fmt.Sprint(day, "/", i), Channels: 1})
		}
		f.update(limits)
		require.Equal(t, 62, f.status(start).Guaranteed)
		l, _, err := f.set.Acquire(start, f.campaign(fmt.Sprint(day, "/7")), f.c)
		require.NoError(t, err)
		require.Equal(t, 61, f.status(start).Guaranteed)
		if held = append(held, l); len(held) > 3 {
			f.set.Release(start, held[0])
			held = held[1:]
		}
	}
	many := make([]trunk.Floor, 9000)
	for i := range many {
		many[i] = trunk.Floor{Campaign: fmt.Sprint(i), Channels: 1}
	}
	err := f.set.Update(trunk.Config{IDs: f.ids, Trunks: []trunk.Limits{{Name: "alpha", Channels: 10_000, Floors: many}}})
	require.ErrorContains(t, err, "Floors: 9000 are more than 8192")
}

// TestAdmissionModel drives admissions against what the words say: a list of who is up, looked through for every answer.
func TestAdmissionModel(t *testing.T) {
	type up struct {
		lease    outdial.Lease
		campaign string
		tenant   string
	}
	rapid.Check(t, func(t *rapid.T) {
		var limits trunk.Limits
		floors := map[string]int{}
		draw := func() {
			limits = trunk.Limits{
				Channels: rapid.IntRange(2, 9).Draw(t, "channels"), CPS: -1, Reserve: -1,
				Quotas: []trunk.Quota{{Tenant: "t", Channels: rapid.IntRange(1, 6).Draw(t, "quota")}},
				State:  rapid.SampledFrom([]trunk.State{0, 0, 0, 0, trunk.Draining, trunk.Staged}).Draw(t, "state"),
			}
			if rapid.Bool().Draw(t, "without quotas") {
				limits.Quotas = nil
			}
			clear(floors)
			left := limits.Channels
			for _, name := range []string{"a", "b"} {
				if n := rapid.IntRange(0, left).Draw(t, name); n > 0 {
					floors[name] = n
					limits.Floors = append(limits.Floors, trunk.Floor{Campaign: name, Channels: n})
					left -= n
				}
			}
			if left >= 3 {
				limits.Reserve, limits.ReserveUrgent = rapid.IntRange(1, left-2).Draw(t, "reserve"), rapid.IntRange(0, 1).Draw(t, "urgent")
			}
		}
		var held []up
		learned := 0
		draw()
		f := newFixture(t, limits)
		count := func(is func(up) bool) (n int) {
			for _, u := range held {
				if is(u) {
					n++
				}
			}
			return n
		}
		used := func(campaign string) int { return count(func(u up) bool { return u.campaign == campaign }) }
		ceiling := func() int {
			if learned > 0 { // never below the floors
				guaranteed := 0
				for _, n := range floors {
					guaranteed += n
				}
				return min(max(learned, guaranteed), limits.Channels)
			}
			return limits.Channels
		}
		// may says whether a call may have a channel: it is within its floor, or what stays free beside the floors of others
		// is more than is reserved from it.
		may := func(campaign, tenant string, p outdial.Priority) bool {
			spare := 0
			for name, n := range floors {
				spare += max(n-used(name), 0)
			}
			reserve := 0
			if p == outdial.PriorityBulk {
				reserve = max(limits.Reserve, 0) + limits.ReserveUrgent
			} else if p == outdial.PriorityNormal {
				reserve = limits.ReserveUrgent
			}
			switch {
			case limits.State != trunk.Live, len(held) >= ceiling():
				return false
			case tenant != "" && limits.Quotas != nil && count(func(u up) bool { return u.tenant == tenant }) >= limits.Quotas[0].Channels:
				return false
			case used(campaign) < floors[campaign]:
				return true
			}
			return ceiling()-len(held)-spare > reserve
		}
		t.Repeat(map[string]func(*rapid.T){
			"acquire": func(t *rapid.T) {
				campaign := rapid.SampledFrom([]string{"a", "b", "other"}).Draw(t, "campaign")
				tenant := rapid.SampledFrom([]string{"", "t"}).Draw(t, "tenant")
				call := &outdial.Call{
					Campaign: f.ids.Campaigns.ID(campaign), Tenant: f.ids.Tenants.ID(tenant),
					Priority: outdial.Priority(rapid.IntRange(0, 2).Draw(t, "priority")),
				}
				l, _, err := f.set.Acquire(start, call, f.c)
				require.Equal(t, may(campaign, tenant, call.Priority), err == nil, "%v with %v up on %+v", err, held, limits)
				if err == nil {
					if floors[campaign] == 0 {
						campaign = "" // it counts for no floor, also for one that comes later
					}
					held = append(held, up{l, campaign, tenant})
				}
			},
			"release, twice": func(t *rapid.T) {
				if len(held) == 0 {
					t.Skip()
				}
				i := rapid.IntRange(0, len(held)-1).Draw(t, "which")
				f.set.Release(start, held[i].lease)
				f.set.Release(start, held[i].lease)
				held = append(held[:i:i], held[i+1:]...)
			},
			"resize or drain": func(t *rapid.T) {
				if limits.Quotas == nil { // who came without a quota is not counted for one that comes later
					for i := range held {
						held[i].tenant = ""
					}
				}
				draw()
				if limits.Quotas == nil {
					for i := range held {
						held[i].tenant = ""
					}
				}
				f.update(limits)
			},
			"reject": func(t *rapid.T) {
				sum := 0
				for _, n := range floors {
					sum += n
				}
				if limit := max(len(held), sum, 1); limit < ceiling() {
					learned = limit
				}
				f.set.Reject(start, f.c.Trunk, outdial.ShortageChannels)
				f.set.Reject(start, f.c.Trunk, outdial.ShortageChannels)
			},
			"forget": func(t *rapid.T) {
				learned = 0
				require.NoError(t, f.order(start, trunk.ActionForget, "", time.Time{}))
			},
			"crash": func(t *rapid.T) {
				f, held, learned = newFixture(t, limits), nil, 0
			},
			"": func(t *rapid.T) {
				st := f.status(start)
				require.Equal(t, len(held), st.InUse)
				require.Equal(t, learned, st.Learned.Limit)
			},
		})
	})
}
