package siptest

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// discardPort stands in the SDP of a far end that has no media socket.
const discardPort = 9

// SDP returns a session description that offers or answers one PCMU stream (RFC 4566, RFC 3551 payload
// type 0, 20 ms) at addr.
func SDP(addr netip.AddrPort) []byte {
	family := "IP4"
	if addr.Addr().Is6() {
		family = "IP6"
	}
	return fmt.Appendf(nil, "v=0\r\no=- 1 1 IN %[1]s %[2]s\r\ns=-\r\nc=IN %[1]s %[2]s\r\nt=0 0\r\n"+
		"m=audio %[3]d RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=sendrecv\r\n", family, addr.Addr(), addr.Port())
}

// MediaAddr returns the address of the first audio stream of a session description; false when there is
// none, it is rejected (port 0) or its address is not numeric.
func MediaAddr(sdp []byte) (netip.AddrPort, bool) {
	var host, port string
lines:
	for line := range strings.Lines(string(sdp)) {
		kind, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		f := strings.Fields(value)
		switch {
		case kind == "c" && len(f) == 3: // of the session, or of the stream, which stands later and wins
			host, _, _ = strings.Cut(f[2], "/")
		case kind == "m" && port != "":
			break lines
		case kind == "m" && len(f) >= 2 && f[0] == "audio":
			port, _, _ = strings.Cut(f[1], "/")
		}
	}
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil || p == 0 {
		return netip.AddrPort{}, false
	}
	addr, err := netip.ParseAddr(host)
	return netip.AddrPortFrom(addr.Unmap(), uint16(p)), err == nil
}
