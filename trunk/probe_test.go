package trunk_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

// started observes the start of an attempt that holds a channel.
func (f *fixture) started(now time.Time) *outdial.Attempt {
	a := &outdial.Attempt{Candidate: *f.c, Start: now, Channel: 1}
	f.set.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: now, Attempt: a})
	return a
}

// ended observes the end of an attempt.
func (f *fixture) ended(now time.Time, a *outdial.Attempt, r outdial.Result) {
	a.State, a.Result = outdial.AttemptEnded, r
	f.set.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: now, Attempt: a})
}

// learnCPS lets the carrier refuse two calls when so many others have left within their second.
func (f *fixture) learnCPS(others int) {
	for range others {
		f.started(start)
	}
	for range 2 {
		a := f.started(at(time.Millisecond))
		f.ended(at(2*time.Millisecond), a, outdial.Result{Origin: outdial.OriginCarrier, Code: 503, Phrase: "CPS limit"})
	}
}

// learnChannels tells of two refusals at the use of now.
func (f *fixture) learnChannels() {
	for range 2 {
		f.set.Reject(start, f.c.Trunk, outdial.ShortageChannels)
	}
}

// TestProbeIsWithinTheContract: where the contract, the hard ceiling or the node's share is no more than what was learned,
// there is nothing to try.
func TestProbeIsWithinTheContract(t *testing.T) {
	t.Run("calls per second", func(t *testing.T) {
		f := newFixture(t, trunk.Limits{Channels: -1, CPS: 50})
		f.learnCPS(9)
		limit := f.status(at(time.Second)).LearnedCPS.Limit
		require.Positive(t, limit)
		require.NoError(t, f.order(at(time.Minute), trunk.ActionCPS, strconv.Itoa(limit), time.Time{}))
		left := 0
		for range 30 {
			if _, err := f.set.Seize(at(5*time.Minute), nil, f.c, 0); err == nil {
				left++
			}
		}
		require.Equal(t, limit, left)
	})
	t.Run("hard ceiling", func(t *testing.T) {
		l := trunk.Limits{Channels: 5, CPS: -1, Reserve: -1, Burst: trunk.Burst{Channels: 12, Budget: -1}}
		f := newFixture(t, l)
		for range 8 {
			f.acquire(start)
		}
		f.learnChannels()
		require.Equal(t, 8, f.status(start).Learned.Limit)
		l.Burst.Channels, l.Hard = 8, 8
		f.update(l)
		f.refused(at(5*time.Minute), trunk.ErrChannels)
	})
	t.Run("share", func(t *testing.T) {
		f := aNode(t, sameShare{20, 40}, "a#1", trunk.Share{})
		require.NoError(t, f.renew(start))
		for range 20 {
			f.acquire(start)
		}
		f.learnChannels()
		require.Equal(t, 20, f.status(start).Learned.Limit)
		require.NoError(t, f.renew(at(2*time.Minute)))
		f.refused(at(2*time.Minute), trunk.ErrShare)
	})
}

// sameShare is a ledger that grants the same whatever is asked.
type sameShare struct{ channels, rate int }

func (g sameShare) Renew(_ context.Context, c trunk.Claim) (trunk.Grant, error) {
	n := max(g.channels, c.Channels)
	return trunk.Grant{Channels: n, Target: n, Rate: g.rate, RateTo: g.rate}, nil
}

// TestProbeTakesItsTurn: a probe is a call like others: it passes nobody who waits, nor what is kept free from it, nor its
// tenant's quota.
func TestProbeTakesItsTurn(t *testing.T) {
	t.Run("queue", func(t *testing.T) {
		f := newFixture(t, queued(trunk.Limits{Channels: 10, CPS: -1, Reserve: -1, Queue: trunk.Queue{Length: 10, Wait: time.Hour}}))
		for range 5 {
			f.acquire(start)
		}
		f.learnChannels()
		require.Equal(t, 5, f.status(start).Channels)
		urgent := &outdial.Call{ID: 1, Priority: outdial.PriorityUrgent}
		require.Error(t, f.ask(at(59*time.Second+900*time.Millisecond), urgent))
		require.Error(t, f.ask(at(time.Minute), &outdial.Call{ID: 2}))
		require.NoError(t, f.ask(at(time.Minute), urgent))
	})
	t.Run("reservation", func(t *testing.T) {
		f := newFixture(t, trunk.Limits{Channels: 20, CPS: -1, Reserve: 3})
		normal := &outdial.Call{Priority: outdial.PriorityNormal}
		for range 10 {
			require.NoError(t, f.ask(start, normal))
		}
		f.learnChannels()
		require.Error(t, f.ask(at(2*time.Minute), &outdial.Call{}))
		require.NoError(t, f.ask(at(2*time.Minute), normal))
	})
	t.Run("quota", func(t *testing.T) {
		f := newFixture(t, trunk.Limits{Channels: -1, CPS: 50, Quotas: []trunk.Quota{{Tenant: "t", CPS: 2}}})
		f.learnCPS(9)
		call := &outdial.Call{Tenant: f.ids.Tenants.ID("t")}
		now := at(5 * time.Minute)
		for i := range f.status(now).CPS {
			asks := call
			if i >= 2 {
				asks = nil
			}
			_, err := f.set.Seize(now, asks, f.c, 0)
			require.NoError(t, err)
		}
		_, err := f.set.Seize(now, call, f.c, 0)
		require.Error(t, err)
		_, err = f.set.Seize(now, nil, f.c, 0)
		require.NoError(t, err, "the probe is another's")
	})
}

