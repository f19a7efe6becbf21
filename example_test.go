package outdial_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/failover"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/routing"
	"github.com/outdial/outdial/trunk"
)

// place wires the five packages and places one call through any Dialer.
func place(ctx context.Context, dialer outdial.Dialer) error {
	ids := new(outdial.Registry)
	tier := routing.Tier{Trunks: []routing.Target{{Trunk: "east"}, {Trunk: "west"}}}
	policy := routing.Policy{Trunks: []routing.Trunk{{Name: "east"}, {Name: "west"}}, Rules: []routing.Rule{{Tiers: []routing.Tier{tier}}}}
	pool := cli.PoolConfig{Name: "chicago", Program: "sales"}
	number := cli.NumberConfig{Number: 13125550100, Pool: "chicago", Evidence: "contract 7"}
	table, err1 := routing.Compile(policy, routing.CompileConfig{IDs: ids})
	hunt, err2 := failover.New(failover.Config{IDs: ids})
	trunks, err3 := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{{Name: "east"}, {Name: "west"}}})
	numbers, err4 := cli.New(cli.Config{IDs: ids, Pools: []cli.PoolConfig{pool}, Numbers: []cli.NumberConfig{number}})
	meter, err5 := kpi.New(kpi.Config{IDs: ids})
	cfg := outdial.Config{IDs: ids, Router: table, Failover: hunt, Trunks: trunks, CLIs: numbers, Observers: []outdial.Observer{meter}}
	engine, err6 := outdial.New(cfg)
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return err
	}
	placed, err := engine.Place(ctx, outdial.Call{To: 12125550123, Program: ids.Programs.ID("sales")}, dialer)
	if err != nil {
		return err
	}
	leg, ok := placed.Answered()
	fmt.Println("answered:", ok, "on", ids.Trunks.Name(leg.Candidate.Trunk), "presenting", leg.CLI)
	placed.Hangup()
	return placed.Wait(ctx)
}

func Example() {
	if err := place(context.Background(), &loopback{time.Now()}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// answered: true on west presenting +13125550100
}

// TestReadmeShowsTheExample keeps the program in the README the one that is tested.
func TestReadmeShowsTheExample(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	source, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	_, code, _ := strings.Cut(string(source), "// place wires")
	code, _, _ = strings.Cut(code, "\n}\n")
	require.Contains(t, string(readme), "// place wires"+code+"\n}\n")
}
