package cdr

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/outdial/outdial"
)

// LineError says what is wrong with a value in a file of text.
type LineError struct {
	Line   int    // from 1
	Column string // its name; "" = the line as a whole
	Err    error
}

// Error names line and column.
func (e *LineError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("cdr: line %d: %v", e.Line, e.Err)
	}
	return fmt.Sprintf("cdr: line %d: column %q: %v", e.Line, e.Column, e.Err)
}

// Unwrap returns what is wrong without the place.
func (e *LineError) Unwrap() error { return e.Err }

// ReadCSV reads what Export.WriteCSV wrote: an EventEnded, with Replay set, for each line behind the first. Names
// get their ids from ids. Columns may stand in any order and be missing, except "attempt" and "start"; columns of
// other names are passed over. An error comes once, with a nil event, and is the end; those of the file's content
// are of type *LineError. Every event is new, so it may be kept.
func ReadCSV(r io.Reader, ids *outdial.Registry) iter.Seq2[*outdial.Event, error] {
	return func(yield func(*outdial.Event, error) bool) {
		in := csv.NewReader(withoutMark(r))
		names, err := in.Read()
		if err != nil {
			yield(nil, csvError(err))
			return
		}
		order, err := orderOf(names)
		if err != nil {
			yield(nil, err)
			return
		}
		in.ReuseRecord = true
		for {
			row, err := in.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, csvError(err))
				return
			}
			ev := &outdial.Event{Kind: outdial.EventEnded, Replay: true, Attempt: &outdial.Attempt{}}
			for i, c := range order {
				if c == nil || c.set == nil || row[i] == "" {
					continue
				}
				if err := c.set(ids, ev, row[i]); err != nil {
					line, _ := in.FieldPos(i)
					yield(nil, &LineError{Line: line, Column: c.name, Err: err})
					return
				}
			}
			if !yield(ev, nil) {
				return
			}
		}
	}
}

// withoutMark is r without a byte order mark, with which spreadsheets begin what they save as UTF-8.
func withoutMark(r io.Reader) io.Reader {
	in := bufio.NewReader(r)
	if b, _ := in.Peek(3); string(b) == "\ufeff" {
		_, _ = in.Discard(3) // they are there
	}
	return in
}

// orderOf finds the columns that a first line names; nil stands for those that are passed over.
func orderOf(names []string) ([]*column, error) {
	order := make([]*column, len(names))
	seen := map[string]bool{}
	for i, name := range names {
		if seen[name] {
			return nil, &LineError{Line: 1, Column: name, Err: errors.New("named twice")}
		}
		seen[name] = true
		for k := range columns {
			if columns[k].name == name {
				order[i] = &columns[k]
			}
		}
	}
	for _, name := range []string{"attempt", "start"} {
		if !seen[name] {
			return nil, &LineError{Line: 1, Column: name, Err: errors.New("missing")}
		}
	}
	return order, nil
}

func csvError(err error) error {
	var p *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return &LineError{Line: 1, Err: errors.New("the file is empty")}
	case errors.As(err, &p):
		return &LineError{Line: p.Line, Err: p.Err}
	}
	return fmt.Errorf("cdr: %w", err)
}
