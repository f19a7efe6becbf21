package siptrunk

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// Trunk says how one interconnect is reached, and how its attempts are timed. The zero value of every field but
// Addr is useful. It is a plain value.
type Trunk struct {
	// Addr is "host:port" or "host" of the carrier's SIP server. A name is looked up for every attempt, as RFC 3263 has
	// it: without a port by NAPTR and SRV, or else A and AAAA with port 5060, 5061 for TLS. Of several addresses of
	// a socket's family the next one is tried, within the attempt, when one cannot be reached or answers 503; one that was silent comes last for 30 s.
	Addr string
	// Transport is how requests reach the carrier. TransportAuto = what the records of a domain say, or else UDP.
	Transport Transport
	// TLS is spoken over TransportTLS: the roots that the carrier's certificate is verified with, a certificate of ours. Without a ServerName,
	// the certificate must be for the host of Addr (RFC 5922). nil = Config.TLS. Version 1.2 is the least. It must not be changed.
	TLS *tls.Config
	// TCP says that the carrier takes TCP at the same address beside UDP: a request of more than UDPLimit bytes, an INVITE with an Identity say, goes
	// there (RFC 3261 §18.1.1), and by UDP after all where the connection is refused; for five minutes it is not tried again then.
	TCP bool
	// UDPLimit is in bytes. 0 = 1300; negative = none. Without TCP it means nothing: what is larger goes by UDP, in fragments.
	UDPLimit int
	// Sources are further addresses that the carrier sends from, each "ip", "ip:port" or a prefix such as
	// "192.0.2.0/28". Datagrams from anywhere else are dropped unread, except for the addresses of live legs.
	Sources []string

	// Redirects are the addresses that a 3xx of the carrier may send an attempt to, in the form of Sources. A contact that
	// is there is called within the same attempt, three times at most; names are never looked up for it. Empty = a 3xx is a
	// failure: whoever may answer for the carrier must not choose whom we pay.
	Redirects []string

	// Username and Password answer a digest challenge (RFC 3261 §22). "" = a challenge is a failure.
	Username, Password string
	// FromDomain is the host in From and P-Asserted-Identity. "" = what Via and Contact name, without its port.
	FromDomain string
	// Format is how numbers are written in requests.
	Format NumberFormat
	// Prefix is put before the callee's number as it is written ("tech prefix"): letters, digits and *#+-._ only.
	Prefix string
	// Strip are digits that a callee's number loses when it begins with them, the country code say; it is written without a
	// plus sign then, whatever Format says. CallerStrip and CallerPrefix are the same for the caller ID. "" = none.
	Strip, CallerStrip, CallerPrefix string
	// Asserted is the header field that asserts the caller ID.
	Asserted Asserted

	// Reliable offers 100rel (RFC 3262) in every INVITE that has an offer. Without it a carrier that requires it (421) gets
	// the INVITE once more, with 100rel. A reliable provisional response is always acknowledged.
	Reliable bool
	// SessionExpires is the session interval that is asked for (RFC 4028). What the carrier agrees to is refreshed, by UPDATE
	// or INVITE, and a session that the carrier does not refresh is ended with BYE and cause 102. 0 = 30 min; negative = not
	// asked; else at least 90 s.
	SessionExpires time.Duration

	// T100 is how long to wait for any response before hunting should move on (RFC 3261 §17.2.1 asks a server for
	// a 100 within 200 ms). Half of it is enough where five INVITEs or more wait for one address, and no response to any call has come from there since:
	// they were not all lost. It does not apply to the last attempt of a call. 0 = 1 s; negative = none.
	T100 time.Duration
	// PDDTimer is how long to wait, from the INVITE, for a provisional response beyond 100. 0 = 8 s; negative = none.
	PDDTimer time.Duration
	// RingTimer is how long to wait for the answer, from the first provisional response beyond 100. 0 = 60 s;
	// negative = none: then Timer C of RFC 3261 §16.6, 185 s without any further provisional response, is the bound.
	RingTimer time.Duration
}

// NumberFormat is how a trunk wants numbers written.
type NumberFormat uint8

// Number formats.
const (
	FormatPlus   NumberFormat = iota // +12125550123
	FormatDigits                     // 12125550123
)

