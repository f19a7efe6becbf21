package cli_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

func TestConfigJSON(t *testing.T) {
	cfg := cli.Config{
		Pools: []cli.PoolConfig{{
			Name: "p", Program: "x",
			Limits: cli.Limits{Caps: []cli.Cap{{100, 24 * time.Hour}}, Spacing: time.Second, Concurrent: 2},
			Sticky: cli.Sticky{Mode: cli.StickyStrict, TTL: time.Hour},
		}},
		Campaigns: []cli.CampaignConfig{{Campaign: "c", Pool: "p"}},
		Numbers: []cli.NumberConfig{{
			Number: num(212, 1), Pool: "p", State: cli.StateRehab, Type: cli.TypeTollFree, Area: 1212,
			Carriers: []string{"a"}, Evidence: "LOA", Expires: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		}},
		Limits: cli.Limits{Caps: []cli.Cap{}},
		Callee: []cli.Cap{},
	}
	text, err := json.Marshal(cfg)
	require.NoError(t, err)
	require.Contains(t, string(text), `"100/24h"`)
	require.Contains(t, string(text), `"toll_free"`)
	var back cli.Config
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, cfg, back, "an empty list of caps, which means none, is not lost")

	g := mustNew(t, survey(new(outdial.Registry), num(212, 1)))
	_, err = json.Marshal(g.Snapshot(t0))
	require.NoError(t, err)
}

func TestTexts(t *testing.T) {
	for s := cli.StateUnset; s <= cli.StateReleased; s++ {
		text, _ := s.MarshalText()
		var back cli.State
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, s, back)
	}
	require.Equal(t, "invalid", cli.State(99).String())
	require.Error(t, new(cli.State).UnmarshalText([]byte("burnt")))
	require.Error(t, new(cli.Type).UnmarshalText([]byte("fax")))
	require.Error(t, new(cli.StickyMode).UnmarshalText([]byte("maybe")))
	require.Error(t, new(cli.Cap).UnmarshalText([]byte("0/1h")))
	require.Equal(t, "90/1h30m", cli.Cap{Max: 90, Window: 90 * time.Minute}.String())
	require.Equal(t, "resting", cli.StatusResting.String())
}
