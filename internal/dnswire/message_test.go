package dnswire

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var records = []Record{
	{Name: "a.example", Type: TypeA, TTL: time.Minute, Addr: netip.MustParseAddr("192.0.2.1")},
	{Name: "a.example", Type: TypeAAAA, TTL: time.Hour, Addr: netip.MustParseAddr("2001:db8::1")},
	{Name: "b.example", Type: TypeCNAME, TTL: time.Second, Target: "a.example"},
	{Name: "_sip._tcp.example", Type: TypeSRV, Priority: 10, Weight: 20, Port: 5060, Target: "a.example"},
	{Name: "example", Type: TypeNAPTR, Priority: 1, Weight: 2, Flags: "s", Service: "SIP+D2T", Regexp: "", Target: "_sip._tcp.example"},
	{Name: "example", Type: TypeNAPTR, Priority: 1, Weight: 2, Flags: "u", Service: "E2U+SIP", Regexp: "!^.*$!sip:a@b!"},
}

func TestMessages(t *testing.T) {
	q, err := AppendQuery(nil, 7, "Example.", TypeNAPTR)
	require.NoError(t, err)
	m, err := Parse(q)
	require.NoError(t, err)
	require.Equal(t, &Message{ID: 7, Name: "example", Type: TypeNAPTR}, m)

	want := &Message{ID: 9, Response: true, Code: CodeNotThere, Truncated: true, Name: "x.example", Type: TypeA, Answers: records, Extra: records[:1], Negative: time.Minute}
	b, err := AppendAnswer(nil, want)
	require.NoError(t, err)
	m, err = Parse(b)
	require.NoError(t, err)
	require.Equal(t, want, m)
	for i := range b { // cut anywhere, it is not read
		_, err := Parse(b[:i])
		require.ErrorIs(t, err, ErrMessage)
	}
	for _, name := range []string{"a..b", strings.Repeat("a", 64), strings.Repeat("a.", 130)} {
		_, err := AppendQuery(nil, 1, name, TypeA)
		require.ErrorIs(t, err, ErrName, name)
	}
}

// Names may be written once, and referred to: backwards only, so that they end.
func TestCompression(t *testing.T) {
	head := "\x00\x01\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00"
	question := "\x01a\x07example\x00\x00\x01\x00\x01"
	answer := "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01b\xc0\x0e"
	m, err := Parse([]byte(head + question + answer))
	require.NoError(t, err)
	require.Equal(t, []Record{{Name: "a.example", Type: TypeCNAME, TTL: time.Minute, Target: "b.example"}}, m.Answers)
	for _, loop := range []string{"\xc0\x1b", "\xc0\xff", "\xc0"} {
		_, err := Parse([]byte(head + question + loop + "\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x02\xc0\x1b"))
		require.ErrorIs(t, err, ErrMessage)
	}
}

// Whatever comes is read or refused, and what is read can be written and read again.
func FuzzParse(f *testing.F) {
	for i := range records {
		b, err := AppendAnswer(nil, &Message{ID: 1, Response: true, Name: "x.example", Type: records[i].Type, Answers: records[i : i+1], Negative: time.Second})
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte("\x00\x01\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x01a\x07example\x00\x00\x01\x00\x01\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01b\xc0\x0e"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		again, err := AppendAnswer(nil, m)
		if err != nil {
			return // a name that cannot be asked for
		}
		m2, err := Parse(again)
		require.NoError(t, err)
		require.Equal(t, m.Answers, m2.Answers)
	})
}
