package routing

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// csvLines reads CSV (RFC 4180) record by record, without a copy of what is not quoted: a deck has a million of them.
// Spaces around values do not count, quoted ones inside quotes do. A line that is empty is no record.
type csvLines struct {
	r      *bufio.Reader
	line   int      // of the record that was read last, from 1
	next   int      // the line after it
	bytes  int64    // read so far
	fields [][]byte // valid until the next read
	long   []byte   // a record that did not lie in the buffer in one piece, or was put together from several lines
	quoted []byte   // values that were quoted, unquoted
}

func newCSVLines(r io.Reader) *csvLines {
	return &csvLines{r: bufio.NewReaderSize(r, 1<<16), next: 1}
}

var errQuote = errors.New("a quotation mark is missing or in the wrong place")

// read returns the fields of the next record, or io.EOF. After errQuote what follows cannot be trusted.
func (c *csvLines) read() ([][]byte, error) {
	for {
		c.line = c.next
		text, err := c.text()
		if err != nil {
			return nil, err
		}
		c.next++
		text = bytes.TrimRight(text, "\r\n")
		if len(text) == 0 {
			continue
		}
		if bytes.IndexByte(text, '"') < 0 {
			c.split(text)
			return c.fields, nil
		}
		return c.unquote(text)
	}
}

// text returns the next line with its end, or io.EOF.
func (c *csvLines) text() ([]byte, error) {
	text, err := c.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		c.long = append(c.long[:0], text...)
		for errors.Is(err, bufio.ErrBufferFull) {
			text, err = c.r.ReadSlice('\n')
			c.long = append(c.long, text...)
			if len(c.long) > maxRecord {
				return nil, errRecord
			}
		}
		text = c.long
	}
	if errors.Is(err, io.EOF) && len(text) > 0 {
		err = nil
	}
	c.bytes += int64(len(text))
	return text, err
}

const maxRecord = 1 << 20

var errRecord = errors.New("a record has more than a million bytes")

func (c *csvLines) split(text []byte) {
	c.fields = c.fields[:0]
	for {
		i := bytes.IndexByte(text, ',')
		if i < 0 {
			c.fields = append(c.fields, trim(text))
			return
		}
		c.fields = append(c.fields, trim(text[:i]))
		text = text[i+1:]
	}
}

// trim cuts spaces and tabs; most values have none.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// unquote reads a record that has quotation marks; it may go on over several lines.
func (c *csvLines) unquote(text []byte) ([][]byte, error) {
	record := bytes.Clone(text)
	for bytes.Count(record, []byte{'"'})%2 != 0 { // within a quotation the line ends without ending the record
		more, err := c.text()
		if errors.Is(err, io.EOF) {
			return nil, errQuote
		}
		if err != nil {
			return nil, err
		}
		c.next++
		record = append(append(record, '\n'), bytes.TrimRight(more, "\r\n")...)
		if len(record) > maxRecord {
			return nil, errRecord
		}
	}
	c.fields, c.quoted = c.fields[:0], make([]byte, 0, len(record))
	for {
		record = bytes.TrimLeft(record, " \t")
		if len(record) == 0 || record[0] != '"' {
			i := bytes.IndexByte(record, ',')
			value := record
			if i >= 0 {
				value = record[:i]
			}
			if bytes.IndexByte(value, '"') >= 0 {
				return nil, errQuote
			}
			c.fields = append(c.fields, trim(value))
			if i < 0 {
				return c.fields, nil
			}
			record = record[i+1:]
			continue
		}
		record = record[1:]
		from := len(c.quoted)
		for {
			i := bytes.IndexByte(record, '"')
			if i < 0 {
				return nil, errQuote
			}
			c.quoted = append(c.quoted, record[:i]...)
			record = record[i+1:]
			if len(record) == 0 || record[0] != '"' {
				break
			}
			c.quoted, record = append(c.quoted, '"'), record[1:] // "" is a quotation mark
		}
		c.fields = append(c.fields, trim(c.quoted[from:]))
		record = bytes.TrimLeft(record, " \t")
		switch {
		case len(record) == 0:
			return c.fields, nil
		case record[0] != ',':
			return nil, errQuote
		}
		record = record[1:]
	}
}
