package outdial_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
)

// TestCauseToSIP has every row of RFC 3398 §7.2.4.1.
func TestCauseToSIP(t *testing.T) {
	want := map[uint8]int{
		1: 404, 2: 404, 3: 404, 17: 486, 18: 408, 19: 480, 20: 480, 21: 403, 22: 410, 23: 410, 26: 404, 27: 502,
		28: 484, 29: 501, 31: 480, 34: 503, 38: 503, 41: 503, 42: 503, 47: 503, 55: 403, 57: 403, 58: 503, 65: 488,
		70: 488, 79: 501, 87: 403, 88: 503, 102: 504, 111: 500, 127: 500,
	}
	for v := range 256 {
		code, ok := outdial.Cause{Value: uint8(v)}.SIPCode()
		require.Equal(t, want[uint8(v)] != 0, ok, v)
		require.Equal(t, want[uint8(v)], code, v)
	}
	code, _ := outdial.Cause{Value: 21, Location: outdial.LocationUser}.SIPCode()
	require.Equal(t, 603, code)
}

// TestSIPToCause has every row of RFC 3398 §8.2.6.1.
func TestSIPToCause(t *testing.T) {
	want := map[int]uint8{
		400: 41, 401: 21, 402: 21, 403: 21, 404: 1, 405: 63, 406: 79, 407: 21, 408: 102, 410: 22, 413: 127, 414: 127,
		415: 79, 416: 127, 420: 127, 421: 127, 423: 127, 480: 18, 481: 41, 482: 25, 483: 25, 484: 28, 485: 1, 486: 17,
		488: 31, 500: 41, 501: 79, 502: 38, 503: 41, 504: 102, 505: 127, 513: 127, 600: 17, 603: 21, 604: 1, 606: 31,
	}
	for code, value := range want {
		c, ok := outdial.CauseOf(code)
		require.True(t, ok, code)
		require.Equal(t, value, c.Value, code)
		if code >= 600 {
			require.Equal(t, outdial.LocationUser, c.Location, code)
		} else {
			require.Equal(t, outdial.LocationLocalPublic, c.Location, code)
		}
	}
	for _, code := range []int{0, 100, 180, 200, 302, 487, 700} {
		_, ok := outdial.CauseOf(code)
		require.False(t, ok, code)
	}
}

// TestTheChainThatLosesItsMeaning shows why a Reason header goes before the status: ring-no-answer turns into a
// network failure after two interworkings.
func TestTheChainThatLosesItsMeaning(t *testing.T) {
	first, _ := outdial.Cause{Value: 19}.SIPCode()
	c, _ := outdial.CauseOf(first)
	second, _ := c.SIPCode()
	c, _ = outdial.CauseOf(second)
	third, _ := c.SIPCode()
	require.Equal(t, []int{480, 408, 504}, []int{first, second, third})
}

func TestCauseText(t *testing.T) {
	require.Empty(t, outdial.Cause{}.String())
	require.Equal(t, "17", outdial.Cause{Value: 17}.String())
	require.Equal(t, "21/U", outdial.Cause{Value: 21, Location: outdial.LocationUser}.String())
	require.Equal(t, "user busy", outdial.Cause{Value: 17}.Name())
	for l := outdial.LocationUser; l <= outdial.LocationBeyond; l++ {
		require.Equal(t, l, outdial.ParseLocation(l.String()))
	}
	require.Equal(t, outdial.LocationTransit, outdial.ParseLocation("tn"))
	require.Equal(t, outdial.LocationUnknown, outdial.ParseLocation(""))
	require.Equal(t, outdial.LocationUnknown, outdial.ParseLocation("XX"))
}
