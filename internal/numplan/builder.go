package numplan

import (
	"cmp"
	"io"
	"slices"
	"strconv"

	"github.com/outdial/outdial/internal/digits"
)

// builder turns rows into a Plan: calling codes first, because areas inherit from them.
type builder struct {
	countries rows
	areas     rows
	names     map[string]string
	zones     zoneSets
	entries   []Entry
	codes     map[uint64]Entry // by calling code
	errs      problems
}

func (b *builder) read(dir string, countries, areas, names io.Reader) {
	if countries != nil {
		b.countries.read(dir, countries, &b.errs)
	}
	if areas != nil {
		b.areas.read(dir, areas, &b.errs)
	}
	if names != nil {
		readNames(dir+"names", names, b.names, &b.errs)
	}
}

func (b *builder) build() (*Plan, error) {
	b.codes = make(map[uint64]Entry, len(b.countries.list))
	b.entries = make([]Entry, 0, len(b.countries.list)+len(b.areas.list))
	for _, r := range b.countries.list {
		b.addCountry(r)
	}
	b.checkCodes()
	for _, r := range b.areas.list {
		b.addArea(r)
	}
	if err := b.errs.err(); err != nil {
		return nil, err
	}
	slices.SortFunc(b.entries, func(x, y Entry) int { return cmp.Compare(leftAligned(x.Area), leftAligned(y.Area)) })
	var table digits.Builder
	for i := range b.entries {
		b.entries[i].ID = uint32(i)
		// Prefixes are checked and unique, so Add has nothing to refuse.
		if err := table.Add(b.entries[i].Area, uint32(i)); err != nil {
			return nil, err
		}
	}
	return &Plan{table: table.Build(), entries: b.entries, sets: b.zones.sets, names: b.names}, nil
}

func (b *builder) addCountry(r row) {
	if r.prefix > 999 {
		b.errs.add(r.place, "calling code %d: more than three digits", r.prefix)
		return
	}
	e := Entry{Area: r.prefix, CallingCode: uint16(r.prefix)}
	var ok bool
	if r.columns[1] != empty {
		if e.Country, ok = parseCountry(r.columns[1]); !ok {
			b.errs.add(r.place, "country %q: not two capital letters", r.columns[1])
		}
	}
	if e.Class, ok = parseClass(r.columns[2]); !ok {
		b.errs.add(r.place, "class %q: unknown", r.columns[2])
	}
	e.MinLen, e.MaxLen = b.lengths(r)
	if r.columns[5] == empty {
		b.errs.add(r.place, "zones: missing; where a place cannot be told write %q", none)
	} else {
		e.Zones, e.Split = b.zones.add(r.place, r.columns[5], &b.errs)
	}
	b.codes[r.prefix] = e
	b.entries = append(b.entries, e)
}

// lengths reads the columns min and max of a country.
func (b *builder) lengths(r row) (lo, hi uint8) {
	most := digits.MaxLen - digits.Len(r.prefix)
	x, err1 := strconv.Atoi(r.columns[3])
	y, err2 := strconv.Atoi(r.columns[4])
	if err1 != nil || err2 != nil || x < 1 || y < x || y > most {
		b.errs.add(r.place, "lengths %q and %q: not 1 ≤ min ≤ max ≤ %d", r.columns[3], r.columns[4], most)
		return 0, 0
	}
	return uint8(x), uint8(y)
}

// checkCodes refuses a calling code that begins with another: E.164 has none such.
func (b *builder) checkCodes() {
	for _, r := range b.countries.list {
		for shorter := r.prefix / 10; shorter > 0; shorter /= 10 {
			if _, ok := b.codes[shorter]; ok && r.prefix <= 999 {
				b.errs.add(r.place, "calling code %d: begins with the calling code %d", r.prefix, shorter)
			}
		}
	}
}

func (b *builder) addArea(r row) {
	var e Entry
	var ok bool
	for code := r.prefix / 10; code > 0 && !ok; code /= 10 {
		e, ok = b.codes[code]
	}
	if !ok {
		b.errs.add(r.place, "prefix %d: begins with no calling code, or is one", r.prefix)
		return
	}
	e.Area = r.prefix
	switch r.columns[1] {
	case empty:
	case none:
		e.Country = Country{}
	default:
		if e.Country, ok = parseCountry(r.columns[1]); !ok {
			b.errs.add(r.place, "country %q: not two capital letters", r.columns[1])
		}
	}
	if r.columns[2] != empty {
		if e.Region = r.columns[2]; !isRegion(e.Region) {
			b.errs.add(r.place, "region %q: not capitals or digits, up to three a region", e.Region)
		}
	}
	if e.Class, ok = parseClass(r.columns[3]); !ok {
		b.errs.add(r.place, "class %q: unknown", r.columns[3])
	}
	if r.columns[4] != empty {
		overlay, err := strconv.ParseUint(r.columns[4], 10, 16)
		if err != nil || overlay == 0 {
			b.errs.add(r.place, "overlay %q: not a number from 1 to 65535", r.columns[4])
		}
		e.Overlay = uint16(overlay)
	}
	if r.columns[5] != empty {
		e.Zones, e.Split = b.zones.add(r.place, r.columns[5], &b.errs)
	}
	b.entries = append(b.entries, e)
}

// leftAligned makes prefixes comparable in the order of their digits, a prefix right before
// what it begins: 1, 12, 1201, 2.
func leftAligned(prefix uint64) uint64 {
	n := digits.Len(prefix)
	return prefix*digits.Pow10(digits.MaxLen-n)<<4 | uint64(n)
}
