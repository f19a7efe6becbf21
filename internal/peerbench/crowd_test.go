package peerbench

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/outdial/outdial/trunk"
)

// The crowd: goroutines that ask as fast as they can for the length of a trial, each by its own reading of the clock.
const (
	crowd    = 256
	crowdCPS = 10_000
	trial    = 1300 * time.Millisecond
)

// admission is a call that was let go at some time between asked and told.
type admission struct{ asked, told time.Duration }

// rush lets the crowd at a limiter and returns what it admitted.
func rush(allow func(now time.Time) bool) []admission {
	lists := make([][]admission, crowd)
	start := time.Now()
	var all sync.WaitGroup
	for g := range lists {
		all.Go(func() {
			for {
				now := time.Now()
				if now.Sub(start) > trial {
					return
				}
				if allow(now) {
					lists[g] = append(lists[g], admission{now.Sub(start), time.Since(start)})
				}
			}
		})
	}
	all.Wait()
	return slices.Concat(lists...)
}

// worst returns the most admissions that certainly fell into one half-open second: those asked for and told of within
// it. When a goroutine was held up in between nobody can say when its call was let go, so it counts for neither side.
func worst(list []admission) int {
	asked, told := make([]time.Duration, len(list)), make([]time.Duration, len(list))
	var long []admission
	for i, a := range list {
		asked[i], told[i] = a.asked, a.told
		if a.told-a.asked >= time.Second {
			long = append(long, a)
		}
	}
	slices.Sort(asked)
	slices.Sort(told)
	most := 0
	for _, from := range asked {
		to := from + time.Second
		before, _ := slices.BinarySearch(asked, from)
		until, _ := slices.BinarySearch(told, to)
		n := until - before
		for _, a := range long { // subtracted by asked, though never added by told
			if a.asked < from && a.told >= to {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func TestWorst(t *testing.T) {
	ms := func(asked, told time.Duration) admission {
		return admission{asked * time.Millisecond, told * time.Millisecond}
	}
	require.Zero(t, worst(nil))
	require.Equal(t, 2, worst([]admission{ms(0, 0), ms(999, 999), ms(1000, 1000)}))
	require.Equal(t, 2, worst([]admission{ms(0, 0), ms(1, 1), ms(2, 1002)}), "held up")
	require.Equal(t, 1, worst([]admission{ms(0, 5000), ms(1, 1), ms(2, 3000)}))
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		list := make([]admission, r.IntN(50))
		for i := range list {
			asked := time.Duration(r.IntN(3000))
			list[i] = ms(asked, asked+time.Duration(r.IntN(20)*r.IntN(100)))
		}
		most := 0
		for _, first := range list {
			n := 0
			for _, a := range list {
				if a.asked >= first.asked && a.told < first.asked+time.Second {
					n++
				}
			}
			most = max(most, n)
		}
		require.Equal(t, most, worst(list), list)
	}
}

func crowdedTrunk(t testing.TB) func(time.Time) bool {
	set, c := oneTrunk(t, trunk.Limits{Channels: channels, CPS: crowdCPS})
	return func(now time.Time) bool {
		_, err := set.Seize(now, nil, c, 0)
		return err == nil
	}
}

func TestCrowdIsHeld(t *testing.T) {
	list := rush(crowdedTrunk(t))
	require.LessOrEqual(t, worst(list), crowdCPS)
	require.Greater(t, len(list), crowdCPS/2, "the crowd did not reach the limit")
}

// BenchmarkCrowd counts what is admitted beyond what the limiter promises: a trunk its limit in any second, a token
// bucket its limit and its burst.
func BenchmarkCrowd(b *testing.B) {
	count := func(name string, promise int, limiter func() func(time.Time) bool) side {
		return side{name, func(b *testing.B) {
			most := 0
			for b.Loop() {
				most = max(most, worst(rush(limiter())))
			}
			b.ReportMetric(float64(most), "worst-second")
			b.ReportMetric(100*float64(max(0, most-promise))/crowdCPS, "over-%")
		}}
	}
	for _, burst := range []int{100, crowdCPS} {
		b.Run(fmt.Sprintf("burst_%d", burst), func(b *testing.B) {
			beside(b,
				count(ours, crowdCPS, func() func(time.Time) bool { return crowdedTrunk(b) }),
				count("time_rate", crowdCPS+burst, func() func(time.Time) bool {
					bucket := rate.NewLimiter(crowdCPS, burst)
					return func(now time.Time) bool { return bucket.AllowN(now, 1) }
				}),
			)
		})
	}
}
