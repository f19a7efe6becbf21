package outdial_test

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
)

func TestNames(t *testing.T) {
	var r outdial.Registry
	a := r.Trunks.ID("a")
	require.Equal(t, a, r.Trunks.ID("a"))
	r.Trunks.Add("b", "a", "", "c")
	require.Equal(t, 3, r.Trunks.Len())
	require.Equal(t, "c", r.Trunks.Name(3))
	require.Empty(t, r.Trunks.Name(0))
	require.Empty(t, r.Trunks.Name(99))
	require.Zero(t, r.Trunks.ID(""))
	_, ok := r.Trunks.Lookup("d")
	require.False(t, ok)
	_, ok = r.Carriers.Lookup("d")
	require.False(t, ok)
	var all []string
	for id, name := range r.Trunks.All() {
		all = append(all, fmt.Sprintf("%d %s", id, name))
	}
	require.Equal(t, []string{"1 a", "2 b", "3 c"}, all)
}

func TestNamesKeepTheirIDsUnderContention(t *testing.T) {
	var r outdial.Registry
	var wg sync.WaitGroup
	ids := make([][]outdial.PoolID, 8)
	for g := range ids {
		wg.Go(func() {
			for i := range 50 {
				ids[g] = append(ids[g], r.Pools.ID(fmt.Sprint("pool", i)))
			}
		})
	}
	wg.Wait()
	for _, got := range ids {
		require.Equal(t, ids[0], got)
	}
	require.Equal(t, 50, r.Pools.Len())
}

func TestTimeline(t *testing.T) {
	var tl outdial.Timeline
	_, ok := tl.PDD()
	require.False(t, ok)
	tl.Set(outdial.MarkInvite, 100*time.Millisecond)
	tl.Set(outdial.MarkTrying, 120*time.Millisecond)
	tl.Set(outdial.MarkProvisional, 1100*time.Millisecond)
	tl.Set(outdial.MarkProvisional, 5*time.Second)
	d, ok := tl.PDD()
	require.True(t, ok)
	require.Equal(t, time.Second, d, "the first one counts, from the INVITE")
	tl.Set(outdial.MarkRinging, 2*time.Second)
	tl.Set(outdial.MarkEnd, 12*time.Second)
	d, _ = tl.RingTime()
	require.Equal(t, 10*time.Second, d)
	_, ok = tl.Duration()
	require.False(t, ok)

	var instant outdial.Timeline
	instant.Set(outdial.MarkAnswer, 0)
	instant.Set(outdial.MarkEnd, -time.Second)
	_, ok = instant.At(outdial.MarkAnswer)
	require.True(t, ok, "a moment in the instant of the start did come")
	d, ok = instant.Duration()
	require.True(t, ok)
	require.Zero(t, d, "never negative")
	_, ok = instant.PDD()
	require.False(t, ok, "an answer without a provisional has no PDD, rather than one of zero")
}

// What the caller hears first ends the audible delay; a BYE of ours ends the conversation, not the answer to it.
func TestAudibleAndDuration(t *testing.T) {
	at := func(marks map[outdial.Mark]time.Duration) (tl outdial.Timeline) {
		for m, d := range marks {
			tl.Set(m, d)
		}
		return tl
	}
	for name, tc := range map[string]struct {
		tl   outdial.Timeline
		want time.Duration // 0 = none
	}{
		"nothing":                   {at(nil), 0},
		"183 alone":                 {at(map[outdial.Mark]time.Duration{outdial.MarkProvisional: 1e9}), 0},
		"180":                       {at(map[outdial.Mark]time.Duration{outdial.MarkInvite: 1e8, outdial.MarkRinging: 2e9}), 19e8},
		"183 with SDP":              {at(map[outdial.Mark]time.Duration{outdial.MarkEarlySDP: 3e9, outdial.MarkRinging: 4e9}), 3e9},
		"leave to send":             {at(map[outdial.Mark]time.Duration{outdial.MarkEarlyMedia: 2e9, outdial.MarkEarlySDP: 3e9}), 2e9},
		"media":                     {at(map[outdial.Mark]time.Duration{outdial.MarkMedia: 1e9, outdial.MarkRinging: 4e9}), 1e9},
		"media of the conversation": {at(map[outdial.Mark]time.Duration{outdial.MarkAnswer: 1e9, outdial.MarkMedia: 2e9}), 0},
	} {
		d, ok := tc.tl.Audible()
		require.Equal(t, tc.want, d, name)
		require.Equal(t, tc.want != 0, ok, name)
	}
	tl := at(map[outdial.Mark]time.Duration{outdial.MarkAnswer: 1e9, outdial.MarkBye: 6e9, outdial.MarkEnd: 38e9})
	d, ok := tl.Duration()
	require.True(t, ok)
	require.Equal(t, 5*time.Second, d)
}

