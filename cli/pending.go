package cli

import (
	"cmp"
	"slices"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// pending is the uses that are reserved and that no Started event has told of yet. A state that is saved at a Waterline must
// not contain them: the event that tells of each comes later, or never.
type pending struct {
	uses    map[int32][]window.Instant // by number
	callees map[pendingKey][]*lease    // the newest first
	gates   map[*window.Gate][]window.Instant
}

type pendingKey struct {
	program *program
	key     calleeKey
}

func (g *Governor) pending() pending {
	p := pending{map[int32][]window.Instant{}, map[pendingKey][]*lease{}, map[*window.Gate][]window.Instant{}}
	for i := range g.leases.list {
		x := &g.leases.list[i]
		if !x.held || x.attempt != (outdial.AttemptID{}) {
			continue
		}
		p.uses[x.slot] = append(p.uses[x.slot], x.stamp)
		k := pendingKey{x.program, x.key}
		p.callees[k] = append(p.callees[k], x)
		if b := g.numbers[x.slot].budget(); b != nil && x.budgeted {
			p.gates[b.gate] = append(p.gates[b.gate], x.spent)
		}
		if gate := g.tenants[x.tenant]; gate != nil {
			p.gates[gate] = append(p.gates[gate], x.taken)
		}
	}
	for _, list := range p.callees {
		slices.SortStableFunc(list, func(a, b *lease) int { return cmp.Compare(b.stamp, a.stamp) })
	}
	return p
}

// without returns the uses of a number but those that are pending.
func (p *pending) without(slot int32, u uses) uses {
	stamps := p.uses[slot]
	if len(stamps) == 0 {
		return u
	}
	u.ring = slices.Clone(u.ring)
	for _, at := range stamps {
		u.undo(at)
	}
	return u
}

// forget returns a callee without the uses that are pending.
func (p *pending) forget(of *program, e callee) callee {
	list := p.callees[pendingKey{of, e.key()}]
	if len(list) == 0 {
		return e
	}
	e = slices.Clone(e)
	for _, l := range list {
		e.forget(l)
	}
	return e
}

// encodeOpen writes the uses of attempts that are under way: it may yet turn out that one of them never left.
func (g *Governor) encodeOpen(e *encoder) {
	open := map[outdial.AttemptID]*lease{}
	for id, l := range g.told {
		open[id] = &l
	}
	for i := range g.leases.list {
		if l := &g.leases.list[i]; l.held && l.attempt != (outdial.AttemptID{}) {
			open[l.attempt] = l
		}
	}
	e.n(len(open))
	for id, l := range open {
		e.u64(uint64(id.Call))
		e.u64(uint64(id.Leg))
		e.text(g.ids.Programs.Name(l.program.id))
		e.u64(uint64(g.numbers[l.slot].number))
		e.i64(int64(l.stamp))
		e.u64(uint64(l.key))
		known := outdial.Number(0)
		if l.knew != none {
			known = g.numbers[l.knew].number
		}
		e.u64(uint64(known))
		e.u32(l.called)
		e.u32(uint32(l.call))
		e.u32(uint32(l.former))
		flags := uint8(0)
		if l.counted {
			flags |= 1
		}
		if l.budgeted {
			flags |= 2
		}
		e.u8(flags)
		e.i64(int64(l.spent))
		e.text(g.ids.Tenants.Name(l.tenant))
		e.i64(int64(l.taken))
	}
}

func (g *Governor) decodeOpen(d *decoder) {
	g.told = told{}
	for range d.n(76) {
		id := outdial.AttemptID{Call: outdial.CallID(d.u64()), Leg: uint8(d.u64())}
		l := lease{program: g.program(g.ids.Programs.ID(d.text()))}
		l.slot, l.stamp, l.key = g.known(d), d.instant(), calleeKey(d.u64())&calleeKeyMask
		l.knew, l.called, l.call, l.former = g.known(d), d.u32(), uint16(d.u32()), uint16(d.u32())
		flags := d.u8()
		l.counted, l.budgeted, l.spent = flags&1 != 0, flags&2 != 0, d.instant()
		l.tenant, l.taken = g.ids.Tenants.ID(d.text()), d.instant()
		if d.err != nil {
			return
		}
		if l.slot != none {
			g.told[id] = l
		}
	}
}

// known reads a number, and returns its place, none if there is none.
func (g *Governor) known(d *decoder) int32 {
	if slot, ok := g.slots[outdial.Number(d.u64())]; ok {
		return slot
	}
	return none
}
