package outdial_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/race"
)

func ExampleHeaders() {
	var h outdial.Headers
	h = h.With("X-Error", "D1 channel limit")
	h = h.With("Warning", `370 carrier.example "Insufficient Bandwidth"`)
	fmt.Println(h.Value("x-error"))
	for name, value := range h.All() {
		fmt.Println(name, "=", value)
	}
	// Output:
	// D1 channel limit
	// X-Error = D1 channel limit
	// Warning = 370 carrier.example "Insufficient Bandwidth"
}

func TestHeadersAreBounded(t *testing.T) {
	h := outdial.Headers("").With("A", strings.Repeat("é", 200))
	require.LessOrEqual(t, len(h), outdial.MaxHeaders)
	require.Equal(t, "A: "+strings.Repeat("é", 126), string(h), "cut between two characters")
	require.Equal(t, h, h.With("B", "there is no room"))
	require.Equal(t, outdial.Headers("A: 1"), outdial.Headers("A: 1").With("not a name", "1").With("", "1").With("X:", "1"))
	require.Equal(t, outdial.Headers("A: 1 B: 2"), outdial.Headers("").With("A", " 1\nB: 2\r"), "nobody smuggles a field in")
	require.Equal(t, outdial.Headers("A: \nB: 1"), outdial.Headers("").With("A", "").With("B", "1"))
}

// What With put in is what All gives back, and no more than there is room for.
func TestHeadersRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fields := rapid.SliceOfN(rapid.SliceOfN(rapid.StringMatching(`[A-Za-z-]{1,12}|[ -~éß\n]{0,40}`), 2, 2), 0, 12).Draw(t, "fields")
		var h outdial.Headers
		var want []string
		for _, f := range fields {
			before := h
			if h = h.With(f[0], f[1]); h != before {
				want = append(want, f[0])
			}
		}
		require.LessOrEqual(t, len(h), outdial.MaxHeaders)
		require.True(t, utf8.ValidString(string(h)))
		var got []string
		for name, value := range h.All() {
			got = append(got, name)
			require.NotContains(t, value, "\n")
		}
		require.Equal(t, want, got)
	})
}

func TestHeadersAreReadWithoutAllocating(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	h := outdial.Headers("").With("A", "1").With("B", "2")
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if h.Value("b") != "2" {
			t.Fail()
		}
	}))
}
