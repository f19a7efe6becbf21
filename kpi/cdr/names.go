package cdr

import (
	"encoding/binary"
	"fmt"

	"github.com/outdial/outdial"
)

// idKind tells the shared ids apart in a segment; the numbers are part of the format.
type idKind uint8

const (
	idTrunk idKind = iota + 1
	idCarrier
	idPool
	idProgram
	idCampaign
	idTenant
	idGroup
	idDayPart
	idNetwork
	idTag
	idKinds // one more than the last
)

const (
	maxID   = 1 << 20 // bounds what a damaged or hostile segment can make a reader allocate
	maxName = 4096
)

// String returns the kind in one word.
func (k idKind) String() string {
	names := [...]string{"", "trunk", "carrier", "pool", "program", "campaign", "tenant", "group", "daypart", "network", "tag"}
	if int(k) < len(names) {
		return names[k]
	}
	return "invalid"
}

// nameOf is the name of an id in the process's own registry, "" when it has none.
func nameOf(r *outdial.Registry, k idKind, id uint32) string {
	switch k {
	case idTrunk:
		return r.Trunks.Name(outdial.TrunkID(id))
	case idCarrier:
		return r.Carriers.Name(outdial.CarrierID(id))
	case idPool:
		return r.Pools.Name(outdial.PoolID(id))
	case idProgram:
		return r.Programs.Name(outdial.ProgramID(id))
	case idCampaign:
		return r.Campaigns.Name(outdial.CampaignID(id))
	case idTenant:
		return r.Tenants.Name(outdial.TenantID(id))
	case idGroup:
		return r.Groups.Name(outdial.GroupID(id))
	case idDayPart:
		return r.DayParts.Name(outdial.DayPartID(id))
	case idNetwork:
		return r.Networks.Name(outdial.NetworkID(id))
	case idTag:
		return r.Tags.Name(outdial.TagID(id))
	}
	return ""
}

// idOf is the id of a name in the process's own registry, issued where there is none yet.
func idOf(r *outdial.Registry, k idKind, name string) uint32 {
	switch k {
	case idTrunk:
		return uint32(r.Trunks.ID(name))
	case idCarrier:
		return uint32(r.Carriers.ID(name))
	case idPool:
		return uint32(r.Pools.ID(name))
	case idProgram:
		return uint32(r.Programs.ID(name))
	case idCampaign:
		return uint32(r.Campaigns.ID(name))
	case idTenant:
		return uint32(r.Tenants.ID(name))
	case idGroup:
		return uint32(r.Groups.ID(name))
	case idDayPart:
		return uint32(r.DayParts.ID(name))
	case idNetwork:
		return uint32(r.Networks.ID(name))
	case idTag:
		return uint32(r.Tags.ID(name))
	}
	return 0
}

// ref is a use of an id in a record.
type ref struct {
	kind idKind
	id   uint32
}

// dictionary is the writer's side: which ids the segment explains already.
type dictionary struct {
	ids   *outdial.Registry
	known [idKinds][]uint8 // by id
	fresh []ref            // explained by the record being written
}

const (
	unexplained = iota
	named
	unnamed // no name in the registry when it was written; asked again at each use
)

// reset begins a segment: nothing is explained.
func (d *dictionary) reset() {
	for k := range d.known {
		clear(d.known[k])
	}
	d.fresh = d.fresh[:0]
}

// missing reports whether any of refs needs explaining. It is the only part that every Append pays for.
func (d *dictionary) missing(refs []ref) bool {
	for _, r := range refs {
		if known := d.known[r.kind]; int(r.id) >= len(known) || known[r.id] != named {
			return true
		}
	}
	return false
}

// appendNames appends a names record that explains those of refs that need it, or nothing.
func (d *dictionary) appendNames(dst []byte, refs []ref, seq uint64) []byte {
	d.fresh = d.fresh[:0]
	start := len(dst)
	for _, r := range refs {
		for int(r.id) >= len(d.known[r.kind]) {
			d.known[r.kind] = append(d.known[r.kind], make([]uint8, max(64, int(r.id)+1-len(d.known[r.kind])))...)
		}
		state := &d.known[r.kind][r.id]
		if *state == named {
			continue
		}
		name := nameOf(d.ids, r.kind, r.id)
		if name == "" && *state == unnamed {
			continue
		}
		if len(d.fresh) == 0 {
			dst = append(dst, make([]byte, recordHead)...)
		}
		*state = named
		if name == "" {
			*state = unnamed
		}
		d.fresh = append(d.fresh, r)
		dst = append(dst, byte(r.kind))
		dst = binary.AppendUvarint(dst, uint64(r.id))
		dst = binary.AppendUvarint(dst, uint64(len(name)))
		dst = append(dst, name...)
	}
	if len(d.fresh) > 0 {
		seal(dst[start:], seq, kindNames)
	}
	return dst
}

// forget takes back what appendNames noted, because its record was not written.
func (d *dictionary) forget() {
	for _, r := range d.fresh {
		d.known[r.kind][r.id] = unexplained
	}
	d.fresh = d.fresh[:0]
}

// check reports what about refs cannot be journalled.
func (d *dictionary) check(refs []ref) error {
	for _, r := range refs {
		if r.id > maxID {
			return fmt.Errorf("cdr: %s id %d: more than %d", r.kind, r.id, maxID)
		}
		if n := len(nameOf(d.ids, r.kind, r.id)); n > maxName {
			return fmt.Errorf("cdr: %s id %d: its name has %d bytes, more than %d", r.kind, r.id, n, maxName)
		}
	}
	return nil
}

// glossary is the reader's side: the segment's ids in terms of the reader's own registry.
type glossary struct {
	ids *outdial.Registry
	own [idKinds][]uint32 // by the segment's id; 0 = not explained
}

func (g *glossary) reset() {
	for k := range g.own {
		clear(g.own[k])
	}
}

// learn reads the body of a names record.
func (g *glossary) learn(body []byte) (problem string) {
	for len(body) > 0 {
		kind := idKind(body[0])
		id, n := binary.Uvarint(body[1:])
		if n <= 0 || id == 0 || id > maxID {
			return "names record: bad id"
		}
		body = body[1+n:]
		size, n := binary.Uvarint(body)
		if n <= 0 || size > maxName || size > uint64(len(body)-n) {
			return "names record: bad length of a name"
		}
		name := string(body[n : n+int(size)])
		body = body[n+int(size):]
		if kind == 0 || kind >= idKinds {
			continue // a kind of id that a newer minor version knows
		}
		for int(id) >= len(g.own[kind]) {
			g.own[kind] = append(g.own[kind], make([]uint32, max(64, int(id)+1-len(g.own[kind])))...)
		}
		own := uint32(id)
		if name != "" {
			own = idOf(g.ids, kind, name)
		}
		g.own[kind][id] = own
	}
	return ""
}

// lookup returns the reader's id for the segment's.
func (g *glossary) lookup(k idKind, id uint64) (uint32, bool) {
	if id == 0 {
		return 0, true
	}
	if own := g.own[k]; id < uint64(len(own)) && own[id] != 0 {
		return own[id], true
	}
	return 0, false
}
