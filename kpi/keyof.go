package kpi

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// KeyOf is the key of some dimensions by the names that reports show, {"trunk": "gold"}; of none it is Total's. It looks names up and
// makes none: an error names every dimension that has no names, and every name that nobody has had yet.
func (m *Meter) KeyOf(names map[string]string) (Key, error) {
	var k Key
	var errs []error
	for _, dimension := range slices.Sorted(maps.Keys(names)) {
		at, name := slices.Index(dimensionNames[:], dimension), names[dimension]
		ok := at >= 0
		switch {
		case !ok:
		case at < keptNames && m.cfg.IDs != nil:
			*idsIn(&k)[at], ok = namings(m.cfg.IDs)[at].look(name)
		case View(1<<at) == ByCountry:
			if ok = len(name) == len(k.Country); ok {
				copy(k.Country[:], name)
			}
		case View(1<<at) == ByRegion:
			i := slices.Index(m.regions.names, name)
			k.Region, ok = RegionID(i+1), i >= 0
		default:
			ok = false
		}
		if !ok {
			errs = append(errs, fmt.Errorf("kpi: no %s %q", dimension, name))
			continue
		}
		k.View |= 1 << at
	}
	return k, errors.Join(errs...)
}
