package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// TestGroupsAreBackWithTheirTrunk: a trunk on which calls to two destination groups met silence has its full share of both within a
// minute of the first good sign, although the probes of one have brought the trunk as a whole back before the other's could go.
func TestGroupsAreBackWithTheirTrunk(t *testing.T) {
	for _, every := range []int{2, 3, 5, 10, 30} {
		b := newBench(t, failover.Config{Jitter: -1}, on(1, 0, 50), on(2, 0, 50))
		silent := func(now time.Time) bool { return now.After(at(10*time.Second)) && now.Before(at(60*time.Second)) }
		var open []*outdial.Attempt // each rings after a second, or is given up then
		for i := range 2000 {
			now := at(time.Duration(i) * 100 * time.Millisecond)
			if i%50 == 0 {
				b.s.Pinged(now, 1, map[bool]int{false: 200}[silent(now)])
			}
			for len(open) > 0 && now.Sub(open[0].Start) >= time.Second {
				if a := open[0]; a.Candidate.Trunk == 1 && silent(a.Start) {
					b.abandon(now, a)
				} else {
					b.observe(now, outdial.EventProgressed, a, outdial.MarkProvisional)
				}
				open = open[1:]
			}
			b.call.Dest.Group, b.call.ID = 7, b.last+1
			if i%every == 0 {
				b.call.Dest.Group = 8
			}
			trunk, why := b.pick(now, 3)
			open = append(open, b.attempt(now, trunk, why))
			b.observe(now, outdial.EventStarted, open[len(open)-1])
		}
		now := at(200 * time.Second)
		noticed := b.s.Incidents(now)[0].Noticed
		require.Less(t, noticed.Sub(at(60*time.Second)), 12*time.Second)
		for _, i := range b.s.Incidents(now) {
			require.LessOrEqual(t, i.Recovered.Sub(noticed), time.Minute, "group %d, one call in %d to another", i.Group, every)
			require.True(t, i.Recovered.After(noticed))
		}
	}
}

// TestStrayFailures: a failure of another destination group now and then is no evidence that the trunk is ill, not even while one
// group fails all the time and its calls have nowhere else to go.
func TestStrayFailures(t *testing.T) {
	for _, hard := range []int{0, -1} {
		b := newBench(t, failover.Config{Jitter: -1, HardCount: hard}, on(1, 0, 0), on(2, 1, 0))
		end := func(now time.Time, g outdial.GroupID, r outdial.Result) {
			b.call.Dest.Group = g
			b.end(now, 1, 0, r)
		}
		end(start, 8, final(500))
		end(start, 7, final(486))
		for range 6 {
			end(start, 7, final(500))
		}
		require.Equal(t, failover.Out, b.target(start, 1, 7).State)
		require.Less(t, b.target(start, 1, 0).State, failover.Out)

		failing := final(500)
		if hard < 0 {
			failing = ended(outdial.OriginNoTrying)
		}
		for i := range 1000 {
			now := at(time.Duration(i) * time.Second)
			end(now, 8, final(486))
			if i%10 == 3 {
				end(now, 8, final(500))
			}
			for range 3 {
				end(now, 7, failing) // a last resort
			}
			require.Equal(t, failover.Out, b.target(now, 1, 7).State)
			require.Less(t, b.target(now, 1, 0).State, failover.Out, "call %d", i)
			require.Equal(t, failover.Up, b.target(now, 1, 8).State)
		}
	}
}

// TestFailuresOfTwoGroups: where two destination groups fail together, the trunk is ejected after as many calls in a row as one target.
func TestFailuresOfTwoGroups(t *testing.T) {
	b := newBench(t, failover.Config{Jitter: -1}, on(1, 0, 0), on(2, 1, 0))
	for i := range 6 {
		require.Less(t, b.target(start, 1, 0).State, failover.Out)
		b.call.Dest.Group = outdial.GroupID(7 + i%2)
		b.end(start, 1, 0, final(500))
	}
	require.Equal(t, failover.Out, b.target(start, 1, 0).State)

	// By rate: each of three groups fails half of its calls.
	b = newBench(t, failover.Config{Jitter: -1}, on(1, 0, 0), on(2, 1, 0))
	n := 0
	for ; b.target(start, 1, 0).State < failover.Out; n++ {
		b.call.Dest.Group = outdial.GroupID(7 + n%3)
		b.end(start, 1, 0, final(500))
		if n%2 == 0 {
			b.ring(start, 1, 0)
		}
		require.Less(t, n, 30)
	}
	require.Equal(t, "a failure rate above its baseline", b.target(start, 1, 0).Why)
}
