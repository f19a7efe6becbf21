package siptest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// A Header is one header field as it stands in a message, name and value.
type Header struct {
	Name, Value string
}

// phrases are the reason phrases used where a script gives none.
var phrases = map[int]string{
	100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
	200: "OK", 302: "Moved Temporarily", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required",
	403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 407: "Proxy Authentication Required", 408: "Request Timeout",
	410: "Gone", 480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 484: "Address Incomplete",
	486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 500: "Server Internal Error",
	501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Server Time-out",
	600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable", 607: "Unwanted", 608: "Rejected",
}

func phraseOf(code int) string {
	if p := phrases[code]; p != "" {
		return p
	}
	return "Response " + strconv.Itoa(code)
}

// randomToken is for tags, branches and Call-IDs, which must be unique over processes and so never seeded.
func randomToken() string { return fmt.Sprintf("%016x", rand.Uint64()) }

// A reply describes a response to a request that was received.
type reply struct {
	code    int
	phrase  string
	toTag   string // used when the request's To has none
	contact string
	headers []Header
	body    []byte // SDP
}

// render writes the response to req as RFC 3261 §8.2.6 has it, with received and rport by RFC 3581.
func (r reply) render(req *sip.Request, src netip.AddrPort) []byte {
	var b strings.Builder
	phrase := r.phrase
	if phrase == "" {
		phrase = phraseOf(r.code)
	}
	fmt.Fprintf(&b, "SIP/2.0 %d %s\r\n", r.code, phrase)
	for i, h := range req.GetHeaders("Via") {
		if v, ok := h.(*sip.ViaHeader); ok && i == 0 {
			v = v.Clone()
			if p, has := v.Params.Get("rport"); has && p == "" {
				v.Params.Add("rport", strconv.Itoa(int(src.Port())))
				v.Params.Add("received", src.Addr().String())
			} else if v.Host != src.Addr().String() {
				v.Params.Add("received", src.Addr().String())
			}
			h = v
		}
		writeHeader(&b, "Via", h.Value())
	}
	if req.Method == sip.INVITE && r.code > 100 && r.code < 300 {
		for _, h := range req.GetHeaders("Record-Route") {
			writeHeader(&b, "Record-Route", h.Value())
		}
	}
	writeHeader(&b, "From", headerValue(req, "From"))
	to := headerValue(req, "To")
	if r.code > 100 && r.toTag != "" && toTag(req) == "" {
		to += ";tag=" + r.toTag
	}
	writeHeader(&b, "To", to)
	writeHeader(&b, "Call-ID", headerValue(req, "Call-ID"))
	writeHeader(&b, "CSeq", headerValue(req, "CSeq"))
	if r.contact != "" && r.code > 100 && r.code < 300 {
		writeHeader(&b, "Contact", r.contact)
	}
	for _, h := range r.headers {
		writeHeader(&b, h.Name, h.Value)
	}
	writeBody(&b, r.body)
	return []byte(b.String())
}

// replyTo is where a response goes: the source address and the Via's port, or with rport the source port
// (RFC 3261 §18.2.2, RFC 3581 §4).
func replyTo(req *sip.Request, src netip.AddrPort) netip.AddrPort {
	v := req.Via()
	if v == nil || v.Params.Has("rport") {
		return src
	}
	port := v.Port
	if port <= 0 || port > 65535 {
		port = sip.DefaultUdpPort
	}
	return netip.AddrPortFrom(src.Addr(), uint16(port))
}

// An outbound describes a request of ours.
type outbound struct {
	method   string
	uri      string
	branch   string
	from, to string
	callID   string
	cseq     int
	contact  string
	routes   []string
	headers  []Header
	body     []byte
}

func (o outbound) render(e *endpoint) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s SIP/2.0\r\n", o.method, o.uri)
	writeHeader(&b, "Via", fmt.Sprintf("SIP/2.0/%s %s;branch=%s;rport", e.transport, e.local, o.branch))
	for _, r := range o.routes {
		writeHeader(&b, "Route", r)
	}
	writeHeader(&b, "Max-Forwards", "70")
	writeHeader(&b, "From", o.from)
	writeHeader(&b, "To", o.to)
	writeHeader(&b, "Call-ID", o.callID)
	writeHeader(&b, "CSeq", strconv.Itoa(o.cseq)+" "+o.method)
	if o.contact != "" {
		writeHeader(&b, "Contact", o.contact)
	}
	for _, h := range o.headers {
		writeHeader(&b, h.Name, h.Value)
	}
	writeBody(&b, o.body)
	return []byte(b.String())
}

