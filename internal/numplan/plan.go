package numplan

import (
	_ "embed"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/outdial/outdial/internal/digits"
)

// Config holds rows that add to the data of the package. The zero value stands for
// those data as they are.
//
// The readers have the columns that the headers of data/*.tsv document. A row takes the
// place of an earlier one with the same first column. New reads each to its end and
// does not close it; nil means nothing to read.
type Config struct {
	Countries io.Reader // calling codes
	Areas     io.Reader // prefixes longer than a calling code
	Names     io.Reader // English names
	Bare      bool      // start from nothing instead of the data of the package
}

// Plan is a numbering plan. It is immutable and safe for concurrent use. The zero
// value knows nothing; New makes others.
type Plan struct {
	table   *digits.Table // prefix → index of entries
	entries []Entry       // by prefix, in the order of digits
	sets    [][]*time.Location
	names   map[string]string // by "US" or "US-NY"
}

//go:embed data/countries.tsv
var countriesTSV string

//go:embed data/areas.tsv
var areasTSV string

//go:embed data/names.tsv
var namesTSV string

// New builds a plan. It loads every time zone that the data name from the host's tz
// database (or from time/tzdata where the program imports that); the data need release 2022g
// or later. The error joins all that is wrong, each with the file and line:
//
//	areas:17: zone "America/Foo": unknown time zone America/Foo
func New(cfg Config) (*Plan, error) {
	b := builder{
		countries: rows{file: "countries"},
		areas:     rows{file: "areas"},
		names:     map[string]string{},
	}
	if !cfg.Bare {
		b.read("data/", strings.NewReader(countriesTSV), strings.NewReader(areasTSV), strings.NewReader(namesTSV))
	}
	b.read("", cfg.Countries, cfg.Areas, cfg.Names)
	return b.build()
}

// Lookup returns the entry of the longest prefix that number begins with, and false
// when its calling code is not assigned. A number of calling code 1 whose area code is not
// assigned has an entry of class Unassigned. Lookup does not check the length (Valid does).
// It does not allocate.
func (p *Plan) Lookup(number uint64) (Entry, bool) {
	if p.table == nil {
		return Entry{}, false
	}
	i, _, ok := p.table.Lookup(number)
	if !ok {
		return Entry{}, false
	}
	return p.entries[i], true
}

// Areas returns all entries in the order of their digits (1, 1201, … 20, 2010, …), those of
// whole calling codes included. Entry.ID is the position in it.
func (p *Plan) Areas() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for _, e := range p.entries {
			if !yield(e) {
				return
			}
		}
	}
}

// Len returns the number of entries.
func (p *Plan) Len() int { return len(p.entries) }

// Locations returns the zones of a set, none for the zero set. The slice is shared:
// do not change it.
func (p *Plan) Locations(zones ZoneSet) []*time.Location {
	if int(zones) >= len(p.sets) {
		return nil
	}
	return p.sets[zones]
}

// Name returns the English name of the region of an entry, of its country when no
// region is known, or "": "New York", "Nova Scotia / Prince Edward Island", "Jamaica".
// A region without a name keeps its code.
func (p *Plan) Name(e Entry) string {
	country := e.Country.String()
	if e.Region == "" {
		if name, ok := p.names[country]; ok {
			return name
		}
		return country
	}
	parts := strings.Split(e.Region, "/")
	for i, part := range parts {
		if name, ok := p.names[country+"-"+part]; ok {
			parts[i] = name
		}
	}
	return strings.Join(parts, " / ")
}
