package b2bua

import (
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// HTTP is where an API is served, and how it is kept from others; see package door.
type HTTP struct {
	Listen    string `yaml:"listen"`     // TCP address; "" = not at all, without a host = of the loopback interface alone
	TokenFile string `yaml:"token_file"` // tokens, one a line; relative to the configuration file
	TokenEnv  string `yaml:"token_env"`  // the environment variable with them
	CertFile  string `yaml:"cert_file"`  // PEM; "" = plain HTTP
	KeyFile   string `yaml:"key_file"`
}

// Decision is the API for switches that keep their own SIP; see package decide.
type Decision struct {
	HTTP     HTTP          `yaml:"http"`
	MaxCalls int           `yaml:"max_calls"` // calls under way at one time; 0 = 10000
	Lease    time.Duration `yaml:"lease"`     // a call of which nothing is heard for so long before an answer is given up; 0 = 2m
	Longest  time.Duration `yaml:"longest"`   // … and one that was answered; 0 = 4h
}

// Gate says which campaigns must be opened by an operator, who can do so once their preflight passes. The zero Gate is open.
type Gate struct {
	All       bool     `yaml:"all"`       // every call that has a campaign
	Campaigns []string `yaml:"campaigns"` // those of these campaigns
}

// gates reports whether the calls of a campaign wait for it to be opened. A call without a campaign never does.
func (g *Gate) gates(campaign string) bool {
	return campaign != "" && (g.All || slices.Contains(g.Campaigns, campaign))
}

// Guest is a way to place calls through the engine beside SIP. The Proxy ends it before it ends the engine.
type Guest interface {
	// Drain takes no more calls, lets those that are under way go on for so long at most, and forgets the rest.
	Drain(limit time.Duration)
}

// Attach makes Run end a guest with the rest. Call it before Run.
func (p *Proxy) Attach(g Guest) { p.guests = append(p.guests, g) }

// drainGuests ends the guests, all at once.
func (p *Proxy) drainGuests(limit time.Duration) (wait func()) {
	var all sync.WaitGroup
	for _, g := range p.guests {
		all.Go(func() { g.Drain(limit) })
	}
	return all.Wait
}

// Draining reports whether no calls are taken any more.
func (p *Proxy) Draining() bool { return p.draining.Load() }

// Path is where a file lies that the configuration names: names are relative to its own; "" = none.
func (c *Config) Path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.dir, name)
}
