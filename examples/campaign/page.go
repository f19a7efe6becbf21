package main

import (
	"context"
	"log/slog"
	"net"
	"sync"

	"github.com/outdial/outdial/examples/proxy/admin"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
	"github.com/outdial/outdial/examples/proxy/page"
)

// served is the page of the proxy, with the admin API behind it, while it is served. A nil one is none.
type served struct {
	door *door.Door
	stop context.CancelFunc
	done sync.WaitGroup
	err  error
}

// servePage serves the page of a proxy at an address; "" = nowhere.
func servePage(addr string, p *b2bua.Proxy) (*served, error) {
	if addr == "" {
		return nil, nil
	}
	d, err := door.Open(door.Config{Listen: addr}) // on loopback alone: there is no token
	if err != nil {
		return nil, err
	}
	pg, err := page.New(page.Config{Proxy: p})
	if err != nil {
		return nil, err
	}
	api, err := admin.New(admin.Config{Proxy: p, Page: pg})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &served{door: d, stop: stop}
	s.done.Go(func() { s.err = d.Serve(ctx, api.Handler(), slog.New(slog.DiscardHandler)) })
	s.done.Go(func() { pg.Run(ctx) })
	return s, nil
}

// addr is where it is served; nil = nowhere.
func (s *served) addr() net.Addr {
	if s == nil {
		return nil
	}
	return s.door.Addr()
}

// close ends it.
func (s *served) close() error {
	if s == nil {
		return nil
	}
	s.stop()
	s.done.Wait()
	return s.err
}
