// Command pools shows what it costs to judge caller IDs: it simulates a pool of numbers over some weeks, lets some of them
// decay, and asks who finds out, how soon, and how many healthy numbers are taken for bad: the rules of package cli, and
// the fixed rules that dialers commonly use.
//
//	go run ./examples/pools                 # a small pool, in seconds
//	go run ./examples/pools -full           # 2,000 numbers, 90 days, 100 calls a day, 20 seeds: minutes
//	go run ./examples/pools -plot pools.svg # how the answer rates, and the states of the numbers, went
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
)

func main() {
	w := world{numbers: 500, days: 90, calls: 100, spread: .20, hazard: .005}
	seeds := flag.Int("seeds", 2, "how many seeds, from 1 on")
	full := flag.Bool("full", false, "2,000 numbers and 20 seeds")
	flag.IntVar(&w.numbers, "numbers", w.numbers, "numbers in the pool")
	flag.IntVar(&w.days, "days", w.days, "days")
	flag.Float64Var(&w.spread, "spread", w.spread, "standard deviation of the logarithm of the numbers' own answer rates")
	plot := flag.String("plot", "", "write a plot of the first seed to this SVG file")
	flag.Parse()
	if *full {
		w.numbers, *seeds = 2000, 20
	}
	if err := run(w, *seeds, *plot); err != nil {
		log.Fatal(err)
	}
}

func run(w world, seeds int, plot string) error {
	fmt.Printf("%d numbers, %d days, %d calls a day, spread %.2f, %.1f %% of the numbers decay each day; seeds 1 to %d\n\n",
		w.numbers, w.days, w.calls, w.spread, 100*w.hazard, seeds)
	fmt.Println("| rule | false quarantines, % of numbers | decays found | calls to find one: median | p90 |")
	fmt.Println("|---|---|---|---|---|")
	for _, r := range rules {
		var all tally
		for seed := range seeds {
			p, err := r.make(&w)
			if err != nil {
				return err
			}
			var tr *trace
			if plot != "" && seed == 0 && r.name == governed {
				tr = &trace{}
			}
			t := w.play(uint64(seed+1), p, tr)
			if tr != nil {
				if err := os.WriteFile(plot, tr.svg(), 0o600); err != nil {
					return err
				}
			}
			all.add(t)
		}
		fmt.Printf("| %s | %.2f | %d of %d (%.1f %%) | %.0f | %.0f |\n", r.name,
			100*all.falseShare(), len(all.delays), all.decays, 100*float64(len(all.delays))/float64(max(all.decays, 1)),
			quantile(all.delays, .5), quantile(all.delays, .9))
	}
	b, err := blocks(seeds)
	if err != nil {
		return err
	}
	fmt.Printf("\nBlocks (603+) from 0.2 %% to 3 %% of the attempts: found after %.0f attempts on average (p90 %.0f, %d of %d); "+
		"taken for bad in 9,000 attempts at 0.2 %%: %.2f %% of numbers\n", mean(b.delays), quantile(b.delays, .9), len(b.delays), b.decays,
		100*b.falseShare())
	return nil
}
