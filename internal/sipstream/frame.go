package sipstream

import (
	"bytes"
	"errors"
	"io"
)

// Errors of framing. After one of them the stream is of no use.
var (
	errTooLong  = errors.New("sipstream: the message is too long")
	errNotSIP   = errors.New("sipstream: what begins is no SIP message")
	errNoLength = errors.New("sipstream: the message has no Content-Length")
	errLength   = errors.New("sipstream: the Content-Length cannot be read")
)

const (
	// firstRoom is the buffer that a connection begins with; most messages fit in.
	firstRoom = 4096
	// maxStartLine bounds the start line.
	maxStartLine = 8192
)

// reader finds the messages in a stream. It keeps no more than one message and what was read behind it.
type reader struct {
	from io.Reader
	max  int

	buf     []byte
	start   int  // of what is not consumed
	scanned int  // of that, what is known to hold no end of headers
	checked bool // the start line is one
	need    int  // the length of the message, once its headers are there; 0 = not known
	pings   int  // double CRLFs that stood before the last message (RFC 5626 §4.4.1)
	blank   int  // CR and LF in a row before a message
}

func newReader(from io.Reader, most int) *reader {
	return &reader{from: from, max: most}
}

// begun reports whether a message has begun and is not complete.
func (r *reader) begun() bool { return len(r.buf) > r.start }

// next returns the next message, which is good until the call after it, or nil when a ping came alone. An error of the stream is returned as it is, but for io.EOF within a
// message, which is io.ErrUnexpectedEOF.
func (r *reader) next() ([]byte, error) {
	for {
		msg, err := r.cut()
		if msg != nil || err != nil || r.pings > 0 {
			return msg, err
		}
		if err := r.fill(); err != nil {
			if err == io.EOF && r.begun() {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}

// fill reads once.
func (r *reader) fill() error {
	if r.start > 0 {
		r.buf = r.buf[:copy(r.buf, r.buf[r.start:])]
		r.start = 0
	}
	switch {
	case len(r.buf) == 0 && cap(r.buf) != firstRoom: // a long message's room is not kept for short ones
		r.buf = make([]byte, 0, firstRoom)
	case len(r.buf) == cap(r.buf):
		grown := make([]byte, len(r.buf), min(2*cap(r.buf), r.max+firstRoom))
		copy(grown, r.buf)
		r.buf = grown
	}
	n, err := r.from.Read(r.buf[len(r.buf):cap(r.buf)])
	r.buf = r.buf[:len(r.buf)+n]
	if n > 0 {
		return nil // an error comes again
	}
	return err
}

// cut takes a whole message off what was read; nil = more is needed.
func (r *reader) cut() ([]byte, error) {
	r.skipBlank()
	b := r.buf[r.start:]
	if len(b) == 0 {
		return nil, nil
	}
	if !r.checked {
		ok, err := startsSIP(b)
		if err == nil && !ok && len(b) >= r.max {
			err = errTooLong
		}
		if !ok || err != nil {
			return nil, err
		}
		r.checked = true
	}
	if r.need == 0 {
		if err := r.measure(b); err != nil {
			return nil, err
		}
	}
	if r.need == 0 || len(b) < r.need {
		return nil, nil
	}
	msg := b[:r.need]
	r.start += r.need
	r.scanned, r.need, r.checked = 0, 0, false
	return msg, nil
}

// measure finds out how long the message is that b begins with, if its headers are there.
func (r *reader) measure(b []byte) error {
	end := bytes.Index(b[r.scanned:], []byte("\r\n\r\n"))
	if end < 0 {
		if r.scanned = max(len(b)-3, 0); len(b) >= r.max {
			return errTooLong
		}
		return nil
	}
	end += r.scanned + 4
	body, err := contentLength(b[:end])
	if err == nil && body > r.max-end {
		err = errTooLong
	}
	if err != nil {
		return err
	}
	r.need = end + body
	return nil
}

// skipBlank skips line ends before a message, and counts the pairs: each is a ping.
func (r *reader) skipBlank() {
	if r.checked {
		return
	}
	for r.start < len(r.buf) && (r.buf[r.start] == '\r' || r.buf[r.start] == '\n') {
		r.start++
		if r.blank++; r.blank == 4 {
			r.blank = 0
			r.pings++
		}
	}
	if r.start < len(r.buf) {
		r.blank = 0
	}
}

// takePings returns how many pings there were since it was asked last.
func (r *reader) takePings() int {
	n := r.pings
	r.pings = 0
	return n
}

// startsSIP reports whether the start line is there and is one; an error says that it never will be.
func startsSIP(b []byte) (bool, error) {
	line, _, whole := bytes.Cut(b, []byte("\r\n"))
	switch {
	case whole && !isStartLine(line), !whole && len(b) > maxStartLine, !printable(b[0]):
		return false, errNotSIP
	}
	return whole, nil
}

// isStartLine reports whether a line is a request line or a status line, of whatever version.
func isStartLine(line []byte) bool {
	if len(line) >= 4 && bytes.EqualFold(line[:4], []byte("SIP/")) {
		return true
	}
	at := bytes.LastIndexByte(bytes.TrimRight(line, " \t"), ' ')
	return at > 0 && len(line)-at > 4 && bytes.EqualFold(line[at+1:at+5], []byte("SIP/"))
}

func printable(c byte) bool { return c > ' ' && c < 0x7f }

// contentLength reads the Content-Length of a message's headers, which end with an empty line. A field may go on in the next line.
func contentLength(head []byte) (int, error) {
	length := -1
	_, rest, _ := bytes.Cut(head, []byte("\r\n"))
	for len(rest) > 2 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, ok := bytes.Cut(line, []byte(":"))
		if name = bytes.TrimRight(name, " \t"); !ok || !bytes.EqualFold(name, []byte("Content-Length")) && !bytes.EqualFold(name, []byte("l")) {
			continue
		}
		for len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') {
			line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
			value = append(value[:len(value):len(value)], line...)
		}
		n, err := number(bytes.Trim(value, " \t"))
		if err != nil || length >= 0 && n != length {
			return 0, errLength
		}
		length = n
	}
	if length < 0 {
		return 0, errNoLength
	}
	return length, nil
}

// number reads a decimal of at most nine digits.
func number(b []byte) (n int, err error) {
	if len(b) == 0 || len(b) > 9 {
		return 0, errLength
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, errLength
		}
		n = n*10 + int(c-'0')
	}
	return n, nil
}
