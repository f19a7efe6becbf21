// Command campaign dials a seeded outbound campaign through the reference proxy and four simulated carriers, all in
// this process, over real SIP on loopback sockets, and breaks a carrier half way. Nothing leaves the machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal ends the process at once
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr, terminalSize(os.Stdout)))
}

// command is the whole program but for the process: it returns the exit code. 0 = done, 1 = it failed or an invariant
// did, 2 = the flags are wrong. terminal returns the columns of the terminal that stdout is, nil = it is none.
func command(ctx context.Context, args []string, stdout, stderr io.Writer, terminal func() int) int {
	opts, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "campaign:", err)
		return 2
	}
	screen := newScreen(stdout, opts, terminal)
	sum, err := conduct(ctx, opts, profiles(opts), screen)
	if err != nil {
		fmt.Fprintln(stderr, "campaign:", err)
		return 1
	}
	if opts.JSON {
		err = sum.writeJSON(stdout)
	} else {
		err = sum.writeText(stdout, opts.Assert, screen.width())
	}
	if err != nil {
		fmt.Fprintln(stderr, "campaign:", err)
		return 1
	}
	if opts.Assert && sum.failed() > 0 {
		return 1
	}
	return 0
}
