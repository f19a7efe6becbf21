package trunk_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

// away is a ledger that can be out of reach.
type away struct {
	trunk.MemoryLedger
	cut bool
}

var errAway = errors.New("the ledger is away")

func (a *away) Renew(ctx context.Context, c trunk.Claim) (trunk.Grant, error) {
	if a.cut {
		return trunk.Grant{}, errAway
	}
	return a.MemoryLedger.Renew(ctx, c)
}

// aNode is a Set that shares one trunk of 100 channels and 40 calls per second.
func aNode(t require.TestingT, ledger trunk.Ledger, name string, share trunk.Share) *fixture {
	share.Nodes = 4
	ids := &outdial.Registry{}
	set, err := trunk.New(trunk.Config{IDs: ids, Ledger: ledger, Node: name, Trunks: []trunk.Limits{
		{Name: "alpha", Channels: 100, CPS: 40, Share: share, MaxCall: -1},
	}})
	require.NoError(t, err)
	return &fixture{t: t, set: set, ids: ids, c: &outdial.Candidate{Trunk: ids.Trunks.ID("alpha")}}
}

func (f *fixture) renew(now time.Time) error { return f.set.Renew(context.Background(), now) }

// take takes as many channels as there are.
func (f *fixture) take(now time.Time, most int) (held []outdial.Lease) {
	for range most {
		l, _, err := f.set.Acquire(now, nil, f.c)
		if err != nil {
			break
		}
		held = append(held, l)
	}
	return held
}

func TestShareGrowsAndShrinks(t *testing.T) {
	ledger := new(trunk.MemoryLedger)
	a, b := aNode(t, ledger, "a#1", trunk.Share{}), aNode(t, ledger, "b#1", trunk.Share{})
	a.refused(start, trunk.ErrShare)
	now := start
	var held []outdial.Lease
	for range 10 {
		require.NoError(t, a.renew(now))
		held = append(held, a.take(now, 200)...)
		now = now.Add(2 * time.Second)
	}
	require.Len(t, held, 100, "alone it gets all")
	require.NoError(t, b.renew(now))
	require.Empty(t, b.take(now, 1), "nothing is left")
	require.NoError(t, a.renew(now))
	require.Equal(t, 100, a.status(now).InUse, "no call is dropped")
	for _, l := range held[:60] {
		a.set.Release(now, l)
	}
	require.NoError(t, a.renew(now))
	require.NoError(t, b.renew(now))
	require.NotEmpty(t, b.take(now, 200))
	require.LessOrEqual(t, a.status(now).InUse+b.status(now).InUse, 100)
	require.Equal(t, uint64(2), b.status(now).Blocked.Share)
}

func TestShareWithoutItsLedger(t *testing.T) {
	for _, c := range []struct {
		policy           trunk.FailPolicy
		floor            int
		failed, afterEnd int // channels that may be used when a renewal has failed, and when the lease has ended
	}{
		{trunk.FailStatic, 0, 20, 0},
		{trunk.FailClosed, 0, 0, 0},
		{trunk.FailFloor, 5, 20, 5},
		{trunk.FailOpen, 0, 20, 25},
	} {
		t.Run(fmt.Sprint(c.policy), func(t *testing.T) {
			ledger := &away{}
			f := aNode(t, ledger, "a#1", trunk.Share{Policy: c.policy, Floor: c.floor})
			require.NoError(t, f.renew(start))
			l := f.take(start, 10)
			require.NoError(t, f.renew(at(time.Second)))
			before := f.status(at(time.Second)).Channels
			require.GreaterOrEqual(t, before, 2)
			for _, x := range l {
				f.set.Release(at(time.Second), x)
			}
			ledger.cut = true
			require.ErrorIs(t, f.renew(at(2*time.Second)), errAway)
			got := f.status(at(2 * time.Second)).Channels
			if c.failed == 0 {
				require.Zero(t, got)
			} else {
				require.Positive(t, got)
				require.LessOrEqual(t, got, before, "it shrank before it asked, and did not grow")
			}
			end := at(time.Second + 9*time.Second)
			require.Len(t, f.take(end, 200), c.afterEnd, "the lease ends at nine tenths of its time")
			ledger.cut = false
			require.NoError(t, f.renew(end))
			require.Positive(t, f.status(end).Channels)
		})
	}
}

// TestShareWithoutCPS: a trunk without a limit of calls per second has none without a ledger either.
func TestShareWithoutCPS(t *testing.T) {
	for _, share := range []trunk.Share{{Nodes: 4, Policy: trunk.FailOpen}, {Nodes: 4, Policy: trunk.FailFloor, Floor: 10}, {Nodes: 4}} {
		ledger, ids := &away{}, &outdial.Registry{}
		set, err := trunk.New(trunk.Config{IDs: ids, Ledger: ledger, Node: "a#1", Trunks: []trunk.Limits{
			{Name: "alpha", Channels: 100, CPS: -1, Share: share, MaxCall: -1},
		}})
		require.NoError(t, err)
		f := &fixture{t: t, set: set, ids: ids, c: &outdial.Candidate{Trunk: ids.Trunks.ID("alpha")}}
		require.NoError(t, f.renew(start))
		now := start
		if share.Policy != trunk.FailStatic {
			ledger.cut, now = true, at(time.Minute)
		}
		for range 5 {
			_, err = f.set.Seize(now, nil, f.c, f.acquire(now))
			require.NoError(t, err, "%v", share.Policy)
		}
	}
}

