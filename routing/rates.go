package routing

import (
	"cmp"
	"fmt"
	"slices"
	"time"
	"unsafe"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/digits"
	"github.com/outdial/outdial/internal/prefetch"
)

// rates is all decks in one trie: a number's prefixes are walked once, however many decks there are. The rows of one
// prefix lie side by side.
type rates struct {
	table *digits.Table // prefix → its first row
	rows  []row
	terms []terms // each once: a deck has few of them
	spans []span
}

// row is a Rate of a deck. Rows of one prefix stand by deck, and within a deck the one that comes into force last
// first.
type row struct {
	about uint32 // index into terms, and lastRow
	deck  uint16
	span  uint16 // when it is in force; 0 = always
}

// lastRow marks the last row of a prefix.
const lastRow = 1 << 31

func (w *row) terms() uint32 { return w.about &^ lastRow }
func (w *row) last() bool    { return w.about&lastRow != 0 }

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

// equal reports whether two sets of decks say the same.
func (r *rates) equal(other *rates) bool {
	return slices.Equal(r.rows, other.rows) && slices.Equal(r.terms, other.terms) && slices.Equal(r.spans, other.spans) &&
		r.table.Equal(other.table)
}

// leaf is the longest prefix of a number in the decks.
type leaf struct {
	row           uint32 // its first
	digits        uint8
	found, sought bool
}

// look finds a number's leaf, and begins to read its rows.
func (r *rates) look(to outdial.Number) leaf {
	row, n, ok := r.table.Lookup(uint64(to))
	if ok {
		prefetch.Line(unsafe.Pointer(&r.rows[row]))
		prefetch.Line(unsafe.Pointer(&r.rows[min(int(row)+7, len(r.rows)-1)]))
	}
	return leaf{row, uint8(n), ok, true}
}

// find fills hits for the decks that slots gives a place to, of which there are want. Longer prefixes come first, so
// the first row in force is a deck's. As a rule all decks have the longest one, the leaf, which is found without the others.
func (r *rates) find(now time.Time, to outdial.Number, at leaf, slots []uint8, want int, found *hits) {
	if !at.found {
		return
	}
	when := InstantOf(now)
	if want = r.take(when, at.row, at.digits, slots, want, found); want == 0 {
		return
	}
	var matches [digits.MaxLen + 1]digits.Match
	n := r.table.Matches(uint64(to), &matches)
	for _, m := range matches[1:n] {
		if want = r.take(when, m.Value, m.Digits, slots, want, found); want == 0 {
			return
		}
	}
}

// take fills in what the rows of one prefix say, from its first, and returns how many decks are still wanted.
func (r *rates) take(at Instant, first uint32, n uint8, slots []uint8, want int, found *hits) int {
	for i := first; ; i++ {
		w := &r.rows[i]
		slot := slots[w.deck]
		if slot != noSlot && found[slot].row == 0 && (w.span == 0 || r.spans[w.span].holds(at)) {
			found[slot] = hit{row: i + 1, digits: n}
			want--
		}
		if want == 0 || w.last() {
			return want
		}
	}
}

// of finds the row of one deck.
func (r *rates) of(now time.Time, to outdial.Number, deck uint16) hit {
	var matches [digits.MaxLen + 1]digits.Match
	at := InstantOf(now)
	for _, m := range matches[:r.table.Matches(uint64(to), &matches)] {
		for i := m.Value; ; i++ {
			w := &r.rows[i]
			if w.deck == deck && r.spans[w.span].holds(at) {
				return hit{row: i + 1, digits: m.Digits}
			}
			if w.last() {
				break
			}
		}
	}
	return hit{}
}

// rate is the row for a prefix, prices that say what their default says left out.
func (r *rates) rate(w *row, prefix outdial.Prefix) Rate {
	t, s := &r.terms[w.terms()], r.spans[w.span]
	rate := Rate{
		Prefix: prefix, PerMinute: Price(t.price3[Interstate]), Setup: Price(t.setup), Increment: t.increment,
		Effective: s.effective, End: s.end,
	}
	if t.price3[Intrastate] != t.price3[Interstate] {
		rate.Intrastate = Price(t.price3[Intrastate])
	}
	if t.price3[Indeterminate] != max(t.price3[Interstate], t.price3[Intrastate]) {
		rate.Indeterminate = Price(t.price3[Indeterminate])
	}
	return rate
}

