// Routesim plays days of calls over three carriers by several ways to choose among them, and prints what each cost. Every
// day is seeded: the same flags print the same table.
//
//	go run ./examples/routesim                    # all scenarios at 30 calls an hour and prefix
//	go run ./examples/routesim -rate 60 -plot x.svg
//	go run ./examples/routesim -training          # the days that the strategy was tuned on, and no others
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
)

// Days have seeds of two sets. The strategy was tuned by looking at days of the first; figures are told of the second.
const (
	trainingSeed = 100
	heldOutSeed  = 70_001
)

func main() {
	rate := flag.Float64("rate", 30, "calls an hour to each of 50 prefixes")
	seed := flag.Uint64("seed", heldOutSeed, "seed of the first day")
	training := flag.Bool("training", false, "begin with the seed of the training days")
	days := flag.Int("days", 3, "days of each scenario; a seed each")
	only := flag.String("scenario", "", "one scenario alone")
	plot := flag.String("plot", "", "write an SVG of the cheapest carrier's share over the day")
	flag.Parse()
	if *training {
		*seed = trainingSeed
	}
	all, err := play(os.Stdout, *rate, *seed, *days, *only)
	if err != nil {
		log.Fatal(err)
	}
	if *plot != "" {
		if err := os.WriteFile(*plot, draw(all), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

var strategyNames = []string{"least-cost", "qrouting", "qos", "ours", "oracle"}

// result is a strategy's days of a scenario.
type result struct {
	scenario *scenario
	name     string
	sum      figures
	back     []float64 // minutes of the recovery of each day
}

// play runs the days and prints the table.
func play(w io.Writer, rate float64, seed uint64, days int, only string) ([]result, error) {
	fmt.Fprintf(w, "seed %d, %d days, %g calls/h to each of 50 prefixes\n\n", seed, days, rate)
	fmt.Fprintln(w, "| scenario | strategy | cost per contact | over oracle | calls to the bad carrier | explored | flaps a day | back to 80 % (min) |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|")
	var all []result
	for _, sc := range scenarios() {
		if only != "" && sc.name != only {
			continue
		}
		var rows []result
		for _, name := range strategyNames {
			r := result{scenario: sc, name: name}
			for d := range days {
				m := sc.open(seed + uint64(d))
				s, err := open(name, m, seed+uint64(d))
				if err != nil {
					return nil, err
				}
				r.add(day(m, s, rate, seed+uint64(d)), days)
			}
			rows = append(rows, r)
		}
		best := rows[len(rows)-1].sum.perContact()
		for _, r := range rows {
			fmt.Fprintln(w, r.row(best, days))
		}
		all = append(all, rows...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no scenario %q", only)
	}
	notes(w, all)
	return all, nil
}

// notes says where ours is not the cheapest but for the oracle, and why, and how long each recovery took.
func notes(w io.Writer, all []result) {
	fmt.Fprintln(w)
	for rows := range slices.Chunk(all, len(strategyNames)) {
		best, ours := &rows[0], &rows[slices.Index(strategyNames, "ours")]
		for i := range rows {
			if r := &rows[i]; r.name != "oracle" && r.sum.perContact() < best.sum.perContact() {
				best = r
			}
		}
		if over := ours.sum.perContact()/best.sum.perContact() - 1; best != ours {
			fmt.Fprintf(w, "- %s: %s is %.1f %% cheaper than ours. %s\n", ours.scenario.name, best.name, 100*over, ours.scenario.behind)
		}
		if ours.scenario.healed > 0 {
			soon := 0
			for _, minutes := range ours.back {
				soon += btoi(minutes <= 15)
			}
			fmt.Fprintf(w, "- %s: back to 80 %% within 15 minutes on %d of %d days; minutes by day, in order: %.0f\n",
				ours.scenario.name, soon, len(ours.back), ours.back)
		}
	}
}

func open(name string, m *market, seed uint64) (strategy, error) {
	switch name {
	case "least-cost":
		return leastCost{}, nil
	case "qrouting":
		return &qrouting{rand.New(rand.NewPCG(seed, 2)), map[cellKey]*window{}}, nil
	case "qos":
		return &qos{map[cellKey]*window{}}, nil
	case "oracle":
		return oracle{m}, nil
	}
	return newOurs(50)
}

// add sums up a day.
func (r *result) add(f figures, days int) {
	s := &r.sum
	s.calls, s.contacts, s.cost = s.calls+f.calls, s.contacts+f.contacts, s.cost+f.cost
	s.hits, s.exposed, s.explored = s.hits+f.hits, s.exposed+f.exposed, s.explored+f.explored
	s.early, s.met = s.early+f.early, s.met+f.met
	s.flaps, s.broken = s.flaps+f.flaps, s.broken+f.broken
	for i := range f.shares {
		s.shares[i] += f.shares[i] / float64(days)
	}
	if f.recovered < 0 {
		f.recovered = 24 * 60
	}
	r.back = append(r.back, f.recovered)
}

func (r *result) row(oracle float64, days int) string {
	exposure, back, explored := "–", "–", "–"
	if r.sum.hits > 0 {
		exposure = fmt.Sprintf("%.1f %%", 100*r.sum.exposure())
		if r.name == "ours" {
			exposure += fmt.Sprintf(" (%.1f %%)", 100*float64(r.sum.met)/float64(r.sum.early))
		}
	}
	if r.scenario.healed > 0 && r.name != "least-cost" {
		slices.Sort(r.back)
		back = fmt.Sprintf("%.0f (at most %.0f)", r.back[len(r.back)/2], r.back[len(r.back)-1])
	}
	if r.name == "ours" {
		explored = fmt.Sprintf("%.1f %%", 100*float64(r.sum.explored)/float64(r.sum.calls))
		if r.sum.broken > 0 {
			explored += fmt.Sprintf(" (%d over budget)", r.sum.broken)
		}
	}
	return "| " + strings.Join([]string{
		r.scenario.name, r.name, fmt.Sprintf("%.5f", r.sum.perContact()), fmt.Sprintf("%+.1f %%", 100*(r.sum.perContact()/oracle-1)),
		exposure, explored, fmt.Sprintf("%.1f", float64(r.sum.flaps)/float64(days)), back,
	}, " | ") + " |"
}