// TestFloorIsThereOnceCovered: a node that has died and comes again has its floor only when the ledger has had room for it, for
// the calls of its former life may be up on it.
func TestFloorIsThereOnceCovered(t *testing.T) {
	ledger := &away{}
	node := func(name string) *fixture {
		ids := &outdial.Registry{}
		set, err := trunk.New(trunk.Config{IDs: ids, Ledger: ledger, Node: name, Trunks: []trunk.Limits{
			{Name: "alpha", Channels: 20, CPS: 40, Share: trunk.Share{Nodes: 4, Policy: trunk.FailFloor, Floor: 5, Hold: time.Minute}, MaxCall: -1},
		}})
		require.NoError(t, err)
		return &fixture{t: t, set: set, ids: ids, c: &outdial.Candidate{Trunk: ids.Trunks.ID("alpha")}}
	}
	up := 0
	for _, name := range []string{"a#1", "b#1", "c#1", "d#1"} {
		n := node(name)
		require.NoError(t, n.renew(start))
		up += len(n.take(start, 200))
	}
	require.Equal(t, 20, up)
	again := node("a#2")
	require.Empty(t, again.take(at(time.Second), 200), "a#1's calls go on")
	require.NoError(t, again.renew(at(11*time.Second)))
	ledger.cut = true
	require.Empty(t, again.take(at(30*time.Second), 200), "they still do")
	ledger.cut = false
	require.NoError(t, again.renew(at(80*time.Second)))
	ledger.cut = true
	require.Len(t, again.take(at(2*time.Minute), 200), 5)
}

// TestSharesNeverOver: nodes that take and end calls, die with their calls up, stall longer than their lease and lose the
// ledger; calls last no longer than what is held for them. The sum of what is up never exceeds the limit, and neither do the calls
// of any second.
func TestSharesNeverOver(t *testing.T) {
	for seed := range uint64(6) {
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 9))
		ledger := new(trunk.MemoryLedger)
		policy := []trunk.Share{{Policy: trunk.FailStatic}, {Policy: trunk.FailClosed}, {Policy: trunk.FailFloor, Floor: 10}}[seed%3]
		policy.Hold = time.Minute
		type node struct {
			*fixture
			ledger  *link
			stalled time.Time
			renewed time.Time
		}
		born := 0
		fresh := func() *node {
			born++
			l := &link{to: ledger}
			return &node{fixture: aNode(t, l, fmt.Sprintf("n%d", born), policy), ledger: l}
		}
		var nodes []*node
		for range 4 {
			nodes = append(nodes, fresh())
		}
		type call struct {
			node  *node
			lease outdial.Lease
			end   time.Time
		}
		var calls []call
		var left []time.Time
		now, most := start, 0
		for range 30_000 {
			now = now.Add(time.Duration(r.IntN(20)) * time.Millisecond)
			rest := calls[:0]
			for _, c := range calls {
				if now.Before(c.end) {
					rest = append(rest, c)
					continue
				}
				c.node.set.Release(now, c.lease) // also of a node that is dead, whom nobody asks any more
			}
			calls = rest
			i := r.IntN(len(nodes))
			n := nodes[i]
			switch k := r.IntN(20_000); {
			case k < 6:
				nodes[i] = fresh()
				continue
			case k < 12:
				n.stalled = now.Add(time.Duration(r.IntN(30)) * time.Second)
			case k < 18:
				n.ledger.cut = now.Add(time.Duration(r.IntN(30)) * time.Second)
			}
			if now.Before(n.stalled) {
				continue
			}
			if n.ledger.now = now; now.Sub(n.renewed) > 2*time.Second {
				n.renewed = now
				_ = n.renew(now)
			}
			l, _, err := n.set.Acquire(now, nil, n.c)
			if err != nil {
				continue
			}
			if _, err := n.set.Seize(now, nil, n.c, l); err != nil {
				n.set.Undo(now, l)
				continue
			}
			left = append(left, now)
			calls = append(calls, call{n, l, now.Add(time.Duration(r.IntN(int(30 * time.Second))))})
			if most = max(most, len(calls)); most > 100 {
				require.LessOrEqual(t, most, 100, "channels")
			}
			if k := len(left) - 41; k >= 0 {
				require.GreaterOrEqual(t, now.Sub(left[k]), time.Second, "calls per second")
			}
		}
		require.Greater(t, most, 80, "the trunk was loaded")
	}
}

// link is one node's way to the ledger.
type link struct {
	to  trunk.Ledger
	now time.Time
	cut time.Time // until then it is cut
}

func (l *link) Renew(ctx context.Context, c trunk.Claim) (trunk.Grant, error) {
	if l.now.Before(l.cut) {
		return trunk.Grant{}, errAway
	}
	return l.to.Renew(ctx, c)
}

func TestSharesRejected(t *testing.T) {
	ids := &outdial.Registry{}
	_, err := trunk.New(trunk.Config{IDs: ids, Ledger: new(trunk.MemoryLedger), Trunks: []trunk.Limits{
		{Name: "a", Channels: 10, Share: trunk.Share{Nodes: 3, TTL: -1, Policy: 9, Floor: 4}, Burst: trunk.Burst{Channels: 20, Budget: -1}},
	}})
	for _, want := range []string{"Node: required", "Share.TTL", "Share.Policy", "Share.Floor: 4 for 3", "Share.Floor: it is for", "Burst.Channels: a trunk that is shared"} {
		require.ErrorContains(t, err, want)
	}
	_, err = trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{{Name: "a", Share: trunk.Share{Nodes: 2}}}})
	require.ErrorContains(t, err, "Share: there is no Ledger")
	require.NoError(t, newFixture(t, trunk.Limits{}).renew(start), "without a ledger there is nothing to do")
}
