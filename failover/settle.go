package failover

import "github.com/outdial/outdial"

// settle brings sick up to date after targets of the trunk, of group g, or the hold may have changed.
func (b *board) settle(g outdial.GroupID) {
	was := b.sick.Load()
	b.settleTime(g)
	if was != 0 || b.sick.Load() != 0 {
		b.shown.epoch.Add(1)
	}
}

// settleTime is settle after time alone may have changed something.
func (b *board) settleTime(g outdial.GroupID) {
	b.note(b.held || b.ping.down || b.gate.watched(), &b.heldNoted)
	b.noteTarget(&b.whole)
	if t := b.group(g); t != nil {
		b.noteTarget(t)
	}
}

// settleAll is settle for all groups.
func (b *board) settleAll() {
	b.settle(0)
	for t := range b.groups.all() {
		b.noteTarget(t)
	}
}

// noteTarget counts a target that is not simply up, and keeps its incident when it is closed.
func (b *board) noteTarget(t *target) {
	b.keepIncident(t)
	b.note(!t.simple(), &t.noted)
}

func (b *board) note(sick bool, noted *bool) {
	if sick == *noted {
		return
	}
	*noted = sick
	change := int32(1)
	if !sick {
		change = -1
	}
	b.sick.Add(change)
	b.shown.sick.Add(int64(change))
	b.shown.epoch.Add(1)
}
