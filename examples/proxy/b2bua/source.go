package b2bua

import (
	"net/netip"
	"time"

	"github.com/outdial/outdial"
)

// source is a dialer as it is recognised by its address, with what its calls are when they do not say.
type source struct {
	name     string
	nat      bool
	tenant   outdial.TenantID
	program  outdial.ProgramID
	campaign outdial.CampaignID
	mode     outdial.Mode
	priority outdial.Priority
	tags     outdial.Tags
	auth     *Auth         // nil = its address is enough
	private  bool          // its calls may hide the caller ID
	lease    time.Duration // it is redirected, and its calls are held for so long; 0 = it is not
	maxCalls int           // at one time; 0 = as many as all may have
	maxCall  time.Duration // how long an answered call may last; 0 = for ever
	session  time.Duration // session interval where the dialer asks for none; 0 = no session timer then
}

// sources finds the dialer of an address by the longest prefix; it is immutable.
type sources []network

type network struct {
	prefix netip.Prefix
	source *source
}

func (s sources) find(addr netip.Addr) *source {
	bits, best := -1, (*source)(nil)
	for _, n := range s {
		if n.prefix.Bits() > bits && n.prefix.Contains(addr) {
			bits, best = n.prefix.Bits(), n.source
		}
	}
	return best
}

// parseNetwork reads "192.0.2.0/28" or an address.
func parseNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}
