package b2bua

import (
	"errors"
	"net"
	"net/netip"

	"github.com/emiago/sipgo/sip"

	"github.com/outdial/outdial/internal/sipstream"
)

// link is a socket or a listener of ours towards the dialers, as our messages name it.
type link struct {
	transport string // UDP, TCP, TLS
	local     netip.AddrPort
	sentBy    string // host:port of Via
	contact   string // value of Contact
	wire      *wire  // of UDP
	listener  net.Listener
	tap       func(sent bool, local, remote netip.AddrPort, data []byte) // nil = nobody asks; it must not keep data
}

// place is where a message to a dialer goes.
type place struct {
	addr netip.AddrPort  // over a connection: where another one is opened when that is over
	link *link           // what it goes through
	conn *sipstream.Conn // the connection that the dialer's message came over; nil = UDP
	name string          // of the host, which a certificate is to be for; "" = the address
}

// stream reports whether messages go over a connection: they are not repeated then (RFC 3261 §17).
func (p place) stream() bool { return p.link.wire == nil }

// remote is the far end: of the connection while that is open.
func (p place) remote() netip.AddrPort {
	if p.conn != nil && p.conn.Open() {
		return p.conn.Remote()
	}
	return p.addr
}

// open listens on what the configuration says.
func (p *Proxy) open(opts Options) error {
	w, err := newWire(opts.DialerConn, p.cfg.Listen)
	if err != nil {
		return &FieldError{"listen", err}
	}
	p.links = append(p.links, &link{transport: "UDP", local: w.local, wire: w})
	if err := p.links[0].name(p.cfg.Advertise); err != nil {
		return &FieldError{"advertise", err}
	}
	for i, l := range p.cfg.Listeners {
		k := &link{transport: upper(l.Transport)}
		if k.transport == "UDP" {
			if k.wire, err = newWire(nil, l.Address); err == nil {
				k.local = k.wire.local
			}
		} else if k.listener, err = p.listenStream(opts, l.Address); err == nil {
			k.local, err = netip.ParseAddrPort(k.listener.Addr().String())
			k.local = unmapped(k.local)
		}
		if err != nil {
			return &FieldError{listenerPath("listeners", i, "address"), err}
		}
		p.links = append(p.links, k)
		advertise := l.Advertise
		if host, _, err := hostPort(p.cfg.Advertise); advertise == "" && p.cfg.Advertise != "" && err == nil {
			advertise = host
		}
		if err := k.name(advertise); err != nil {
			return &FieldError{listenerPath("listeners", i, "advertise"), err}
		}
	}
	return nil
}

func (p *Proxy) listenStream(opts Options, addr string) (net.Listener, error) {
	if opts.ListenStream != nil {
		return opts.ListenStream(addr)
	}
	return net.Listen("tcp", addr)
}

// name fills in how messages name the link.
func (k *link) name(advertise string) (err error) {
	k.sentBy, err = sentBy(advertise, k.local)
	k.contact = "<sip:" + k.sentBy + ">"
	if k.transport != "UDP" {
		k.contact = "<sip:" + k.sentBy + ";transport=" + lower(k.transport) + ">"
	}
	return err
}

// through is the link of a transport for an address of the same IP family as to; nil = there is none.
func (p *Proxy) through(transport string, to netip.Addr) *link {
	for _, k := range p.links {
		if k.transport == transport && (k.local.Addr().IsUnspecified() || k.local.Addr().Is4() == to.Is4()) {
			return k
		}
	}
	return nil
}

// serve serves the sockets and listeners until close, or until one of them fails.
func (p *Proxy) serve() error {
	ended := make(chan error, len(p.links))
	for _, k := range p.links {
		go func() {
			switch {
			case k.wire != nil:
				ended <- k.wire.serve(p.admits, func(b []byte, from netip.AddrPort, src *source) {
					p.receive(b, place{addr: from, link: k}, src)
				})
			case k.transport == "TLS":
				ended <- p.streams.Serve(k.listener, p.serverTLS)
			default:
				ended <- p.streams.Serve(k.listener, nil)
			}
		}()
	}
	var errs []error
	for range p.links { // the first error ends Run, which closes the others
		if err := <-ended; err != nil {
			errs = append(errs, err, p.closeLinks())
		}
	}
	return errors.Join(errs...)
}

