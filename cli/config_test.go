package cli_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

func TestUpdateKeepsCounts(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1))
	cfg.Limits, cfg.Callee = cli.Limits{Caps: []cli.Cap{{2, time.Hour}}, Spacing: -1}, []cli.Cap{}
	g := mustNew(t, cfg)
	call, c := callTo(&ids, "survey", callee), &outdial.Candidate{}
	held, _, err := g.Reserve(t0, call, c, 0)
	require.NoError(t, err)
	_, _, err = g.Reserve(at(time.Minute), call, c, 0)
	require.NoError(t, err)

	bad := cfg
	bad.Numbers = append(bad.Numbers[:1:1], bad.Numbers[0])
	require.ErrorContains(t, g.Update(bad), "one pool only")
	other := cfg
	other.IDs = new(outdial.Registry)
	require.Error(t, g.Update(other))
	other = cfg
	other.Secret = []byte("another secret of its own")
	require.ErrorContains(t, g.Update(other), "Secret")

	empty := cfg
	empty.Numbers = nil
	require.NoError(t, g.Update(empty))
	_, _, err = g.Reserve(at(time.Minute), call, c, 0)
	require.ErrorIs(t, err, cli.ErrNoNumber)
	g.Release(at(time.Minute), held.Lease) // of a number that is no longer configured

	moved := cfg
	moved.Pools = []cli.PoolConfig{{
		Name: "another", Program: "survey", Limits: cli.Limits{Caps: []cli.Cap{{3, time.Hour}, {5, 24 * time.Hour}}},
	}}
	moved.Numbers = owned("another", num(212, 1))
	require.NoError(t, g.Update(moved))
	s, _ := g.Number(at(time.Minute), num(212, 1))
	require.Equal(t, []cli.Use{{cli.Cap{Max: 3, Window: time.Hour}, 2}, {cli.Cap{Max: 5, Window: 24 * time.Hour}, 2}}, s.Uses)
	require.Equal(t, 1, s.InFlight, "the released one counts no more")
	_, _, err = g.Reserve(at(2*time.Minute), call, c, 0)
	require.NoError(t, err)
	_, again, err := g.Reserve(at(3*time.Minute), call, c, 0)
	require.ErrorIs(t, err, cli.ErrCaps)
	require.Equal(t, at(time.Hour), again)
}

func TestLongerMemoryCountsWhatIsNotKnown(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1))
	cfg.Limits, cfg.Callee = cli.Limits{Caps: []cli.Cap{{1, time.Minute}}, Spacing: -1}, []cli.Cap{{1, time.Minute}}
	g := mustNew(t, cfg)
	call, c := callTo(&ids, "survey", callee), &outdial.Candidate{}
	for i := range 3 {
		_, _, err := g.Reserve(at(time.Duration(i)*time.Minute), call, c, 0)
		require.NoError(t, err)
	}
	cfg.Limits.Caps = []cli.Cap{{3, time.Hour}}
	cfg.Callee = []cli.Cap{}
	require.NoError(t, g.Update(cfg))
	_, again, err := g.Reserve(at(4*time.Minute), call, c, 0)
	require.ErrorIs(t, err, cli.ErrCaps, "three uses were made within the hour, though one alone was remembered")
	require.False(t, again.Before(at(time.Hour)))

	g = mustNew(t, survey(&ids, num(212, 1)))
	cfg.Limits, cfg.Callee = noLimits(), []cli.Cap{{1, time.Minute}}
	require.NoError(t, g.Update(cfg))
	for i := range 3 {
		_, _, err := g.Reserve(at(time.Duration(i)*time.Minute), call, c, 0)
		require.NoError(t, err)
	}
	cfg.Callee = []cli.Cap{{3, time.Hour}}
	require.NoError(t, g.Update(cfg))
	_, err = g.Admit(at(4*time.Minute), call)
	require.ErrorIs(t, err, cli.ErrCallee)
}

func TestConfigErrors(t *testing.T) {
	_, err := cli.New(cli.Config{
		Secret:     []byte("short"),
		Limits:     cli.Limits{Caps: []cli.Cap{{0, time.Hour}}, Spacing: 1000 * 24 * time.Hour},
		Sticky:     cli.Sticky{Mode: 9, TTL: 1000 * 24 * time.Hour},
		Callee:     []cli.Cap{{100, time.Hour}},
		MaxCallees: -1,
		Pools:      []cli.PoolConfig{{Name: "p", Program: "x"}, {Name: "p"}, {}},
		Campaigns:  []cli.CampaignConfig{{"c", "p"}, {"c", "q"}, {}},
		Numbers: []cli.NumberConfig{
			{Number: 1, Pool: "nope", State: 77, Type: 77, Country: "us", Area: 44, Carriers: []string{""}},
			{Number: num(212, 1)},
			{Number: num(212, 1)},
		},
	})
	require.Error(t, err)
	for _, want := range []string{
		"IDs: required", "Secret: 5 bytes", "Limits.Caps[0]", "Limits.Spacing", "Sticky.Mode", "Sticky.TTL",
		"Callee[0]: 100 calls", "MaxCallees", `Pools[1] "p": Name: given twice`, `Pools[1] "p": Program: required`,
		`Pools[2] "": Name: required`, `Campaigns[1] "c": Campaign: given twice`, `Campaigns[1] "c": Pool: "q"`,
		`Campaigns[2] "": Campaign: required`, "Numbers[0] +1: Number", "Numbers[0] +1: Pool", "Numbers[0] +1: State",
		"Numbers[0] +1: Type", "Numbers[0] +1: Country", "Numbers[0] +1: Area", "Numbers[0] +1: Carriers",
		"Numbers[2] +12125550001: Number: given twice",
	} {
		require.ErrorContains(t, err, want)
	}
	require.Len(t, strings.Split(err.Error(), "\n"), 24)
}
