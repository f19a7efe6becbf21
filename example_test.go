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
	table, err1 := routing.Compile(routing.Policy{
		Trunks: []routing.Trunk{{Name: "east"}, {Name: "west"}},
		Rules:  []routing.Rule{{Tiers: []routing.Tier{{Trunks: []routing.Target{{Trunk: "east"}, {Trunk: "west"}}}}}},
	}, routing.CompileConfig{IDs: ids})
	hunt, err2 := failover.New(failover.Config{IDs: ids})
	trunks, err3 := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{{Name: "east"}, {Name: "west"}}})
	numbers, err4 := cli.New(cli.Config{
		IDs: ids, Pools: []cli.PoolConfig{{Name: "chicago", Program: "sales"}},
		Numbers: []cli.NumberConfig{{Number: 13125550100, Pool: "chicago", Evidence: "contract 7"}},
	})
	meter, err5 := kpi.New(kpi.Config{IDs: ids})
	engine, err6 := outdial.New(outdial.Config{
		IDs: ids, Router: table, Failover: hunt, Trunks: trunks, CLIs: numbers, Observers: []outdial.Observer{meter},
	})
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return err
	}
	call := outdial.Call{To: outdial.MustNumber("+1 212 555 0123"), Program: ids.Programs.ID("sales")}
	placed, err := engine.Place(ctx, call, dialer)
	if err != nil {
		return err
	}
	leg, answered := placed.Answered()
	fmt.Println("answered:", answered, "on", ids.Trunks.Name(leg.Candidate.Trunk), "presenting", leg.CLI)
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
