package routing

import (
	"cmp"
	"slices"
	"time"

	"github.com/outdial/outdial"
)

// DeckChange is what became of a prefix between two decks.
type DeckChange struct {
	Prefix   outdial.Prefix
	Old, New Rate // the zero Rate where the deck has none
}

// DeckDiff is how a deck differs from the one that it follows, by the rows that are in force at one moment. Each list is
// in the order of the prefixes.
type DeckDiff struct {
	Added   []DeckChange // the old deck had no row for the prefix
	Removed []DeckChange // the new deck has none
	Raised  []DeckChange // a call of a typical length costs more
	Lowered []DeckChange // it costs less
	Changed []DeckChange // it costs the same, but not calls of every length or jurisdiction
	Same    int
}

// DiffDecks compares two decks by what is in force at a time, and by the cost of a call of length typical, up and down over
// the jurisdictions: raised is what costs more in one and less in none.
func DiffDecks(old, next Deck, at time.Time, typical time.Duration) DeckDiff {
	a, b := inForce(old, at), inForce(next, at)
	var d DeckDiff
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Prefix < b[0].Prefix:
			d.Removed = append(d.Removed, DeckChange{Prefix: a[0].Prefix, Old: a[0]})
			a = a[1:]
		case len(a) == 0 || b[0].Prefix < a[0].Prefix:
			d.Added = append(d.Added, DeckChange{Prefix: b[0].Prefix, New: b[0]})
			b = b[1:]
		default:
			d.compare(a[0], b[0], typical)
			a, b = a[1:], b[1:]
		}
	}
	return d
}

func (d *DeckDiff) compare(a, b Rate, typical time.Duration) {
	x, y := a.terms(), b.terms()
	if x == y {
		d.Same++
		return
	}
	change := DeckChange{Prefix: a.Prefix, Old: a, New: b}
	up, down := false, false
	for j := range Indeterminate + 1 {
		was, is := x.cost(j, typical, 0), y.cost(j, typical, 0)
		up, down = up || is > was, down || is < was
	}
	switch {
	case up && !down:
		d.Raised = append(d.Raised, change)
	case down && !up:
		d.Lowered = append(d.Lowered, change)
	default:
		d.Changed = append(d.Changed, change)
	}
}

// inForce returns the row of each prefix at a time, by prefix.
func inForce(d Deck, at time.Time) []Rate {
	now := InstantOf(at)
	var rows []Rate
	for _, r := range d.Rates {
		if (span{r.Effective, r.End}).holds(now) {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b Rate) int {
		return cmp.Or(cmp.Compare(a.Prefix, b.Prefix), cmp.Compare(b.Effective, a.Effective))
	})
	return slices.CompactFunc(rows, func(a, b Rate) bool { return a.Prefix == b.Prefix })
}
