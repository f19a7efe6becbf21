// Sizing says how many channels and calls per second a predictive dialer needs, prints what fewer and more of them mean, and
// plots it.
//
//	go run ./examples/sizing -seats 50 -asr 0.18 -base 90 -price 0.01 -plot sizing.svg
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

func main() {
	log.SetFlags(0)
	if err := run(os.Args[1:], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(args []string, w io.Writer) error {
	var s trunk.Staffing
	fs := flag.NewFlagSet("sizing", flag.ContinueOnError)
	fs.IntVar(&s.Seats, "seats", 50, "agents")
	fs.Float64Var(&s.ASR, "asr", 0.18, "share of the attempts that reach an agent")
	fs.DurationVar(&s.Ring, "ring", 22*time.Second, "mean time that an attempt rings, answered or not")
	fs.DurationVar(&s.Talk, "talk", 90*time.Second, "mean conversation")
	fs.DurationVar(&s.Wrap, "wrap", 10*time.Second, "mean after-call work")
	fs.Float64Var(&s.Occupancy, "occupancy", 0.85, "share of their time that agents talk or wrap up")
	fs.Float64Var(&s.Blocking, "blocking", trunk.DefaultBlocking, "share of the attempts that may find no channel")
	fs.IntVar(&s.Base, "base", 0, "channels that are paid for; the others are burst; 0 = all")
	price := fs.Float64("price", 0, "of a minute of one channel above the base")
	plot := fs.String("plot", "", "write the curve to this SVG file")
	if err := fs.Parse(args); err != nil {
		return err
	}
	s.Price = outdial.Micros(*price * 1e6)
	z, err := trunk.Size(s)
	if err != nil {
		return err
	}
	report(w, s, z)
	if *plot == "" {
		return nil
	}
	if err := os.WriteFile(*plot, curve(s, z), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nplotted to %s\n", *plot)
	return nil
}

func report(w io.Writer, s trunk.Staffing, z trunk.Sizing) {
	fmt.Fprintf(w, "%d seats, %.0f %% occupied, need %.2f answers a second; at an ASR of %.0f %% that is %.2f attempts a second\n",
		s.Seats, 100*s.Occupancy, z.Answers, 100*s.ASR, z.Attempts)
	fmt.Fprintf(w, "offered    %.1f Erlang\n", z.Erlangs)
	fmt.Fprintf(w, "channels   %d, which block %.2f %%\n", z.Channels, 100*z.Blocking)
	fmt.Fprintf(w, "calls/s    %d\n", z.CPS)
	if s.Base > 0 {
		fmt.Fprintf(w, "burst      %.2f Erlang above the base of %d: %.2f an hour\n", z.Burst, s.Base, float64(z.BurstCost)/1e6)
	}
	fmt.Fprintf(w, "\nchannels  blocking  wait (Erlang C)  in use\n")
	for n := z.Channels * 7 / 10; n <= z.Channels*6/5; n += max(z.Channels/20, 1) {
		b := trunk.ErlangB(n, z.Erlangs)
		fmt.Fprintf(w, "%8d  %6.2f %%  %13.2f %%  %4.0f %%\n", n, 100*b, 100*trunk.ErlangC(n, z.Erlangs), 100*z.Erlangs*(1-b)/float64(n))
	}
}
