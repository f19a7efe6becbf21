// Policy works on a routing policy in a file, without a switch:
//
//	go run ./examples/policy lint [-strict] examples/policy/policy.yaml
//	go run ./examples/policy explain examples/policy/policy.yaml +12125550123 [-at 2026-03-02T15:00:00Z] [-json]
//	go run ./examples/policy replay examples/policy/policy.yaml decision.json
//	go run ./examples/policy diff old.csv new.csv
//	go run ./examples/policy whatif -journal DIR policy.yaml …
//
// lint exits with 2 under -strict when it finds something, replay with 2 when it decides otherwise than "explain -json" wrote, and
// both with 1 for a policy that does not compile.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	_ "time/tzdata" // so that it runs where the system has no time zones

	"github.com/goccy/go-yaml"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/kpi/cdr"
	"github.com/outdial/outdial/routing"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// Exit codes.
const (
	exitGood    = 0
	exitBad     = 1
	exitFinding = 2
)

func run(args []string, out, errs io.Writer) int {
	commands := map[string]func([]string, io.Writer) (int, error){
		"lint": lint, "explain": explain, "replay": replay, "diff": diff, "whatif": whatIf,
	}
	if len(args) == 0 || commands[args[0]] == nil {
		fmt.Fprintln(errs, "want lint, explain, replay, diff or whatif, and files; see the package comment")
		return exitBad
	}
	code, err := commands[args[0]](args[1:], out)
	if err != nil {
		fmt.Fprintln(errs, err)
		return exitBad
	}
	return code
}

// parse reads flags that may stand among the arguments, and wants at least n of the latter.
func parse(flags *flag.FlagSet, args []string, n int) ([]string, error) {
	flags.SetOutput(io.Discard)
	var rest []string
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			break
		}
		rest, args = append(rest, flags.Arg(0)), flags.Args()[1:]
	}
	if len(rest) < n {
		return nil, fmt.Errorf("%s: want at least %d arguments", flags.Name(), n)
	}
	return rest, nil
}

func readPolicy(name string) (p routing.Policy, err error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return p, err
	}
	if err := yaml.UnmarshalWithOptions(data, &p, yaml.Strict()); err != nil {
		return p, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// parts are what a policy is compiled with here: the numbering plan, and a meter, which may have seen a journal.
type parts struct {
	ids   *outdial.Registry
	plan  *outdial.NumberingPlan
	meter *kpi.Meter
}

func newParts() (p parts, err error) {
	p.ids = new(outdial.Registry)
	if p.plan, err = outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: p.ids}); err != nil {
		return p, err
	}
	p.meter, err = kpi.New(kpi.Config{IDs: p.ids})
	return p, err
}

func (p *parts) compile(policy routing.Policy) (*routing.Table, error) {
	return routing.Compile(policy, routing.CompileConfig{IDs: p.ids, Numbering: p.plan, Quality: p.meter, Measures: p.meter})
}

// open reads a policy from a file and compiles it with new parts.
func open(name string) (p parts, policy routing.Policy, table *routing.Table, err error) {
	if policy, err = readPolicy(name); err != nil {
		return p, policy, nil, err
	}
	if p, err = newParts(); err != nil {
		return p, policy, nil, err
	}
	table, err = p.compile(policy)
	return p, policy, table, err
}

// replay passes the events of a journal on.
func (p *parts) replay(dir string, observers ...outdial.Observer) (last time.Time, err error) {
	j, _, err := cdr.Open(cdr.Config{Dir: dir, IDs: p.ids})
	if err != nil {
		return last, err
	}
	defer j.Close()
	err = j.Replay(0, func(ev *outdial.Event) error {
		last = ev.Time
		for _, o := range observers {
			o.Observe(ev)
		}
		return nil
	})
	return last, err
}

