package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/outdial/outdial"
)

// replay decides again, by a policy, what "explain -json" wrote, from the readings in it alone.
func replay(args []string, out io.Writer) (int, error) {
	files, err := parse(flag.NewFlagSet("replay", flag.ContinueOnError), args, 2)
	if err != nil {
		return exitBad, err
	}
	p, _, table, err := open(files[0])
	if err != nil {
		return exitBad, err
	}
	data, err := os.ReadFile(files[1])
	if err != nil {
		return exitBad, err
	}
	var x outdial.Explanation
	if err := json.Unmarshal(data, &x); err != nil {
		return exitBad, fmt.Errorf("%s: %w", files[1], err)
	}
	now, call, readings, err := x.Recall(p.ids)
	if err != nil {
		return exitBad, fmt.Errorf("%s: %w", files[1], err)
	}
	plan, err := table.Replay(now, &call, readings)
	if err != nil {
		fmt.Fprintf(out, "refused: %v\n", err)
	}
	same, kept := true, 0
	for i, k := range x.Candidates {
		switch {
		case k.Fate == "left_out":
			continue
		case i >= len(plan):
			same = false
			fmt.Fprintf(out, "%d. was %s, is nobody\n", i+1, k.Trunk)
		default:
			if is := p.ids.Trunks.Name(plan[i].Trunk); is != k.Trunk {
				same = false
				fmt.Fprintf(out, "%d. was %s, is %s\n", i+1, k.Trunk, is)
			}
		}
		kept++
	}
	for i := kept; i < len(plan); i++ {
		same = false
		fmt.Fprintf(out, "%d. was nobody, is %s\n", i+1, p.ids.Trunks.Name(plan[i].Trunk))
	}
	if !same {
		return exitFinding, nil
	}
	fmt.Fprintln(out, "the same decision")
	return exitGood, nil
}
