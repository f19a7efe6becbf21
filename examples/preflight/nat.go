package main

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// sighting is what one place saw of a socket of ours.
type sighting struct {
	by    string // "OPTIONS" or "STUN"
	place place
	seen  netip.AddrPort // invalid = it did not say
	took  time.Duration  // from the first request to the answer
	err   error          // why there is no answer, or none that can be used

	status  int // of OPTIONS
	noRport bool
	via     string // the sent-by that our Via came back with, where it is not the one that was sent
}

// askSIP sends OPTIONS and reads from the topmost Via where it came from (RFC 3581).
func (p *probe) askSIP(ctx context.Context, conn net.PacketConn, t place) sighting {
	s := sighting{by: "OPTIONS", place: t}
	us, callID := p.named(addrPort(conn.LocalAddr())), token()
	request := fmt.Appendf(nil, "OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:%s>;tag=%s\r\nTo: <sip:%s>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\nContact: <sip:%s>\r\nAccept: application/sdp\r\n"+
		"User-Agent: %s\r\nContent-Length: 0\r\n\r\n", t.host, us, token(), us, token(), t.host, callID, us, agent)
	s.took, s.err = exchange(ctx, conn, t.addr, request, p.wait, func(data []byte) bool {
		m, err := sip.ParseMessage(data)
		res, ok := m.(*sip.Response)
		if err != nil || !ok || res.IsProvisional() || res.CallID() == nil || res.CallID().Value() != callID || res.Via() == nil {
			return false
		}
		s.status = res.StatusCode
		s.readVia(res.Via(), us)
		return true
	})
	return s
}

// readVia takes the address from received and rport. Without received the host that Via names is the one that was seen (RFC 3261 §18.2.1).
func (s *sighting) readVia(v *sip.ViaHeader, us netip.AddrPort) {
	host := strings.Trim(v.Host, "[]")
	if sent, err := netip.ParseAddr(host); err != nil || sent.Unmap() != us.Addr() || v.Port != int(us.Port()) {
		s.via = net.JoinHostPort(host, strconv.Itoa(v.Port))
	}
	addr, err := netip.ParseAddr(strings.Trim(v.Params.GetOr("received", host), "[]"))
	port, portErr := strconv.ParseUint(v.Params.GetOr("rport", ""), 10, 16)
	if s.noRport = portErr != nil || err != nil; !s.noRport {
		s.seen = netip.AddrPortFrom(addr.Unmap(), uint16(port))
	}
}

// askSTUN sends a binding request (RFC 8489).
func (p *probe) askSTUN(ctx context.Context, conn net.PacketConn, server place) sighting {
	s := sighting{by: "STUN", place: server}
	var id stunID
	_, _ = crand.Read(id[:]) // never fails
	var answer error
	s.took, s.err = exchange(ctx, conn, server.addr, stunRequest(id), p.wait, func(data []byte) bool {
		if !isSTUN(data, id) {
			return false
		}
		s.seen, answer = parseSTUN(data)
		return true
	})
	s.err = errors.Join(s.err, answer)
	return s
}

var errSilent = errors.New("no answer")

// exchange sends a request until its answer has come: again after 500 ms, and then at intervals that double up to 4 s (RFC 3261 §17.1.2.1,
// RFC 8489 §6.2.1), for wait at most. It returns how long that took.
func exchange(ctx context.Context, conn net.PacketConn, to netip.AddrPort, request []byte, wait time.Duration, answers func([]byte) bool) (time.Duration, error) {
	start, again := time.Now(), 500*time.Millisecond
	buf := make([]byte, 65536)
	for next := start; ; {
		now := time.Now()
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if now.Sub(start) >= wait {
			return 0, fmt.Errorf("%w within %v", errSilent, wait)
		}
		if !now.Before(next) {
			if _, err := conn.WriteTo(request, net.UDPAddrFromAddrPort(to)); err != nil {
				return 0, err
			}
			next, again = now.Add(again), min(2*again, 4*time.Second)
		}
		if err := conn.SetReadDeadline(earlier(next, start.Add(wait))); err != nil {
			return 0, err
		}
		n, _, err := conn.ReadFrom(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
		case err != nil:
			return 0, err
		case answers(buf[:n]):
			return time.Since(start), nil
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func token() string { return strings.ToLower(crand.Text()) }

// nat is what lies between us and the places that were asked, in the terms of RFC 4787 §4.1. How it filters is not asked.
type nat struct {
	name, why string
	public    netip.AddrPort // what the first place behind the translation saw; invalid = there is none
	dependent bool           // the mapping depends on where a packet goes
}

// classify compares what was seen.
func classify(local netip.AddrPort, all []sighting) nat {
	var said, far []sighting
	for _, s := range all {
		if s.seen.IsValid() {
			said = append(said, s)
			if s.seen != local {
				far = append(far, s)
			}
		}
	}
	switch {
	case len(said) == 0:
		return nat{name: "unknown", why: "nobody who was asked has said what it sees"}
	case len(far) == 0:
		return nat{name: "no NAT", why: fmt.Sprintf("the local address %s is what is seen (asked: %d)", local, len(said))}
	}
	n := nat{public: far[0].seen}
	var hosts []netip.Addr
	changes, byPort, sameHost := false, false, false
	for i, s := range far {
		if !slices.Contains(hosts, s.place.addr.Addr()) {
			hosts = append(hosts, s.place.addr.Addr())
		}
		for _, t := range far[:i] {
			differ := s.seen != t.seen
			changes = changes || differ
			if s.place.addr.Addr() == t.place.addr.Addr() {
				byPort, sameHost = byPort || differ, true
			}
		}
	}
	switch n.dependent = changes; {
	case byPort:
		n.name, n.why = "address-and-port-dependent mapping", "two ports of one address see different mappings"
	case changes && sameHost:
		n.name, n.why = "address-dependent mapping", "two addresses see different mappings, two ports of one address the same"
	case changes:
		n.name, n.why = "address-dependent or address-and-port-dependent mapping", "two addresses see different mappings"
	case len(hosts) > 1:
		n.name, n.why = "endpoint-independent mapping", fmt.Sprintf("%d addresses see the same mapping", len(hosts))
	default:
		n.name, n.why = "NAT, kind of mapping unknown", "only one address beyond it has told: ask another with -second or -stun"
	}
	if len(far) < len(said) {
		n.why += fmt.Sprintf("; %d asked on this side of it", len(said)-len(far))
	}
	return n
}

// portKept says whether the mapping has the port of the socket.
func portKept(local, seen netip.AddrPort) string {
	if local.Port() == seen.Port() {
		return "yes"
	}
	return fmt.Sprintf("no, %d is seen as %d", local.Port(), seen.Port())
}