// closeLinks closes sockets, listeners and connections.
func (p *Proxy) closeLinks() error {
	var errs []error
	for _, k := range p.links {
		if k.wire != nil {
			errs = append(errs, k.wire.close())
		} else if k.listener != nil {
			_ = k.listener.Close() // the streams may have
		}
	}
	if p.streams != nil {
		errs = append(errs, p.streams.Close())
	}
	return errors.Join(errs...)
}

// send sends a message to a dialer, and keeps it. A failure is as good as a loss, which retransmission or a timer makes up for.
func (p *Proxy) send(b []byte, to place) {
	if !to.stream() {
		to.link.wire.send(b, to.addr)
		return
	}
	if to.link.tap != nil {
		to.link.tap(true, to.link.local, to.remote(), b)
	}
	peer := sipstream.Peer{Addr: to.addr}
	if to.link.transport == "TLS" {
		peer.TLS = p.set().clientTLS(to)
	}
	if to.conn == nil {
		p.streams.Send(peer, b)
	} else {
		p.streams.Reply(to.conn, b, peer) // to where the dialer listens, when it has closed its connection
	}
}

// newStreams are the connections of dialers.
func (p *Proxy) newStreams(opts Options) *sipstream.Set {
	c := p.cfg.Streams
	return sipstream.New(sipstream.Config{
		Handle: p.onStream, Admit: func(a netip.Addr) bool { return p.set().mayConnect(a) },
		Lost: func(sipstream.Peer, []byte, error) { p.stats.lostMessages.Add(1) }, Dial: opts.DialStream,
		Local: func(to netip.Addr) netip.Addr {
			if k := p.through("TCP", to); k != nil {
				return k.local.Addr()
			}
			return netip.Addr{}
		},
		MaxConns: c.MaxConns, MaxPerSource: c.MaxPerSource, MessageTimeout: c.MessageTimeout, IdleTimeout: c.IdleTimeout,
		ConnectTimeout: c.ConnectTimeout, WriteTimeout: c.WriteTimeout,
	})
}

// known is what is remembered of a connection: whose it is, by the settings that said so, and the link that it came through.
type known struct {
	set  *settings
	src  *source
	link *link
}

// onStream takes a message that came over a connection.
func (p *Proxy) onStream(c *sipstream.Conn, b []byte) {
	k, _ := c.Note.(*known)
	if set := p.set(); k == nil || k.set != set {
		k = &known{set: set, src: set.owner(c, p.now()), link: p.linkOf(c)}
		c.Note = k
	}
	if k.src == nil {
		p.stats.strangers.Add(1)
		c.Close()
		return
	}
	if k.link.tap != nil {
		k.link.tap(false, k.link.local, c.Remote(), b)
	}
	p.receive(b, place{addr: c.Remote(), link: k.link, conn: c}, k.src)
}

// linkOf is the link of a connection: it is named by the listener of its transport and family.
func (p *Proxy) linkOf(c *sipstream.Conn) *link {
	transport := "TCP"
	if c.TLS() != nil {
		transport = "TLS"
	}
	for _, k := range p.links { // of several listeners, that which the dialer knows
		if at := c.Local(); k.transport == transport && k.local.Port() == at.Port() && (k.local.Addr() == at.Addr() || k.local.Addr().IsUnspecified()) {
			return k
		}
	}
	if k := p.through(transport, c.Remote().Addr()); k != nil {
		return k
	}
	return p.links[0]
}

// contactFor is our Contact in a dialog that a request began: sips: where that is for a sips: URI.
func (k *link) contactFor(r *request) string {
	if r.secure() {
		return "<sips:" + k.sentBy + ">"
	}
	return k.contact
}

// secure reports whether a request is for a sips: URI, which promises TLS on every hop.
func (r *request) secure() bool { return lower(r.Recipient.Scheme) == "sips" }

// reachable is where a URI of the dialer's leads, from where its dialog is at home: an address, and the transport that it says. A connection of the
// dialer's that is open is used before another one is made.
func (p *Proxy) reachable(u *sip.Uri, home place) place {
	to := home
	said, _ := u.UriParams.Get("transport")
	if t := upper(said); home.link.transport != "TLS" && (t == "UDP" || t == "TCP") && t != home.link.transport {
		if k := p.through(t, home.addr.Addr()); k != nil {
			to.link, to.conn = k, nil
		}
	}
	if a, ok := hop(u, to.link.transport); ok {
		to.addr = a
	} else if to.stream() {
		port := u.Port
		if port <= 0 || port > 65535 {
			port = defaultPort(to.link.transport)
		}
		to.name, to.addr = u.Host, netip.AddrPortFrom(home.addr.Addr(), uint16(port))
	}
	return to
}