func lint(args []string, out io.Writer) (int, error) {
	flags := flag.NewFlagSet("lint", flag.ContinueOnError)
	strict := flags.Bool("strict", false, "exit with 2 when there is something to say")
	files, err := parse(flags, args, 1)
	if err != nil {
		return exitBad, err
	}
	_, policy, _, err := open(files[0])
	if err != nil {
		return exitBad, err
	}
	found := routing.Lint(policy)
	for _, f := range found {
		fmt.Fprintln(out, f)
	}
	fmt.Fprintf(out, "%s: %d findings\n", files[0], len(found))
	if *strict && len(found) > 0 {
		return exitFinding, nil
	}
	return exitGood, nil
}

func diff(args []string, out io.Writer) (int, error) {
	flags := flag.NewFlagSet("diff", flag.ContinueOnError)
	all := flags.Bool("all", false, "every change, not only the counts")
	files, err := parse(flags, args, 2)
	if err != nil {
		return exitBad, err
	}
	now := time.Now()
	var decks [2]routing.Deck
	for i, name := range files[:2] {
		f, err := os.Open(name)
		if err != nil {
			return exitBad, err
		}
		defer f.Close()
		var report routing.DeckReport
		if decks[i], report, err = (routing.DeckReader{Name: name, Now: now}).Read(f); err != nil {
			return exitBad, err
		}
		fmt.Fprintf(out, "%s: %d rates, %d still to come, %d dropped\n", name, report.Rates, report.Future, report.Dropped)
	}
	d := routing.DiffDecks(decks[0], decks[1], now, time.Minute)
	for _, l := range []struct {
		name    string
		changes []routing.DeckChange
	}{{"added", d.Added}, {"removed", d.Removed}, {"raised", d.Raised}, {"lowered", d.Lowered}, {"changed", d.Changed}} {
		fmt.Fprintf(out, "%-8s %d\n", l.name, len(l.changes))
		for _, c := range l.changes {
			if *all {
				fmt.Fprintf(out, "         %s %s -> %s\n", c.Prefix, c.Old.PerMinute, c.New.PerMinute)
			}
		}
	}
	fmt.Fprintf(out, "%-8s %d\n", "same", d.Same)
	return exitGood, nil
}

func whatIf(args []string, out io.Writer) (int, error) {
	flags := flag.NewFlagSet("whatif", flag.ContinueOnError)
	dir := flags.String("journal", "", "directory of the journal")
	files, err := parse(flags, args, 1)
	if err != nil {
		return exitBad, err
	}
	p, err := newParts()
	if err != nil {
		return exitBad, err
	}
	var tables []*routing.Table
	for _, name := range files {
		policy, err := readPolicy(name)
		if err != nil {
			return exitBad, err
		}
		t, err := p.compile(policy)
		if err != nil {
			return exitBad, fmt.Errorf("%s: %w", name, err)
		}
		tables = append(tables, t)
	}
	w, err := routing.NewWhatIf(tables...)
	if err != nil {
		return exitBad, err
	}
	if _, err := p.replay(*dir, p.meter, w); err != nil {
		return exitBad, err
	}
	for i, k := range w.Policies() {
		fmt.Fprintf(out, "%s (%s): %d calls, %d would move, %d would be refused; answered time would cost %s\n",
			files[i], k.Version, k.Calls, k.Moved, k.Refused, routing.Price(k.Cost))
		if ratio, n, ok := k.Answers(); ok {
			fmt.Fprintf(out, "  answers, estimated from %.0f effective calls: %.1f %%\n", n, 100*ratio)
		}
		moves := slices.SortedFunc(maps.Keys(k.Moves), func(a, b [2]outdial.TrunkID) int {
			return cmp.Or(cmp.Compare(k.Moves[b], k.Moves[a]), slices.Compare(a[:], b[:]))
		})
		for _, move := range moves {
			n := k.Moves[move]
			fmt.Fprintf(out, "  %d from %s to %s\n", n, p.ids.Trunks.Name(move[0]), p.ids.Trunks.Name(move[1]))
		}
	}
	return exitGood, nil
}
