package siptrunk

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/outdial/outdial"
)

// Config is what a [Dialer] is made from.
type Config struct {
	// Conn is the socket to use; the Dialer owns and closes it. A socket with the methods ReadFromUDPAddrPort and
	// WriteToUDPAddrPort is used through them. nil = listen on ListenAddr.
	Conn net.PacketConn
	// ListenAddr is the local UDP address, "host:port"; port 0 picks a free one. It is needed when Conn is nil.
	ListenAddr string
	// Advertise is the "host" or "host:port" that Via and Contact name. "" = the address of the socket, which then
	// must not be an unspecified one such as 0.0.0.0.
	Advertise string

	// Listeners are what else carriers may reach us through: TCP, TLS, UDP of the other IP family. Without one for a transport, a carrier can
	// only answer on the connection that an attempt opened. The slice is copied.
	Listeners []Listener
	// Streams bounds connections.
	Streams Streams
	// TLS is spoken to trunks on TLS that have no configuration of their own. nil = the system's roots, no client certificate.
	TLS *tls.Config
	// DialStream opens the connections of TCP and TLS. nil = from the address of the listener of the same IP family, or of the UDP socket.
	DialStream func(ctx context.Context, to netip.AddrPort) (net.Conn, error)

	// Trunks says how each trunk is reached; SetTrunks replaces it at run time. The map is copied.
	Trunks map[outdial.TrunkID]Trunk

	// Offer returns the session description that Dial offers for an attempt; the slice is only read, before Dial
	// returns. nil = Dial refuses (use Invite).
	Offer func(*outdial.Attempt) []byte

	// Headers names the header fields of a final response to an INVITE that are kept in outdial.Result.Headers, in any case:
	// failover.Selector.Headers has those that its rules read. The slice is copied. Empty = none.
	Headers []string

	// UserAgent is the User-Agent header of requests. "" = "outdial"; "-" = none.
	UserAgent string
	// Grace is how long Run, once its context has ended, waits for the legs that it hangs up. 0 = 4 s; negative = none.
	Grace time.Duration
	// DNS says whom to ask about the names of trunks.
	DNS DNS
	// Resolve looks up the host of a trunk whose address is a name. nil = as DNS says.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// ResolveSRV looks up the SIP servers of a domain, the SRV records of _service._proto: sip over udp and tcp, sips over tcp. An error, and
	// no records, mean that the domain's own address is asked for. Without service and proto, domain is the whole name, as a NAPTR record gave it. nil = as
	// DNS says; beside a Resolve of the host's own, no records.
	ResolveSRV func(ctx context.Context, service, proto, domain string) ([]*net.SRV, error)
	// ResolveNAPTR looks up which transports a domain prefers (RFC 3263 §4.1), for trunks with TransportAuto. An error, and no records, mean that SRV
	// records are asked for. nil = as DNS says; beside a Resolve of the host's own, no records.
	ResolveNAPTR func(ctx context.Context, domain string) ([]NAPTR, error)
	// Trace is told of every SIP message that was sent to a carrier, and of every one that came from a known source, malformed ones
	// included: for a capture. It is called where the socket is read or written, so it must not block, and not keep Data. nil = nobody asks.
	Trace func(Traced)
	// Logger takes what has no other way out: malformed messages, failing reads. nil = silent.
	Logger *slog.Logger
}

// Traced is a SIP message as it went over the network.
type Traced struct {
	Sent          bool   // to the remote end; false = from it
	Transport     string // "UDP", "TCP" or "TLS", in clear
	Local, Remote netip.AddrPort
	Data          []byte
}

const (
	defaultUserAgent = "outdial"
	defaultGrace     = 4 * time.Second
	// socketBuffer is asked for on sockets of our own: the usual 208 KiB drop bursts.
	socketBuffer = 4 << 20
)

