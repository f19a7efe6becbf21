package siptrunk

import (
	"crypto/tls"
	"net"
	"net/netip"
	"strconv"

	"github.com/outdial/outdial/internal/sipstream"
)

// Transport is how SIP messages travel.
type Transport uint8

// Transports.
const (
	// TransportAuto is UDP, or for a domain what its DNS records say.
	TransportAuto Transport = iota
	TransportUDP
	TransportTCP
	TransportTLS // TLS over TCP
)

// String returns the name as Via writes it, "auto" for TransportAuto.
func (t Transport) String() string {
	switch t {
	case TransportUDP:
		return "UDP"
	case TransportTCP:
		return "TCP"
	case TransportTLS:
		return "TLS"
	}
	return "auto"
}

// uriParam is what a URI says of the transport; "" for UDP.
func (t Transport) uriParam() string {
	switch t {
	case TransportTCP:
		return ";transport=tcp"
	case TransportTLS:
		return ";transport=tls"
	}
	return ""
}

const (
	defaultPort    = 5060
	defaultTLSPort = 5061
)

func (t Transport) defaultPort() uint16 {
	if t == TransportTLS {
		return defaultTLSPort
	}
	return defaultPort
}

// hop is where a message goes next.
type hop struct {
	addr      netip.AddrPort
	transport Transport   // never TransportAuto, but in the zero hop
	tls       *tls.Config // of TransportTLS
}

// stream reports whether messages go over a connection: they are not repeated then (RFC 3261 §17).
func (h hop) stream() bool { return h.transport > TransportUDP }

func (h hop) peer() sipstream.Peer { return sipstream.Peer{Addr: h.addr, TLS: h.tls} }

// String is for errors.
func (h hop) String() string {
	if h.stream() {
		return h.transport.String() + " " + h.addr.String()
	}
	return h.addr.String()
}

// key is by what the address of a hop may send to us: a connection that the peer opens has any port.
func (h hop) key() netip.AddrPort {
	if h.stream() {
		return netip.AddrPortFrom(h.addr.Addr(), 0)
	}
	return h.addr
}

// self is how requests name us on one transport.
type self struct {
	sentBy string // host:port
	via    string // "SIP/2.0/UDP host:port", with what the connection may be used for
	uri    string // host:port with the transport
}

func newSelf(t Transport, sentBy string) self {
	s := self{sentBy: sentBy, via: "SIP/2.0/" + t.String() + " " + sentBy, uri: sentBy + t.uriParam()}
	if t == TransportTLS { // the carrier, whose certificate we know, may send its requests through our connection (RFC 5923)
		s.via += ";alias"
	}
	return s
}

// contact is the value of a Contact.
func (s self) contact(secure bool) string {
	if secure {
		return "<sips:" + s.sentBy + ">"
	}
	return "<sip:" + s.uri + ">"
}

// family is an index: addresses of IPv4 and IPv6 may be reached from different sockets.
func family(a netip.Addr) int {
	if a.Unmap().Is4() {
		return 0
	}
	return 1
}

// self is how a request that goes to a hop names us.
func (d *Dialer) self(to hop) self {
	return d.selves[max(to.transport, TransportUDP)-TransportUDP][family(to.addr.Addr())]
}

// name fills in how requests name us: by what listens on the transport in the family of the next hop, or in the other one; or else by the
// UDP socket, where nobody could call back over a connection, but answer on that which we opened.
func (d *Dialer) name() error {
	for _, t := range [...]Transport{TransportUDP, TransportTCP, TransportTLS} {
		names := &d.selves[t-TransportUDP]
		set := func(local netip.AddrPort, sentBy string) {
			s := newSelf(t, sentBy)
			if f := family(local.Addr()); names[f].sentBy == "" {
				names[f] = s
			}
		}
		if t == TransportUDP {
			set(d.local, d.sentBy)
		}
		for i := range d.listeners {
			l := &d.listeners[i]
			if l.Transport != t {
				continue
			}
			sentBy, err := sentBy(l.Advertise, d.cfg.Advertise, l.local)
			if err != nil {
				return faultIn(i, err)
			}
			set(l.local, sentBy)
		}
		if names[0].sentBy == "" && names[1].sentBy == "" {
			set(d.local, d.sentBy)
		}
		for f := range names {
			if names[f].sentBy == "" {
				names[f] = names[1-f]
			}
		}
	}
	return nil
}

// sentBy returns what Via and Contact name: what is advertised, the host that is advertised for all, or the address of the socket.
func sentBy(advertise, all string, local netip.AddrPort) (string, error) {
	host, port := local.Addr().String(), local.Port()
	var err error
	switch {
	case advertise != "":
		if host, port, err = splitHostPort(advertise, port); err != nil {
			return "", fault("Advertise", "%v", err)
		}
	case all != "":
		if host, _, err = splitHostPort(all, port); err != nil {
			return "", fault("Advertise", "%v", err)
		}
	case local.Addr().IsUnspecified():
		return "", fault("Advertise", "it is needed: %s is no address that a carrier can answer to", local.Addr())
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port))), nil
}

// send sends a packet to a hop, and keeps it. Over a connection an error comes later, by Dialer.lost.
func (d *Dialer) send(packet []byte, to hop) error {
	if to.stream() {
		d.trace(true, to.transport, d.localTo(to), to.addr, packet)
		d.streams.Send(to.peer(), packet)
		return nil
	}
	return d.socket(to.addr.Addr()).send(packet, to.addr)
}

// trace tells the host of a message.
func (d *Dialer) trace(sent bool, t Transport, local, remote netip.AddrPort, data []byte) {
	if d.cfg.Trace != nil {
		d.cfg.Trace(Traced{Sent: sent, Transport: t.String(), Local: local, Remote: remote, Data: data})
	}
}

// localTo is what we are called on the way to a hop: a connection's own port means nothing to anybody.
func (d *Dialer) localTo(to hop) netip.AddrPort {
	for i := range d.listeners {
		if l := &d.listeners[i]; l.Transport == to.transport && family(l.local.Addr()) == family(to.addr.Addr()) {
			return l.local
		}
	}
	return d.local
}

// localOf is what we are called on a connection, by whoever it was opened.
func (d *Dialer) localOf(c *sipstream.Conn) netip.AddrPort {
	if c.Accepted() {
		return c.Local()
	}
	return d.localTo(hop{addr: c.Remote(), transport: transportOf(c)})
}

// unmapped is a socket's address, that of IPv4 as such.
func unmapped(a net.Addr) netip.AddrPort {
	ap, _ := netip.ParseAddrPort(a.String())
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// socket is the UDP socket that reaches an address.
func (d *Dialer) socket(a netip.Addr) *conn {
	if d.second != nil && family(a) != family(d.local.Addr()) {
		return d.second
	}
	return d.conn
}

// render writes a request as it goes to a hop.
func (d *Dialer) render(m *message, to hop) []byte {
	return m.render(d.self(to), d.self(to), d.cfg.UserAgent)
}
