package routing

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/digits"
)

// DeckReader reads the price lists that carriers send: CSV (RFC 4180) with a header line. The zero value but for Name
// is ready to use. It is a plain value.
//
// Columns may come in any order and under the names that carriers give them ("Dial Code", "NPANXX", "Inter Rate",
// "Effective Date" …); capitals, spaces, underlines and what stands in brackets do not count. Needed are a prefix and a
// rate:
//
//	prefix,rate,increment,setup,effective,end
//	1212,0.0042,6/6,,2026-03-01,
//
//	NPA-NXX,Interstate,Intrastate,Indeterminate,Effective Date
//	212555,0.0031,0.0058,0.0058,3/1/2026
//
// A prefix may stand in two columns (country code, and a code that may be a list, "20;21", or a range, "70-79"); codes of
// a column npanxx, or npa and nxx, get the 1 of North America before them. An increment is "60/6" or two columns.
// Columns for people (destination, country …) are skipped; any other is an error, so that a misspelt name does not
// change what calls cost.
type DeckReader struct {
	Name  string    // of the deck
	Dates DateOrder // how 3/1/2026 is meant; without it such a date is an error unless only one reading is possible

	// Now drops the rows that have ended by then, and reports them. Zero = all are kept.
	Now time.Time
}

// DeckReport says what a DeckReader left out of a deck, with the lines in the file. It holds the first hundred of each.
type DeckReport struct {
	Lines      int        // records read, without the header
	Rates      int        // rows of the deck
	Duplicates []DeckNote // said the same again as an earlier line, and dropped
	Expired    []DeckNote // had ended already, and dropped
	Future     int        // rows that come into force after Now
	Dropped    int        // how many were dropped in all
}

// DeckNote is a line that was left out. First is the line that said the same, or 0.
type DeckNote struct {
	Line, First int
	Prefix      outdial.Prefix
}

// ReadDeck reads a deck with a DeckReader that has a name and no more. It reads r to its end and does not close it.
func ReadDeck(name string, r io.Reader) (Deck, error) {
	d, _, err := DeckReader{Name: name}.Read(r)
	return d, err
}

// Read reads a deck. The error names every bad line ("deck alpha: line 7: rate: …"), up to 100 of them, and then there is
// no deck; two lines that say something different about one prefix and one time are bad.
func (d DeckReader) Read(r io.Reader) (Deck, DeckReport, error) {
	f := deckFile{
		DeckReader: d, csv: newCSVLines(r), bad: newProblems().limited(), sorted: true, size: sizeOf(r),
		instants: map[string]Instant{}, increments: map[string]Increment{},
	}
	if err := f.read(); err != nil {
		return Deck{}, DeckReport{}, fmt.Errorf("routing: deck %s: %w", d.Name, err)
	}
	return Deck{Name: d.Name, Rates: f.rates}, f.report, nil
}

// deckFile is a deck on its way in.
type deckFile struct {
	DeckReader
	csv     *csvLines
	columns []deckColumn
	rates   []Rate
	lines   []uint32 // of rates
	sorted  bool     // rates are in the order of digits.Key, and those of a prefix in that of Effective, so far
	last    uint64   // key of the last one
	bad     *problems
	report  DeckReport
	size    int64 // of the file in bytes; 0 = not known

	// Most lines repeat what earlier ones said about all but prefix and rate.
	instants   map[string]Instant
	increments map[string]Increment
}

func (f *deckFile) read() error {
	header, err := f.csv.read()
	if errors.Is(err, io.EOF) {
		err = errors.New("empty: want a header line")
	}
	if err != nil {
		return err
	}
	if f.columns, err = readHeader(header); err != nil {
		return fmt.Errorf("line %d: %w", f.csv.line, err)
	}
	for {
		record, err := f.csv.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil { // the rest cannot be trusted
			f.bad.add(fmt.Sprintf("line %d", f.csv.line), "%w", err)
			break
		}
		if !slices.ContainsFunc(record, func(v []byte) bool { return len(v) > 0 }) {
			continue // a spreadsheet's empty row
		}
		f.report.Lines++
		if len(record) != len(f.columns) {
			f.bad.add(fmt.Sprintf("line %d", f.csv.line), "%d fields, the header has %d", len(record), len(f.columns))
			continue
		}
		f.readLine(record)
		if f.report.Lines == firstRows {
			f.grow(f.csv.bytes)
		}
	}
	if !f.bad.any() {
		f.unique()
	}
	f.report.Rates = len(f.rates)
	return f.bad.err()
}

func (f *deckFile) wrong(column deckColumn, err error) {
	f.bad.add(fmt.Sprintf("line %d: %s", f.csv.line, columnNames[column][0]), "%w", err)
}

func (f *deckFile) readLine(record [][]byte) {
	var rate Rate
	var code [numColumns][]byte // what a prefix is put together from
	for i, col := range f.columns {
		switch {
		case col == colIgnored:
			continue
		case col == colNameless:
			if len(record[i]) > 0 {
				f.bad.add(fmt.Sprintf("line %d", f.csv.line), "%.20q stands in column %d, which has no name", record[i], i+1)
				return
			}
			continue
		}
		if col <= colBlock {
			code[col] = record[i]
			continue
		}
		if err := f.readValue(&rate, col, record[i]); err != nil {
			f.wrong(col, err)
			return
		}
	}
	if field, problem := rate.check(); problem != "" {
		f.bad.add(fmt.Sprintf("line %d: %s", f.csv.line, field), "%s", problem)
		return
	}
	if col, err := f.readCode(&code, rate); err != nil {
		f.wrong(col, err)
	}
}

