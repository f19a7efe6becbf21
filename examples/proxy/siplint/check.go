package siplint

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Signal is a *sip.Request or a *sip.Response.
type Signal interface {
	sip.Message
	Contact() *sip.ContactHeader
	ContentType() *sip.ContentTypeHeader
}

// Check lists the faults of an INVITE or of a response to one, which came from an address; datagram says that it came over UDP. first says that
// it is the first description of the call: within a call a null address may be a hold. Other messages have none. It keeps nothing of the message,
// and any number of goroutines may call it.
func Check(m Signal, from netip.AddrPort, datagram, first bool) []Finding {
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	var c checks
	cseq := m.CSeq()
	if cseq == nil || cseq.MethodName != sip.INVITE {
		return nil
	}
	public := !private(from.Addr())
	req, isRequest := m.(*sip.Request)
	res, isResponse := m.(*sip.Response)
	if isRequest && req.Method != sip.INVITE {
		return nil
	}
	if isRequest && datagram {
		c.via(m.Via(), from)
	}
	media, origin := c.description(m, public, first)
	if isResponse && !res.IsSuccess() {
		return c.found
	}
	h := m.Contact()
	if h == nil {
		c.add(ContactMissing, "Contact", "missing")
		return c.found
	}
	switch contact := address(h.Address.Host); {
	case !public || !private(contact):
	case private(origin) && media.IsValid() && !private(media):
		c.add(Rewritten, "c=", "%s, but o= is %s and Contact is %s", media, origin, contact)
	default:
		c.add(ContactPrivate, "Contact", "%s, of a sender on the public network", contact)
	}
	return c.found
}

type checks struct{ found []Finding }

func (c *checks) add(code Code, where, what string, args ...any) {
	c.found = append(c.found, Finding{code, where, fmt.Sprintf(what, args...)})
}

// via looks for a way back: without rport answers go to the address and port that Via names.
func (c *checks) via(v *sip.ViaHeader, from netip.AddrPort) {
	if v == nil || v.Params.Has("rport") {
		return
	}
	port := uint16(v.Port)
	if port == 0 {
		port = 5060
	}
	addr := address(v.Host)
	if addr.IsValid() && (addr != from.Addr() && private(addr) || port != from.Port()) {
		c.add(NoRport, "Via", "%s, and it came from %s", netip.AddrPortFrom(addr, port), from)
	}
}

// description looks at the addresses of media, and returns the first one and that of the origin (o=).
func (c *checks) description(m Signal, public, first bool) (media, origin netip.Addr) {
	body := m.Body()
	if t := m.ContentType(); len(body) == 0 || t != nil && !strings.HasPrefix(strings.ToLower(t.Value()), "application/sdp") {
		return
	}
	stream, all, own := 0, false, true // the m= section that is read; whether there is a c= before the first one, and one of its own
	missing := func() {
		if stream > 0 && !all && !own {
			c.add(MediaMissing, "m=", "stream %d has no c=", stream)
		}
	}
	seen := map[netip.Addr]bool{}
	for line := range strings.Lines(string(body)) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "m="):
			missing()
			stream, own = stream+1, strings.Contains(line, " 0 ") // a stream that is refused needs none
		case strings.HasPrefix(line, "o="):
			origin = last(line)
		case strings.HasPrefix(line, "c="):
			if own = true; stream == 0 {
				all = true
			}
			addr := last(line)
			if !addr.IsValid() || seen[addr] {
				continue
			}
			if seen[addr] = true; !media.IsValid() {
				media = addr
			}
			switch {
			case addr.IsUnspecified() && first:
				c.add(MediaNull, "c=", "%s", addr)
			case public && private(addr) && !addr.IsUnspecified():
				c.add(MediaPrivate, "c=", "%s, of a sender on the public network", addr)
			}
		}
	}
	missing()
	return media, origin
}

// last is the address at the end of a line of a description: "c=IN IP4 192.0.2.1", with "/127" of a multicast one or without.
func last(line string) netip.Addr {
	text, _, _ := strings.Cut(line[strings.LastIndexByte(line, ' ')+1:], "/")
	return address(text)
}

// address is the address that a host is; invalid for a name.
func address(host string) netip.Addr {
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap()
}

// shared is the space behind carriers' address translation, RFC 6598.
var shared = netip.MustParsePrefix("100.64.0.0/10")

// private reports whether an address cannot be reached from the public network.
func private(a netip.Addr) bool {
	return a.IsValid() && (a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || shared.Contains(a))
}
