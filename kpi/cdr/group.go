package cdr

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"sync"
)

// group lets writers that wait for an fsync share one: the first to come calls it for all that have been written
// by then, the others wait; who is not covered calls the next one.
type group struct {
	mu      sync.Mutex
	done    sync.Cond // an fsync has ended
	busy    bool      // a leader is at it
	durable uint64    // sequence up to which events are known to be on the disk
}

func (g *group) init() { g.done.L = &g.mu }

// reached notes that everything up to seq is on the disk.
func (g *group) reached(seq uint64) {
	g.mu.Lock()
	g.durable = max(g.durable, seq)
	g.mu.Unlock()
	g.done.Broadcast()
}

// lead waits until seq is durable or nobody is at it: then the caller is the leader and must call follow.
func (g *group) lead(seq uint64) (leader bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.durable < seq {
		if !g.busy {
			g.busy = true
			return true
		}
		g.done.Wait()
	}
	return false
}

// follow lets the next leader begin.
func (g *group) follow() {
	g.mu.Lock()
	g.busy = false
	g.mu.Unlock()
	g.done.Broadcast()
}

// Sync returns when all events appended so far are on the disk.
func (j *Journal) Sync() error { return j.wait(j.LastSeq()) }

// wait returns when event seq is on the disk. The lock is not held over an fsync, so that others can append.
func (j *Journal) wait(seq uint64) error {
	if !j.group.lead(seq) {
		return nil
	}
	defer j.group.follow()
	j.gather()
	for {
		j.mu.Lock()
		f, last, behind, failed := j.active.file, j.next-1, j.behind, j.failed
		j.behind = nil
		j.stats.Syncs += uint64(len(behind))
		if f != nil {
			j.stats.Syncs++
		}
		j.mu.Unlock()
		if failed != nil {
			return failed
		}
		err := j.syncBehind(behind)
		if err == nil && f != nil {
			err = f.Sync()
			if errors.Is(err, os.ErrClosed) {
				continue // finished in the meantime: it stands among those behind now
			}
		}
		if err != nil {
			return j.fail(fmt.Errorf("fsync: %w", err))
		}
		j.group.reached(last)
		return nil
	}
}

// gather lets those whom the last fsync released write their next events, so that this one covers them too: without
// it the writers fall into two groups that take turns. It yields a few times at most, and only while events come.
func (j *Journal) gather() {
	const rounds = 16
	last := j.LastSeq()
	for range rounds {
		runtime.Gosched()
		now := j.LastSeq()
		if now == last {
			return
		}
		last = now
	}
}

// syncBehind makes segments durable that were finished without an fsync. One that is gone was removed by Retain.
func (j *Journal) syncBehind(paths []string) error {
	for _, path := range paths {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = errors.Join(f.Sync(), f.Close())
		}
		if err != nil {
			return err
		}
	}
	if j.cfg.Sync == SyncNone {
		return syncDir(j.cfg.Dir) // with SyncGroup this was done when the segment began
	}
	return nil
}

// fail refuses all further appends because of err.
func (j *Journal) fail(err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed == nil {
		j.failed = fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return j.failed
}
