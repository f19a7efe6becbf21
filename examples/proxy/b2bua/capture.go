package b2bua

import (
	"bytes"
	"net/netip"
	"sync"
	"time"

	"github.com/outdial/outdial/examples/proxy/hep"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// HEP is where copies of all SIP messages are sent to; see package hep. They hold numbers in clear, whatever the log does.
type HEP struct {
	Collector string `yaml:"collector"` // "host:port", UDP; "" = no capture
	Agent     uint32 `yaml:"agent"`     // the number that the collector knows the proxy by
	Key       string `yaml:"key"`       // its password; "" = none
	Node      string `yaml:"node"`      // its name; "" = none
	Queue     int    `yaml:"queue"`     // messages that wait; 0 = 4096
}

func (h HEP) build() (*hep.Sender, error) {
	if h.Collector == "" {
		return nil, nil
	}
	return hep.New(hep.Config{Collector: h.Collector, Identity: hep.Identity{Agent: h.Agent, Key: h.Key, Node: h.Node}, Queue: h.Queue})
}

// capture copies messages to the collector. Messages of one call have one correlation, the dialer's Call-ID: that of a leg is mapped
// to it while the call lives. A nil capture does nothing.
type capture struct {
	*hep.Sender
	now func() time.Time

	mu   sync.RWMutex
	legs map[string]string // Call-ID of a leg: that of its dialer
}

func newCapture(s *hep.Sender, now func() time.Time) *capture {
	if s == nil {
		return nil
	}
	return &capture{Sender: s, now: now, legs: map[string]string{}}
}

// leg returns the Call-ID that a leg of a call is to have, "" = any.
func (c *capture) leg(dialer string) string {
	if c == nil {
		return ""
	}
	id := randomHex(16)
	c.mu.Lock()
	c.legs[id] = dialer
	c.mu.Unlock()
	return id
}

// forget ends the life of a call's legs.
func (c *capture) forget(legs []string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	for _, id := range legs {
		delete(c.legs, id)
	}
	c.mu.Unlock()
}

// copy sends a copy of a message to the collector.
func (c *capture) copy(sent bool, local, remote netip.AddrPort, transport hep.Transport, data []byte) {
	id := callIDOf(data)
	c.mu.RLock()
	dialer, known := c.legs[string(id)]
	c.mu.RUnlock()
	if !known {
		dialer = string(id)
	}
	p := hep.Packet{Time: c.now(), From: remote, To: local, Transport: transport, Correlation: dialer, Payload: data}
	if sent {
		p.From, p.To = local, remote
	}
	c.Send(&p)
}

// dialer is the tap of the dialers' side, carrier the one of the carriers'. A socket that is bound to no address is shown under the one
// that is advertised.
func (c *capture) dialer(advertised, transport string) func(sent bool, local, remote netip.AddrPort, data []byte) {
	over := hep.UDP
	if transport != "UDP" {
		over = hep.TCP
	}
	return func(sent bool, local, remote netip.AddrPort, data []byte) {
		c.copy(sent, shownAs(local, advertised), remote, over, data)
	}
}

func (c *capture) carrier(advertised string) func(siptrunk.Traced) {
	return func(m siptrunk.Traced) {
		transport := hep.UDP
		if m.Transport != "UDP" {
			transport = hep.TCP
		}
		c.copy(m.Sent, shownAs(m.Local, advertised), m.Remote, transport, m.Data)
	}
}

func shownAs(local netip.AddrPort, advertised string) netip.AddrPort {
	if !local.Addr().IsUnspecified() {
		return local
	}
	host, port, err := hostPort(advertised)
	if err != nil {
		return local
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return local
	}
	if port == 0 {
		port = local.Port()
	}
	return netip.AddrPortFrom(a, port)
}

// Captured counts the copies that went to the collector of HEP packets; all zero without one.
func (p *Proxy) Captured() hep.Stats {
	if p.capture == nil {
		return hep.Stats{}
	}
	return p.capture.Stats()
}

// callIDOf is the Call-ID of a message, read without parsing the rest; empty where there is none.
func callIDOf(data []byte) []byte {
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		if line = bytes.TrimSuffix(line, []byte("\r")); len(line) == 0 {
			return nil
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok {
			if name = bytes.TrimRight(name, " \t"); bytes.EqualFold(name, []byte("call-id")) || bytes.EqualFold(name, []byte("i")) {
				return bytes.TrimSpace(value)
			}
		}
		data = rest
	}
	return nil
}
