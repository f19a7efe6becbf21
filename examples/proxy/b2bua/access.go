package b2bua

import (
	"net/netip"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/failover"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/kpi/cdr"
	"github.com/outdial/outdial/routing"
	"github.com/outdial/outdial/trunk"
)

// Addr is the address that dialers send to, CarrierAddr the one that carriers see.
func (p *Proxy) Addr() netip.AddrPort { return p.links[0].local }

// Addrs are the addresses of Config.Listeners, in their order, and CarrierAddrs those of Config.CarrierListeners.
func (p *Proxy) Addrs() []netip.AddrPort {
	var all []netip.AddrPort
	for _, k := range p.links[1:] {
		all = append(all, k.local)
	}
	return all
}

// CarrierAddrs are the addresses of Config.CarrierListeners, in their order.
func (p *Proxy) CarrierAddrs() []netip.AddrPort { return p.dialer.ListenAddrs() }

// CarrierAddr is the address that carriers see.
func (p *Proxy) CarrierAddr() netip.AddrPort { return p.dialer.LocalAddr() }

// Engine is the engine that all calls go through.
func (p *Proxy) Engine() *outdial.Engine { return p.engine }

// IDs is the registry of shared ids.
func (p *Proxy) IDs() *outdial.Registry { return p.ids }

// Meter is what happened.
func (p *Proxy) Meter() *kpi.Meter { return p.meter }

// Trunks is the capacity of the trunks.
func (p *Proxy) Trunks() *trunk.Set { return p.trunks }

// Failover is the health of the trunks.
func (p *Proxy) Failover() *failover.Selector { return p.selector }

// CLIs is the inventory of caller IDs; nil when none is configured.
func (p *Proxy) CLIs() *cli.Governor { return p.clis }

// Router is the routing table in force.
func (p *Proxy) Router() *routing.Router { return p.router }

// Recovered is what New found in the journal: what the last segment held, and what was replayed.
func (p *Proxy) Recovered() (cdr.Recovery, outdial.Recovery) { return p.found, p.recovery }