func TestProgressOf(t *testing.T) {
	marks := func(ms ...outdial.Mark) (s outdial.Marks) {
		for _, m := range ms {
			s |= m.Of()
		}
		return s
	}
	for _, tc := range []struct {
		code int
		sdp  bool
		want outdial.Marks
	}{
		{100, false, marks(outdial.MarkTrying)},
		{100, true, marks(outdial.MarkTrying)},
		{180, false, marks(outdial.MarkTrying, outdial.MarkProvisional, outdial.MarkRinging)},
		{180, true, marks(outdial.MarkTrying, outdial.MarkProvisional, outdial.MarkRinging, outdial.MarkEarlySDP)},
		{183, false, marks(outdial.MarkTrying, outdial.MarkProvisional)},
		{183, true, marks(outdial.MarkTrying, outdial.MarkProvisional, outdial.MarkEarlySDP)},
		{199, false, marks(outdial.MarkTrying, outdial.MarkProvisional)},
		{200, true, 0},
		{99, false, 0},
	} {
		require.Equal(t, tc.want, outdial.ProgressOf(tc.code, tc.sdp), tc.code)
	}
}

func TestAttemptIDText(t *testing.T) {
	id := outdial.AttemptID{Call: 0x6417f2c9a0001000, Leg: 2}
	text, err := id.MarshalText()
	require.NoError(t, err)
	require.Equal(t, "6417f2c9a0001000-2", string(text))
	var back outdial.AttemptID
	require.NoError(t, back.UnmarshalText(text))
	require.Equal(t, id, back)
	for _, bad := range []string{"", "1", "1-", "-1", "x-1", "1-256", "1-1-1"} {
		require.Error(t, back.UnmarshalText([]byte(bad)), bad)
	}
}

func TestEstimate(t *testing.T) {
	e := outdial.Estimate{Mean: 0.4, Var: 0.0025, N: 96}
	require.InDelta(t, 0.3, e.Lower(2), 1e-12)
	require.InDelta(t, 0.5, e.Upper(2), 1e-12)
	var none outdial.Estimate
	require.False(t, none.Known())
	require.True(t, math.IsInf(none.Lower(1), -1))
	require.True(t, math.IsInf(none.Upper(1), 1))
}

func TestRecordOffCostsNothing(t *testing.T) {
	var c outdial.Call
	require.False(t, c.Record().On())
	require.Zero(t, testing.AllocsPerRun(100, func() {
		c.Record().Num(outdial.StageTrunk, 1, "in_use", 4)
		c.Record().Text(outdial.StageTrunk, 1, "state", "live")
	}))
	require.Empty(t, c.Record().Readings())
	c.Record().Reset()
	var r outdial.Record
	c.SetRecord(&r)
	c.Record().Num(outdial.StageTrunk, 1, "in_use", 4)
	require.Len(t, c.Record().Readings(), 1)
	c.Record().Reset()
	require.Empty(t, c.Record().Readings())
}

func TestNoRouteClass(t *testing.T) {
	skip := func(errs ...error) *outdial.NoRouteError {
		e := &outdial.NoRouteError{To: 12125550123}
		for _, err := range errs {
			e.Skipped = append(e.Skipped, outdial.Skip{Err: err})
		}
		return e
	}
	require.Equal(t, outdial.RefusedByPolicy, skip(errDeny, errNoCLI).Class())
	require.Equal(t, outdial.RefusedCapacity, skip(errDeny, fmt.Errorf("trunk b: %w", errFull)).Class())
	require.Equal(t, outdial.RefusedByFault, skip(errDeny, errors.New("boom")).Class())
	require.Equal(t, outdial.RefusedNoRoute, skip(outdial.ErrNoCandidates, errDeny).Class())
	require.Equal(t, outdial.RefusedByPolicy, skip().Class())
}

