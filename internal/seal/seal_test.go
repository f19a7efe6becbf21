package seal_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/seal"
)

const kind = "KIND1"

func TestOpen(t *testing.T) {
	for _, content := range []string{"", "some content"} {
		b := seal.Close(kind, append(seal.Begin(kind), content...))
		got, err := seal.Open(kind, b)
		require.NoError(t, err)
		require.Equal(t, content, string(got))
		_, err = seal.Open("KIND2", b)
		require.ErrorIs(t, err, seal.ErrForeign)
		for n := range b { // cut off anywhere
			_, err := seal.Open(kind, b[:n])
			require.Error(t, err)
		}
		for i := range b { // any bit
			for bit := range 8 {
				b[i] ^= 1 << bit
				_, err := seal.Open(kind, b)
				require.Error(t, err)
				b[i] ^= 1 << bit
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("KIND1\x00\x00\x00\x00"))
	f.Add(seal.Close(kind, append(seal.Begin(kind), "content"...)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if content, err := seal.Open(kind, b); err == nil {
			require.Equal(t, b, seal.Close(kind, append(seal.Begin(kind), content...)))
		}
	})
}
