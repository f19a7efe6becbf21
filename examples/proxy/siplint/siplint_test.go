package siplint_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/siplint"
)

var from = netip.MustParseAddrPort("203.0.113.9:5060")

// TestFixtures: each file of testdata has the one fault that its name begins with, and what is sound has none.
func TestFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/*.sip")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	seen := map[siplint.Code]bool{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		found, err := siplint.Message(data, from)
		require.NoError(t, err, file)
		name := filepath.Base(file)
		if strings.HasPrefix(name, "sound") {
			require.Empty(t, found, name)
			continue
		}
		require.Len(t, found, 1, "%s: %v", name, found)
		require.True(t, strings.HasPrefix(name, found[0].Code.String()), "%s: %v", name, found)
		require.NotEmpty(t, found[0].Code.Fix())
		require.NotEmpty(t, found[0].What)
		seen[found[0].Code] = true
	}
	for c := siplint.MediaPrivate; c <= siplint.BodyLength; c++ {
		require.True(t, seen[c], "%s has no fixture", c)
	}
}

// TestOneNetwork: among private addresses private ones are right, and a null address within a call is a hold.
func TestOneNetwork(t *testing.T) {
	for _, file := range []string{"media-private", "contact-private", "media-null"} {
		data, err := os.ReadFile("testdata/" + file + ".sip")
		require.NoError(t, err)
		m, err := sip.ParseMessage(data)
		require.NoError(t, err)
		require.Empty(t, siplint.Check(m.(siplint.Signal), netip.MustParseAddrPort("[::ffff:192.168.1.4]:5060"), true, false), file)
	}
}

func TestMessageThatIsNone(t *testing.T) {
	for _, text := range []string{"", "hello", "INVITE sip:a@b SIP/2.0\r\n\r\n", "\x00\xff\r\n\r\n"} {
		found, err := siplint.Message([]byte(text), from)
		if err == nil {
			require.Empty(t, found, text)
			continue
		}
		require.ErrorIs(t, err, siplint.ErrNotSIP, text)
	}
}

func FuzzMessage(f *testing.F) {
	files, err := filepath.Glob("testdata/*.sip")
	require.NoError(f, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := siplint.Message(data, from)
		if err != nil {
			require.Empty(t, found)
		}
		for _, x := range found {
			require.NotEmpty(t, x.Code.Fix())
		}
	})
}
