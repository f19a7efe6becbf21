package cdr

import (
	"fmt"

	"github.com/outdial/outdial"
)

// Replay implements outdial.Journal: fn gets every event that was in the journal when Replay was called and has a
// Seq greater than after, in order, with Replay set, until fn returns an error, which is passed on as it is. Times
// come back in UTC. With SyncGroup, an event whose fsync has not returned is not in the journal yet. The event and what it points to are valid until fn returns; its texts may be kept.
//
// Others may append meanwhile, fn too. Damage is a *DamageError, or passed over with Config.SkipDamaged; use a
// Reader to have it counted. When events that after asks for were removed by Retain, Replay gives ErrGone before
// the first event; Replay(0, fn) begins with what is there.
func (j *Journal) Replay(after uint64, fn func(*outdial.Event) error) error {
	j.mu.Lock()
	w := walk{
		segs: append([]segment(nil), j.segments...), skip: j.cfg.SkipDamaged, limit: -1, after: after,
		from: earliest, to: latest, decoder: newDecoder(j.cfg.IDs),
	}
	last := j.next - 1
	switch {
	case j.active.file != nil && j.cfg.Sync == SyncGroup:
		last, w.limit = j.group.mark()
	case j.active.file != nil || j.active.size > 0:
		w.limit = j.active.size
	}
	j.mu.Unlock()
	if after >= last {
		return nil
	}
	begins := last + 1
	if len(w.segs) > 0 {
		begins = w.segs[0].first
	}
	if after > 0 && after+1 < begins {
		return fmt.Errorf("%w: sequence %d is asked for, the journal begins with %d", ErrGone, after+1, begins)
	}
	var stopped error
	err := w.events(func(ev *outdial.Event) bool {
		stopped = fn(ev)
		return stopped == nil
	})
	if stopped != nil {
		return stopped
	}
	return err
}