// withDefaults fills in what is zero and says what is wrong.
func (c Config) withDefaults() (Config, error) {
	var errs []error
	if c.Conn == nil && c.ListenAddr == "" {
		errs = append(errs, fault("Conn", "either it or ListenAddr is needed"))
	}
	if c.Conn != nil && c.ListenAddr != "" {
		errs = append(errs, fault("Conn", "it and ListenAddr exclude each other"))
	}
	c.Headers, c.Listeners = slices.Clone(c.Headers), slices.Clone(c.Listeners)
	if c.TLS != nil && c.TLS.MaxVersion != 0 && c.TLS.MaxVersion < tls.VersionTLS12 {
		errs = append(errs, fault("TLS", "a version below 1.2 is not spoken"))
	}
	for i, name := range c.Headers {
		if !validToken(name) {
			errs = append(errs, fault(fmt.Sprintf("Headers[%d]", i), "%q is not the name of a header field", name))
		}
	}
	switch {
	case c.UserAgent == "":
		c.UserAgent = defaultUserAgent
	case c.UserAgent == "-":
		c.UserAgent = ""
	case !validValue(c.UserAgent):
		errs = append(errs, fault("UserAgent", "%q has a control character", c.UserAgent))
	}
	switch {
	case c.Grace == 0:
		c.Grace = defaultGrace
	case c.Grace < 0:
		c.Grace = 0
	}
	errs = append(errs, c.resolvers())
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, errors.Join(errs...)
}

// resolvers fills in how names are looked up.
func (c *Config) resolvers() error {
	r, err := newResolver(c.DNS)
	own := c.Resolve != nil
	if !own {
		if c.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}; len(c.DNS.Servers) > 0 && r != nil {
			c.Resolve = r.addresses
		}
	}
	switch {
	case c.ResolveSRV != nil:
	case own:
		c.ResolveSRV = func(context.Context, string, string, string) ([]*net.SRV, error) { return nil, nil }
	case r != nil:
		c.ResolveSRV = r.srv
	default:
		c.ResolveSRV = func(ctx context.Context, service, proto, domain string) ([]*net.SRV, error) {
			_, srvs, err := net.DefaultResolver.LookupSRV(ctx, service, proto, domain)
			return srvs, err
		}
	}
	switch {
	case c.ResolveNAPTR != nil:
	case own || r == nil:
		c.ResolveNAPTR = func(context.Context, string) ([]NAPTR, error) { return nil, nil }
	default:
		c.ResolveNAPTR = r.naptr
	}
	return err
}

// listen opens the socket of the configuration.
func (c *Config) listen() (net.PacketConn, error) {
	if c.Conn != nil {
		return c.Conn, nil
	}
	conn, err := listenUDP(c.ListenAddr)
	if err != nil {
		return nil, fmt.Errorf("siptrunk: ListenAddr: %w", err)
	}
	return conn, nil
}

func listenUDP(at string) (net.PacketConn, error) {
	addr, err := net.ResolveUDPAddr("udp", at)
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp", addr)
	if err != nil {
		return nil, err
	}
	// The kernel may grant less; that is no reason to fail.
	_ = conn.SetReadBuffer(socketBuffer)
	_ = conn.SetWriteBuffer(socketBuffer)
	return conn, nil
}

// splitHostPort reads "host", "host:port", "[v6]" or "[v6]:port"; a missing port is port.
func splitHostPort(s string, port uint16) (string, uint16, error) {
	host := s
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Unmap().String(), port, nil
	}
	if h, p, err := net.SplitHostPort(s); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return "", 0, fmt.Errorf("%q: the port is not in 1..65535", s)
		}
		host, port = h, uint16(n)
	} else if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		host = s[1 : len(s)-1]
	}
	if !validHost(host) {
		return "", 0, fmt.Errorf("%q: not a host name or address", s)
	}
	return host, port, nil
}

// fault is what is wrong with a field.
func fault(field, format string, args ...any) error {
	return fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...))
}