// readValue reads one column but those of the prefix.
func (f *deckFile) readValue(r *Rate, col deckColumn, value []byte) (err error) {
	var inc Increment
	switch col {
	case colRate:
		r.PerMinute, err = readPrice(value)
	case colIntrastate:
		r.Intrastate, err = readOptionalPrice(value)
	case colIndeterminate:
		r.Indeterminate, err = readOptionalPrice(value)
	case colSetup:
		r.Setup, err = readOptionalPrice(value)
	case colIncrement:
		r.Increment, err = remembered(f.increments, value, ParseIncrement)
	case colFirst:
		inc, err = remembered(f.increments, value, ParseIncrement)
		r.Increment.First = inc.First
	case colNext:
		inc, err = remembered(f.increments, value, ParseIncrement)
		r.Increment.Next = inc.First
	case colEffective:
		r.Effective, err = remembered(f.instants, value, f.Dates.parse)
	case colEnd:
		r.End, err = remembered(f.instants, value, f.Dates.parse)
	}
	return err
}

// remembered reads a text, or remembers what came of it before.
func remembered[V any](known map[string]V, text []byte, parse func(string) (V, error)) (v V, err error) {
	v, ok := known[string(text)]
	if ok {
		return v, nil
	}
	if v, err = parse(string(text)); err == nil && len(known) < maxRemembered {
		known[string(text)] = v
	}
	return v, err
}

// maxRemembered bounds how many dates or increments are remembered: a deck has few.
const maxRemembered = 1024

func readOptionalPrice(value []byte) (Price, error) {
	if len(value) == 0 {
		return 0, nil
	}
	return readPrice(value)
}

func readPrice(value []byte) (Price, error) {
	value = bytes.TrimPrefix(value, []byte{'$'})
	if p, ok := parsePrice(value); ok {
		return p, nil
	}
	return ParsePrice(string(value))
}

// add takes a row, unless it has ended.
func (f *deckFile) add(r Rate, prefix outdial.Prefix) {
	r.Prefix = prefix
	if !f.Now.IsZero() {
		now := InstantOf(f.Now)
		if r.End != 0 && r.End <= now {
			f.report.Dropped++
			if len(f.report.Expired) < maxListed {
				f.report.Expired = append(f.report.Expired, DeckNote{Line: f.csv.line, Prefix: prefix})
			}
			return
		}
		if r.Effective > now {
			f.report.Future++
		}
	}
	key := digits.Key(uint64(prefix))
	n := len(f.rates)
	f.sorted = f.sorted && (key > f.last || n == 0 || key == f.last && r.Effective >= f.rates[n-1].Effective)
	f.last = key
	f.rates, f.lines = append(f.rates, r), append(f.lines, uint32(f.csv.line))
}

// sizeOf returns how many bytes there are to read, or 0 where that is not known.
func sizeOf(r io.Reader) int64 {
	switch r := r.(type) {
	case interface{ Len() int }: // bytes.Reader and the like
		return int64(r.Len())
	case interface{ Stat() (fs.FileInfo, error) }: // os.File
		if info, err := r.Stat(); err == nil {
			return info.Size()
		}
	}
	return 0
}

// firstRows are how many rows show how long a row is.
const firstRows = 512

// grow makes room for all rows at once, when the first ones have shown how many there may be: growing by and by would copy
// them several times, and hold two copies of them.
func (f *deckFile) grow(read int64) {
	if rows := int(f.size / max(read/firstRows, 1)); rows > firstRows && rows < maxRows {
		rows += rows / 64
		f.rates = append(make([]Rate, 0, rows), f.rates...)
		f.lines = append(make([]uint32, 0, rows), f.lines...)
	}
}

// maxRows bounds what is believed of a file's size.
const maxRows = 1 << 26

// unique drops lines that say the same again, and reports those that contradict each other.
func (f *deckFile) unique() {
	order := make([]uint32, len(f.rates))
	for i := range order {
		order[i] = uint32(i)
	}
	if !f.sorted {
		slices.SortFunc(order, func(a, b uint32) int {
			x, y := &f.rates[a], &f.rates[b]
			return cmp.Or(cmp.Compare(x.Prefix, y.Prefix), cmp.Compare(x.Effective, y.Effective), cmp.Compare(a, b))
		})
	}
	var twice []uint32
	first := 0 // in order: the first one with this prefix and time
	for i := 1; i < len(order); i++ {
		later := order[i]
		a, b := &f.rates[order[first]], &f.rates[later]
		switch {
		case a.Prefix != b.Prefix || a.Effective != b.Effective:
			first = i
		case *a == *b:
			twice = append(twice, later)
			f.report.Dropped++
			if len(f.report.Duplicates) < maxListed {
				f.report.Duplicates = append(f.report.Duplicates, DeckNote{int(f.lines[later]), int(f.lines[order[first]]), b.Prefix})
			}
		default:
			f.bad.add(fmt.Sprintf("line %d: %s", f.lines[later], columnNames[colPrefix][0]),
				"%s is already in line %d, effective at the same time and with other prices", shown(b.Prefix), f.lines[order[first]])
		}
	}
	if len(twice) == 0 {
		return
	}
	slices.Sort(twice)
	kept := f.rates[:0]
	for i := range f.rates {
		if len(twice) > 0 && int(twice[0]) == i {
			twice = twice[1:]
			continue
		}
		kept = append(kept, f.rates[i])
	}
	f.rates = kept
}
