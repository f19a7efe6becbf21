package trunk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/trunk"
)

// said is what carriers are known to say.
var said = []struct {
	code   uint16
	phrase string
	cause  uint8
	text   string
	want   outdial.Shortage
}{
	{403, "User channel limit exceeded D1", 0, "", outdial.ShortageChannels},
	{403, "Connection channel limit exceeded D2", 0, "", outdial.ShortageChannels},
	{503, "CPS Limit reached P05", 0, "", outdial.ShortageCPS},
	{503, "Trunk CPS limit exceeded", 0, "", outdial.ShortageCPS},
	{503, "Concurrent call limit exceeded", 0, "", outdial.ShortageChannels},
	{503, "Service Unavailable", 0, "Maximum Calls Per Second exceeded", outdial.ShortageCPS},
	{429, "Too Many Requests", 0, "", outdial.ShortageCPS},
	{480, "Call Limit Reached", 0, "", outdial.ShortageChannels},
	{503, "Service Unavailable", 34, "", outdial.ShortageChannels},
	{503, "Service Unavailable", 44, "", outdial.ShortageChannels},
	{503, "Service Unavailable", 42, "", outdial.ShortageUnknown},
	{480, "Temporarily Unavailable", 47, "", outdial.ShortageUnknown},
	{503, "Service Unavailable", 41, "", outdial.ShortageNone},
	{503, "Service Unavailable", 0, "", outdial.ShortageNone},
	{486, "Busy Here", 17, "", outdial.ShortageNone},
	{404, "channel limit", 34, "", outdial.ShortageNone},
	{403, "Forbidden", 21, "", outdial.ShortageNone},
}

func TestDefaultShortage(t *testing.T) {
	for _, x := range said {
		r := &outdial.Result{
			Origin: outdial.OriginCarrier, Code: x.code, Phrase: x.phrase, Cause: outdial.Cause{Value: x.cause}, Text: x.text,
		}
		require.Equal(t, x.want, trunk.DefaultShortage(r), "%d %s %d", x.code, x.phrase, x.cause)
		r.Origin = outdial.OriginNoTrying
		require.Equal(t, outdial.ShortageNone, trunk.DefaultShortage(r))
	}
	if !race.Enabled {
		r := &outdial.Result{Origin: outdial.OriginCarrier, Code: 503, Phrase: "Service Unavailable", Text: "whatever was said"}
		require.Zero(t, testing.AllocsPerRun(100, func() { trunk.DefaultShortage(r) }))
	}
}

// FuzzShortage: whatever a carrier writes, the table answers one of its values, and the case of letters changes nothing.
func FuzzShortage(f *testing.F) {
	for _, x := range said {
		f.Add(x.code, x.phrase, x.cause, x.text)
	}
	f.Fuzz(func(t *testing.T, code uint16, phrase string, cause uint8, text string) {
		r := outdial.Result{Origin: outdial.OriginCarrier, Code: code, Phrase: phrase, Text: text, Cause: outdial.Cause{Value: cause}}
		s := trunk.DefaultShortage(&r)
		require.NotEqual(t, "invalid", s.String())
		r.Phrase = upper(phrase)
		require.Equal(t, s, trunk.DefaultShortage(&r))
	})
}

func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

// rejected tells of an attempt that was rejected at once.
func (f *fixture) rejected(now time.Time, phrase string) {
	f.attempt(now, outdial.Result{Origin: outdial.OriginCarrier, Code: 503, Phrase: phrase}, false)
}

// TestLearnApart: a rejection for calls per second, at low use, does not lower the channels, and the other way round; far moves
// need a second rejection soon.
func TestLearnApart(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 100, CPS: 50, Floors: []trunk.Floor{{Campaign: "a", Channels: 3}}})
	up := func(n int, now time.Time) {
		for range n {
			f.set.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: now, Attempt: &outdial.Attempt{Candidate: *f.c, Start: now, Channel: 1}})
		}
	}
	up(20, start)
	f.rejected(at(time.Millisecond), "CPS limit reached") // the 21st in this second
	require.Equal(t, 50, f.status(at(time.Second)).CPS, "one is not enough for a move of more than 5 %")
	now := at(time.Minute)
	up(20, now)
	f.rejected(now, "CPS limit reached")
	f.rejected(now.Add(time.Millisecond), "CPS limit reached")
	st := f.status(now.Add(12 * time.Second))
	require.Equal(t, 20, st.CPS)
	require.Equal(t, 50, st.ContractedCPS)
	require.Equal(t, 20, st.LearnedCPS.Limit)
	require.Equal(t, 100, st.Channels)
	for range 20 {
		_, err := f.set.Seize(now.Add(20*time.Second), nil, f.c, 0)
		require.NoError(t, err)
	}
	_, err := f.set.Seize(now.Add(20*time.Second), nil, f.c, 0)
	require.ErrorIs(t, err, trunk.ErrLearned)
	later := now.Add(2 * time.Minute)
	for range 21 { // one of them probes
		_, err = f.set.Seize(later, nil, f.c, 0)
		require.NoError(t, err)
	}
	_, err = f.set.Seize(later, nil, f.c, 0)
	require.Error(t, err)

	f.rejected(later, "channel limit")
	f.rejected(later.Add(time.Second), "channel limit")
	require.Equal(t, 40, f.status(later.Add(time.Minute)).Channels)
	require.NoError(t, f.order(later.Add(time.Minute), trunk.ActionForget, "", time.Time{}))
	st = f.status(later.Add(time.Minute))
	require.Equal(t, [2]int{100, 50}, [2]int{st.Channels, st.CPS})
	kinds := map[trunk.AlertKind]int{}
	for _, a := range f.set.Alerts(nil) {
		kinds[a.Kind]++
	}
	require.Equal(t, 1, kinds[trunk.AlertLearned])
	require.Equal(t, 1, kinds[trunk.AlertLearnedCPS])
}

// TestLearnedStaysAboveFloors and below the contract, and does nothing where it is only reported or off.
func TestLearnedBounds(t *testing.T) {
	reject := func(l trunk.Limits) trunk.Status {
		f := newFixture(t, l)
		f.rejected(start, "channel limit")
		f.rejected(at(time.Second), "channel limit")
		return f.status(at(time.Minute))
	}
	st := reject(trunk.Limits{Channels: 20, Floors: []trunk.Floor{{Campaign: "a", Channels: 7}}})
	require.Equal(t, 7, st.Channels)
	st = reject(trunk.Limits{Channels: 20, Learning: trunk.LearnOnly})
	require.Equal(t, [2]int{20, 1}, [2]int{st.Channels, st.Learned.Limit})
	st = reject(trunk.Limits{Channels: 20, Learning: trunk.LearnOff})
	require.Equal(t, [2]int{20, 0}, [2]int{st.Channels, st.Learned.Limit})
}
