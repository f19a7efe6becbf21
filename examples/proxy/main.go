// Command proxy is the reference proxy of outdial: a back-to-back user agent between a dialer and its carriers. See
// README.md beside it.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
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

// run serves until the first SIGINT or SIGTERM, and then drains; the second one ends the process at once. SIGHUP reads the
// configuration again. SIGUSR2 drains, and then starts the program anew in the same process: for another version of it, and for what
// only a start reads.
func run(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	cfg, err := b2bua.Load(name, data)
	if err != nil {
		return err
	}
	log := logger(cfg.Log)
	p, err := b2bua.New(cfg, b2bua.Options{Logger: log})
	if err != nil {
		return err
	}
	fmt.Printf("dialers %s carriers %s\n", addresses(p.Addr(), p.Addrs()), addresses(p.CarrierAddr(), p.CarrierAddrs()))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP, syscall.SIGUSR2)
	var restart atomic.Bool
	go func() {
		for s := range again {
			if s == syscall.SIGUSR2 {
				restart.Store(true)
				stop()
				return
			}
			reload(p, name, log)
		}
	}()
	err = p.Run(ctx)
	signal.Stop(again)
	if err != nil || !restart.Load() {
		return err
	}
	return replace()
}

// addresses are those of one side, separated by commas.
func addresses(first netip.AddrPort, more []netip.AddrPort) string {
	s := first.String()
	for _, a := range more {
		s += "," + a.String()
	}
	return s
}

// reload puts the configuration file in force, or says in the log why not.
func reload(p *b2bua.Proxy, name string, log *slog.Logger) {
	data, err := os.ReadFile(name)
	if err == nil {
		var cfg b2bua.Config
		if cfg, err = b2bua.Load(name, data); err == nil {
			err = p.Reload(cfg)
		}
	}
	if err != nil {
		log.Error("not reloaded: the former configuration stays in force", "error", err)
	}
}

// replace becomes the program that is installed now, with the same arguments, under the same process id.
func replace() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(strings.TrimSuffix(self, " (deleted)"), os.Args, os.Environ())
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
