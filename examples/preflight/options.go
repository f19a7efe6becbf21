package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/outdial/outdial"
)

// place is somebody to ask: its name as the flag has it, and its address.
type place struct {
	name string
	user string // of a SIP URI
	host string // "host:port" of a SIP URI
	addr netip.AddrPort
}

// ports is a range; the zero value is none.
type ports struct{ lo, hi uint16 }

type options struct {
	to, second place
	stun       []place
	sip        netip.AddrPort // to bind
	advertise  netip.Addr     // what Via, Contact and the session description name; invalid = the address of the socket
	rtp        ports
	from       outdial.Number
	user       string
	password   string
	length     time.Duration // of the audio
	wait       time.Duration // for an answer to OPTIONS, STUN and the INVITE
	out        string
}

// targets are the SIP addresses that are asked by OPTIONS.
func (o *options) targets() []place {
	if o.second.name == "" {
		return []place{o.to}
	}
	return []place{o.to, o.second}
}

// named is the address that our messages name for a socket.
func (o *options) named(local netip.AddrPort) netip.AddrPort {
	if o.advertise.IsValid() {
		return netip.AddrPortFrom(o.advertise, local.Port())
	}
	return local
}

// maxSeconds keeps the call short, and its packets countable by 16 bits.
const maxSeconds = 120

// userChars are those of numbers and of plain names.
const userChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*#+-._"

const passwordEnv = "PREFLIGHT_PASSWORD"

// parseOptions reads the flags and looks names up. The error names every flag that is wrong.
func parseOptions(ctx context.Context, args []string, help io.Writer) (options, error) {
	o := options{password: os.Getenv(passwordEnv)}
	fs := flag.NewFlagSet("preflight", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	to := fs.String("to", "", "sip: URI of an echo service, which is called once")
	second := fs.String("second", "", "sip: URI of another host that answers OPTIONS, to compare what it sees")
	stun := fs.String("stun", "", "STUN servers, host:port,…: two with different addresses tell what kind of NAT there is")
	bind := fs.String("sip", "", "local address of SIP, ip:port or :port; by default the one that leads to the target, and a port that the kernel picks")
	advertise := fs.String("advertise", "", "IP address that our messages name, behind a static NAT")
	rtp := fs.String("rtp", "", "range of RTP ports that the dialer is to use, lo-hi: each one is tried")
	from := fs.String("from", "", "caller ID, +12125550100; by default anonymous")
	fs.StringVar(&o.user, "user", "", "user name for digest authentication; the password is taken from the environment, "+passwordEnv)
	seconds := fs.Int("seconds", 5, "length of the call's audio")
	fs.DurationVar(&o.wait, "wait", 8*time.Second, "how long to wait for an answer to OPTIONS and STUN, and for the call to ring")
	fs.StringVar(&o.out, "o", "network.md", "file to write the report to")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fs.SetOutput(help)
			fmt.Fprintln(help, "preflight -to sip:echo@carrier:5060 [flags]")
			fs.PrintDefaults()
		}
		return o, err
	}
	var errs []error
	check := func(name string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("-%s: %w", name, err))
		}
	}
	if fs.NArg() > 0 {
		errs = append(errs, fmt.Errorf("unexpected argument %q", fs.Arg(0)))
	}
	var err error
	o.to, err = parseTarget(ctx, *to)
	if err == nil && o.to.user == "" {
		err = errors.New("the URI has no user part: whom is the call for?")
	}
	if err == nil && strings.ContainsFunc(o.to.user, func(c rune) bool { return !strings.ContainsRune(userChars, c) }) {
		err = fmt.Errorf("the user part %q has other characters than letters, digits and *#+-._", o.to.user)
	}
	check("to", err)
	if *second != "" {
		o.second, err = parseTarget(ctx, *second)
		check("second", err)
	}
	if *stun != "" {
		for server := range strings.SplitSeq(*stun, ",") {
			addr, err := lookUp(ctx, server, 3478)
			check("stun", err)
			o.stun = append(o.stun, place{name: server, addr: addr})
		}
	}
	if *advertise != "" {
		o.advertise, err = netip.ParseAddr(*advertise)
		check("advertise", err)
	}
	o.rtp, err = parsePorts(*rtp)
	check("rtp", err)
	if *from != "" {
		o.from, err = outdial.ParseNumber(*from)
		check("from", err)
	}
	if *seconds < 1 || *seconds > maxSeconds {
		check("seconds", fmt.Errorf("%d is not in 1..%d", *seconds, maxSeconds))
	}
	if o.wait <= 0 {
		check("wait", fmt.Errorf("%v is not above 0", o.wait))
	}
	if o.out == "" {
		check("o", errors.New("the report needs a file"))
	}
	if o.user == "" {
		o.password = ""
	}
	o.length = time.Duration(*seconds) * time.Second
	if o.to.addr.IsValid() {
		o.sip, err = bindAddr(*bind, o.to.addr)
		if err == nil && o.sip.Port() != 0 && o.rtp.lo <= o.sip.Port() && o.sip.Port() <= o.rtp.hi {
			err = errors.New("the port is within -rtp")
		}
		check("sip", err)
	}
	return o, errors.Join(errs...)
}