func TestLearnedLeavesFloors(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 20, CPS: -1, Reserve: -1})
	f.learnChannels()
	require.Equal(t, 1, f.status(start).Channels)
	f.update(trunk.Limits{Channels: 20, CPS: -1, Reserve: -1, Floors: []trunk.Floor{{Campaign: "a", Channels: 7}}})
	require.Equal(t, 7, f.status(start).Channels)
}

// TestRateIsLearnedOnlyWhenRemembered: a rejection that comes later than starts are remembered teaches no rate.
func TestRateIsLearnedOnlyWhenRemembered(t *testing.T) {
	reject := func(perSecond, seconds int, contract int) int {
		f := newFixture(t, trunk.Limits{Channels: -1, CPS: contract, Reserve: -1})
		var up []*outdial.Attempt
		for i := range perSecond * seconds {
			up = append(up, f.started(start.Add(time.Duration(i)*time.Second/time.Duration(perSecond))))
		}
		for _, a := range up[perSecond+perSecond/2:][:2] {
			f.ended(at(time.Duration(seconds)*time.Second), a, outdial.Result{Origin: outdial.OriginCarrier, Code: 503, Phrase: "CPS limit"})
		}
		return f.status(at(time.Duration(seconds) * time.Second)).LearnedCPS.Limit
	}
	require.InDelta(t, 1000, reject(1000, 3, 2000), 10)
	require.Zero(t, reject(1000, 20, 2000), "18 s later nobody knows how many left in that second")
}

// TestCeilingNeedsTwo: a rejection far below the ceiling is believed when a second one comes soon, and the lower of the two
// stands; while a ceiling has just moved, an answer from before does not raise it.
func TestCeilingNeedsTwo(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 100, CPS: -1, Reserve: -1})
	var held []outdial.Lease
	for range 60 {
		held = append(held, f.acquire(start))
	}
	f.set.Reject(start, f.c.Trunk, outdial.ShortageChannels)
	require.Zero(t, f.status(start).Learned.Limit)
	f.set.Reject(at(3*time.Second), f.c.Trunk, outdial.ShortageChannels)
	require.Zero(t, f.status(start).Learned.Limit, "3 s later it is a first one again")
	for _, l := range held[50:] {
		f.set.Release(at(4*time.Second), l)
	}
	f.set.Reject(at(4*time.Second), f.c.Trunk, outdial.ShortageChannels)
	require.Equal(t, 50, f.status(at(4*time.Second)).Learned.Limit)
}

// TestAnswersOfBeforeRaiseNothing: calls that were let in before a ceiling came down are heard of later, and say nothing about it;
// half a minute later one above it does.
func TestAnswersOfBeforeRaiseNothing(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 100, CPS: -1, Reserve: -1})
	var up []*outdial.Attempt
	for range 60 {
		up = append(up, f.started(start))
	}
	f.rejected(at(time.Second), "channel limit")
	f.rejected(at(time.Second), "channel limit") // both are refused after 10 s
	require.Equal(t, 60, f.status(at(11*time.Second)).Learned.Limit)
	rings := func(now time.Time, a *outdial.Attempt) int {
		a.Timeline.Set(outdial.MarkProvisional, now.Sub(a.Start))
		f.set.Observe(&outdial.Event{Kind: outdial.EventProgressed, Time: now, Attempt: a})
		return f.status(now).Learned.Limit
	}
	more := f.started(at(12 * time.Second)) // 61 are up
	require.Equal(t, 60, rings(at(13*time.Second), up[0]))
	require.Equal(t, 60, rings(at(40*time.Second), more))
	require.Equal(t, 61, rings(at(41*time.Second), more))
}
