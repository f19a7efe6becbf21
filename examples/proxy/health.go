package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
)

// health asks the proxy that serves a configuration, on this machine, whether it is there; -ready asks whether it takes calls. It is for
// containers, which have no other program to ask with.
func health(args []string, out, diag io.Writer) error {
	flags := flagSet("proxy health", diag)
	config := flags.String("config", "outdial.yaml", "the configuration file of the proxy")
	ready := flags.Bool("ready", false, "whether it takes calls: not while it drains")
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	cfg, err := read(*config)
	if err != nil {
		return err
	}
	at, path := cfg.Admin, "/healthz"
	if at.Listen == "" {
		at, path = cfg.Decision.HTTP, "/readyz" // all that it has
	}
	if at.Listen == "" {
		return errors.New("there is nobody to ask: neither admin nor decision.http listens")
	}
	if *ready {
		path = "/readyz"
	}
	if err := alive(at, path); err != nil {
		return err
	}
	fmt.Fprintln(out, "ok")
	return nil
}

// alive gets a path of an API that listens on this machine, and needs no token for it.
func alive(at b2bua.HTTP, path string) error {
	addr, err := door.Address(at.Listen)
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if a, err := netip.ParseAddr(host); err == nil && a.IsUnspecified() { // it listens on all, and so on this one
		host = "127.0.0.1"
		if a.Is6() {
			host = "::1"
		}
	}
	scheme := "http"
	if at.CertFile != "" {
		scheme = "https"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+net.JoinHostPort(host, port)+path, nil)
	if err != nil {
		return err
	}
	// The certificate is for the name that others know; nothing is told or believed but that somebody is there.
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return errors.New(path + ": " + res.Status)
	}
	return nil
}
