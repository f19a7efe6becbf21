package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/outdial/outdial/examples/proxy/admin"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/decide"
	"github.com/outdial/outdial/examples/proxy/door"
	"github.com/outdial/outdial/examples/proxy/page"
)

// run serves until the first SIGINT or SIGTERM, and then drains; the second one ends the process at once. SIGHUP reads the
// configuration again. SIGUSR2 drains, and then starts the program anew in the same process: for another version of it, and for what
// only a start reads.
func run(name string, out io.Writer) error {
	collector()
	cfg, err := read(name)
	if err != nil {
		return err
	}
	log := logger(cfg.Log)
	p, err := b2bua.New(cfg, b2bua.Options{Logger: log})
	if err != nil {
		return err
	}
	apis, err := open(cfg, name, p, log)
	if err != nil {
		return errors.Join(err, p.Close())
	}
	fmt.Fprintf(out, "dialers %s carriers %s%s\n", addresses(p.Addr(), p.Addrs()), addresses(p.CarrierAddr(), p.CarrierAddrs()), apis)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	go processors(ctx, cfg.Processors)
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
	closed := apis.serve(log)
	err = p.Run(ctx) // the APIs are there while it drains
	err = errors.Join(err, closed())
	signal.Stop(again)
	if err != nil || !restart.Load() {
		return err
	}
	return replace()
}

func read(name string) (b2bua.Config, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return b2bua.Config{}, err
	}
	return b2bua.Load(name, data)
}

// api is one of the HTTP APIs.
type api struct {
	name    string
	door    *door.Door
	handler http.Handler
	run     func(context.Context) // beside it; nil = nothing
}

type apis []api

// open binds the sockets of the APIs that are configured.
func open(cfg b2bua.Config, name string, p *b2bua.Proxy, log *slog.Logger) (all apis, err error) {
	defer func() {
		if err != nil {
			for _, a := range all {
				_ = a.door.Close()
			}
		}
	}()
	if d, err := openDoor("admin", cfg.Admin, cfg); err != nil {
		return all, err
	} else if d != nil {
		pg, err := page.New(page.Config{Proxy: p})
		if err != nil {
			return all, err
		}
		s, err := admin.New(admin.Config{Proxy: p, Tokens: d.Tokens, File: name, Page: pg, Log: log})
		if err != nil {
			return all, err
		}
		all = append(all, api{"admin", d, s.Handler(), pg.Run})
	}
	if d, err := openDoor("decision", cfg.Decision.HTTP, cfg); err != nil {
		return all, err
	} else if d != nil {
		c := cfg.Decision
		s, err := decide.New(decide.Config{Proxy: p, Tokens: d.Tokens, MaxCalls: c.MaxCalls, Lease: c.Lease, Longest: c.Longest})
		if err != nil {
			return all, err
		}
		p.Attach(s)
		all = append(all, api{"decision", d, s.Handler(), s.Run})
	}
	return all, nil
}

func openDoor(section string, h b2bua.HTTP, cfg b2bua.Config) (*door.Door, error) {
	if h.Listen == "" {
		return nil, nil
	}
	d, err := door.Open(door.Config{
		Listen: h.Listen, TokenFile: cfg.Path(h.TokenFile), TokenEnv: h.TokenEnv, CertFile: cfg.Path(h.CertFile), KeyFile: cfg.Path(h.KeyFile),
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", section, err)
	}
	return d, nil
}

// String is where the APIs are, for the line that says where the proxy is.
func (all apis) String() string {
	var b strings.Builder
	for _, a := range all {
		fmt.Fprintf(&b, " %s %s", a.name, a.door.Addr())
	}
	return b.String()
}

// serve serves the APIs until what it returns is called.
func (all apis) serve(log *slog.Logger) (closed func() error) {
	ctx, stop := context.WithCancel(context.Background())
	errs := make([]error, len(all))
	var serving sync.WaitGroup
	for i, a := range all {
		serving.Go(func() {
			if errs[i] = a.door.Serve(ctx, a.handler, log); errs[i] != nil {
				log.Error("an API ended", "api", a.name, "error", errs[i])
			}
		})
		if a.run != nil {
			serving.Go(func() { a.run(ctx) })
		}
	}
	return func() error {
		stop()
		serving.Wait()
		return errors.Join(errs...)
	}
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
	cfg, err := read(name)
	if err == nil {
		err = p.Reload(cfg)
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