// parseTarget reads a SIP URI that is reached over UDP, and looks its host up: SRV without a port, then A and AAAA.
func parseTarget(ctx context.Context, text string) (place, error) {
	var uri sip.Uri
	if text == "" {
		return place{}, errors.New("it is needed: sip:user@host:port")
	}
	if err := sip.ParseUri(text, &uri); err != nil || uri.Scheme != "sip" || uri.Host == "" {
		return place{}, fmt.Errorf("%q is not a URI as sip:user@host:port", text)
	}
	if t, ok := uri.UriParams.Get("transport"); ok && !strings.EqualFold(t, "udp") {
		return place{}, fmt.Errorf("%q: only UDP is tried", text)
	}
	host, port := strings.Trim(uri.Host, "[]"), uri.Port
	if _, err := netip.ParseAddr(host); err != nil && port == 0 {
		if _, records, err := net.DefaultResolver.LookupSRV(ctx, "sip", "udp", host); err == nil && len(records) > 0 {
			host, port = strings.TrimSuffix(records[0].Target, "."), int(records[0].Port)
		}
	}
	hostport := net.JoinHostPort(host, strconv.Itoa(cmp.Or(port, 5060)))
	addr, err := lookUp(ctx, hostport, 5060)
	return place{name: text, user: uri.User, host: hostport, addr: addr}, err
}

// lookUp is the first address of "host:port" or "host", IPv4 before IPv6.
func lookUp(ctx context.Context, hostport string, port uint16) (netip.AddrPort, error) {
	host, text, err := net.SplitHostPort(hostport)
	if err != nil {
		host, text = strings.Trim(hostport, "[]"), strconv.Itoa(int(port))
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 || host == "" {
		return netip.AddrPort{}, fmt.Errorf("%q is not host:port", hostport)
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil || len(addrs) == 0 {
		addrs, err = net.DefaultResolver.LookupNetIP(ctx, "ip6", host)
	}
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.AddrPortFrom(addrs[0].Unmap(), uint16(n)), nil
}

// bindAddr is the local address of SIP. Without a host it is the one that datagrams to the target leave from.
func bindAddr(text string, target netip.AddrPort) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(cmp.Or(text, ":0"))
	n, numErr := strconv.ParseUint(port, 10, 16)
	if err != nil || numErr != nil {
		return netip.AddrPort{}, fmt.Errorf("%q is not ip:port or :port", text)
	}
	if host != "" {
		addr, err := netip.ParseAddr(host)
		if err == nil && addr.IsUnspecified() {
			err = fmt.Errorf("%s is no address that a carrier can answer to", addr)
		}
		return netip.AddrPortFrom(addr, uint16(n)), err
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(target)) // sends nothing
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer conn.Close()
	return netip.AddrPortFrom(addrPort(conn.LocalAddr()).Addr(), uint16(n)), nil
}

// parsePorts reads "lo-hi"; "" is none.
func parsePorts(text string) (ports, error) {
	if text == "" {
		return ports{}, nil
	}
	lo, hi, _ := strings.Cut(text, "-")
	a, err1 := strconv.ParseUint(lo, 10, 16)
	b, err2 := strconv.ParseUint(hi, 10, 16)
	if err1 != nil || err2 != nil || a == 0 || a > b {
		return ports{}, fmt.Errorf("%q is not a range of ports as 10000-20000", text)
	}
	return ports{uint16(a), uint16(b)}, nil
}
