package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

// options is what the command line says.
type options struct {
	Calls    int
	CPS      float64 // calls that the dialer starts a second, on average
	Seats    int
	Seed     uint64
	Scale    float64 // how many times faster than life people ring, talk and wrap up
	Fault    string  // what the good carrier does when it breaks: fault503 or faultSilent
	Headless bool
	JSON     bool
	Assert   bool
	Keep     bool
	Page     string // where the proxy's page is served; "" = nowhere

	edit func(config string) string // of the proxy's configuration, by a test; nil = none
}

// Faults that the good carrier can have.
const (
	fault503    = "503"
	faultSilent = "silent"
)

func parseOptions(args []string, out io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("campaign", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.Usage = func() {
		fmt.Fprint(out, "Dials a simulated campaign through the reference proxy over real SIP on loopback. Nothing leaves the machine.\n\n")
		fs.PrintDefaults()
	}
	fs.IntVar(&o.Calls, "calls", 1000, "calls to place")
	fs.Float64Var(&o.CPS, "cps", 55, "calls that the dialer starts a second, on average")
	fs.IntVar(&o.Seats, "seats", 50, "agents")
	fs.Uint64Var(&o.Seed, "seed", 1, "seed of who is called, when, and what they do")
	fs.Float64Var(&o.Scale, "scale", 15, "how many times faster than life people ring, talk and wrap up; SIP is never scaled")
	fs.StringVar(&o.Fault, "fault", fault503, "how the good carrier breaks half way: 503 or silent")
	fs.BoolVar(&o.Headless, "headless", false, "plain lines instead of a live table")
	fs.BoolVar(&o.JSON, "json", false, "nothing but the summary, as JSON")
	fs.BoolVar(&o.Assert, "assert", false, "list the invariants; exit 1 if one does not hold")
	fs.BoolVar(&o.Keep, "keep", false, "keep the directory with the proxy's configuration and journal")
	fs.StringVar(&o.Page, "page", "127.0.0.1:0", "where the proxy's page is served, with the run live on it; a port alone is on loopback, 0 picks one, \"\" = nowhere.\n"+
		"With --headless or --json nowhere, unless it is given")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if o.Headless || o.JSON {
		given := false
		fs.Visit(func(f *flag.Flag) { given = given || f.Name == "page" })
		if !given {
			o.Page = ""
		}
	}
	var errs []error
	if fs.NArg() > 0 {
		errs = append(errs, fmt.Errorf("unexpected argument %q", fs.Arg(0)))
	}
	if o.Calls < 1 || o.Calls > maxCallees {
		errs = append(errs, fmt.Errorf("--calls %d: want 1 to %d", o.Calls, maxCallees))
	}
	if !(o.CPS > 0 && o.CPS <= 500) {
		errs = append(errs, fmt.Errorf("--cps %v: want more than 0, at most 500", o.CPS))
	}
	if o.Seats < 1 || o.Seats > 5000 {
		errs = append(errs, fmt.Errorf("--seats %d: want 1 to 5000", o.Seats))
	}
	if !(o.Scale >= 1 && o.Scale <= 1000) {
		errs = append(errs, fmt.Errorf("--scale %v: want 1 to 1000", o.Scale))
	}
	if o.Fault != fault503 && o.Fault != faultSilent {
		errs = append(errs, fmt.Errorf("--fault %q: want %s or %s", o.Fault, fault503, faultSilent))
	}
	return o, errors.Join(errs...)
}

// wall is how long a span of model time lasts here.
func (o options) wall(model time.Duration) time.Duration {
	return time.Duration(float64(model) / o.Scale)
}

// model is the model time that a span here stands for.
func (o options) model(wall time.Duration) time.Duration {
	return time.Duration(float64(wall) * o.Scale)
}
