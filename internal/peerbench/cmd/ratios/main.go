// Command ratios runs the benchmarks of internal/peerbench in rounds and prints, as Markdown, what outdial takes
// beside each peer.
//
// A round runs every benchmark once, in an order shuffled by a seed that is printed, and so are the sides of each
// comparison. So a noisy neighbour hits all of them. A ratio is taken within a round, where both sides ran one right
// after the other; the report has the median of the rounds with the least and the greatest.
//
// Run it in the folder of its module:
//
//	go run ./cmd/ratios -o ../../docs/performance.md
//
// writes between the markers of that file and leaves the rest as it is. Without -o it prints.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

const module = "github.com/outdial/outdial/internal/peerbench"

// settings are what a run was asked for; the report states them.
type settings struct {
	rounds    int
	benchtime time.Duration
	bench     string
	seed      uint64
	out       string
}

func main() {
	var s settings
	flag.IntVar(&s.rounds, "rounds", 10, "how often every benchmark runs")
	flag.DurationVar(&s.benchtime, "benchtime", 100*time.Millisecond, "how long each side runs in a round")
	flag.StringVar(&s.bench, "bench", ".", "only the benchmarks whose name matches")
	flag.Uint64Var(&s.seed, "seed", 0, "seed of the order, 0 = draw one")
	flag.StringVar(&s.out, "o", "", "file to write between its markers; empty = print")
	flag.Parse()
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, "ratios:", err)
		os.Exit(1)
	}
}

func run(s settings) error {
	if s.rounds < 1 || s.benchtime <= 0 || flag.NArg() > 0 {
		return errors.New("want -rounds of at least 1, a positive -benchtime, and no arguments")
	}
	for s.seed == 0 {
		s.seed = rand.Uint64() >> 32
	}
	var document string
	if s.out != "" { // before minutes of work
		text, err := os.ReadFile(s.out)
		if err != nil {
			return err
		}
		document = string(text)
		if _, err := splice(document, ""); err != nil {
			return fmt.Errorf("%s: %w", s.out, err)
		}
	}
	m, err := measure(s)
	if err != nil {
		return err
	}
	text, err := report(subjects, m, s, machine(m))
	if err != nil {
		return err
	}
	if s.out == "" {
		_, err = os.Stdout.WriteString(text)
		return err
	}
	if document, err = splice(document, text); err != nil {
		return err
	}
	return os.WriteFile(s.out, []byte(document), 0o644)
}

// measure builds the benchmarks once and runs them in rounds.
func measure(s settings) (*samples, error) {
	only, err := regexp.Compile(s.bench)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "ratios")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "peerbench.test")
	if _, err := output("go", "test", "-c", "-o", binary, module); err != nil {
		return nil, err
	}
	list, err := output(binary, "-test.list", "^Benchmark")
	if err != nil {
		return nil, err
	}
	names := slices.DeleteFunc(strings.Fields(list), func(name string) bool { return !only.MatchString(name) })
	if len(names) == 0 {
		return nil, fmt.Errorf("no benchmark matches %q", s.bench)
	}
	fmt.Fprintf(os.Stderr, "seed %d, %d benchmarks, %d rounds\n", s.seed, len(names), s.rounds)
	m := &samples{rounds: s.rounds}
	order := rand.New(rand.NewPCG(s.seed, 0))
	for round := range s.rounds {
		order.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			text, err := output(binary, "-test.run", "^$", "-test.bench", "^"+name+"$", "-test.benchmem",
				"-test.benchtime", s.benchtime.String(), fmt.Sprintf("-order=%d", 1+order.Uint64()>>1))
			if err != nil {
				return nil, err
			}
			if err := m.add(round, text); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, s.rounds)
	}
	return m, nil
}

// output runs a command and returns what it printed, which an error contains too.
func output(name string, args ...string) (string, error) {
	text, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, text)
	}
	return string(text), nil
}

// machine says what the figures were taken on.
func machine(m *samples) string {
	return fmt.Sprintf("%d cores (%s), %s, %s/%s", runtime.NumCPU(), cmp.Or(m.cpu, "unknown"), runtime.Version(),
		runtime.GOOS, runtime.GOARCH)
}
