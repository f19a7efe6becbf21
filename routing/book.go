package routing

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/digits"
)

// whose is the part of a rule or a call that says whose call it is, by names or by ids. A field that a rule does not
// name is the zero value.
type whose[N comparable] struct {
	campaign, program, tenant, tag N
	mode                           outdial.Mode
}

// Bits of a whoMask, in the order of their weight: a rule with the greater mask is the more specific one.
const (
	namesMode uint8 = 1 << iota
	namesTag
	namesTenant
	namesProgram
	namesCampaign
	whoMasks = iota
)

// whoMask says which fields a rule names.
func whoMask(r *Rule) (m uint8) {
	for bit, names := range map[uint8][]string{
		namesMode: r.Modes, namesTag: r.Tags, namesTenant: r.Tenants, namesProgram: r.Programs, namesCampaign: r.Campaigns,
	} {
		if len(names) > 0 {
			m |= bit
		}
	}
	return m
}

// parseMode is the reverse of outdial.Mode.String; false for what is not a way to dial.
func parseMode(name string) (outdial.Mode, bool) {
	for m := outdial.ModeManual; m <= outdial.ModePrerecorded; m++ {
		if m.String() == name {
			return m, true
		}
	}
	return outdial.ModeUnknown, false
}

// heaviest is the greatest weight that conditions gives.
const heaviest = 1<<5 - 1

// conditions weighs what a rule asks for beside whose call it is and where it goes: that it has several tags at once counts most,
// then a terminating network, then a day-part, then a pool under suspicion, then dates.
func (r *Rule) conditions() int {
	return btoi(r.AllTags && len(r.Tags) > 1)<<4 | btoi(len(r.Networks) > 0)<<3 | btoi(len(r.DayParts) > 0)<<2 | btoi(r.Risk != (PoolRisk{}))<<1 |
		btoi(r.Effective != 0 || r.End != 0)
}

// chapters lists, for each combination of names that rules with one mask have, the rules that apply to it: those with
// the weightiest conditions first, then as written, which is the order in which they count at one prefix.
func chapters(rules []Rule) (byMask [1 << whoMasks]map[whose[string]][]int) {
	for weight := heaviest; weight >= 0; weight-- {
		for i := range rules {
			r := &rules[i]
			if r.conditions() != weight {
				continue
			}
			m := whoMask(r)
			if byMask[m] == nil {
				byMask[m] = map[whose[string]][]int{}
			}
			for _, campaign := range orNone(r.Campaigns) {
				for _, program := range orNone(r.Programs) {
					for _, tenant := range orNone(r.Tenants) {
						for _, tag := range orNone(r.filedUnder()) {
							for _, name := range orNone(r.Modes) {
								mode, _ := parseMode(name)
								w := whose[string]{campaign, program, tenant, tag, mode}
								if on := byMask[m][w]; len(on) == 0 || on[len(on)-1] != i {
									byMask[m][w] = append(on, i)
								}
							}
						}
					}
				}
			}
		}
	}
	return byMask
}

// filedUnder are the tags under each of which the rule is found: for one that wants all of its tags, the first will do.
func (r *Rule) filedUnder() []string {
	if r.AllTags && len(r.Tags) > 1 {
		return r.Tags[:1]
	}
	return r.Tags
}

func orNone(names []string) []string {
	if len(names) == 0 {
		return []string{""}
	}
	return names
}

// prefixes of a rule; one without any has the empty one.
func (r *Rule) prefixes() []outdial.Prefix {
	if len(r.Prefixes) == 0 {
		return []outdial.Prefix{0}
	}
	return r.Prefixes
}

// book finds the rules for a destination among those for one combination of whose.
type book struct {
	table *digits.Table // prefix → index into lists
	lists [][]uint32    // rules with that prefix, in the order in which they count
}

// newBook builds the book of some rules, which come in the order in which they count at one prefix.
func newBook(rules []Rule, some []int) *book {
	type place struct {
		prefix outdial.Prefix
		order  uint32 // in some
	}
	var places []place
	for order, i := range some {
		for _, p := range rules[i].prefixes() {
			places = append(places, place{p, uint32(order)})
		}
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.prefix, b.prefix), cmp.Compare(a.order, b.order))
	})
	k := new(book)
	var b digits.Builder
	interned := map[string]uint32{} // most prefixes have the same rules
	var list []uint32
	var name []byte
	for len(places) > 0 {
		prefix := places[0].prefix
		list, name = list[:0], name[:0]
		for len(places) > 0 && places[0].prefix == prefix {
			rule := uint32(some[places[0].order])
			list = append(list, rule)
			name = append(name, byte(rule), byte(rule>>8), byte(rule>>16), byte(rule>>24))
			places = places[1:]
		}
		id, ok := interned[string(name)]
		if !ok {
			id = uint32(len(k.lists))
			interned[string(name)] = id
			k.lists = append(k.lists, slices.Clone(list))
		}
		if err := b.Add(uint64(prefix), id); err != nil {
			panic(err) // prefixes are checked and come grouped: no other reason is left
		}
	}
	k.table = b.Build()
	return k
}

// shelf is the books for one mask; where that is 0, there is one.
type shelf struct {
	mask  uint8
	only  *book
	books map[whose[uint32]]*book
}

// find returns the book for a call with a tag, 0 where the shelf's rules name none, or nil.
func (s *shelf) find(c *outdial.Call, tag outdial.TagID) *book {
	if s.mask == 0 {
		return s.only
	}
	return s.books[s.key(c, tag)]
}

// key is what the rules of the shelf would have to name for the call.
func (s *shelf) key(c *outdial.Call, tag outdial.TagID) (w whose[uint32]) {
	w.tag = uint32(tag)
	if s.mask&namesCampaign != 0 {
		w.campaign = uint32(c.Campaign)
	}
	if s.mask&namesProgram != 0 {
		w.program = uint32(c.Program)
	}
	if s.mask&namesTenant != 0 {
		w.tenant = uint32(c.Tenant)
	}
	if s.mask&namesMode != 0 {
		w.mode = c.Mode
	}
	return w
}

// newShelves builds all books, the shelf with the most specific mask first. Combinations with the same rules share a
// book.
func newShelves(ids *outdial.Registry, rules []Rule) (shelves []shelf) {
	shared := map[string]*book{}
	byMask := chapters(rules)
	for m := len(byMask) - 1; m >= 0; m-- {
		if byMask[m] == nil {
			continue
		}
		s := shelf{mask: uint8(m), books: make(map[whose[uint32]]*book, len(byMask[m]))}
		for w, some := range byMask[m] {
			name := fmt.Sprint(some)
			k := shared[name]
			if k == nil {
				k = newBook(rules, some)
				shared[name] = k
			}
			s.books[whose[uint32]{
				uint32(ids.Campaigns.ID(w.campaign)), uint32(ids.Programs.ID(w.program)), uint32(ids.Tenants.ID(w.tenant)),
				uint32(ids.Tags.ID(w.tag)), w.mode,
			}] = k
			s.only = k
		}
		shelves = append(shelves, s)
	}
	return shelves
}