func TestNumbering(t *testing.T) {
	ids := new(outdial.Registry)
	hour := func(h int) time.Duration { return time.Duration(h) * time.Hour }
	n, err := outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: ids, DayParts: []outdial.DayPart{
		{Name: "morning", From: hour(8), To: hour(12)},
		{Name: "friday-night", From: hour(22), To: hour(2), Days: []time.Weekday{time.Friday}},
	}})
	require.NoError(t, err)
	at := time.Date(2026, 11, 6, 15, 30, 0, 0, time.UTC) // a Friday; 10:30 in New York, 07:30 in Los Angeles
	ny := n.Locate(at, 12125550123)
	require.Equal(t, "US", string(ny.Country[:]))
	require.Equal(t, outdial.Prefix(1212), ny.Area)
	require.Equal(t, "US/212", ids.Groups.Name(ny.Group))
	require.Equal(t, "morning", ids.DayParts.Name(ny.DayPart))
	require.Equal(t, []string{"America/New_York"}, n.Zones(ny.Zones))
	require.Zero(t, n.Locate(at, 12135550123).DayPart)
	require.True(t, n.AllWithin(at, ny.Zones, hour(9), hour(20)))
	require.NoError(t, n.Check(12125550123))
	require.Error(t, n.Check(1212555012))

	for _, tc := range []struct {
		at   time.Time
		want string
	}{
		{time.Date(2026, 11, 7, 3, 0, 0, 0, time.UTC), "friday-night"},  // Friday 22:00
		{time.Date(2026, 11, 7, 6, 59, 0, 0, time.UTC), "friday-night"}, // Saturday 01:59
		{time.Date(2026, 11, 7, 7, 0, 0, 0, time.UTC), ""},
		{time.Date(2026, 11, 6, 6, 0, 0, 0, time.UTC), ""}, // Friday 01:00 belongs to Thursday night
	} {
		require.Equal(t, tc.want, ids.DayParts.Name(n.Locate(tc.at, 12125550123).DayPart), tc.at)
	}
	require.True(t, n.Locate(at, 18005550123).TollFree)
	require.True(t, n.Locate(at, 19005550123).Premium)
	require.True(t, n.Locate(at, 9991234567).Unassigned)

	_, err = outdial.NewNumberingPlan(outdial.NumberingConfig{})
	require.ErrorContains(t, err, "IDs")
	_, err = outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: ids, DayParts: []outdial.DayPart{
		{Name: "x", From: hour(8), To: hour(8)}, {From: -1, To: hour(25), Days: []time.Weekday{9}},
	}})
	for _, want := range []string{"DayParts[0]", "DayParts[1]", "Name", "weekday"} {
		require.ErrorContains(t, err, want)
	}
	require.Zero(t, testing.AllocsPerRun(100, func() { n.Locate(at, 12125550123) }))
}

// TestDayPartsFollowTheCalleesClock: the same day-part begins at another instant in each zone, and an hour earlier
// by the world's clock when daylight saving time is in force.
func TestDayPartsFollowTheCalleesClock(t *testing.T) {
	ids := new(outdial.Registry)
	n, err := outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: ids, DayParts: []outdial.DayPart{
		{Name: "evening", From: 17 * time.Hour, To: 21 * time.Hour},
	}})
	require.NoError(t, err)
	for _, day := range []struct {
		date   time.Time
		offset time.Duration // of the first hour of the evening, New York
	}{
		{time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC), 22 * time.Hour},   // the day before clocks go forward
		{time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC), 21 * time.Hour},   // the day on which they do
		{time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC), 21 * time.Hour}, // the day before they go back
		{time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), 22 * time.Hour},
	} {
		for i, to := range []outdial.Number{12125550123, 13125550123, 13035550123, 13105550123} { // Eastern to Pacific
			begins := day.date.Add(day.offset + time.Duration(i)*time.Hour)
			require.Empty(t, ids.DayParts.Name(n.Locate(begins.Add(-time.Second), to).DayPart), "%v %v", begins, to)
			require.Equal(t, "evening", ids.DayParts.Name(n.Locate(begins, to).DayPart), "%v %v", begins, to)
			require.Equal(t, "evening", ids.DayParts.Name(n.Locate(begins.Add(4*time.Hour-time.Second), to).DayPart))
			require.Empty(t, ids.DayParts.Name(n.Locate(begins.Add(4*time.Hour), to).DayPart))
		}
	}
}

// TestEnumerationsHaveNames guards against a constant that was added without its name.
func TestEnumerationsHaveNames(t *testing.T) {
	for _, s := range []fmt.Stringer{
		outdial.ModePrerecorded, outdial.PriorityUrgent, outdial.WhyFlip, outdial.AttemptEnded,
		outdial.MarkEnd, outdial.OriginHost, outdial.StageJournal, outdial.RefusedByFault, outdial.EventControl,
		outdial.AnsweredByScreening, outdial.LabelBlocked, outdial.VerdictAuthenticate, outdial.StepWait,
		outdial.StopCancelled, outdial.AnswerConnect, outdial.ReportEnd, outdial.PlaceAnyway, outdial.LocationBeyond,
	} {
		require.NotEqual(t, "invalid", s.String(), "%T", s)
		require.NotEmpty(t, s.String(), "%T", s)
	}
	require.Equal(t, "invalid", outdial.Mode(200).String())
}
