// Cliff shows what an outage does to a campaign, with package failover and without it: ten calls a second over two carriers, of
// which the one that carries 95 % says nothing for two minutes. Time is simulated; the run takes no second.
//
//	go run ./examples/cliff
package main

import (
	"fmt"
	"log"
	"time"
)

func main() {
	fmt.Printf("alpha carries 95 %% of %d calls/s and is silent from %v to %v; beta is well.\n", rate, broken, repaired)
	fmt.Printf("Share of the calls that ring within %v, %v a column, full height = all:\n\n", prompt, column)
	for _, w := range ways {
		o, err := simulate(w)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%-34s %s\n", w.name, o.plot())
		depth, width := o.cliff()
		fmt.Printf("%34s depth %3.0f %%, width %v; %d calls lost, %d delayed, by %v at most\n\n", "", 100*depth, width, o.lost,
			o.delayed, o.longest.Round(time.Millisecond))
	}
	fmt.Printf("depth: the greatest fall of that share in a column; width: how long less than 95 %% of it was left.\n")
}
