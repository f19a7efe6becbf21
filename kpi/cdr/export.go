package cdr

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/outdial/outdial"
)

// Export writes attempts for people and for other programs: one line for each attempt that ended. The columns are
// named in the CSV file's first line, and are the keys of a JSON line:
//
//   - times are RFC 3339 in UTC; moments of an attempt ("invite" to "end", and "abandon") are seconds since "start",
//     empty if they did not come; "pdd" and "duration" are computed from them (outdial.Timeline);
//   - ids stand by their names, an id without a name by its number: "#7"; those of "tags" with semicolons between them;
//   - "cost" is in millionths of the currency unit a minute; "cause" is Q.850 with its location: "21/U";
//   - "origin" to "bye_code" say how the attempt ended, "abandoned_origin" why hunting moved on before it did.
//
// The zero value is not usable: IDs is required. An Export is not changed by use and safe for concurrent use.
type Export struct {
	IDs *outdial.Registry // the registry that the events' ids come from

	// Number is how telephone numbers are shown; nil = in clear. Give a keyed hash where the file leaves those who
	// may see the numbers. ReadCSV reads numbers in clear only.
	Number func(outdial.Number) string
}

// WriteCSV writes the ended attempts among events to w, after a line of column names. It ends at the first error
// of events or of w.
func (x Export) WriteCSV(w io.Writer, events iter.Seq2[*outdial.Event, error]) error {
	if x.IDs == nil {
		return errExportIDs
	}
	out := csv.NewWriter(w)
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = c.name
	}
	if err := out.Write(row); err != nil {
		return fmt.Errorf("cdr: %w", err)
	}
	for ev, err := range events {
		if err != nil {
			return err
		}
		if !isEnded(ev) {
			continue
		}
		for i, c := range columns {
			row[i] = c.get(&x, ev)
		}
		if err := out.Write(row); err != nil {
			return fmt.Errorf("cdr: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("cdr: %w", err)
	}
	return nil
}

// WriteJSONL writes the ended attempts among events to w, one JSON object a line, without the keys that are empty.
// It ends at the first error of events or of w.
func (x Export) WriteJSONL(w io.Writer, events iter.Seq2[*outdial.Event, error]) error {
	if x.IDs == nil {
		return errExportIDs
	}
	out := bufio.NewWriter(w)
	var line []byte
	for ev, err := range events {
		if err != nil {
			return err
		}
		if !isEnded(ev) {
			continue
		}
		line = append(line[:0], '{')
		for _, c := range columns {
			value := c.get(&x, ev)
			if value == "" {
				continue
			}
			if len(line) > 1 {
				line = append(line, ',')
			}
			line = append(line, '"')
			line = append(line, c.name...)
			line = append(line, '"', ':')
			if c.bare {
				line = append(line, value...)
				continue
			}
			quoted, err := json.Marshal(value)
			if err != nil {
				return fmt.Errorf("cdr: %w", err)
			}
			line = append(line, quoted...)
		}
		line = append(line, '}', '\n')
		if _, err := out.Write(line); err != nil {
			return fmt.Errorf("cdr: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("cdr: %w", err)
	}
	return nil
}

var errExportIDs = errors.New("cdr: Export.IDs: required")

func isEnded(ev *outdial.Event) bool { return ev.Kind == outdial.EventEnded && ev.Attempt != nil }

func (x *Export) number(n outdial.Number) string {
	if n == 0 || x.Number == nil {
		return n.String()
	}
	return x.Number(n)
}
