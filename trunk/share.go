package trunk

import (
	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// Floors of a trunk at a time, and places for what they use: those of former floors whose calls are up are needed too.
const (
	maxFloors = 1 << (shareBits - 1)
	maxShares = 1 << shareBits // with that of calls without a floor
)

// share is what the campaign or program of one floor uses. Its place in line.shares is kept while it is used.
type share struct {
	owner
	floor int32
	used  int32
}

// tenant is what one tenant uses, by its id in line.tenants.
type tenant struct {
	used int
	gate *window.Gate // nil = it has no quota of calls per second
}

// classes says which share a call counts for. They are immutable, and read without the lock.
type classes struct {
	byCampaign []uint16 // index in line.shares by id; 0 = none
	byProgram  []uint16
}

// shareOf returns the index of the share that a call counts for; 0 = it has no floor.
func (t *line) shareOf(call *outdial.Call) uint16 {
	c := t.classes.Load()
	if c == nil || call == nil {
		return 0
	}
	if id := int(call.Campaign); id < len(c.byCampaign) && c.byCampaign[id] != 0 {
		return c.byCampaign[id]
	}
	if id := int(call.Program); id < len(c.byProgram) {
		return c.byProgram[id]
	}
	return 0
}

// recount counts the shares anew, when the guard has just gone up.
func (t *line) recount() {
	if len(t.shares) == 1 {
		return
	}
	t.spare = 0
	for k := range t.shares {
		t.shares[k].used = 0
		t.spare += int(t.shares[k].floor)
	}
	t.slots.held(func(i int32, _ uint32, share uint16) {
		t.slots.info[i].share = share
		t.enter(share)
	})
}

// recountOne corrects the share of a channel that was taken while the guard went up.
func (t *line) recountOne(l outdial.Lease) {
	t.lock()
	if i := slotOf(l); t.slots.valid(l) {
		p, k := &t.slots.info[i], shareIn(t.slots.cell(i).Load())
		t.exit(p.share)
		t.enter(k)
		p.share = k
	}
	t.unlock()
}

// enter counts a channel for a share.
func (t *line) enter(k uint16) {
	if k == 0 {
		return
	}
	s := &t.shares[k]
	if s.used < s.floor {
		t.spare--
	}
	s.used++
}

// exit takes back what enter counted.
func (t *line) exit(k uint16) {
	if k == 0 {
		return
	}
	s := &t.shares[k]
	s.used--
	if s.used < s.floor {
		t.spare++
	}
}

// owner is whose floor it is.
type owner struct {
	campaign outdial.CampaignID
	program  outdial.ProgramID
}

func ownerOf(f Floor, ids *outdial.Registry) owner {
	return owner{ids.Campaigns.ID(f.Campaign), ids.Programs.ID(f.Program)}
}

// hasRoom reports whether all floors of l find a place beside those former ones that are used.
func (t *line) hasRoom(l *Limits) bool {
	used := 0
	for _, s := range t.shares[1:] {
		if s.used > 0 {
			used++
		}
	}
	return 1+used+len(l.Floors) <= maxShares
}

// place gives every floor of l its place among the shares of the trunk: the one that it has, or one that nobody uses.
func (t *line) place(l *Limits, ids *outdial.Registry, now *terms) {
	c := &classes{}
	places := make(map[owner]int, len(t.shares))
	for k, s := range t.shares[1:] {
		places[s.owner] = k + 1
	}
	kept := make(map[owner]bool, len(l.Floors))
	for _, f := range l.Floors {
		kept[ownerOf(f, ids)] = true
	}
	now.floors = make([]int, len(t.shares), len(t.shares)+len(l.Floors))
	next := 1 // places before it are taken
	for _, f := range l.Floors {
		want := ownerOf(f, ids)
		k := places[want]
		if k == 0 {
			for next < len(t.shares) && (t.shares[next].used > 0 || kept[t.shares[next].owner]) {
				next++
			}
			if k = next; k == len(t.shares) {
				t.shares = append(t.shares, share{})
				now.floors = append(now.floors, 0)
			}
			t.shares[k] = share{owner: want}
		}
		now.floors[k] = f.Channels
		now.guaranteed += f.Channels
		if f.Campaign != "" {
			c.byCampaign = put(c.byCampaign, int(want.campaign), uint16(k))
		} else {
			c.byProgram = put(c.byProgram, int(want.program), uint16(k))
		}
	}
	if len(l.Floors) == 0 {
		c = nil
	}
	t.classes.Store(c)
}

func put(list []uint16, i int, k uint16) []uint16 {
	for i >= len(list) {
		list = append(list, 0)
	}
	list[i] = k
	return list
}

// quota is the quota of a tenant, and whether it has one.
func (t *terms) quota(id outdial.TenantID) (Quota, bool) {
	if id == 0 || t.quotas == nil {
		return Quota{}, false
	}
	q, ok := t.quotas[id]
	if !ok {
		q, ok = t.quotas[0]
	}
	return q, ok
}
