package b2bua

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/netip"
	"slices"
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
	at     place          // … and through what
	source *source
	key    string // of its server transaction, RFC 3261 §17.2.3
	echo   echo   // what its responses repeat; see there
}

// echo is the header fields of a request that every response to it repeats (RFC 3261 §8.2.6.2), written once.
type echo struct {
	vias []byte // the Via lines, with received and rport
	from []byte // the From line, and To up to its end
	rest []byte // the end of the To line, Call-ID and CSeq
}

// header is a header field to be written.
type header struct{ name, value string }

// maxMessage is the longest message, in bytes.
const maxMessage = 64 << 10

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
	p := sip.NewParser(sip.WithHeadersParsers(some))
	p.MaxMessageLength = maxMessage
	return p
}

// usable reports whether a request has what RFC 3261 §8.1.1 demands of every request, so far that it can be answered
// and matched.
func usable(r *sip.Request) bool {
	return r.Via() != nil && r.From() != nil && repeatable(&r.From().Address) && r.To() != nil && repeatable(&r.To().Address) &&
		r.CallID() != nil && r.CSeq() != nil && isMethod(string(r.CSeq().MethodName))
}

// isMethod reports whether something stands where CSeq names the method, and nothing that is not repeated as it is.
func isMethod(s string) bool { return strings.TrimSpace(s) != "" && clean(s) == s }

// repeatable reports whether a URI of From or To is the same one in an answer, where it stands in angle brackets. The parser takes whatever follows
// the scheme where that is another than SIP's, and nothing for a scheme too.
func repeatable(u *sip.Uri) bool {
	if u.Scheme == "sip" || u.Scheme == "sips" {
		return strings.IndexByte(u.User, '>') < 0 && strings.IndexByte(u.Host, '>') < 0
	}
	return u.Scheme != "" && u.Raw() != "" && !strings.ContainsAny(u.Raw(), "<> \t")
}

// tidy takes the blanks away that may stand around parameters (RFC 3261 §25.1: SEMI and EQUAL), which the parser leaves.
func tidy(params sip.HeaderParams) sip.HeaderParams {
	for i, p := range params {
		k, v := strings.TrimSpace(p.K), strings.TrimSpace(p.V)
		if k == p.K && v == p.V && k != "" {
			continue
		}
		tidied := slices.Clone(params[:i])
		for _, p := range params[i:] {
			if k := strings.TrimSpace(p.K); k != "" {
				tidied = append(tidied, sip.HeaderKV{K: k, V: strings.TrimSpace(p.V)})
			}
		}
		return tidied
	}
	return params
}

// single are header fields that a request has once, with their compact forms (RFC 3261 §7.3.1).
var single = map[string]string{
	"from": "from", "f": "from", "to": "to", "t": "to", "call-id": "call-id", "i": "call-id", "cseq": "cseq", "max-forwards": "max-forwards",
	"content-length": "content-length", "l": "content-length", "content-type": "content-type", "c": "content-type",
}

// ambiguous reports whether a header field that stands once stands there twice: the next element may read the other one.
func ambiguous(r *sip.Request) bool {
	var seen [8]string
	n := 0
	for _, h := range r.Headers() {
		name := single[sip.HeaderToLower(h.Name())]
		if name == "" {
			continue
		}
		if slices.Contains(seen[:n], name) {
			return true
		}
		if n < len(seen) {
			seen[n] = name
			n++
		}
	}
	return false
}

// newRequest wraps a usable request.
func newRequest(r *sip.Request, at place, src *source) *request {
	r.From().Params, r.To().Params, r.Via().Params = tidy(r.From().Params), tidy(r.To().Params), tidy(r.Via().Params)
	req := &request{Request: r, from: at.addr, at: at, source: src}
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
func (r *request) replyTo() place {
	via, to := r.Via(), r.at
	if !to.stream() && (r.source.nat || via.Params.Has("rport")) {
		return to
	}
	port := via.Port
	if port <= 0 || port > 65535 {
		port = defaultPort(to.link.transport)
	}
	to.addr = netip.AddrPortFrom(r.from.Addr(), uint16(port)) // over a connection: where the dialer listens, when it has closed that
	if _, err := netip.ParseAddr(strings.Trim(via.Host, "[]")); err != nil && to.stream() {
		to.name = via.Host
	}
	return to
}

func defaultPort(transport string) int {
	if strings.EqualFold(transport, "TLS") {
		return sip.DefaultTlsPort
	}
	return sip.DefaultUdpPort
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
	e := req.echoed()
	b = append(b, e.vias...)
	if req.Method == sip.INVITE && p.code > 100 && p.code < 300 {
		for _, h := range req.GetHeaders("record-route") {
			b = line(b, "Record-Route", h.Value())
		}
	}
	if p.code == 100 { // RFC 3261 §8.2.6.1
		if ts := req.GetHeader("timestamp"); ts != nil {
			b = line(b, "Timestamp", ts.Value())
		}
	}
	b = append(b, e.from...)
	if p.code > 100 && p.tag != "" && req.toTag() == "" {
		b = append(append(b, ";tag="...), p.tag...)
	}
	b = append(b, e.rest...)
	if p.contact != "" {
		b = line(b, "Contact", p.contact)
	}
	for _, h := range p.headers {
		b = line(b, h.name, h.value)
	}
	return appendBody(b, p.contentType, p.body)
}

// echoed returns what responses repeat of the request.
func (r *request) echoed() *echo {
	e := &r.echo
	if e.vias != nil {
		return e
	}
	e.vias = make([]byte, 0, 160)
	for i, h := range r.GetHeaders("via") {
		if v, ok := h.(*sip.ViaHeader); ok && i == 0 {
			h = received(v, r.from)
		}
		e.vias = line(e.vias, "Via", h.Value())
	}
	e.from = append(append(line(make([]byte, 0, 160), "From", r.From().Value()), "To: "...), clean(r.To().Value())...)
	e.rest = line(line(append(make([]byte, 0, 96), "\r\n"...), "Call-ID", r.CallID().Value()), "CSeq", r.CSeq().Value())
	return e
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
		b = line(b, "Content-Type", cmp.Or(contentType, "application/sdp")) // who did not say means that
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

// randomHex returns n random bytes in hexadecimal, at most 16, for tags and branches. math/rand/v2 draws from ChaCha8 seeded
// by the operating system.
func randomHex(n int) string {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], rand.Uint64())
	binary.LittleEndian.PutUint64(b[8:], rand.Uint64())
	return hex.EncodeToString(b[:n])
}

// hop returns the address of a URI whose host is an IP address.
func hop(u *sip.Uri, transport string) (netip.AddrPort, bool) {
	ip, err := netip.ParseAddr(strings.Trim(u.Host, "[]"))
	if err != nil || u.Port < 0 || u.Port > 65535 {
		return netip.AddrPort{}, false
	}
	port := u.Port
	if port == 0 {
		port = defaultPort(transport)
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(port)), true
}
