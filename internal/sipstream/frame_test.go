package sipstream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// options is a message with a body of n bytes.
func options(n int) string {
	return fmt.Sprintf("OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nContent-Length: %d\r\n\r\n%s", n, strings.Repeat("x", n))
}

func messages(t *testing.T, from io.Reader, most int) (all []string, pings int, err error) {
	t.Helper()
	r := newReader(from, most)
	for {
		msg, err := r.next()
		pings += r.takePings()
		if err != nil {
			return all, pings, err
		}
		if msg != nil {
			all = append(all, string(msg))
		}
	}
}

func TestFraming(t *testing.T) {
	long := "OPTIONS sip:a@b SIP/2.0\r\nX: " + strings.Repeat("y", 1000) + "\r\nContent-Length: 0\r\n\r\n"
	for _, tt := range []struct {
		name, in string
		want     []string
		pings    int
		err      error
	}{
		{"nothing", "", nil, 0, io.EOF},
		{"one", options(0), []string{options(0)}, 0, io.EOF},
		{"with a body", options(7), []string{options(7)}, 0, io.EOF},
		{"several", options(3) + options(0) + options(9), []string{options(3), options(0), options(9)}, 0, io.EOF},
		{"line ends in between", "\r\n" + options(1) + "\r\n\r\n" + options(2), []string{options(1), options(2)}, 1, io.EOF},
		{"a ping", "\r\n\r\n", nil, 1, io.EOF},
		{"a response", "SIP/2.0 200 OK\r\nl:0\r\n\r\n", []string{"SIP/2.0 200 OK\r\nl:0\r\n\r\n"}, 0, io.EOF},
		{"the compact form, blanks and a fold", "BYE a SIP/2.0\r\nL \t: \r\n 2\r\n\r\nab", []string{"BYE a SIP/2.0\r\nL \t: \r\n 2\r\n\r\nab"}, 0, io.EOF},
		{"twice the same length", "BYE a SIP/2.0\r\nl: 1\r\nContent-Length: 1\r\n\r\na", []string{"BYE a SIP/2.0\r\nl: 1\r\nContent-Length: 1\r\n\r\na"}, 0, io.EOF},
		{"another version", "BYE a SIP/7.0\r\nl: 0\r\n\r\n", []string{"BYE a SIP/7.0\r\nl: 0\r\n\r\n"}, 0, io.EOF},
		{"two lengths", "BYE a SIP/2.0\r\nl: 1\r\nContent-Length: 2\r\n\r\nab", nil, 0, errLength},
		{"a negative length", "BYE a SIP/2.0\r\nContent-Length: -1\r\n\r\n", nil, 0, errLength},
		{"a length that is none", "BYE a SIP/2.0\r\nContent-Length: 1a\r\n\r\n", nil, 0, errLength},
		{"an empty length", "BYE a SIP/2.0\r\nContent-Length:\r\n\r\n", nil, 0, errLength},
		{"a length beyond all", "BYE a SIP/2.0\r\nContent-Length: 99999999999999999999\r\n\r\n", nil, 0, errLength},
		{"no length", "BYE a SIP/2.0\r\nX: Content-Length: 3\r\n\r\n", nil, 0, errNoLength},
		{"too short a length: the rest is no message", options(3) + "trailing\r\n" + options(0), []string{options(3)}, 0, errNotSIP},
		{"too long a length", "BYE a SIP/2.0\r\nContent-Length: 10\r\n\r\nab", nil, 0, io.ErrUnexpectedEOF},
		{"it ends within the headers", "BYE a SIP/2.0\r\nCont", nil, 0, io.ErrUnexpectedEOF},
		{"HTTP", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", nil, 0, errNotSIP},
		{"TLS, where TCP is spoken", "\x16\x03\x01\x02\x00\x01\x00", nil, 0, errNotSIP},
		{"as long as allowed", options(2000 - len(options(1000)) + 1000), []string{options(2000 - len(options(1000)) + 1000)}, 0, io.EOF},
		{"longer", options(2001 - len(options(1000)) + 1000), nil, 0, errTooLong},
		{"headers without an end", "BYE a SIP/2.0\r\n" + strings.Repeat("X: y\r\n", 1000), nil, 0, errTooLong},
		{"a start line without an end", "BYE " + strings.Repeat("a", 9000), nil, 0, errTooLong},
		{"a long one, then a short one", long + options(1), []string{long, options(1)}, 0, io.EOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, from := range map[string]io.Reader{
				"at once":            strings.NewReader(tt.in),
				"a byte at a time":   iotest.OneByteReader(strings.NewReader(tt.in)),
				"with an early end":  iotest.DataErrReader(strings.NewReader(tt.in)),
				"by halves":          iotest.HalfReader(strings.NewReader(tt.in)),
				"without some reads": &stuttering{from: strings.NewReader(tt.in)},
			} {
				got, pings, err := messages(t, from, 2000)
				require.Equal(t, tt.want, got, name)
				require.Equal(t, tt.pings, pings, name)
				require.ErrorIs(t, err, tt.err, name)
			}
		})
	}
}

// stuttering reads nothing every second time.
type stuttering struct {
	from io.Reader
	odd  bool
}

func (s *stuttering) Read(b []byte) (int, error) {
	if s.odd = !s.odd; s.odd {
		return 0, nil
	}
	return s.from.Read(b[:min(len(b), 7)])
}

// A long message's room is given back.
func TestFramingRoom(t *testing.T) {
	r := newReader(strings.NewReader(options(60000)+options(1)), 64<<10)
	for range 2 {
		msg, err := r.next()
		require.NoError(t, err)
		require.NotNil(t, msg)
	}
	_, err := r.next()
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, firstRoom, cap(r.buf))
}

// However a stream is cut into reads, the same messages are found, each with the length that it says, and all of them in order are what was read.
func FuzzFraming(f *testing.F) {
	for _, s := range []string{
		options(0), options(5) + "\r\n\r\n" + options(1), "SIP/2.0 200 OK\r\nl:0\r\n\r\n", "BYE a SIP/2.0\r\nL : \r\n 2\r\n\r\nab",
		"BYE a SIP/2.0\r\nContent-Length: -1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "\r\n\r\n\r\n", "BYE a SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\nab",
		"BYE a SIP/2.0\r\nContent-Length: 4000\r\n\r\nab", "\x16\x03\x01\x02\x00", "BYE a SIP/2.0\r\n\r\n",
	} {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, in []byte, step uint8) {
		whole, _, err := messages(t, bytes.NewReader(in), 1000)
		cut, _, err2 := messages(t, &steps{in, int(step%37) + 1}, 1000)
		require.Equal(t, whole, cut)
		require.Equal(t, errors.Is(err, io.EOF), errors.Is(err2, io.EOF))
		rest := string(in)
		for _, m := range whole {
			rest = strings.TrimLeft(rest, "\r\n")
			require.True(t, strings.HasPrefix(rest, m))
			require.LessOrEqual(t, len(m), 1000)
			rest = rest[len(m):]
			head, body, ok := strings.Cut(m, "\r\n\r\n")
			require.True(t, ok)
			n, err := contentLength([]byte(head + "\r\n\r\n"))
			require.NoError(t, err)
			require.Len(t, body, n)
		}
	})
}

// steps reads n bytes at a time.
type steps struct {
	b []byte
	n int
}

func (s *steps) Read(b []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b, s.b[:min(s.n, len(s.b))])
	s.b = s.b[n:]
	return n, nil
}
