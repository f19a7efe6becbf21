package b2bua

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestURIIn(t *testing.T) {
	for in, want := range map[string]string{
		"sip:+18885550000@a":                              "sip:+18885550000@a",
		"<tel:+18885550000>":                              "tel:+18885550000",
		"Sales <sip:+18885550000@a>;x=y":                  "sip:+18885550000@a",
		`"Sales" <sip:+18885550000@a>`:                    "sip:+18885550000@a",
		`"a <b> c" <sip:+18885550000@a>`:                  "sip:+18885550000@a",
		`"a < c" <sip:+18885550000@a>;note="<sip:911@a>"`: "sip:+18885550000@a",
		`"\"<sip:911@a>\\" <sip:+18885550000@a>`:          "sip:+18885550000@a",
		"<sip:+18885550000@a>, <tel:+19995550000>":        "sip:+18885550000@a",
		`"<sip:911@a>`:                                    `"<sip:911@a>`,
		"<sip:+18885550000@a":                             "sip:+18885550000@a",
		"":                                                "",
	} {
		require.Equal(t, want, uriIn(in), in)
	}
}

// FuzzURIIn writes a name-addr with any display name, and finds its URI.
func FuzzURIIn(f *testing.F) {
	f.Add(`a <b> c`, "sip:+18885550000@a")
	f.Add(`"<sip:911@a>\`, "tel:+18885550000")
	f.Add(``, "")
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	f.Fuzz(func(t *testing.T, display, uri string) {
		_ = uriIn(display)
		if strings.ContainsAny(uri, `<>"`) {
			return
		}
		if got := uriIn(`"` + quote.Replace(display) + `" <` + uri + `>;tag="<x>"`); got != uri {
			t.Fatalf("%q, not %q", got, uri)
		}
	})
}
