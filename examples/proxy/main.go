// Command proxy is the reference proxy of outdial: a back-to-back user agent between a dialer and its carriers. See
// README.md beside it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	_ "time/tzdata" // callee-local time must not depend on the machine

	"github.com/emiago/sipgo/sip"
)

// Exit codes beside 0.
const (
	exitFailed = 1 // it could not be done
	exitUsage  = 2 // it is not called like that; of lint, and of validate -strict: there are findings
)

// errUsage says that a command was called in a way that it is not; it has told how it is.
var errUsage = errors.New("usage")

const usage = `usage:
  proxy [-config outdial.yaml]                    serve
  proxy validate [-strict] [outdial.yaml]         check a configuration; with -strict, findings are errors (exit code 2)
  proxy explain [-config outdial.yaml] +1…        what would be done with a call, and why (-url asks a running proxy)
  proxy lint -from 203.0.113.9:5060 file …         what in SIP messages breaks the calls that they set up (exit code 2)
  proxy health [-ready] [-config outdial.yaml]    ask the proxy that runs here whether it is there, or takes calls
  proxy init [-carrier name=host:port …] [file]   write a starter for carriers of your own
`

func main() {
	sip.UDPMTUSize = 1 << 16 // answers to carriers are as large as they are, in fragments if need be; see siptrunk
	os.Exit(command(os.Args[1:], os.Stdout, os.Stderr))
}

// command does what the arguments say, and returns the exit code.
func command(args []string, out, diag io.Writer) int {
	sub := ""
	if len(args) > 0 {
		sub = args[0]
	}
	var err error
	code := 0
	switch sub {
	case "validate":
		code, err = validate(args[1:], out, diag)
	case "explain":
		err = explain(args[1:], out, diag)
	case "lint":
		code, err = lint(args[1:], out, diag)
	case "health":
		err = health(args[1:], out, diag)
	case "init":
		err = initialise(args[1:], out, diag)
	case "help":
		fmt.Fprint(out, usage)
	default:
		flags := flagSet("proxy", diag)
		config := flags.String("config", "outdial.yaml", "the configuration file")
		if err = parse(flags, args, 0); err == nil {
			err = run(*config, out)
		}
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return exitUsage
	case err != nil:
		fmt.Fprintln(diag, "proxy:", err)
		return exitFailed
	}
	return code
}

func flagSet(name string, diag io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(diag)
	flags.Usage = func() {
		fmt.Fprint(diag, usage)
		flags.PrintDefaults()
	}
	return flags
}

// parse reads flags, and takes so many arguments behind them at most.
func parse(flags *flag.FlagSet, args []string, most int) error {
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	if flags.NArg() > most {
		fmt.Fprintf(flags.Output(), "proxy: unexpected argument %q\n", flags.Arg(most))
		return errUsage
	}
	return nil
}
