package peerbench

import (
	"fmt"
	"testing"

	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/semaphore"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

const channels = 100

// oneTrunk is a Set with one trunk, and a candidate on it.
func oneTrunk(t testing.TB, limits trunk.Limits) (*trunk.Set, *outdial.Candidate) {
	ids := new(outdial.Registry)
	limits.Name = "alpha"
	set, err := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{limits}})
	require.NoError(t, err)
	return set, &outdial.Candidate{Trunk: ids.Trunks.ID("alpha")}
}

// holder is one way to hold channels: try takes one and says how to give it back.
type holder struct {
	name string
	try  func() (release func(), ok bool)
}

func holders(t testing.TB) []holder {
	set, c := oneTrunk(t, trunk.Limits{Channels: channels, CPS: -1})
	weighted := semaphore.NewWeighted(channels)
	hull := bulkhead.New[any](channels)
	buffered := make(chan struct{}, channels)
	return []holder{
		{ours, func() (func(), bool) {
			l, _, err := set.Acquire(monday, nil, c)
			return func() { set.Release(monday, l) }, err == nil
		}},
		{"semaphore", func() (func(), bool) { return func() { weighted.Release(1) }, weighted.TryAcquire(1) }},
		{"bulkhead", func() (func(), bool) { return hull.ReleasePermit, hull.TryAcquirePermit() }},
		{"channel", func() (func(), bool) {
			select {
			case buffered <- struct{}{}:
				return func() { <-buffered }, true
			default:
				return nil, false
			}
		}},
	}
}

func TestChannelsAgree(t *testing.T) {
	for _, h := range holders(t) {
		t.Run(h.name, func(t *testing.T) {
			var held []func()
			for i := range channels {
				release, ok := h.try()
				require.True(t, ok, "channel %d", i)
				held = append(held, release)
			}
			_, ok := h.try()
			require.False(t, ok, "beyond the limit")
			held[0]()
			_, ok = h.try()
			require.True(t, ok, "after a release")
		})
	}
}

// BenchmarkChannels has a trunk without floors, and one where eight campaigns have a floor and the call belongs to one.
func BenchmarkChannels(b *testing.B) {
	plain, c := oneTrunk(b, trunk.Limits{Channels: channels, CPS: -1})
	floors, call := floored(b)
	weighted := semaphore.NewWeighted(channels)
	hull := bulkhead.New[any](channels)
	buffered := make(chan struct{}, channels)
	for _, x := range []struct {
		name string
		way  func(string, func()) side
		set  *trunk.Set
		call *outdial.Call
	}{
		{"serial", serial, plain, nil},
		{"parallel", parallel, plain, nil},
		{"floors_serial", serial, floors, call},
		{"floors_parallel", parallel, floors, call},
	} {
		b.Run(x.name, func(b *testing.B) {
			beside(b,
				x.way(ours, func() {
					l, _, _ := x.set.Acquire(monday, x.call, c)
					x.set.Release(monday, l)
				}),
				x.way("semaphore", func() {
					if weighted.TryAcquire(1) {
						weighted.Release(1)
					}
				}),
				x.way("bulkhead", func() {
					if hull.TryAcquirePermit() {
						hull.ReleasePermit()
					}
				}),
				x.way("channel", func() {
					select {
					case buffered <- struct{}{}:
						<-buffered
					default:
					}
				}),
			)
		})
	}
}

// floored is a Set with one trunk that keeps 5 channels free for each of eight campaigns, and a call of one of them.
func floored(b *testing.B) (*trunk.Set, *outdial.Call) {
	ids := new(outdial.Registry)
	limits := trunk.Limits{Name: "alpha", Channels: channels, CPS: -1}
	for i := range 8 {
		limits.Floors = append(limits.Floors, trunk.Floor{Campaign: fmt.Sprint("campaign ", i), Channels: 5})
	}
	set, err := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{limits}})
	require.NoError(b, err)
	return set, &outdial.Call{Campaign: ids.Campaigns.ID("campaign 3")}
}
