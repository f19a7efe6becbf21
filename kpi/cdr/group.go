package cdr

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"sync"

	"github.com/outdial/outdial/internal/durable"
)

// group lets writers that wait for an fsync share one: the first to come calls it for all that have been written
// by then, the others wait; who is not covered calls the next one.
type group struct {
	mu      sync.Mutex
	done    sync.Cond // an fsync has ended
	busy    bool      // a leader is at it
	durable uint64    // sequence up to which events are known to be on the disk
	size    int64     // where the last of them ends in the active segment; 0 = before it

	disk   sync.Mutex // held over an fsync of the active segment; taken under Journal.mu, and before mu
	broken error      // why no fsync will be tried any more; guarded by disk
}

func (g *group) init() { g.done.L = &g.mu }

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

// sync makes what stands in f up to event seq, which ends at size, durable and notes it. One fsync runs at a time and
// none after one failed, because the kernel tells of a lost page only once: who came next would take it for written.
// A nil f was finished and synced before. os.ErrClosed says that f was finished in the meantime.
func (g *group) sync(f file, seq uint64, size int64) error {
	g.disk.Lock()
	defer g.disk.Unlock()
	if g.broken != nil {
		return g.broken
	}
	if f != nil {
		if err := f.Sync(); errors.Is(err, os.ErrClosed) {
			return err
		} else if err != nil {
			g.broken = fmt.Errorf("fsync: %w", err)
			return g.broken
		}
	}
	g.mu.Lock()
	if seq > g.durable {
		g.durable, g.size = seq, size
	}
	g.mu.Unlock()
	g.done.Broadcast()
	return nil
}

// fail lets every later sync fail.
func (g *group) fail(err error) {
	g.disk.Lock()
	defer g.disk.Unlock()
	if g.broken == nil {
		g.broken = fmt.Errorf("fsync: %w", err)
	}
}

// mark returns the last event that is on the disk, and where it ends in the active segment.
func (g *group) mark() (seq uint64, size int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.durable, g.size
}

// begin notes that a new segment is the active one.
func (g *group) begin() {
	g.mu.Lock()
	g.size = 0
	g.mu.Unlock()
}

// Sync returns when all events appended so far are on the disk.
func (j *Journal) Sync() error {
	j.mu.Lock()
	last, failed := j.next-1, j.failed
	j.mu.Unlock()
	if failed != nil {
		return failed
	}
	return j.wait(last)
}

// wait returns when event seq is on the disk. The lock is not held over its fsync, so that others can append.
func (j *Journal) wait(seq uint64) error {
	if !j.group.lead(seq) {
		return nil
	}
	defer j.group.follow()
	j.gather()
	for {
		j.mu.Lock()
		f, last, size, behind := j.active.file, j.next-1, j.active.size, j.behind
		j.behind = nil
		j.stats.Syncs += uint64(len(behind))
		if f != nil {
			j.stats.Syncs++
		}
		j.mu.Unlock()
		if err := j.syncBehind(behind); err != nil {
			j.group.fail(err)
		}
		err := j.group.sync(f, last, size)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, os.ErrClosed):
			continue // it stands among those behind now, or was synced at its end
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		return j.lost(err)
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
		return durable.SyncDir(j.cfg.Dir) // with SyncGroup this was done when the segment began
	}
	return nil
}

// lost refuses all further appends, because an fsync failed with err; the caller holds the lock. Where Append waits for
// an fsync, those that wait get an error too: their events are taken back, so that no replay shows them.
func (j *Journal) lost(err error) error {
	seq, size := j.group.mark()
	if refused := j.next - 1 - seq; refused > 0 && j.cfg.Sync == SyncGroup && j.active.file != nil {
		j.next, j.active.size = seq+1, size
		j.stats.Events -= refused
		j.stats.Failures += refused
		j.stats.Syncs++
		err = errors.Join(err, j.active.file.Truncate(size), j.active.file.Sync())
	}
	if j.failed == nil {
		j.failed = fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return j.failed
}
