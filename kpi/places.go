package kpi

import (
	"maps"
	"math"
	"slices"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/digits"
)

// regions numbers the regions of Config.Regions.
type regions struct {
	names []string // names[i] belongs to RegionID i+1
	of    map[outdial.GroupID]RegionID
}

func newRegions(c *Config) regions {
	r := regions{of: map[outdial.GroupID]RegionID{}}
	for _, group := range slices.Sorted(maps.Keys(c.Regions)) {
		name := c.Regions[group]
		at := slices.Index(r.names, name)
		if at < 0 {
			at = len(r.names)
			r.names = append(r.names, name)
		}
		r.of[c.IDs.Groups.ID(group)] = RegionID(at + 1)
	}
	return r
}

// number is the id of a region by its name. One that no group is in any more, of a snapshot, gets one too.
func (r *regions) number(name string) RegionID {
	if i := slices.Index(r.names, name); i >= 0 {
		return RegionID(i + 1)
	}
	if len(r.names) == math.MaxUint16 {
		return 0
	}
	r.names = append(r.names, name)
	return RegionID(len(r.names))
}

func (m *Meter) regionOf(d *outdial.Destination) RegionID { return m.regions.of[d.Group] }

// Region returns the name of a region, "" for none.
func (m *Meter) Region(id RegionID) string {
	if id == 0 || int(id) > len(m.regions.names) {
		return ""
	}
	return m.regions.names[id-1]
}

// blockOf is a number without its last digits.
func (m *Meter) blockOf(n outdial.Number) uint64 {
	return uint64(n) / digits.Pow10(m.cfg.BlockDigits)
}

// countries is which country each group lies in, as far as attempts told; immutable.
type countries []uint64

// learn notes the country of a group.
func (m *Meter) learn(d *ids) {
	group := d.get(2)
	country := d[3] & (0xffff << 16)
	if group == 0 || country == 0 || group >= 1<<16 {
		return
	}
	if list := *m.countries.Load(); group < uint64(len(list)) && list[group] == country {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	list := slices.Clone(*m.countries.Load())
	for uint64(len(list)) <= group {
		list = append(list, 0)
	}
	list[group] = country
	m.countries.Store(&list)
	m.generation.Add(1)
}

// placeOf adds what is known about where a group lies.
func (m *Meter) placeOf(list countries, group outdial.GroupID, d *ids) {
	if int(group) < len(list) {
		d[3] |= list[group]
	}
	if m.dimensions&ByRegion != 0 {
		d[1] |= uint64(m.regions.of[group]) << 42
	}
}
