package cdr

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/outdial/outdial/internal/durable"
)

// Retention says what to keep. A segment goes when any of the bounds asks for it. Zero = no bound; so the zero
// value keeps everything.
type Retention struct {
	MaxAge      time.Duration // a segment goes when its latest event is older
	MaxSegments int           // at most so many segments, the newest
	MaxBytes    int64         // the newest segments that together have at most so many bytes

	// Through bounds the others: no event behind this sequence number goes, whatever they ask for; 0 = no bound. A host whose packages
	// restore what they know gives outdial.Waterline.Since of the newest snapshots that are on the disk, and removes nothing where that is 0.
	// Journal.Sync before such snapshots are written: after a power cut they must not be ahead of the journal.
	Through uint64
}

// Retained is what Retain removed.
type Retained struct {
	Segments int
	Bytes    int64
	Through  uint64 // the last sequence number that was removed; 0 = nothing was
}

// Retain removes segments that keep does not ask for, oldest first and whole ones only, as of now. The newest
// segment always stays. Nothing else ever removes an event from a journal.
//
// Do not retain less than the oldest snapshot of a package needs: Replay behind it gives ErrGone. What a package folds and
// restores from no snapshot is gone with its events, standing orders too: a quarantine, a hold, a suppression or an override
// from before the oldest event is not in force after the next restart. Give such orders anew, or keep what they are in. A
// Replay that is under way and has not come to a removed segment fails.
func (j *Journal) Retain(now time.Time, keep Retention) (Retained, error) {
	if keep.MaxAge < 0 || keep.MaxSegments < 0 || keep.MaxBytes < 0 {
		return Retained{}, errors.New("cdr: Retention: negative bound")
	}
	j.retaining.Lock()
	defer j.retaining.Unlock()
	j.mu.Lock()
	list, closed := append([]segment(nil), j.segments...), j.closed
	j.mu.Unlock()
	if closed {
		return Retained{}, ErrClosed
	}
	sizes := make([]int64, len(list))
	var total int64
	for i, s := range list {
		info, err := os.Stat(s.path)
		if err != nil {
			return Retained{}, fmt.Errorf("cdr: %w", err)
		}
		sizes[i] = info.Size()
		total += info.Size()
	}
	var out Retained
	var err error
	for i := 0; i < len(list)-1; i++ {
		goes := keep.MaxSegments > 0 && len(list)-i > keep.MaxSegments || keep.MaxBytes > 0 && total > keep.MaxBytes
		if keep.Through > 0 && list[i+1].first-1 > keep.Through {
			break
		}
		if !goes && keep.MaxAge > 0 {
			goes, err = j.aged(list[i], sizes[i], nanos(now.Add(-keep.MaxAge)))
		}
		if err != nil || !goes {
			break
		}
		if err = os.Remove(list[i].path); err != nil {
			err = fmt.Errorf("cdr: %w", err)
			break
		}
		total -= sizes[i]
		out.Segments++
		out.Bytes += sizes[i]
		out.Through = list[i+1].first - 1
	}
	if out.Segments > 0 { // after a power cut no earlier segment may be back where a later one is gone
		err = errors.Join(err, durable.SyncDir(j.cfg.Dir))
	}
	j.mu.Lock()
	j.segments = j.segments[out.Segments:]
	j.mu.Unlock()
	return out, err
}

// aged reports whether all events of a segment are older than limit.
func (j *Journal) aged(s segment, size, limit int64) (bool, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return false, fmt.Errorf("cdr: %w", err)
	}
	defer f.Close()
	if sum, ok := readSummary(f, size); ok {
		return sum.max < limit, nil
	}
	found, err := scan(f, s, size, j.cfg.SkipDamaged)
	return err == nil && found.max < limit, err
}
