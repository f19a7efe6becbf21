// Preflight is run once, before a campaign, on the host where the dialer or the proxy is to stand. It looks at ports, asks what the far side
// sees of them, places one call to an echo service, and writes a report that a carrier can be sent.
//
//	go run ./examples/preflight -to sip:echo@carrier.example:5060 -o network.md
//	go run ./examples/preflight -to sip:+12125550123@192.0.2.1 -sip :5060 -rtp 10000-10200 -stun stun.example:3478,stun.example.net:3478
//
// The exit code is 0 when nothing was found, 2 when there are findings, 1 when there is no report: the flags are wrong, or a socket cannot be bound.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// command is the whole program but for the process: it returns the exit code.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	failed := func(err error) int {
		fmt.Fprintln(stderr, "preflight:", err)
		return 1
	}
	opts, err := parseOptions(ctx, args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return failed(err)
	}
	r, err := (&probe{options: opts, listen: listenUDP}).run(ctx)
	if err != nil {
		return failed(err)
	}
	if err := os.WriteFile(opts.out, r.markdown(), 0o644); err != nil {
		return failed(err)
	}
	fmt.Fprintf(stdout, "%s; see %s\n", r.verdict(), opts.out)
	if len(r.findings) > 0 {
		return 2
	}
	return 0
}

func listenUDP(at netip.AddrPort) (net.PacketConn, error) {
	return net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
}

// probe is one run.
type probe struct {
	options
	listen func(netip.AddrPort) (net.PacketConn, error)
}

// report is what a run found out. The findings are drawn from the rest.
type report struct {
	options
	at         time.Time
	local, rtp netip.AddrPort // of the two sockets
	ports      portCheck
	sightings  []sighting // of the SIP socket
	rtpSeen    sighting   // of the RTP socket, by the first STUN server
	nat        nat
	call       call
	findings   []finding
}

// run asks and calls, all from one SIP socket: what one place learns of a mapping is compared with what another one does.
func (p *probe) run(ctx context.Context) (*report, error) {
	r := &report{options: p.options, at: time.Now().UTC()}
	sip, err := p.listen(p.sip)
	if err != nil {
		return nil, fmt.Errorf("-sip: %w", err)
	}
	defer sip.Close()
	r.local = addrPort(sip.LocalAddr())
	r.ports = p.checkPorts()
	rtp, err := p.listen(netip.AddrPortFrom(r.local.Addr(), r.ports.first))
	if err != nil {
		return nil, fmt.Errorf("-rtp: %w", err)
	}
	defer rtp.Close()
	r.rtp = addrPort(rtp.LocalAddr())

	for _, t := range p.targets() {
		r.sightings = append(r.sightings, p.askSIP(ctx, sip, t))
	}
	for i, server := range p.stun {
		r.sightings = append(r.sightings, p.askSTUN(ctx, sip, server))
		if i == 0 {
			r.rtpSeen = p.askSTUN(ctx, rtp, server)
		}
	}
	r.nat = classify(r.local, r.sightings)
	if err := errors.Join(sip.SetReadDeadline(time.Time{}), ctx.Err()); err != nil {
		return nil, err
	}
	if r.call, err = p.echo(ctx, sip, rtp); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.find()
	return r, nil
}

// portCheck is what became of a range of ports.
type portCheck struct {
	total, free int
	taken       []uint16
	why         error  // what the first of the taken ones was refused with
	first       uint16 // an even one that is free, for the call; 0 = the kernel may pick
}

// checkPorts binds every port of the range for a moment.
func (p *probe) checkPorts() (c portCheck) {
	if p.rtp.hi == 0 {
		return c
	}
	for port := int(p.rtp.lo); port <= int(p.rtp.hi); port++ {
		c.total++
		conn, err := p.listen(netip.AddrPortFrom(p.sip.Addr(), uint16(port)))
		if err != nil {
			c.taken = append(c.taken, uint16(port))
			if c.why == nil {
				c.why = err
			}
			continue
		}
		conn.Close()
		c.free++
		if c.first == 0 && port%2 == 0 {
			c.first = uint16(port)
		}
	}
	return c
}

// addrPort is the value of a socket's address.
func addrPort(a net.Addr) netip.AddrPort {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
