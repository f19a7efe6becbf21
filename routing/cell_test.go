package routing_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// TestPosteriorsKeepApart: what was read of a trunk a moment ago is not taken for what is known of another trunk, destination or
// day-part, however great their ids are.
func TestPosteriorsKeepApart(t *testing.T) {
	ids := new(outdial.Registry)
	others := make([]string, 1<<16)
	for i := range others {
		others[i] = fmt.Sprint("other ", i)
	}
	others[0] = "a"
	ids.Trunks.Add(others...)
	w := newWorld()
	cfg := w.config()
	cfg.IDs = ids
	c := compile(t, contest(routing.Success{}, 9000, 7000), cfg)
	a, b := ids.Trunks.ID("a"), ids.Trunks.ID("b")
	require.Equal(t, a+1<<16, b)
	w.asr[a], w.asr[b] = estimate(.5, 1000), estimate(.1, 1000)
	for _, dest := range []outdial.Destination{
		{DayPart: 1}, {}, {DayPart: 257}, {Group: 1}, {Group: 1<<24 + 1}, {Group: 1 << 16}, {Group: 1 << 24, DayPart: 1 << 16},
	} {
		require.Equal(t, []string{"a", "b"}, c.route(t, monday, outdial.Call{To: 12125550123, Dest: dest}), dest)
	}
}

// TestPosteriorsAreOfOnePast: a table that is asked alone, and two routers that have it in force, each go by what they know.
func TestPosteriorsAreOfOnePast(t *testing.T) {
	w := newWorld()
	p := contest(routing.Success{}, 9000, 9000)
	p.Exploration.Share = -1
	c := compile(t, p, w.config())
	w.asr[1], w.asr[2] = estimate(.5, 1000), estimate(.5, 1000)
	alone, told := routing.NewRouter(c.Table), routing.NewRouter(c.Table)
	for i := range 200 { // a falls
		tell(told, 2*i+1, 1, monday, i < 100 && i%2 == 0)
		tell(told, 2*i+2, 2, monday, i%2 == 0)
	}
	call := outdial.Call{To: 12125550123}
	for range 3 {
		require.Equal(t, []string{"a", "b"}, c.route(t, monday, call), "a table knows no past")
		cs, err := alone.Route(monday, &call, nil)
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b"}, c.trunks(cs), "nothing was told of")
		cs, err = told.Route(monday, &call, nil)
		require.NoError(t, err)
		require.Equal(t, []string{"b", "a"}, c.trunks(cs), "a has fallen")
	}
}
