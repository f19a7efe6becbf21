package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/outdial/outdial/examples/proxy/b2bua"
)

var errInvalid = errors.New("the configuration has mistakes")

// validate checks a configuration. What is valid and hardly meant is told, and with -strict it is a failure.
func validate(args []string, out, diag io.Writer) (int, error) {
	flags := flagSet("proxy validate", diag)
	strict := flags.Bool("strict", false, "exit with 2 where there are findings")
	config := flags.String("config", "outdial.yaml", "the configuration file")
	if err := parse(flags, args, 1); err != nil {
		return 0, err
	}
	name := *config
	if flags.NArg() == 1 {
		name = flags.Arg(0)
	}
	cfg, err := read(name)
	if err != nil {
		for _, e := range b2bua.Mistakes(err) {
			fmt.Fprintln(diag, e)
		}
		return exitFailed, errInvalid
	}
	findings := cfg.Lint()
	for _, f := range findings {
		fmt.Fprintf(out, "%s: %s\n", name, f)
	}
	fmt.Fprintf(out, "%s: valid, %d trunks, %d findings, version %s\n", name, len(cfg.Trunks), len(findings), cfg.Version())
	if *strict && len(findings) > 0 {
		return exitUsage, nil
	}
	return 0, nil
}
