package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/outdial/outdial"
)

// ReadJSON reads an inventory: an array of objects, or objects one after another (JSON lines), with the names of NumberConfig's
// fields, in lower case or not. Number is required, fields that it does not know are an error; carriers and attested are
// arrays; dates are as for ReadCSV; null is as if the field were not there. The error joins a *LineError for everything
// that is wrong, up to a hundred; the good numbers are returned beside it. What is not JSON ends the reading.
func ReadJSON(r io.Reader) ([]NumberConfig, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("cli: inventory: %w", err)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	f := jsonFile{data: data, in: json.NewDecoder(bytes.NewReader(data))}
	v := inventory{lines: map[outdial.Number]int{}}
	array := bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("["))
	if array {
		_, _ = f.in.Token()
	}
	for len(v.errs) < maxLineErrors {
		if !f.in.More() {
			if err := f.end(array); err != nil {
				v.errs = append(v.errs, err)
			}
			return v.list, errors.Join(v.errs...)
		}
		line, n, bad, err := f.number()
		if err != nil {
			v.errs = append(append(v.errs, bad...), err)
			return v.list, errors.Join(v.errs...)
		}
		v.add(line, n, bad)
	}
	return v.list, errors.Join(append(v.errs, errTooMany)...)
}

// jsonFile knows in which line the decoder is.
type jsonFile struct {
	data []byte
	in   *json.Decoder
	at   int64 // what was counted up to
	line int   // lines before it
}

// here is the line of what comes next.
func (f *jsonFile) here() int {
	to := f.in.InputOffset()
	to += int64(len(f.data[to:]) - len(bytes.TrimLeft(f.data[to:], " \t\r\n,:")))
	f.line += bytes.Count(f.data[f.at:to], []byte{'\n'})
	f.at = to
	return f.line + 1
}

func (f *jsonFile) bad(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return &LineError{Line: f.here(), Err: err}
}

// end reads what follows the last number.
func (f *jsonFile) end(array bool) error {
	if array {
		if _, err := f.in.Token(); err != nil {
			return f.bad(err)
		}
	}
	line := f.here()
	if _, err := f.in.Token(); !errors.Is(err, io.EOF) {
		return &LineError{Line: line, Err: errors.New("something follows the inventory")}
	}
	return nil
}

// number reads one object: the line that it begins in, and what is wrong with its fields. An error is one after which nothing
// can be trusted.
func (f *jsonFile) number() (line int, n NumberConfig, bad []error, err error) {
	line = f.here()
	token, err := f.in.Token()
	if err != nil {
		return line, n, nil, f.bad(err)
	}
	if token != json.Delim('{') {
		return line, n, nil, &LineError{Line: line, Err: fmt.Errorf("want an object, not %v", token)}
	}
	seen := map[string]bool{}
	for f.in.More() {
		at := f.here()
		name, err := f.in.Token()
		if err != nil {
			return line, n, bad, f.bad(err)
		}
		field, _ := name.(string)
		var value json.RawMessage
		if err := f.in.Decode(&value); err != nil {
			return line, n, bad, f.bad(err)
		}
		key := strings.ToLower(field)
		switch {
		case inventoryColumns[key] == nil:
			err = errors.New("no such field")
		case seen[key]:
			err = errTwice
		default:
			err = setField(&n, key, value)
		}
		seen[key] = true
		if err != nil {
			bad = append(bad, &LineError{Line: at, Column: field, Err: err})
		}
	}
	if _, err := f.in.Token(); err != nil {
		return line, n, bad, f.bad(err)
	}
	if !seen["number"] {
		bad = append(bad, &LineError{Line: line, Column: "number", Err: errRequired})
	}
	return line, n, bad, nil
}

// setField reads a value as a column of a CSV file is read, but for lists.
func setField(n *NumberConfig, key string, value json.RawMessage) error {
	if string(value) == "null" {
		return nil
	}
	if list := inventoryLists[key]; list != nil {
		if json.Unmarshal(value, list(n)) != nil {
			return errors.New("want an array of strings")
		}
		return nil
	}
	var text string
	if json.Unmarshal(value, &text) != nil {
		return errors.New("want a string")
	}
	return inventoryColumns[key](n, strings.TrimSpace(text))
}
