package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"

	"github.com/outdial/outdial/examples/proxy/siplint"
)

// lint tells what in SIP messages, one in each file, will break the calls that they set up.
func lint(args []string, out, diag io.Writer) (int, error) {
	flags := flagSet("proxy lint", diag)
	from := flags.String("from", "", "the address and port that the messages came from: 203.0.113.9:5060")
	if err := parse(flags, args, 1<<10); err != nil {
		return 0, err
	}
	if flags.NArg() == 0 {
		fmt.Fprintln(diag, "proxy: lint: a file is required")
		return 0, errUsage
	}
	source, err := netip.ParseAddrPort(*from)
	if err != nil {
		return 0, fmt.Errorf("-from: %q is no address with a port", *from)
	}
	code := 0
	var failed error
	for _, name := range flags.Args() {
		data, err := os.ReadFile(name)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		found, err := siplint.Message(data, source)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", name, err))
		}
		for _, f := range found {
			code = exitUsage
			fmt.Fprintf(out, "%s: %s\n\t%s\n", name, f, f.Code.Fix())
		}
	}
	return code, failed
}
