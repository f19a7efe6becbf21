package trunk

import (
	"iter"

	"github.com/outdial/outdial"
)

// Blocked counts refusals by reason, ever. A call that waits in the queue is not refused while it waits.
type Blocked struct {
	Channels    uint64
	CPS         uint64
	Floor       uint64
	Reservation uint64
	Quota       uint64
	Burst       uint64 // ErrBurstBudget
	Learned     uint64
	Canary      uint64
	Share       uint64
	Staged      uint64
	Draining    uint64
	Out         uint64
}

// All yields the reasons that occurred, by the code of their refusal, and how often they did.
func (b *Blocked) All() iter.Seq2[string, uint64] {
	return func(yield func(string, uint64) bool) {
		for _, r := range []*outdial.Refusal{
			ErrChannels, ErrCPS, ErrFloor, ErrReservation, ErrQuota, ErrBurstBudget, ErrLearned, ErrCanary, ErrShare,
			ErrStaged, ErrDraining, ErrOut,
		} {
			if n := *b.of(r); n > 0 && !yield(r.Code(), n) {
				return
			}
		}
	}
}

// Room is how many were refused for want of room: all, but for those that the state of the trunk refused.
func (b *Blocked) Room() (n uint64) {
	for _, k := range b.All() {
		n += k
	}
	return n - b.Staged - b.Draining - b.Out
}

// of is the counter of a refusal.
func (b *Blocked) of(r *outdial.Refusal) *uint64 {
	switch r {
	case ErrCPS:
		return &b.CPS
	case ErrFloor:
		return &b.Floor
	case ErrReservation:
		return &b.Reservation
	case ErrQuota:
		return &b.Quota
	case ErrBurstBudget:
		return &b.Burst
	case ErrLearned:
		return &b.Learned
	case ErrCanary:
		return &b.Canary
	case ErrShare:
		return &b.Share
	case ErrStaged:
		return &b.Staged
	case ErrDraining:
		return &b.Draining
	case ErrOut:
		return &b.Out
	}
	return &b.Channels
}
