package crew

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// members is how many goroutines wait for a task.
func (c *Crew[K]) members() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.idle)
}

// Tasks that come one after another are run by one goroutine, with one kit.
func TestAMemberStaysForTheNextTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Crew[int]
		for i := range 100 {
			c.Go(func(kit *int) {
				require.Equal(t, i, *kit)
				*kit++
			})
			synctest.Wait()
		}
		require.Equal(t, 1, c.members())
		c.Close()
	})
}

// The stack that a member's first tasks have grown is still there after collections of garbage: what stands in it has not moved.
func TestTheStackStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Crew[struct{}]
		defer c.Close()
		at := func() (where uintptr) {
			c.Go(func(*struct{}) {
				var here byte
				deep(20)
				where = uintptr(unsafe.Pointer(&here))
			})
			synctest.Wait()
			return where
		}
		at()
		before := at()
		for range 4 {
			runtime.GC()
		}
		require.Equal(t, before, at())
	})
}

// Each task runs, once, however many come at the same time, and whoever is closed meanwhile.
func TestEveryTaskRuns(t *testing.T) {
	var c Crew[struct{}]
	var ran atomic.Int64
	var all, callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 2000 {
				all.Add(1)
				c.Go(func(*struct{}) {
					ran.Add(1)
					all.Done()
				})
			}
		})
	}
	for ran.Load() < 8000 {
		runtime.Gosched()
	}
	c.Close()
	callers.Wait()
	all.Wait()
	require.EqualValues(t, 16000, ran.Load())
	require.Zero(t, c.members())
}

// A burst is over: nobody is left after two looks (the bubble fails where a goroutine is). Under a load that goes on, those stay who are needed.
func TestTheIdleLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Crew[struct{}]
		burst := func(n int) {
			for range n {
				c.Go(func(*struct{}) { time.Sleep(time.Millisecond) })
			}
			time.Sleep(2 * time.Millisecond)
		}
		burst(2 * Most)
		synctest.Wait()
		require.Equal(t, Most, c.members())
		for end := time.Now().Add(3 * keep); time.Now().Before(end); time.Sleep(keep / 10) {
			burst(7)
		}
		require.Equal(t, 7, c.members())
		time.Sleep(2 * keep)
		synctest.Wait()
		require.Zero(t, c.members())
		burst(3)
		require.Equal(t, 3, c.members())
		time.Sleep(2*keep + time.Millisecond)
		synctest.Wait()
		require.Zero(t, c.members(), "it looks again")
	})
}

// Who is at work when the crew is closed finishes, and leaves; tasks that come later run too.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Crew[struct{}]
		done := 0
		c.Go(func(*struct{}) { time.Sleep(time.Second); done++ })
		c.Close()
		time.Sleep(2 * time.Second)
		c.Go(func(*struct{}) { done++ })
		synctest.Wait()
		require.Equal(t, 2, done)
		require.Zero(t, c.members())
		c.Close()
	})
}
