package numplan

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/outdial/outdial/internal/digits"
)

// empty is how the data files write an empty value, none how they write that there is no
// value where an empty one would be inherited.
const (
	empty = "-"
	none  = "none"
)

// maxErrors bounds what one New reports: a file of the wrong kind is wrong in each line.
const maxErrors = 20

// problems collects errors that name a file and a line.
type problems []error

func (p *problems) add(at place, format string, args ...any) {
	if len(*p) < maxErrors {
		*p = append(*p, fmt.Errorf("%s:%d: "+format, append([]any{at.file, at.line}, args...)...))
	}
}

func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return fmt.Errorf("numplan: %w", errors.Join(p...))
}

// place is where a row stands.
type place struct {
	file string
	line int
}

// row is one line of countries or areas, split but not yet understood.
type row struct {
	place
	prefix  uint64
	columns [6]string
}

// rows are the lines of one kind of file; a later file replaces rows of an earlier one.
type rows struct {
	file string
	list []row
	at   map[uint64]int // prefix → index of list
}

// read appends the lines of r, the prefix of each checked.
func (rs *rows) read(dir string, r io.Reader, errs *problems) {
	if rs.at == nil {
		rs.at = make(map[uint64]int, 1<<11)
	}
	seen := make(map[uint64]int)
	eachLine(dir+rs.file, r, errs, func(at place, columns []string) {
		w := row{place: at}
		if len(columns) != len(w.columns) {
			errs.add(at, "%d columns instead of %d, tabs between them", len(columns), len(w.columns))
			return
		}
		copy(w.columns[:], columns)
		prefix, err := strconv.ParseUint(columns[0], 10, 64)
		if err != nil || columns[0][0] < '1' || columns[0][0] > '9' || len(columns[0]) > digits.MaxLen {
			errs.add(at, "prefix %q: not 1 to %d digits, the first of them not 0", columns[0], digits.MaxLen)
			return
		}
		if first, twice := seen[prefix]; twice {
			errs.add(at, "prefix %d: given before, in line %d", prefix, first)
			return
		}
		w.prefix, seen[prefix] = prefix, at.line
		if i, ok := rs.at[prefix]; ok {
			rs.list[i] = w
			return
		}
		rs.at[prefix] = len(rs.list)
		rs.list = append(rs.list, w)
	})
}

// readNames adds the names of r to names.
func readNames(file string, r io.Reader, names map[string]string, errs *problems) {
	eachLine(file, r, errs, func(at place, columns []string) {
		if len(columns) != 2 {
			errs.add(at, "%d columns instead of 2, a tab between them", len(columns))
			return
		}
		country, region, hasRegion := strings.Cut(columns[0], "-")
		if _, ok := parseCountry(country); !ok || hasRegion && (!isRegion(region) || strings.Contains(region, "/")) {
			errs.add(at, "id %q: not a country or a country, a hyphen and a region", columns[0])
			return
		}
		names[columns[0]] = columns[1]
	})
}

// eachLine calls do with the columns of each line that is not blank and does not begin
// with "#".
func eachLine(file string, r io.Reader, errs *problems, do func(at place, columns []string)) {
	s := bufio.NewScanner(r)
	at := place{file: file}
	var columns []string
	for s.Scan() {
		at.line++
		line := strings.TrimSuffix(s.Text(), "\r")
		if line == "" || line[0] == '#' {
			continue
		}
		columns = columns[:0]
		for column := range strings.SplitSeq(line, "\t") {
			columns = append(columns, column)
		}
		do(at, columns)
	}
	if err := s.Err(); err != nil {
		at.line++
		errs.add(at, "%w", err)
	}
}

func parseCountry(s string) (Country, bool) {
	if len(s) != 2 || s[0] < 'A' || s[0] > 'Z' || s[1] < 'A' || s[1] > 'Z' {
		return Country{}, false
	}
	return Country{s[0], s[1]}, true
}

// isRegion reports whether each part of s between slashes is one to three capitals or
// digits, as the second part of an ISO 3166-2 code is.
func isRegion(s string) bool {
	for part := range strings.SplitSeq(s, "/") {
		if len(part) < 1 || len(part) > 3 || strings.Trim(part, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
			return false
		}
	}
	return true
}