// byState reports whether some price depends on the jurisdiction.
func (r *rates) byState() bool {
	return slices.ContainsFunc(r.terms, func(t terms) bool { return t.price3 != [3]int64{t.price3[0], t.price3[0], t.price3[0]} })
}

// rateSource is where a row of a deck stands, and the order of its prefix.
type rateSource struct {
	key   uint64
	index uint32 // in Deck.Rates
	deck  uint16
}

// compileRates builds the trie; problems name the rows.
func compileRates(decks []Deck, bad *problems) rates {
	total := 0
	for i := range decks {
		total += len(decks[i].Rates)
	}
	sources := make([]rateSource, 0, total)
	for i := range decks {
		bad := bad.limited()
		for j := range decks[i].Rates {
			rate := &decks[i].Rates[j]
			if field, problem := rate.check(); problem != "" {
				bad.add(fmt.Sprintf("decks[%d].rates[%d].%s", i, j, field), "%s", problem)
				continue
			}
			sources = append(sources, rateSource{digits.Key(uint64(rate.Prefix)), uint32(j), uint16(i)})
		}
	}
	order := func(a, b rateSource) int {
		if a.key != b.key {
			return cmp.Compare(a.key, b.key)
		}
		return cmp.Or(cmp.Compare(a.deck, b.deck),
			cmp.Compare(decks[b.deck].Rates[b.index].Effective, decks[a.deck].Rates[a.index].Effective),
			cmp.Compare(a.index, b.index))
	}
	if !slices.IsSortedFunc(sources, order) { // files are sorted as a rule
		slices.SortFunc(sources, order)
	}
	r := rates{spans: []span{{}}, rows: make([]row, 0, len(sources))}
	r.fill(decks, sources, bad.limited())
	return r
}

// fill groups sorted rows by their prefix.
func (r *rates) fill(decks []Deck, sources []rateSource, bad *problems) {
	var b digits.Builder
	prefixes := 0
	for i := range sources {
		if i == 0 || sources[i].key != sources[i-1].key {
			prefixes++
		}
	}
	b.Grow(prefixes)
	spans, known := map[span]uint16{{}: 0}, map[terms]uint32{}
	for i, s := range sources {
		rate := &decks[s.deck].Rates[s.index]
		same := i > 0 && s.key == sources[i-1].key
		if same {
			prev := sources[i-1]
			if prev.deck == s.deck && decks[prev.deck].Rates[prev.index].Effective == rate.Effective {
				bad.add(fmt.Sprintf("decks[%d].rates[%d].prefix", s.deck, s.index),
					"%s is already in rates[%d], effective at the same time", shown(rate.Prefix), prev.index)
			}
		} else {
			if err := b.Add(uint64(rate.Prefix), uint32(len(r.rows))); err != nil {
				panic(err) // prefixes are checked and come sorted: no other reason is left
			}
		}
		when := span{rate.Effective, rate.End}
		id, ok := spans[when]
		if !ok {
			if len(r.spans) > 1<<16-1 {
				bad.add(fmt.Sprintf("decks[%d].rates[%d]", s.deck, s.index),
					"more than %d different pairs of effective and end", 1<<16-1)
				continue
			}
			id = uint16(len(r.spans))
			spans[when] = id
			r.spans = append(r.spans, when)
		}
		price := rate.terms()
		at, ok := known[price]
		if !ok {
			at = uint32(len(r.terms))
			known[price] = at
			r.terms = append(r.terms, price)
		}
		if i+1 == len(sources) || sources[i+1].key != s.key {
			at |= lastRow
		}
		r.rows = append(r.rows, row{at, s.deck, id})
	}
	r.table = b.Build()
}

// check returns the first field that does not fit, and why.
func (r *Rate) check() (field, problem string) {
	switch {
	case r.Prefix >= tooLong:
		return "prefix", "more than 15 digits"
	case r.PerMinute < 0 || r.PerMinute > MaxPrice:
		return "rate", "not between 0 and 1000000"
	case r.Intrastate < 0 || r.Intrastate > MaxPrice:
		return "intrastate", "not between 0 and 1000000"
	case r.Indeterminate < 0 || r.Indeterminate > MaxPrice:
		return "indeterminate", "not between 0 and 1000000"
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
