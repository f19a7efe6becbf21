//go:build !linux

package siptrunk

import (
	"net"
	"net/netip"
)

// Elsewhere an unconnected UDP socket does not learn what ICMP says: T100 does the work.

func askForICMP(*net.UDPConn) {}

func undelivered(*net.UDPConn, func(datagram []byte, to netip.AddrPort)) {}
