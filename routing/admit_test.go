package routing_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// admit asks a table with one rule.
func admit(t testing.TB, a routing.Admission, cfg routing.CompileConfig, now time.Time, call outdial.Call) (time.Time, error) {
	t.Helper()
	c := compile(t, routing.Policy{Trunks: trunks("a"), Rules: []routing.Rule{via("all", "a")}, Admission: a}, cfg)
	call.Dest = plan().Locate(now, call.To)
	return c.Admit(now, &call)
}

func TestAdmitLists(t *testing.T) {
	only := routing.Admission{Deny: []outdial.Prefix{0}, Allow: []outdial.Prefix{1212, 44}}
	for _, tc := range []struct {
		why  string
		a    routing.Admission
		to   outdial.Number
		want error
	}{
		{"nothing configured", routing.Admission{}, 12125550123, nil},
		{"denied", routing.Admission{Deny: []outdial.Prefix{1212}}, 12125550123, routing.ErrDenied},
		{"not denied", routing.Admission{Deny: []outdial.Prefix{1212}}, 16465550123, nil},
		{
			"a longer allowance",
			routing.Admission{Deny: []outdial.Prefix{1212}, Allow: []outdial.Prefix{1212555}},
			12125550123, nil,
		},
		{
			"a longer denial",
			routing.Admission{Deny: []outdial.Prefix{12125550123}, Allow: []outdial.Prefix{1212555}},
			12125550123, routing.ErrDenied,
		},
		{"only what is allowed", only, 12125550123, nil},
		{"only what is allowed, not this", only, 16465550123, routing.ErrDenied},
		{"unassigned area", routing.Admission{}, 12215550123, routing.ErrUnassigned},
		{"unassigned, allowed", routing.Admission{AllowUnassigned: true}, 12215550123, nil},
		{"premium", routing.Admission{}, 19005550123, routing.ErrPremium},
		{"premium, allowed", routing.Admission{AllowPremium: true}, 19005550123, nil},
		{"premium, the prefix allowed", routing.Admission{Allow: []outdial.Prefix{1900}}, 19005550123, routing.ErrPremium},
		{"premium, allowed but denied", routing.Admission{AllowPremium: true, Deny: []outdial.Prefix{1900}}, 19005550123, routing.ErrDenied},
		{"toll-free", routing.Admission{}, 18005550123, routing.ErrTollFree},
		{"toll-free, allowed", routing.Admission{AllowTollFree: true}, 18005550123, nil},
		{"911", routing.Admission{AllowUnassigned: true}, 19115550123, routing.ErrDenied},
		{"911, all of +1 allowed", routing.Admission{AllowUnassigned: true, Allow: []outdial.Prefix{1}}, 19115550123, routing.ErrDenied},
		{"911, itself allowed", routing.Admission{AllowUnassigned: true, Allow: []outdial.Prefix{1911}}, 19115550123, nil},
	} {
		_, err := admit(t, tc.a, routing.CompileConfig{}, monday, outdial.Call{To: tc.to})
		require.ErrorIs(t, err, tc.want, tc.why)
		if tc.want == nil {
			require.NoError(t, err, tc.why)
		}
	}
}