func newBranch() string { return sip.RFC3261BranchMagicCookie + randomToken() }

func writeHeader(b *strings.Builder, name, value string) {
	b.WriteString(name)
	b.WriteString(": ")
	b.WriteString(value)
	b.WriteString("\r\n")
}

func writeBody(b *strings.Builder, body []byte) {
	if len(body) > 0 {
		writeHeader(b, "Content-Type", "application/sdp")
	}
	writeHeader(b, "Content-Length", strconv.Itoa(len(body)))
	b.WriteString("\r\n")
	b.Write(body)
}

type headerReader interface {
	GetHeader(name string) sip.Header
	Headers() []sip.Header
}

func headerValue(m headerReader, name string) string {
	if h := m.GetHeader(name); h != nil {
		return h.Value()
	}
	return ""
}

func values(m interface {
	GetHeaders(name string) []sip.Header
}, name string,
) []string {
	var v []string
	for _, h := range m.GetHeaders(name) {
		v = append(v, h.Value())
	}
	return v
}

func allHeaders(m headerReader) []Header {
	hs := m.Headers()
	out := make([]Header, 0, len(hs))
	for _, h := range hs {
		out = append(out, Header{Name: h.Name(), Value: h.Value()})
	}
	return out
}

func toTag(m interface{ To() *sip.ToHeader }) string {
	if h := m.To(); h != nil {
		return h.Params.GetOr("tag", "")
	}
	return ""
}

func fromTag(m interface{ From() *sip.FromHeader }) string {
	if h := m.From(); h != nil {
		return h.Params.GetOr("tag", "")
	}
	return ""
}

// userOf returns the user part of the first URI in a header value such as `"A" <sip:+1555@h>;x=y`.
func userOf(value string) string {
	value = unbracket(value)
	scheme, rest, ok := strings.Cut(value, ":")
	if !ok {
		return ""
	}
	if strings.EqualFold(strings.TrimSpace(scheme), "tel") {
		rest, _, _ = strings.Cut(rest, ";")
		return rest
	}
	user, _, ok := strings.Cut(rest, "@")
	if !ok {
		return ""
	}
	user, _, _ = strings.Cut(user, ";")
	return user
}

// hop returns the address of a URI with a numeric host.
func hop(u sip.Uri) (netip.AddrPort, bool) {
	ip, err := netip.ParseAddr(strings.Trim(u.Host, "[]"))
	if err != nil || u.Port < 0 || u.Port > 65535 {
		return netip.AddrPort{}, false
	}
	port := u.Port
	if port == 0 {
		port = sip.DefaultUdpPort
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(port)), true
}

// remoteTarget returns where the requests within a dialog go: the request URI and the next hop. peer is
// the fallback, when the names are not numeric.
func remoteTarget(contact *sip.ContactHeader, routes []string, peer netip.AddrPort) (uri string, next netip.AddrPort) {
	uri, next = "sip:"+peer.String(), peer
	if contact != nil {
		uri = contact.Address.String()
		if a, ok := hop(contact.Address); ok {
			next = a
		}
	}
	if len(routes) > 0 {
		var u sip.Uri
		if err := sip.ParseUri(unbracket(routes[0]), &u); err == nil {
			if a, ok := hop(u); ok {
				next = a
			}
		}
	}
	return uri, next
}

// unbracket is the URI inside <>, after a display name that may be quoted, or the value as it is.
func unbracket(v string) string {
	if rest, ok := strings.CutPrefix(strings.TrimSpace(v), `"`); ok {
		if end := closingQuote(rest); end >= 0 {
			v = rest[end+1:]
		}
	}
	if _, after, ok := strings.Cut(v, "<"); ok {
		v, _, _ = strings.Cut(after, ">")
	}
	return v
}

func closingQuote(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}
