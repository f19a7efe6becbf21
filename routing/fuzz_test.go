package routing_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// FuzzReadDeck: whatever a file holds, ReadDeck returns rows that can be written and read again and that Compile can
// judge, or an error.
func FuzzReadDeck(f *testing.F) {
	f.Add("prefix,rate,increment,setup,effective,end\n1212,0.0042,6/6,,2026-03-01,\n")
	f.Fuzz(func(t *testing.T, file string) {
		d, err := routing.ReadDeck("fuzz", strings.NewReader(file))
		if err != nil {
			require.Empty(t, d)
			return
		}
		var b strings.Builder
		b.WriteString("prefix,rate,increment,setup,effective,end\n")
		for _, r := range d.Rates {
			fmt.Fprintf(&b, "%v,%v,%v,%v,%v,%v\n", r.Prefix, r.PerMinute, r.Increment, r.Setup, r.Effective, r.End)
		}
		again, err := routing.ReadDeck("fuzz", strings.NewReader(b.String()))
		require.NoError(t, err, b.String())
		require.Equal(t, len(d.Rates), len(again.Rates))
		for i := range d.Rates {
			for _, call := range []time.Duration{1, time.Minute, time.Hour} {
				require.Equal(t, d.Rates[i].Cost(call), again.Rates[i].Cost(call))
			}
		}
		p := routing.Policy{
			Trunks: []routing.Trunk{{Name: "a", Deck: "fuzz"}}, Decks: []routing.Deck{d}, Rules: []routing.Rule{via("all", "a")},
		}
		table, err := routing.Compile(p, routing.CompileConfig{IDs: new(outdial.Registry)})
		if err != nil {
			require.ErrorContains(t, err, "is already in rates")
			return
		}
		for _, r := range d.Rates {
			if n := outdial.Number(r.Prefix); n > 0 && (r.Effective == 0 || r.Effective.Time().Before(monday)) && r.End == 0 {
				got, ok := table.Rate(monday, 1, n)
				require.True(t, ok)
				require.Equal(t, r.Prefix, got.Prefix)
			}
		}
	})
}

// FuzzPolicy: whatever a policy document holds, decoding, Lint and Compile return, and a table that comes out answers.
func FuzzPolicy(f *testing.F) {
	f.Add([]byte(`{"trunks":[{"name":"a"}],"rules":[{"tiers":[{"trunks":[{"trunk":"a"}]}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var p routing.Policy
		if json.Unmarshal(text, &p) != nil {
			return
		}
		routing.Lint(p)
		ids := new(outdial.Registry)
		ids.DayParts.Add("evening")
		table, err := routing.Compile(p, routing.CompileConfig{IDs: ids, Numbering: plan()})
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		for _, to := range []outdial.Number{0, 12125550123, 442079460000, 999_999_999_999_999} {
			call := outdial.Call{To: to, Campaign: 1, Program: 1, Tenant: 1, Mode: outdial.ModeManual}
			call.Dest = plan().Locate(monday, to)
			_, _ = table.Admit(monday, &call)
			cs, err := table.Route(monday, &call, nil)
			require.Equal(t, err != nil, len(cs) == 0)
			require.LessOrEqual(t, len(cs), outdial.MaxCandidates)
			for i := range cs {
				require.NotZero(t, cs[i].Trunk)
				require.True(t, cs[i].Matched.Contains(to))
				require.True(t, i == 0 || cs[i].Tier >= cs[i-1].Tier)
			}
		}
	})
}

// FuzzControl: whatever a control says, it is refused or it is in force, and a decision that heeds it is repeated from its
// record.
func FuzzControl(f *testing.F) {
	f.Add("routing.avoid", "carrier A", "prefix=+1212; network=tmobile")
	f.Add("routing.pin", "trunk b", "campaign=spring; program=sales")
	f.Add("routing.clear", "trunk b", "")
	f.Add("routing.force", "trunk a for b", "prefix=")
	f.Fuzz(func(t *testing.T, action, target, value string) {
		p := routing.Policy{
			Trunks: []routing.Trunk{{Name: "a", Carrier: "A"}, {Name: "b", Carrier: "B"}}, Rules: []routing.Rule{via("all", "a", "b")},
		}
		c := compile(t, p, routing.CompileConfig{})
		r := routing.NewRouter(c.Table)
		err := control(r, action, target, value, time.Hour)
		call := outdial.Call{ID: 1, To: 12125550123}
		var rec outdial.Record
		call.SetRecord(&rec)
		want, wantErr := r.Route(monday, &call, nil)
		if err != nil || !strings.HasPrefix(action, "routing.") {
			require.NoError(t, wantErr)
			require.Len(t, want, 2)
			require.Empty(t, r.Overrides(monday))
			return
		}
		got, gotErr := c.Replay(monday, &call, rec.Readings())
		require.Equal(t, wantErr, gotErr)
		require.Equal(t, want, got)
	})
}