func TestAdmitWindow(t *testing.T) {
	ids := new(outdial.Registry)
	a := routing.Admission{Windows: []routing.Window{
		{From: hours(8), To: hours(21)},
		{Programs: []string{"surveys"}, From: hours(12), To: hours(13)},
		{Programs: []string{"alarms"}, From: hours(22), To: hours(2)},
		{Programs: []string{"night"}, From: hours(2) + hours(1)/2, To: hours(4)},
		{Programs: []string{"late"}, From: hours(1) + hours(1)/2, To: hours(2)},
	}}
	cfg := routing.CompileConfig{IDs: ids, Numbering: plan()}
	ids.Programs.Add("surveys", "alarms", "sales", "night", "late")
	ny, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	at := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, ny) }
	second := time.Date(2026, 11, 1, 6, 30, 0, 0, time.UTC) // 01:30 EST; 01:30 EDT was an hour before
	for _, tc := range []struct {
		program string
		to      outdial.Number
		now     time.Time
		again   time.Time
		open    bool
	}{
		{"", 12125550123, at(2, 8), time.Time{}, true},
		{"sales", 12125550123, at(2, 20), time.Time{}, true},
		{"sales", 12125550123, at(2, 21), at(3, 8), false},
		{"sales", 12125550123, at(2, 7), at(2, 8), false},
		{"surveys", 12125550123, at(2, 8), at(2, 12), false},
		{"surveys", 12125550123, at(2, 12), time.Time{}, true},
		{"alarms", 12125550123, at(2, 1), time.Time{}, true},
		{"alarms", 12125550123, at(2, 2), at(2, 22), false},
		{"sales", 12125550123, at(8, 7), at(8, 8), false},              // clocks went forward at 2:00
		{"sales", 12125550123, at(7, 22), at(8, 8), false},             // … 9 hours ahead, not 10
		{"night", 12125550123, at(8, 1), at(8, 3), false},              // 02:30 is skipped
		{"late", 12125550123, second.Add(-time.Minute), second, false}, // 01:30 comes twice
		{"sales", 13105550123, at(2, 8), at(2, 11), false},             // 05:00 in Los Angeles
		{"sales", 79161234567, at(2, 8), time.Time{}, false},           // anywhere in Russia: its clocks never agree on 13 hours
		{"sales", 870773123456, at(2, 12), time.Time{}, false},
	} {
		again, err := admit(t, a, cfg, tc.now, outdial.Call{To: tc.to, Program: ids.Programs.ID(tc.program)})
		if tc.open {
			require.NoError(t, err, tc)
			continue
		}
		require.ErrorIs(t, err, routing.ErrWindow, tc)
		if tc.to != 79161234567 {
			require.True(t, tc.again.Equal(again), "%v: again %v", tc, again)
		}
	}
	own := routing.Admission{Windows: a.Windows[1:]}
	_, err = admit(t, own, cfg, at(2, 23), outdial.Call{To: 12125550123, Program: ids.Programs.ID("sales")})
	require.NoError(t, err, "no window for this program and none for all")
}

// apart is a Numbering that takes every callee to be in New York or in London.
type apart struct{ *outdial.NumberingPlan }

func (apart) Locations(outdial.ZoneSet) []*time.Location {
	var zones []*time.Location
	for _, name := range []string{"America/New_York", "Europe/London"} {
		loc, err := time.LoadLocation(name)
		if err != nil {
			panic(err)
		}
		zones = append(zones, loc)
	}
	return zones
}

func (a apart) AllWithin(now time.Time, _ outdial.ZoneSet, from, to time.Duration) bool {
	for _, loc := range a.Locations(0) {
		h, m, _ := now.In(loc).Clock()
		if clock := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute; clock < from || clock >= to {
			return false
		}
	}
	return true
}

// TestAdmitOpeningSoon holds that an opening is looked for a fortnight ahead, not months. New York and London are five hours
// apart, so that both never show a time from 03:00 to 07:30, but for the moment when clocks go forward in New York.
func TestAdmitOpeningSoon(t *testing.T) {
	c := compile(t, routing.Policy{
		Trunks: trunks("a"), Rules: []routing.Rule{via("all", "a")},
		Admission: routing.Admission{Windows: []routing.Window{{From: hours(3), To: hours(7) + hours(1)/2}}},
	}, routing.CompileConfig{Numbering: apart{plan()}})
	change := time.Date(2026, 3, 8, 7, 0, 0, 0, time.UTC)
	call := outdial.Call{To: 12125550123}
	again, err := c.Admit(change.Add(-30*time.Hour), &call)
	require.ErrorIs(t, err, routing.ErrWindow)
	require.True(t, change.Equal(again), again)
	again, err = c.Admit(change.Add(-20*24*time.Hour), &call)
	require.ErrorIs(t, err, routing.ErrWindow)
	require.Zero(t, again)
	_, err = c.Admit(change, &call)
	require.NoError(t, err)
}

