package cli_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// FuzzReadCSV: whatever the bytes, a number that is returned is one that New takes, each once.
func FuzzReadCSV(f *testing.F) {
	f.Add("number,pool,evidence\n+12125550100,p,LOA\n")
	f.Add("number,area,country,state,type,expires,carriers\n+442079460000,+44,GB,active,local,2027-01-01,a b\n")
	f.Add("number\n\"+12125550100\n")
	f.Fuzz(func(t *testing.T, file string) {
		list, err := cli.ReadCSV(strings.NewReader(file))
		if err != nil {
			require.NotEmpty(t, err.Error())
		}
		for i := range list {
			list[i].Pool = "p"
		}
		_, err = cli.New(cli.Config{
			IDs: new(outdial.Registry), Pools: []cli.PoolConfig{{Name: "p", Program: "x"}}, Numbers: list, Rules: []cli.CountryRule{},
		})
		require.NoError(t, err)
	})
}

// FuzzReadJSON is FuzzReadCSV for JSON.
func FuzzReadJSON(f *testing.F) {
	f.Add(`[{"number": "+12125550100", "pool": "p", "evidence": "LOA"}]`)
	f.Add(`{"number": "+442079460000", "area": "+44", "expires": "2027-01-01", "carriers": ["a", "b"]}` + "\n{}")
	f.Add(`[{"number": "+12125550100"`)
	f.Fuzz(func(t *testing.T, file string) {
		list, err := cli.ReadJSON(strings.NewReader(file))
		if err != nil {
			require.NotEmpty(t, err.Error())
		}
		for i := range list {
			list[i].Pool = "p"
		}
		_, err = cli.New(cli.Config{
			IDs: new(outdial.Registry), Pools: []cli.PoolConfig{{Name: "p", Program: "x"}}, Numbers: list, Rules: []cli.CountryRule{},
		})
		require.NoError(t, err)
	})
}

// FuzzParseCap: what is parsed prints to what parses to the same.
func FuzzParseCap(f *testing.F) {
	for _, s := range []string{"100/24h", "5/1m", "1/30s", "3/1h30m5s", "20/", "/1h", "-1/1h", "1/0s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := cli.ParseCap(s)
		if err != nil {
			return
		}
		again, err := cli.ParseCap(c.String())
		require.NoError(t, err)
		require.Equal(t, c, again)
	})
}
