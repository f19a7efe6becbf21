package kpi

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/outdial/outdial"
)

// View is a set of dimensions: a meter keeps one cell for each combination of their values. The zero value is Total.
type View uint16

// Dimensions of an attempt. Combine them with |.
const (
	ByTrunk View = 1 << iota
	ByCarrier
	ByGroup // destination group
	ByPool  // caller-ID pool: of the presented number, else of the candidate
	ByProgram
	ByCampaign
	ByDayPart // callee-local
	ByTenant

	// Total is the view without a dimension: one cell for everything.
	Total View = 0

	allDimensions = ByTenant<<1 - 1
	perLeg        = ByTrunk | ByCarrier | ByPool // dimensions in which the legs of one call may differ
)

var dimensionNames = [...]string{"trunk", "carrier", "group", "pool", "program", "campaign", "day_part", "tenant"}

// DefaultViews returns the views that a meter keeps when none are configured: total; trunk; trunk and group; pool;
// program.
func DefaultViews() []View {
	return []View{Total, ByTrunk, ByTrunk | ByGroup, ByPool, ByProgram}
}

// String returns the dimensions joined by "+", for example "trunk+group", or "total".
func (v View) String() string {
	if v == Total {
		return "total"
	}
	var names []string
	for i, n := range dimensionNames {
		if v&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return strings.Join(names, "+")
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (v View) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler: the form of String, in any order of the dimensions.
func (v *View) UnmarshalText(text []byte) error {
	if string(text) == "total" {
		*v = Total
		return nil
	}
	var out View
next:
	for part := range strings.SplitSeq(string(text), "+") {
		for i, n := range dimensionNames {
			if n == part {
				out |= 1 << i
				continue next
			}
		}
		return fmt.Errorf("kpi: view %q: no dimension %q", text, part)
	}
	*v = out
	return nil
}

// Key returns the cell of the view that an attempt is counted in, while the meter has room for it.
func (v View) Key(a *outdial.Attempt) Key { return idsOf(a).in(v).key() }

// Key names a cell: the view, and a value for each of its dimensions; the others are zero. A Key is comparable.
type Key struct {
	View     View
	Other    bool // the cell that takes what has no cell of its own, for want of room
	Trunk    outdial.TrunkID
	Carrier  outdial.CarrierID
	Group    outdial.GroupID
	Pool     outdial.PoolID
	Program  outdial.ProgramID
	Campaign outdial.CampaignID
	DayPart  outdial.DayPartID
	Tenant   outdial.TenantID
}

// compare orders the keys of one view: by the dimensions in the order of their bits, Other last.
func (k Key) compare(o Key) int {
	if k.Other != o.Other {
		if o.Other {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(k.Trunk, o.Trunk), cmp.Compare(k.Carrier, o.Carrier), cmp.Compare(k.Group, o.Group),
		cmp.Compare(k.Pool, o.Pool), cmp.Compare(k.Program, o.Program), cmp.Compare(k.Campaign, o.Campaign),
		cmp.Compare(k.DayPart, o.DayPart), cmp.Compare(k.Tenant, o.Tenant))
}

// ids holds the values of all dimensions, two in a word, in the order of dimensionNames.
type ids [4]uint64

// packed is a Key in the form that is hashed and compared: the ids that its view keeps, and the view, with the bit
// otherCell for Other.
type packed struct {
	ids ids
	tag uint64
}

const otherCell = 1 << 16

// equal compares word by word: most keys differ in the first one, and the compiler would call out for the whole.
func (p *packed) equal(o *packed) bool {
	return p.ids[0] == o.ids[0] && p.ids[1] == o.ids[1] && p.tag == o.tag && p.ids[2] == o.ids[2] && p.ids[3] == o.ids[3]
}

func (p *packed) view() View { return View(p.tag) }

func idsOf(a *outdial.Attempt) ids {
	pool := a.Pool
	if pool == 0 {
		pool = a.Candidate.Pool
	}
	return ids{
		uint64(a.Candidate.Trunk) | uint64(a.Candidate.Carrier)<<32,
		uint64(a.Call.Dest.Group) | uint64(pool)<<32,
		uint64(a.Call.Program) | uint64(a.Call.Campaign)<<32,
		uint64(a.Call.Dest.DayPart) | uint64(a.Call.Tenant)<<32,
	}
}

// in keeps the dimensions of v.
func (d ids) in(v View) packed { return packed{ids: d.and(v.mask()), tag: uint64(v)} }

func (d ids) and(mask ids) ids {
	return ids{d[0] & mask[0], d[1] & mask[1], d[2] & mask[2], d[3] & mask[3]}
}

// mask has all bits set of the dimensions of v.
func (v View) mask() (m ids) {
	for i := range dimensionNames {
		if v&(1<<i) != 0 {
			m[i/2] |= 0xffffffff << (32 * (i % 2))
		}
	}
	return m
}

func (p packed) key() Key {
	lo := func(i int) uint32 { return uint32(p.ids[i]) }
	hi := func(i int) uint32 { return uint32(p.ids[i] >> 32) }
	return Key{
		View: p.view(), Other: p.tag&otherCell != 0,
		Trunk: outdial.TrunkID(lo(0)), Carrier: outdial.CarrierID(hi(0)),
		Group: outdial.GroupID(lo(1)), Pool: outdial.PoolID(hi(1)),
		Program: outdial.ProgramID(lo(2)), Campaign: outdial.CampaignID(hi(2)),
		DayPart: outdial.DayPartID(lo(3)), Tenant: outdial.TenantID(hi(3)),
	}
}

func (k Key) packed() packed {
	p := packed{tag: uint64(k.View), ids: ids{
		uint64(k.Trunk) | uint64(k.Carrier)<<32,
		uint64(k.Group) | uint64(k.Pool)<<32,
		uint64(k.Program) | uint64(k.Campaign)<<32,
		uint64(k.DayPart) | uint64(k.Tenant)<<32,
	}}
	p.ids = p.ids.and(k.View.mask())
	if k.Other {
		p = packed{tag: uint64(k.View) | otherCell}
	}
	return p
}