// TestAdmitOpening holds that the time to ask again is the first moment, to the minute, at which the answer is yes.
func TestAdmitOpening(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := routing.TimeOfDay(rapid.IntRange(0, 47).Draw(t, "from")) * hours(1) / 2
		to := routing.TimeOfDay(rapid.IntRange(0, 48).Filter(func(v int) bool { return routing.TimeOfDay(v)*hours(1)/2 != from }).
			Draw(t, "to")) * hours(1) / 2
		p := routing.Policy{Trunks: trunks("a"), Rules: []routing.Rule{via("all", "a")}, Admission: routing.Admission{
			Windows: []routing.Window{{From: from, To: to}},
		}}
		table, err := routing.Compile(p, routing.CompileConfig{IDs: new(outdial.Registry), Numbering: plan()})
		require.NoError(t, err)
		// New York, Indiana with two zones, all of Brazil's, Nepal (+05:45), Russia's eleven.
		call := outdial.Call{To: outdial.Number(rapid.SampledFrom([]uint64{
			12125550123, 18125550123, 551155501234, 9771234567, 79161234567,
		}).Draw(t, "to"))}
		// Around the changes of clocks in North America.
		days := rapid.SampledFrom([]time.Time{
			time.Date(2026, 3, 6, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 30, 0, 0, 0, 0, time.UTC),
		}).Draw(t, "days")
		start := days.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "now")) * time.Minute)
		call.Dest = plan().Locate(start, call.To)
		again, err := table.Admit(start, &call)
		if err == nil {
			require.Zero(t, again)
			return
		}
		var want time.Time
		for at := start.Add(time.Minute); at.Sub(start) < 25*time.Hour; at = at.Add(time.Minute) {
			if plan().AllWithin(at, call.Dest.Zones, time.Duration(from), time.Duration(to)) {
				want = at
				break
			}
		}
		if want.IsZero() {
			require.True(t, again.IsZero() || again.Sub(start) >= 24*time.Hour, again)
			return
		}
		require.True(t, want.Equal(again), "from %v to %v at %v: want %v, got %v", from, to, start, want, again)
	})
}

func hours(h int) routing.TimeOfDay { return routing.TimeOfDay(time.Duration(h) * time.Hour) }

// suppression answers for one number and is out of order for another.
type suppression struct{ listed, broken outdial.Number }

func (s suppression) Suppressed(_ time.Time, to outdial.Number, p outdial.ProgramID) (bool, error) {
	if to == s.broken {
		return false, errors.New("timeout")
	}
	return to == s.listed && p == 1, nil
}

func TestAdmitSuppression(t *testing.T) {
	ids := new(outdial.Registry)
	ids.Programs.Add("sales")
	cfg := routing.CompileConfig{IDs: ids, Suppressor: suppression{listed: 12125550123, broken: 12125550199}}
	_, err := admit(t, routing.Admission{}, cfg, monday, outdial.Call{To: 12125550123, Program: 1})
	require.ErrorIs(t, err, routing.ErrSuppressed)
	_, err = admit(t, routing.Admission{}, cfg, monday, outdial.Call{To: 12125550123})
	require.NoError(t, err)
	var rec outdial.Record
	call := outdial.Call{To: 12125550199}
	call.SetRecord(&rec)
	_, err = admit(t, routing.Admission{}, cfg, monday, call)
	require.ErrorIs(t, err, routing.ErrSuppressionUnavailable)
	require.Equal(t, []outdial.Reading{{Stage: outdial.StageRouting, Name: "suppression_error", Text: "timeout"}}, rec.Readings())
	require.Equal(t, outdial.RefusedByFault, routing.ErrSuppressionUnavailable.Class())
}
