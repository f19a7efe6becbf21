package kpi

import (
	"cmp"

	"github.com/outdial/outdial"
)

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
	Network  outdial.NetworkID
	Country  [2]byte        // ISO 3166-1 alpha-2
	Region   RegionID       // of the meter: Meter.Region names it
	Block    outdial.Prefix // the callee's number without its last digits
	CLI      outdial.Number
}

// RegionID numbers the regions of one meter's Config.Regions; 0 = none.
type RegionID uint16

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
		cmp.Compare(k.DayPart, o.DayPart), cmp.Compare(k.Tenant, o.Tenant), cmp.Compare(k.Network, o.Network),
		cmp.Compare(string(k.Country[:]), string(o.Country[:])), cmp.Compare(k.Region, o.Region),
		cmp.Compare(k.Block, o.Block), cmp.Compare(k.CLI, o.CLI))
}

// ids holds the values of all dimensions. Ids from a registry get 21 bits each: more than two million names of a kind
// are not told apart.
type ids [6]uint64

// packed is a Key in the form that is hashed and compared: the ids that its view keeps, and in the fourth word the view,
// with a bit for Other.
type packed struct{ ids ids }

// Where each dimension stands in ids: the word, the lowest bit and the number of bits.
var dimensionAt = [len(dimensionNames)]struct{ word, shift, width uint8 }{
	{0, 0, 21}, {0, 21, 21}, {1, 0, 21}, {0, 42, 21}, // trunk, carrier, group, pool
	{2, 0, 21}, {2, 21, 21}, {3, 0, 16}, {2, 42, 21}, // program, campaign, day-part, tenant
	{1, 21, 21}, {3, 16, 16}, {1, 42, 16}, {4, 0, 64}, {5, 0, 64}, // network, country, region, block, CLI
}

const (
	viewShift = 32      // in the fourth word
	otherCell = 1 << 63 // in the fourth word
	id21      = 1<<21 - 1
)

// equal compares word by word: most keys differ in the first one, and the compiler would call out for the whole.
func (p *packed) equal(o *packed) bool {
	return p.ids[0] == o.ids[0] && p.ids[1] == o.ids[1] && p.ids[3] == o.ids[3] && p.ids[2] == o.ids[2] &&
		p.ids[4] == o.ids[4] && p.ids[5] == o.ids[5]
}

func (p *packed) view() View { return View(p.ids[3] >> viewShift) }

func (p *packed) other() bool { return p.ids[3]&otherCell != 0 }

// of gathers the values of an attempt.
func (m *Meter) idsOf(a *outdial.Attempt, d *ids) {
	pool := a.Pool
	if pool == 0 {
		pool = a.Candidate.Pool
	}
	dest := &a.Call.Dest
	d[0] = uint64(a.Candidate.Trunk)&id21 | uint64(a.Candidate.Carrier)&id21<<21 | uint64(pool)&id21<<42
	d[1] = uint64(dest.Group)&id21 | uint64(dest.Network)&id21<<21
	d[2] = uint64(a.Call.Program)&id21 | uint64(a.Call.Campaign)&id21<<21 | uint64(a.Call.Tenant)&id21<<42
	d[3] = uint64(uint16(dest.DayPart)) | uint64(dest.Country[0])<<24 | uint64(dest.Country[1])<<16
	if m.dimensions&ByRegion != 0 {
		d[1] |= uint64(m.regionOf(dest)) << 42
	}
	if m.dimensions&ByBlock != 0 {
		d[4] = m.blockOf(a.Call.To)
	}
	d[5] = uint64(a.CLI)
}

// in keeps the dimensions of a view.
func (d *ids) in(v *viewState, p *packed) {
	for i := range d {
		p.ids[i] = d[i] & v.mask[i]
	}
	p.ids[3] |= uint64(v.view) << viewShift
}

// mask has all bits set of the dimensions of v.
func (v View) mask() (m ids) {
	for i, at := range dimensionAt {
		if v&(1<<i) != 0 {
			m[at.word] |= (1<<at.width - 1) << at.shift
		}
	}
	return m
}

func (d *ids) get(dimension int) uint64 {
	at := dimensionAt[dimension]
	return d[at.word] >> at.shift & (1<<at.width - 1)
}

func (p packed) key() Key {
	d := &p.ids
	country := d.get(9)
	return Key{
		View: p.view() & allDimensions, Other: p.other(),
		Trunk: outdial.TrunkID(d.get(0)), Carrier: outdial.CarrierID(d.get(1)), Group: outdial.GroupID(d.get(2)),
		Pool: outdial.PoolID(d.get(3)), Program: outdial.ProgramID(d.get(4)), Campaign: outdial.CampaignID(d.get(5)),
		DayPart: outdial.DayPartID(d.get(6)), Tenant: outdial.TenantID(d.get(7)), Network: outdial.NetworkID(d.get(8)),
		Country: [2]byte{byte(country >> 8), byte(country)}, Region: RegionID(d.get(10)), Block: outdial.Prefix(d.get(11)),
		CLI: outdial.Number(d.get(12)),
	}
}

func (k Key) packed() (p packed) {
	if k.Other {
		p.ids[3] = uint64(k.View)<<viewShift | otherCell
		return p
	}
	values := [len(dimensionNames)]uint64{
		uint64(k.Trunk), uint64(k.Carrier), uint64(k.Group), uint64(k.Pool), uint64(k.Program), uint64(k.Campaign),
		uint64(k.DayPart), uint64(k.Tenant), uint64(k.Network), uint64(k.Country[0])<<8 | uint64(k.Country[1]),
		uint64(k.Region), uint64(k.Block), uint64(k.CLI),
	}
	for i, at := range dimensionAt {
		if k.View&(1<<i) != 0 {
			p.ids[at.word] |= values[i] & (1<<at.width - 1) << at.shift
		}
	}
	p.ids[3] |= uint64(k.View) << viewShift
	return p
}

// Key returns the cell of the view that an attempt is counted in, while the meter has room for it. Region and Block depend
// on a meter's configuration: Meter.Key knows them.
func (v View) Key(a *outdial.Attempt) Key { return new(Meter).Key(v, a) }

// Key returns the cell of a view that an attempt is counted in, while the meter has room for it.
func (m *Meter) Key(v View, a *outdial.Attempt) Key {
	var d ids
	m.idsOf(a, &d)
	s := viewState{view: v, mask: v.mask()}
	var p packed
	d.in(&s, &p)
	return p.key()
}
