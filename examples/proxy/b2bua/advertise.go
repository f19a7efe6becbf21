package b2bua

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
)

// sentBy is what Via and Contact name: what is configured, or the address of the socket.
func sentBy(advertise string, local netip.AddrPort) (string, error) {
	if advertise == "" {
		if local.Addr().IsUnspecified() {
			return "", fmt.Errorf("required: %s is no address that can be answered to", local.Addr())
		}
		return local.String(), nil
	}
	host, port, err := hostPort(advertise)
	if port == 0 {
		port = local.Port()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port))), err
}

// hostPort reads "host", "host:port", "v6", "[v6]" or "[v6]:port"; port 0 = none is given.
func hostPort(s string) (host string, port uint16, err error) {
	host = s
	if h, p, err := net.SplitHostPort(s); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return "", 0, fmt.Errorf("%q: the port is not in 1..65535", s)
		}
		host, port = h, uint16(n)
	} else if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		host = s[1 : len(s)-1]
		if a, err := netip.ParseAddr(host); err != nil || !a.Is6() {
			return "", 0, fmt.Errorf("%q: only an IPv6 address stands in brackets", s)
		}
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if a.IsUnspecified() || a.Zone() != "" {
			return "", 0, fmt.Errorf("%q is no address that others can answer to", s)
		}
		return a.Unmap().String(), port, nil
	}
	if !hostName.MatchString(host) || len(host) > 253 {
		return "", 0, fmt.Errorf("%q: want a host name or an address, with or without a port", s)
	}
	return host, port, nil
}

// hostName is a host name of RFC 3261 §25.1, and the underscores that people use all the same.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([-A-Za-z0-9_.]*[A-Za-z0-9_])?\.?$`)
