package outdial

import "iter"

// MaxTags is the most tags that one call can have.
const MaxTags = 8

// Tags are words that the host puts on a call, for routing to go by: "vip", "callback", "second try". They stand from the first
// place on; the first zero ends them. The order does not matter. A plain value; the zero value has none.
type Tags [MaxTags]TagID

// Add puts a tag on the call, unless it is there already or none; false = there is no room for it.
func (t *Tags) Add(id TagID) bool {
	for i := range t {
		switch t[i] {
		case id:
			return true
		case 0:
			t[i] = id
			return true
		}
	}
	return id == 0
}

// Has reports whether a tag is among them.
func (t *Tags) Has(id TagID) bool {
	for _, own := range t {
		if own == 0 {
			return false
		}
		if own == id {
			return true
		}
	}
	return false
}

// All returns the tags in their order.
func (t *Tags) All() iter.Seq[TagID] {
	return func(yield func(TagID) bool) {
		for _, id := range t {
			if id == 0 || !yield(id) {
				return
			}
		}
	}
}
