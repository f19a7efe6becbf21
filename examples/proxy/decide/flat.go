package decide

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// flat reads one JSON object whose values are texts, whole numbers, true and false: all that this API takes. It is strict, names the
// field that is wrong, and allocates for texts alone; encoding/json costs several times as much of a decision.
type flat struct {
	in  []byte
	pos int
	buf []byte // of the text that is read
}

// field is where a value goes. One of text, number and truth is set.
type field struct {
	name   string
	text   *string
	number *int64
	truth  *bool
}

// fieldError is what is wrong with one field.
type fieldError struct {
	field string
	code  string // "unknown_field", "type", "json"
	err   error
}

// Error returns "field: what is wrong".
func (e *fieldError) Error() string { return e.field + ": " + e.err.Error() }

var errSyntax = errors.New("the body is no JSON object")

// read fills the fields from the object. A key that none of them has, or that comes twice, is an error. null is as if the key were not there.
func (f *flat) read(in []byte, fields []field) error {
	f.in, f.pos = in, 0
	var seen uint64
	if !f.next('{') {
		return errSyntax
	}
	if f.next('}') {
		return f.end()
	}
	for {
		key, ok := f.text()
		if !ok || !f.next(':') {
			return errSyntax
		}
		at := -1
		for i := range fields {
			if fields[i].name == string(key) {
				at = i
			}
		}
		switch {
		case at < 0:
			return &fieldError{string(key), "unknown_field", errors.New("unknown field")}
		case seen&(1<<at) != 0:
			return &fieldError{string(key), "json", errors.New("it is given twice")}
		}
		seen |= 1 << at
		if err := f.value(&fields[at]); err != nil {
			return err
		}
		switch {
		case f.next(','):
		case f.next('}'):
			return f.end()
		default:
			return errSyntax
		}
	}
}

func (f *flat) end() error {
	if f.space(); f.pos != len(f.in) {
		return errSyntax
	}
	return nil
}

func (f *flat) value(to *field) error {
	f.space()
	if f.word("null") {
		return nil
	}
	wrong := func(want string) error { return &fieldError{to.name, "type", errors.New("want " + want)} }
	switch {
	case to.text != nil:
		if f.pos >= len(f.in) || f.in[f.pos] != '"' {
			return wrong("a text")
		}
		b, ok := f.text()
		if !ok {
			return errSyntax
		}
		*to.text = string(b)
	case to.number != nil:
		start := f.pos
		for f.pos < len(f.in) && (f.in[f.pos] == '-' && f.pos == start || f.in[f.pos] >= '0' && f.in[f.pos] <= '9') {
			f.pos++
		}
		digits := f.in[start:f.pos]
		if len(digits) > 1 && digits[0] == '0' || len(digits) > 2 && digits[0] == '-' && digits[1] == '0' {
			return wrong("a whole number")
		}
		n, err := strconv.ParseInt(string(digits), 10, 64)
		if err != nil || f.pos < len(f.in) && (f.in[f.pos] == '.' || f.in[f.pos]|0x20 == 'e') {
			return wrong("a whole number")
		}
		*to.number = n
	default:
		switch {
		case f.word("true"):
			*to.truth = true
		case f.word("false"):
			*to.truth = false
		default:
			return wrong("true or false")
		}
	}
	return nil
}

func (f *flat) space() {
	for f.pos < len(f.in) {
		switch f.in[f.pos] {
		case ' ', '\t', '\r', '\n':
			f.pos++
		default:
			return
		}
	}
}

func (f *flat) next(c byte) bool {
	f.space()
	if f.pos < len(f.in) && f.in[f.pos] == c {
		f.pos++
		return true
	}
	return false
}

func (f *flat) word(w string) bool {
	if len(f.in)-f.pos >= len(w) && string(f.in[f.pos:f.pos+len(w)]) == w {
		f.pos += len(w)
		return true
	}
	return false
}

// text reads a text in quotes. What it returns is valid until the next one.
func (f *flat) text() ([]byte, bool) {
	if !f.next('"') {
		return nil, false
	}
	start := f.pos
	for f.pos < len(f.in) {
		switch c := f.in[f.pos]; {
		case c == '"':
			b := f.in[start:f.pos]
			f.pos++
			return b, utf8.Valid(b)
		case c == '\\':
			return f.escaped(start)
		case c < ' ':
			return nil, false
		}
		f.pos++
	}
	return nil, false
}

// escaped reads on where a text has its first backslash.
func (f *flat) escaped(start int) ([]byte, bool) {
	f.buf = append(f.buf[:0], f.in[start:f.pos]...)
	for f.pos < len(f.in) {
		c := f.in[f.pos]
		f.pos++
		switch {
		case c == '"':
			return f.buf, utf8.Valid(f.buf)
		case c < ' ':
			return nil, false
		case c != '\\':
			f.buf = append(f.buf, c)
			continue
		}
		if f.pos >= len(f.in) {
			return nil, false
		}
		c = f.in[f.pos]
		f.pos++
		switch c {
		case '"', '\\', '/':
			f.buf = append(f.buf, c)
		case 'b':
			f.buf = append(f.buf, '\b')
		case 'f':
			f.buf = append(f.buf, '\f')
		case 'n':
			f.buf = append(f.buf, '\n')
		case 'r':
			f.buf = append(f.buf, '\r')
		case 't':
			f.buf = append(f.buf, '\t')
		case 'u':
			r, ok := f.unicode()
			if !ok {
				return nil, false
			}
			f.buf = utf8.AppendRune(f.buf, r)
		default:
			return nil, false
		}
	}
	return nil, false
}

// unicode reads four hexadecimal digits, and the second half of a pair where there is one. Half a pair stands for no character.
func (f *flat) unicode() (rune, bool) {
	four := func() (rune, bool) {
		if len(f.in)-f.pos < 4 {
			return 0, false
		}
		n, err := strconv.ParseUint(string(f.in[f.pos:f.pos+4]), 16, 16)
		f.pos += 4
		return rune(n), err == nil
	}
	r, ok := four()
	if ok && utf16.IsSurrogate(r) {
		if !f.word(`\u`) {
			return utf8.RuneError, true
		}
		low, good := four()
		return utf16.DecodeRune(r, low), good
	}
	return r, ok
}

// quoted appends a text in quotes.
func quoted(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
