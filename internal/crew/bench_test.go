package crew

import (
	"sync"
	"testing"
)

// deep takes some stack, as the handling of a message does.
//
//go:noinline
func deep(n int) int {
	var room [256]byte
	if n == 0 {
		return int(room[0])
	}
	room[n] = 1
	return deep(n-1) + int(room[n])
}

func BenchmarkGo(b *testing.B) {
	var wg sync.WaitGroup
	task := func(*struct{}) {
		deep(40)
		wg.Done()
	}
	b.Run("go", func(b *testing.B) {
		for b.Loop() {
			wg.Add(1)
			go task(nil)
			wg.Wait()
		}
	})
	b.Run("crew", func(b *testing.B) {
		var c Crew[struct{}]
		defer c.Close()
		for b.Loop() {
			wg.Add(1)
			c.Go(task)
			wg.Wait()
		}
	})
}
