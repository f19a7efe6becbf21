// Command proxy is the reference proxy of outdial: a back-to-back user agent between a dialer and its carriers. See
// README.md beside it.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // callee-local time must not depend on the machine

	"github.com/outdial/outdial/examples/proxy/b2bua"
)

func main() {
	config := flag.String("config", "outdial.yaml", "the configuration file")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "proxy: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := run(*config); err != nil {
		fmt.Fprintln(os.Stderr, "proxy:", err)
		os.Exit(1)
	}
}

// run serves until the first SIGINT or SIGTERM, and then drains; the second one ends the process at once.
func run(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	cfg, err := b2bua.Load(name, data)
	if err != nil {
		return err
	}
	p, err := b2bua.New(cfg, b2bua.Options{Logger: logger(cfg.Log)})
	if err != nil {
		return err
	}
	fmt.Printf("dialers %s carriers %s\n", p.Addr(), p.CarrierAddr())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return p.Run(ctx)
}

func logger(cfg b2bua.Log) *slog.Logger {
	var opts slog.HandlerOptions
	var level slog.Level
	if level.UnmarshalText([]byte(cfg.Level)) == nil { // empty = info
		opts.Level = level
	}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, &opts))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &opts))
}
