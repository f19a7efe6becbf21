package outdial_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/race"
)

const (
	someRanges = "# OCN by block\n+1\tother\n+1212555\t6664\r\n+1646555\t6006\n\n+44\tBT\n"
	somePorted = "+12125550123\t+16465550000\n"
)

func TestNetworkTable(t *testing.T) {
	ids := new(outdial.Registry)
	n, err := outdial.NewNetworkTable(outdial.NetworkTableConfig{
		IDs: ids, Ranges: strings.NewReader(someRanges), Ported: strings.NewReader(somePorted),
	})
	require.NoError(t, err)
	require.Equal(t, 5, n.Len())
	for to, want := range map[outdial.Number]string{
		12125550199: "6664", 12125550123: "6006", 13125550100: "other", 442079460123: "BT", 4930123456: "",
	} {
		require.Equal(t, want, ids.Networks.Name(n.Network(start, to)), to)
	}
	if !race.Enabled {
		require.Zero(t, testing.AllocsPerRun(100, func() { n.Network(start, 12125550123) }))
	}
}

func TestNetworkTableNamesEveryBadLine(t *testing.T) {
	_, err := outdial.NewNetworkTable(outdial.NetworkTableConfig{})
	require.ErrorContains(t, err, "required")
	_, err = outdial.NewNetworkTable(outdial.NetworkTableConfig{
		IDs:    new(outdial.Registry),
		Ranges: strings.NewReader("+1\ta\nx\tb\n+1\tc\n+2\n"),
		Ported: strings.NewReader("+12125550123\t+442079460000\n123\t+12125550100\n+12125550124\tx\n"),
	})
	for _, want := range []string{
		"Ranges: line 2", "Ranges: line 3", "Ranges: line 4: want two fields", "Ported: line 1: no range",
		"Ported: line 2", "Ported: line 3",
	} {
		require.ErrorContains(t, err, want)
	}
	_, err = outdial.NewNetworkTable(outdial.NetworkTableConfig{
		IDs: new(outdial.Registry), Ranges: strings.NewReader(strings.Repeat("x", 1<<20)),
	})
	require.ErrorContains(t, err, "Ranges")
}

func FuzzNetworkTable(f *testing.F) {
	f.Add(someRanges, somePorted)
	f.Add("+1\ta\n+12\tb\n", "+12125550123\t+13125550100")
	f.Add("+\t\n", "\t\t")
	f.Fuzz(func(t *testing.T, ranges, ported string) {
		ids := new(outdial.Registry)
		n, err := outdial.NewNetworkTable(outdial.NetworkTableConfig{
			IDs: ids, Ranges: strings.NewReader(ranges), Ported: strings.NewReader(ported),
		})
		if err != nil {
			return
		}
		require.LessOrEqual(t, n.Network(start, 12125550123), outdial.NetworkID(ids.Networks.Len()))
	})
}

// networkOf is a look-up as a host may have it.
type networkOf map[outdial.Number]outdial.NetworkID

func (n networkOf) Network(_ time.Time, to outdial.Number) outdial.NetworkID { return n[to] }

// Begin looks the network up, the stages, the events and an explanation have it.
func TestTheNetworkIsKnownFromBeginOn(t *testing.T) {
	var id outdial.NetworkID
	w := newWorld(func(c *outdial.Config) {
		id = c.IDs.Networks.ID("6006")
		c.Networks = networkOf{aCall.To: id}
	})
	require.NotZero(t, id)
	x := w.engine.Explain(w.now, aCall)
	require.Equal(t, "6006", x.Call.Network)
	found := false
	for _, r := range x.Readings {
		found = found || r.Name == "network" && r.Text == "6006"
	}
	require.True(t, found)

	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	require.Equal(t, id, s.Call().Dest.Network)
	a := dial(t, s, w.now)
	require.Equal(t, id, a.Call.Dest.Network)
	require.NoError(t, s.End(w.now, a.ID, carrier(486)))
	other := aCall
	other.To = 12125550124
	require.NoError(t, s.Begin(w.now, other))
	require.Zero(t, s.Call().Dest.Network)
	s.Cancel(w.now)
}
