package routing

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/digits"
)

// rates is all decks in one trie: a number's prefixes are walked once, however many decks there are. The rows of one
// prefix lie side by side.
type rates struct {
	table  *digits.Table // prefix → index into starts
	starts []uint32      // the rows of prefix i are rows[starts[i]:starts[i+1]]
	rows   []row
	spans  []span
}

// row is a Rate of a deck. Rows of one prefix stand by deck, and within a deck the one that comes into force last
// first.
type row struct {
	perMinute, setup int64
	increment        Increment
	deck             uint16
	span             uint16 // when it is in force; 0 = always
}

// span is from effective until before end; an end of 0 is never.
type span struct{ effective, end Instant }

func (s span) holds(now Instant) bool {
	return (s.effective == 0 || now >= s.effective) && (s.end == 0 || now < s.end)
}

// hit is the row found for a deck, and how many digits its prefix has.
type hit struct {
	row    uint32 // index + 1; 0 = none
	digits uint8
}

// hits are the rows found for the decks of a rule, by the deck's slot in the rule.
type hits [outdial.MaxCandidates]hit

const noSlot = 0xff

// find fills hits for the decks that slots gives a place to, of which there are want. Longer prefixes come first, so
// the first row in force is a deck's.
func (r *rates) find(now time.Time, to outdial.Number, slots []uint8, want int, found *hits) {
	var matches [digits.MaxLen + 1]digits.Match
	n := r.table.Matches(uint64(to), &matches)
	at := InstantOf(now)
	for _, m := range matches[:n] {
		first, last := r.starts[m.Value], r.starts[m.Value+1]
		for i := first; i < last; i++ {
			w := &r.rows[i]
			slot := slots[w.deck]
			if slot == noSlot || found[slot].row != 0 || w.span != 0 && !r.spans[w.span].holds(at) {
				continue
			}
			found[slot] = hit{row: i + 1, digits: m.Digits}
			if want--; want == 0 {
				return
			}
		}
	}
}

// of returns the row of one deck and how many digits its prefix has.
func (r *rates) of(now time.Time, to outdial.Number, deck uint16) (i uint32, n int, ok bool) {
	var matches [digits.MaxLen + 1]digits.Match
	at := InstantOf(now)
	for _, m := range matches[:r.table.Matches(uint64(to), &matches)] {
		for i := r.starts[m.Value]; i < r.starts[m.Value+1]; i++ {
			if w := &r.rows[i]; w.deck == deck && r.spans[w.span].holds(at) {
				return i, int(m.Digits), true
			}
		}
	}
	return 0, 0, false
}

func (w *row) cost(d time.Duration) outdial.Micros {
	return cost(w.perMinute, w.setup, w.increment.Billed(d))
}

// rowSource is a row on its way into the table, with the place that it comes from.
type rowSource struct {
	prefix    outdial.Prefix
	effective Instant
	row       row
	index     uint32 // in Deck.Rates
}

// compileRates builds the trie; problems name the rows.
func compileRates(decks []Deck, bad *problems) rates {
	total := 0
	for i := range decks {
		total += len(decks[i].Rates)
	}
	sources := make([]rowSource, 0, total)
	r := rates{spans: []span{{}}}
	spans := map[span]uint16{{}: 0}
	for i := range decks {
		bad := bad.limited()
		for j := range decks[i].Rates {
			rate := &decks[i].Rates[j]
			if field, problem := rate.check(); problem != "" {
				bad.add(fmt.Sprintf("decks[%d].rates[%d].%s", i, j, field), "%s", problem)
				continue
			}
			s := span{rate.Effective, rate.End}
			id, ok := spans[s]
			if !ok {
				if len(r.spans) > 1<<16-1 {
					bad.add(fmt.Sprintf("decks[%d].rates[%d]", i, j), "more than %d different pairs of effective and end", 1<<16-1)
					continue
				}
				id = uint16(len(r.spans))
				spans[s] = id
				r.spans = append(r.spans, s)
			}
			sources = append(sources, rowSource{rate.Prefix, rate.Effective, row{
				int64(rate.PerMinute), int64(rate.Setup), rate.Increment.normal(), uint16(i), id,
			}, uint32(j)})
		}
	}
	slices.SortFunc(sources, func(a, b rowSource) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return cmp.Or(
			cmp.Compare(a.row.deck, b.row.deck), cmp.Compare(b.effective, a.effective), cmp.Compare(a.index, b.index),
		)
	})
	r.fill(sources, bad.limited())
	return r
}

// fill groups sorted rows by their prefix.
func (r *rates) fill(sources []rowSource, bad *problems) {
	var b digits.Builder
	r.rows = make([]row, len(sources))
	for i := range sources {
		s := &sources[i]
		r.rows[i] = s.row
		if i > 0 && s.prefix == sources[i-1].prefix {
			if prev := &sources[i-1]; prev.row.deck == s.row.deck && prev.effective == s.effective {
				bad.add(fmt.Sprintf("decks[%d].rates[%d].prefix", s.row.deck, s.index),
					"%s is already in rates[%d], effective at the same time", shown(s.prefix), prev.index)
			}
			continue
		}
		if err := b.Add(uint64(s.prefix), uint32(len(r.starts))); err != nil {
			panic(err) // prefixes are checked and come sorted: no other reason is left
		}
		r.starts = append(r.starts, uint32(i))
	}
	r.starts = append(r.starts, uint32(len(sources)))
	r.table = b.Build()
}

// check returns the first field that does not fit, and why.
func (r *Rate) check() (field, problem string) {
	switch {
	case r.Prefix >= tooLong:
		return "prefix", "more than 15 digits"
	case r.PerMinute < 0 || r.PerMinute > MaxPrice:
		return "rate", "not between 0 and 1000000"
	case r.Setup < 0 || r.Setup > MaxPrice:
		return "setup", "not between 0 and 1000000"
	case r.End != 0 && r.End <= r.Effective:
		return "end", "not after effective"
	}
	return "", ""
}

// tooLong is the first integer with more digits than E.164 has.
const tooLong outdial.Prefix = 1_000_000_000_000_000

// shown names a prefix, the empty one too.
func shown(p outdial.Prefix) string {
	if p == 0 {
		return "the empty prefix"
	}
	return p.String()
}