// Asserted is the header field in which a trunk is told the caller ID, beside From.
type Asserted uint8

// Header fields that assert an identity.
const (
	AssertedPAI  Asserted = iota // P-Asserted-Identity, RFC 3325
	AssertedPPI                  // P-Preferred-Identity, RFC 3325: the carrier decides
	AssertedRPID                 // Remote-Party-ID, which older switches read
	AssertedNone                 // From alone
)

// Defaults of a Trunk.
const (
	defaultUDPLimit = 1300 // RFC 3261 §18.1.1

	defaultT100 = time.Second
	defaultPDD  = 8 * time.Second
	defaultRing = 60 * time.Second
)

// route is a Trunk ready for use; it is immutable.
type route struct {
	Trunk
	host     string // as configured, for URIs
	port     uint16
	uriHost  string         // host:port as a Request-URI wants it
	fixed    netip.AddrPort // set when host is an address
	domain   bool           // host is a name without a port: SRV records may name its servers
	prefix   string         // escaped
	caller   string         // CallerPrefix, escaped
	identity string         // "@domain>" of From and P-Asserted-Identity

	secure *tls.Config // of TransportTLS; nil otherwise

	redirects *routes // whose sources a 3xx may name; nil = nobody
}

func newRoute(t Trunk, ourHost string, common *tls.Config) (*route, error) {
	r := &route{Trunk: t}
	r.Sources, r.Redirects = nil, nil // kept in sets
	var errs []error
	for _, s := range t.Redirects {
		if r.redirects == nil {
			r.redirects = &routes{sources: map[netip.AddrPort]struct{}{}}
		}
		if err := r.redirects.addSource(s); err != nil {
			errs = append(errs, fault("Redirects", "%q is not an address, an address with port or a prefix", s))
		}
	}
	var err error
	if t.Transport > TransportTLS {
		errs = append(errs, fault("Transport", "%d is unknown", t.Transport))
	}
	if t.TLS != nil && t.TLS.MaxVersion != 0 && t.TLS.MaxVersion < tls.VersionTLS12 {
		errs = append(errs, fault("TLS", "a version below 1.2 is not spoken"))
	}
	if r.UDPLimit == 0 {
		r.UDPLimit = defaultUDPLimit
	}
	if r.host, r.port, err = splitHostPort(t.Addr, t.Transport.defaultPort()); err != nil {
		errs = append(errs, fault("Addr", "%v", err))
	} else {
		r.uriHost = net.JoinHostPort(r.host, strconv.Itoa(int(r.port)))
		if a, err := netip.ParseAddr(r.host); err == nil {
			r.fixed = netip.AddrPortFrom(a.Unmap(), r.port)
		} else if r.domain = r.host == t.Addr; r.domain {
			r.uriHost = r.host
		}
	}
	if t.Transport == TransportTLS || t.Transport == TransportAuto && r.domain {
		if r.secure = t.TLS; r.secure == nil {
			r.secure = common
		}
		if r.secure = atLeast12(r.secure); r.secure.ServerName == "" {
			r.secure = r.secure.Clone()
			r.secure.ServerName = r.host
		}
	}
	if t.Format > FormatDigits {
		errs = append(errs, fault("Format", "%d is unknown", t.Format))
	}
	if !validValue(t.Username) || strings.ContainsAny(t.Username, `"\`) {
		errs = append(errs, fault("Username", "has a character that cannot be sent"))
	}
	if !validValue(t.Password) {
		errs = append(errs, fault("Password", "has a control character"))
	}
	if t.Username == "" && t.Password != "" {
		errs = append(errs, fault("Password", "set without a user name"))
	}
	domain := t.FromDomain
	if domain == "" {
		domain = ourHost
	} else if !validHost(domain) {
		errs = append(errs, fault("FromDomain", "%q is not a host name or address", t.FromDomain))
	}
	if strings.Contains(domain, ":") {
		domain = "[" + domain + "]"
	}
	r.identity = "@" + domain + ">"
	for name, p := range map[string]string{"Prefix": t.Prefix, "CallerPrefix": t.CallerPrefix} {
		if !validPrefix(p) {
			errs = append(errs, fault(name, "%q: only letters, digits and *#+-._ are allowed", p))
		}
	}
	for name, p := range map[string]string{"Strip": t.Strip, "CallerStrip": t.CallerStrip} {
		if strings.Trim(p, "0123456789") != "" {
			errs = append(errs, fault(name, "%q: only digits are allowed", p))
		}
	}
	if t.Asserted > AssertedNone {
		errs = append(errs, fault("Asserted", "%d is unknown", t.Asserted))
	}
	r.prefix, r.caller = strings.ReplaceAll(t.Prefix, "#", "%23"), strings.ReplaceAll(t.CallerPrefix, "#", "%23")
	r.SessionExpires = orDefault(t.SessionExpires, defaultSession)
	if r.SessionExpires > 0 && (r.SessionExpires < MinSessionExpires || r.SessionExpires > MaxSessionExpires) {
		errs = append(errs, fault("SessionExpires", "%v is not in 90s..24h", t.SessionExpires))
	}
	r.T100 = orDefault(t.T100, defaultT100)
	r.PDDTimer = orDefault(t.PDDTimer, defaultPDD)
	r.RingTimer = orDefault(t.RingTimer, defaultRing)
	return r, errors.Join(errs...)
}

// orDefault applies the rule of the house: zero = default, negative = none (here: 0).
func orDefault(d, def time.Duration) time.Duration {
	switch {
	case d == 0:
		return def
	case d < 0:
		return 0
	}
	return d
}

// appendNumber appends n as the trunk wants it, in a form that needs no escaping in a URI.
func (r *route) appendNumber(dst []byte, prefix, strip string, n outdial.Number) []byte {
	dst = append(dst, prefix...)
	if strip != "" {
		start := len(dst)
		if dst = n.AppendDigits(dst); strings.HasPrefix(string(dst[start:]), strip) {
			return append(dst[:start], dst[start+len(strip):]...)
		}
		dst = dst[:start]
	}
	if r.Format == FormatDigits {
		return n.AppendDigits(dst)
	}
	return n.AppendTo(dst)
}

// routes is the set of trunks in force; it is immutable.
type routes struct {
	byID     map[outdial.TrunkID]*route
	sources  map[netip.AddrPort]struct{} // port 0 = any
	prefixes []netip.Prefix
}

func newRoutes(trunks map[outdial.TrunkID]Trunk, ourHost string, common *tls.Config) (*routes, error) {
	rs := &routes{byID: make(map[outdial.TrunkID]*route, len(trunks)), sources: map[netip.AddrPort]struct{}{}}
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(trunks)) {
		t := trunks[id]
		r, err := newRoute(t, ourHost, common)
		if id == 0 {
			err = errors.Join(errors.New("0 is no trunk"), err)
		}
		for i, s := range t.Sources {
			if e := rs.addSource(s); e != nil {
				err = errors.Join(err, fault(fmt.Sprintf("Sources[%d]", i), "%v", e))
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("trunk %d: %w", id, err))
			continue
		}
		rs.byID[id] = r
		if r.fixed.IsValid() {
			rs.sources[r.fixed] = struct{}{}
		}
	}
	return rs, errors.Join(errs...)
}

func (rs *routes) addSource(s string) error {
	if a, err := netip.ParseAddr(s); err == nil {
		rs.sources[netip.AddrPortFrom(a.Unmap(), 0)] = struct{}{}
		return nil
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		rs.sources[netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())] = struct{}{}
		return nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return fmt.Errorf("%q is not an address, an address with port or a prefix", s)
	}
	rs.prefixes = append(rs.prefixes, p.Masked())
	return nil
}

// admitsHost reports whether any port of an address is a source: a connection comes from whatever port.
func (rs *routes) admitsHost(from netip.Addr) bool {
	if rs.admits(netip.AddrPortFrom(from, 0)) {
		return true
	}
	for a := range rs.sources {
		if a.Addr() == from {
			return true
		}
	}
	return false
}

func (rs *routes) admits(from netip.AddrPort) bool {
	if _, ok := rs.sources[from]; ok {
		return true
	}
	if _, ok := rs.sources[netip.AddrPortFrom(from.Addr(), 0)]; ok {
		return true
	}
	for _, p := range rs.prefixes {
		if p.Contains(from.Addr()) {
			return true
		}
	}
	return false
}
