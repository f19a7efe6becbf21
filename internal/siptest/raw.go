package siptest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// SendRaw writes payload as it is to addr ("ip:port") from conn.
func SendRaw(conn net.PacketConn, addr string, payload []byte) error {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return fmt.Errorf("siptest: address: %w", err)
	}
	if _, err = conn.WriteTo(payload, net.UDPAddrFromAddrPort(to)); err != nil {
		return fmt.Errorf("siptest: write to %s: %w", addr, err)
	}
	return nil
}

// ExchangeRaw sends payload to addr and returns the first datagram that comes back from anywhere within
// wait, or nil if none does: an unanswered datagram is no error. A nil conn means a UDP socket of its
// own on 127.0.0.1, closed at the end. conn must not be read by anyone else meanwhile.
func ExchangeRaw(ctx context.Context, conn net.PacketConn, addr string, payload []byte, wait time.Duration) ([]byte, error) {
	if conn == nil {
		c, err := listenLoopback()
		if err != nil {
			return nil, fmt.Errorf("siptest: socket: %w", err)
		}
		defer c.Close()
		conn = c
	}
	until := time.Now().Add(wait)
	if d, ok := ctx.Deadline(); ok && d.Before(until) {
		until = d
	}
	if err := conn.SetReadDeadline(until); err != nil {
		return nil, fmt.Errorf("siptest: read deadline: %w", err)
	}
	defer conn.SetReadDeadline(time.Time{}) //nolint:errcheck // the socket failed before, or works
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := SendRaw(conn, addr, payload); err != nil {
		return nil, err
	}
	buf := make([]byte, maxDatagram)
	n, _, err := conn.ReadFrom(buf)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("siptest: read: %w", err)
	}
	return buf[:n], nil
}

// RawInvite returns the text of a valid INVITE from source to target (both "ip:port"), with fresh tag,
// branch and Call-ID and an offer: something to mutilate.
func RawInvite(source, target, from, to string) ([]byte, error) {
	src, err := netip.ParseAddrPort(source)
	if err != nil {
		return nil, fmt.Errorf("siptest: source: %w", err)
	}
	return outbound{
		method: "INVITE", uri: "sip:" + to + "@" + target, branch: newBranch(),
		from: "<sip:" + from + "@" + source + ">;tag=" + randomToken(), to: "<sip:" + to + "@" + target + ">",
		callID: randomToken(), cseq: 1, contact: "<sip:" + from + "@" + source + ">",
		body: SDP(netip.AddrPortFrom(src.Addr(), discardPort)),
	}.render(&endpoint{local: src, transport: "UDP"}), nil
}

// WithoutHeader returns msg without the header lines of that name, to make it invalid.
func WithoutHeader(msg []byte, name string) []byte {
	head, body, _ := strings.Cut(string(msg), "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	kept := lines[:1]
	for _, l := range lines[1:] {
		if n, _, _ := strings.Cut(l, ":"); !strings.EqualFold(strings.TrimSpace(n), name) {
			kept = append(kept, l)
		}
	}
	return []byte(strings.Join(kept, "\r\n") + "\r\n\r\n" + body)
}
