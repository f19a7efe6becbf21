package siptrunk

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// allow lists the methods that are understood within a dialog.
const allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO"

const maxForwards = 70

// message is a request to be written. Its strings are either made here or have been validated.
type message struct {
	method      string
	uri         string
	branch      string
	routes      []string // values of Route
	maxForwards int
	from, to    string // values of From and To, tags included
	callID      string
	cseq        uint32
	contact     bool
	secure      bool     // a sips: call
	allow       string   // methods; "" = those that are always understood
	lines       []string // further header lines, each with its CRLF
	extra       []Header
	contentType string
	body        []byte
}

// render writes m. us is how its Via names us, home its Contact, userAgent is the Dialer's.
func (m *message) render(us, home self, userAgent string) []byte {
	b := make([]byte, 0, 640+len(m.body))
	b = append(append(append(b, m.method...), ' '), m.uri...)
	b = append(append(b, " SIP/2.0\r\nVia: "...), us.via...)
	b = append(append(append(b, ";branch="...), m.branch...), ";rport\r\n"...)
	for _, r := range m.routes {
		b = append(append(append(b, "Route: "...), r...), '\r', '\n')
	}
	b = strconv.AppendInt(append(b, "Max-Forwards: "...), int64(m.maxForwards), 10)
	b = append(append(b, "\r\nFrom: "...), m.from...)
	b = append(append(b, "\r\nTo: "...), m.to...)
	b = append(append(b, "\r\nCall-ID: "...), m.callID...)
	b = strconv.AppendUint(append(b, "\r\nCSeq: "...), uint64(m.cseq), 10)
	b = append(append(append(b, ' '), m.method...), '\r', '\n')
	if m.contact {
		b = append(append(append(b, "Contact: "...), home.contact(m.secure)...), "\r\nAllow: "...)
		b = append(append(b, cmp.Or(m.allow, allow)...), '\r', '\n')
	}
	if userAgent != "" {
		b = append(append(append(b, "User-Agent: "...), userAgent...), '\r', '\n')
	}
	for _, l := range m.lines {
		b = append(b, l...)
	}
	for _, h := range m.extra {
		b = append(append(append(append(b, h.Name...), ':', ' '), h.Value...), '\r', '\n')
	}
	if len(m.body) > 0 {
		b = append(append(append(b, "Content-Type: "...), m.contentType...), '\r', '\n')
	}
	b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(m.body)), 10)
	return append(append(b, "\r\n\r\n"...), m.body...)
}

// token returns n random bytes in hexadecimal: Call-IDs, tags and branches that nobody can guess. math/rand/v2 draws
// from ChaCha8 seeded by the operating system.
func token(n int) string {
	var raw [16]byte
	binary.LittleEndian.PutUint64(raw[:], rand.Uint64())
	binary.LittleEndian.PutUint64(raw[8:], rand.Uint64())
	return hex.EncodeToString(raw[:n])
}

func newBranch() string { return sip.RFC3261BranchMagicCookie + token(10) }

// target is where requests within a dialog go: RFC 3261 §12.1.2 and §12.2.1.1.
type target struct {
	uri    string   // Request-URI
	routes []string // values of Route
	dst    hop
	strict bool // the first hop is a strict router: uri is its, and the remote target is the last route
}

// targetOf reads the remote target (Contact) and the route set (Record-Route, reversed) of a 2xx. fallback stands
// in for what the answer lacks, and for a next hop that is a name: it was reached there before.
func targetOf(res *sip.Response, fallback target) target {
	t := target{uri: fallback.uri, dst: fallback.dst}
	next := ""
	if c := res.Contact(); c != nil {
		if uri := c.Address.String(); validURI(uri) {
			t.uri, next = uri, uri
		}
	}
	rr := res.GetHeaders("record-route")
	for i := len(rr) - 1; i >= 0; i-- {
		if v := rr[i].Value(); validValue(v) {
			t.routes = append(t.routes, v)
		}
	}
	if len(t.routes) > 0 {
		first := uriIn(t.routes[0])
		next = first
		if validURI(first) && !strings.Contains(strings.ToLower(first), ";lr") { // a strict router: §12.2.1.1
			t.routes = append(t.routes[1:len(t.routes):len(t.routes)], "<"+t.uri+">")
			t.uri, t.strict = first, true
		}
	}
	if dst, ok := hopOf(next, fallback.dst); ok {
		t.dst = dst
	}
	return t
}

// uriIn returns the URI of a name-addr (RFC 3261 §25.1), or v when it has no angle brackets; "" when what is opened
// is not closed. A display name in quotes may hold anything, angle brackets included.
func uriIn(v string) string {
	v = strings.TrimLeft(v, " \t")
	if strings.HasPrefix(v, `"`) {
		v = afterQuoted(v)
	}
	_, rest, open := strings.Cut(v, "<")
	if !open {
		return v
	}
	uri, _, closed := strings.Cut(rest, ">")
	if !closed {
		return ""
	}
	return uri
}

// afterQuoted returns what follows the quoted string that v begins with; "" when it is not closed.
func afterQuoted(v string) string {
	for i := 1; i < len(v); i++ {
		switch v[i] {
		case '\\':
			i++
		case '"':
			return v[i+1:]
		}
	}
	return ""
}

// hopOf returns the next hop of a URI whose host is an IP address, for a dialog that began over base: its transport is what the URI says, or
// else that of base. TLS is not left, whatever a URI says; where none is spoken, a URI that wants it is as good as a name.
func hopOf(uri string, base hop) (hop, bool) {
	var u sip.Uri
	if uri == "" || sip.ParseUri(uri, &u) != nil {
		return hop{}, false
	}
	to := hop{transport: max(base.transport, TransportUDP), tls: base.tls}
	if said, _ := u.UriParams.Get("transport"); to.transport != TransportTLS {
		switch {
		case strings.EqualFold(u.Scheme, "sips"), strings.EqualFold(said, "tls"):
			return hop{}, false
		case strings.EqualFold(said, "tcp"):
			to.transport = TransportTCP
		case strings.EqualFold(said, "udp"):
			to.transport = TransportUDP
		}
	}
	a, err := netip.ParseAddr(strings.Trim(u.Host, "[]"))
	port := u.Port
	if port == 0 {
		port = int(to.transport.defaultPort())
	}
	if err != nil || port < 0 || port > 65535 {
		return hop{}, false
	}
	to.addr = netip.AddrPortFrom(a.Unmap(), uint16(port))
	return to, true
}

// validURI reports whether a URI from a peer may stand in a request line.
func validURI(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f || s[i] == '<' || s[i] == '>' {
			return false
		}
	}
	return strings.HasPrefix(s, "sip:") || strings.HasPrefix(s, "sips:")
}

func hostOf(sentBy string) string {
	host, _, err := net.SplitHostPort(sentBy)
	if err != nil {
		return sentBy
	}
	return host
}

func toTagOf(m interface{ To() *sip.ToHeader }) string {
	if to := m.To(); to != nil {
		tag, _ := to.Params.Get("tag")
		return tag
	}
	return ""
}

func fromTagOf(m interface{ From() *sip.FromHeader }) string {
	if from := m.From(); from != nil {
		tag, _ := from.Params.Get("tag")
		return tag
	}
	return ""
}
