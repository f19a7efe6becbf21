package b2bua

import (
	"encoding/hex"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// allow lists the methods that are understood.
const allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO"

// request is a request of a dialer.
type request struct {
	*sip.Request
	from   netip.AddrPort // where it came from
	source *source
	key    string // of its server transaction, RFC 3261 §17.2.3
}

// header is a header field to be written.
type header struct{ name, value string }

// newParser returns a parser that reads the headers that are looked into, and leaves the rest as text: a header
// that nobody reads here must not lose a message.
func newParser() *sip.Parser {
	all, some := sip.DefaultHeadersParser(), map[string]sip.HeaderParser{}
	for _, name := range []string{
		"via", "v", "from", "f", "to", "t", "call-id", "i", "cseq", "contact", "m", "max-forwards",
		"content-length", "l", "record-route",
	} {
		some[name] = all[name]
	}
	return sip.NewParser(sip.WithHeadersParsers(some))
}

// usable reports whether a request has what RFC 3261 §8.1.1 demands of every request, so far that it can be answered
// and matched.
func usable(r *sip.Request) bool {
	return r.Via() != nil && r.From() != nil && r.To() != nil && r.CallID() != nil && r.CSeq() != nil
}

// newRequest wraps a usable request.
func newRequest(r *sip.Request, from netip.AddrPort, src *source) *request {
	req := &request{Request: r, from: from, source: src}
	method := r.Method
	if method == sip.ACK {
		method = sip.INVITE
	}
	req.key = req.transaction(method)
	return req
}

// transaction is the key of the server transaction that a request with this branch and the given method belongs
// to. Without the magic cookie of RFC 3261 a branch is not unique by itself.
func (r *request) transaction(method sip.RequestMethod) string {
	via := r.Via()
	branch := via.Params.GetOr("branch", "")
	key := branch + "|" + via.Host + ":" + strconv.Itoa(via.Port) + "|" + string(method)
	if !strings.HasPrefix(branch, sip.RFC3261BranchMagicCookie) {
		key += "|" + r.CallID().Value() + "|" + r.fromTag() + "|" + strconv.FormatUint(uint64(r.CSeq().SeqNo), 10)
	}
	return key
}

func (r *request) fromTag() string { return r.From().Params.GetOr("tag", "") }
func (r *request) toTag() string   { return r.To().Params.GetOr("tag", "") }

// dialog names the call that a request belongs to: the dialer chose both parts.
func (r *request) dialog() string { return r.CallID().Value() + "\x00" + r.fromTag() }

// value returns the text of the first header of that name, without control characters; "" if there is none.
func (r *request) value(name string) string {
	if h := r.GetHeader(name); h != nil {
		return clean(h.Value())
	}
	return ""
}

// contentType is that of the body.
func (r *request) contentType() string {
	if v := r.value("content-type"); v != "" {
		return v
	}
	return r.value("c")
}

// replyTo is where responses go: the source address with the Via's port, or with rport the source port (RFC 3261
// §18.2.2, RFC 3581 §4). A dialer behind NAT that does not ask for rport is configured as such.
func (r *request) replyTo() netip.AddrPort {
	via := r.Via()
	if r.source.nat || via.Params.Has("rport") {
		return r.from
	}
	port := via.Port
	if port <= 0 || port > 65535 {
		port = sip.DefaultUdpPort
	}
	return netip.AddrPortFrom(r.from.Addr(), uint16(port))
}

// response is a response to be written.
type response struct {
	code        int
	phrase      string
	tag         string // To tag, used when the request's To has none
	contact     string
	headers     []header
	contentType string
	body        []byte
}

// render writes the response to req as RFC 3261 §8.2.6 has it, with received and rport by RFC 3581.
func (p *response) render(req *request) []byte {
	b := make([]byte, 0, 512+len(p.body))
	b = append(strconv.AppendInt(append(b, "SIP/2.0 "...), int64(p.code), 10), ' ')
	b = append(append(b, clean(p.phrase)...), "\r\n"...)
	for i, h := range req.GetHeaders("via") {
		if v, ok := h.(*sip.ViaHeader); ok && i == 0 {
			h = received(v, req.from)
		}
		b = line(b, "Via", h.Value())
	}
	if req.Method == sip.INVITE && p.code > 100 && p.code < 300 {
		for _, h := range req.GetHeaders("record-route") {
			b = line(b, "Record-Route", h.Value())
		}
	}
	if ts := req.GetHeader("timestamp"); ts != nil && p.code == 100 { // RFC 3261 §8.2.6.1
		b = line(b, "Timestamp", ts.Value())
	}
	b = line(b, "From", req.From().Value())
	to := req.To().Value()
	if p.code > 100 && p.tag != "" && req.toTag() == "" {
		to += ";tag=" + p.tag
	}
	b = line(b, "To", to)
	b = line(b, "Call-ID", req.CallID().Value())
	b = line(b, "CSeq", req.CSeq().Value())
	if p.contact != "" {
		b = line(b, "Contact", p.contact)
	}
	for _, h := range p.headers {
		b = line(b, h.name, h.value)
	}
	return appendBody(b, p.contentType, p.body)
}

// received returns a Via with what the next hop cannot know: the address that it came from.
func received(v *sip.ViaHeader, from netip.AddrPort) *sip.ViaHeader {
	v = v.Clone()
	if port, asked := v.Params.Get("rport"); asked && port == "" {
		v.Params.Add("rport", strconv.Itoa(int(from.Port())))
		v.Params.Add("received", from.Addr().String())
	} else if v.Host != from.Addr().String() {
		v.Params.Add("received", from.Addr().String())
	}
	return v
}

func appendBody(b []byte, contentType string, body []byte) []byte {
	if len(body) > 0 {
		b = line(b, "Content-Type", contentType)
	}
	b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(body)), 10)
	return append(append(b, "\r\n\r\n"...), body...)
}

func line(b []byte, name, value string) []byte {
	b = append(append(b, name...), ": "...)
	return append(append(b, clean(value)...), "\r\n"...)
}

// clean returns s with blanks for control characters: what comes from one side must not end a line on the other.
func clean(s string) string {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return strings.Map(func(r rune) rune {
				if r < ' ' || r == 0x7f {
					return ' '
				}
				return r
			}, s)
		}
	}
	return s
}

// randomHex returns n random bytes in hexadecimal, for tags and branches.
func randomHex(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return hex.EncodeToString(b)
}

// hop returns the address of a URI whose host is an IP address.
func hop(u *sip.Uri) (netip.AddrPort, bool) {
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
