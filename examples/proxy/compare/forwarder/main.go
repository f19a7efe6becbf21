// Command forwarder is what the proxy is measured beside: a SIP proxy of the stack alone, sipgo, with nothing that decides. It
// keeps transactions, records its route, hunts on to its second gateway, and leaves one that was silent alone for a while.
//
//	forwarder -listen 127.0.0.1:5060 -gateways 127.0.0.1:5061,127.0.0.1:5062
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

const (
	silence = 2 * time.Second  // without a response the next gateway is tried
	bad     = 30 * time.Second // for so long one that was silent is left alone
)

func main() {
	listen := flag.String("listen", "127.0.0.1:5060", "UDP address")
	gateways := flag.String("gateways", "", "addresses, separated by commas")
	flag.Parse()
	if err := run(*listen, strings.Split(*gateways, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "forwarder:", err)
		os.Exit(1)
	}
}

func run(listen string, gateways []string) error {
	addr, err := netip.ParseAddrPort(listen)
	if err != nil {
		return err
	}
	udp, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return err
	}
	// The kernel may grant less; that is no reason to fail.
	_, _ = udp.SetReadBuffer(4<<20), udp.SetWriteBuffer(4<<20)
	log := slog.New(slog.DiscardHandler)
	ua, err := sipgo.NewUA(
		sipgo.WithUserAgentParser(sip.NewParser(sip.WithHeadersParsers(parsed()))),
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(log)),
		sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(log)),
	)
	if err != nil {
		return err
	}
	f := &forwarder{own: sip.Uri{Scheme: "sip", Host: addr.Addr().String(), Port: int(addr.Port()), UriParams: sip.HeaderParams{{K: "lr"}}}}
	for _, g := range gateways {
		f.gateways = append(f.gateways, &gateway{addr: g})
	}
	server, err := sipgo.NewServer(ua, sipgo.WithServerLogger(log))
	if err != nil {
		return err
	}
	if f.client, err = sipgo.NewClient(ua, sipgo.WithClientLogger(log), sipgo.WithClientConnectionAddr(listen)); err != nil {
		return err
	}
	server.OnInvite(f.invite)
	server.OnAck(f.ack)
	server.OnNoRoute(f.within)
	served := make(chan error, 1)
	go func() { served <- server.ServeUDP(newConn(udp)) }()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	select {
	case <-stop:
		return errors.Join(udp.Close(), ua.Close())
	case err := <-served:
		return err
	}
}

// parsed are the headers that are read; the others stay text.
func parsed() sip.HeadersParser {
	all, some := sip.DefaultHeadersParser(), sip.HeadersParser{}
	for _, name := range []string{"via", "v", "from", "f", "to", "t", "call-id", "i", "cseq", "max-forwards", "content-length", "l", "route"} {
		some[name] = all[name]
	}
	return some
}

type gateway struct {
	addr  string
	rests atomic.Int64 // until then, in Unix nanoseconds
}

type forwarder struct {
	client   *sipgo.Client
	own      sip.Uri
	gateways []*gateway
}

// invite forwards a new call to the first gateway that takes it.
func (f *forwarder) invite(req *sip.Request, tx sip.ServerTransaction) {
	if req.To().Params.Has("tag") {
		f.within(req, tx)
		return
	}
	_ = tx.Respond(sip.NewResponseFromRequest(req, 100, "Trying", nil))
	for i, g := range f.gateways {
		last := i == len(f.gateways)-1
		if !last && g.rests.Load() > time.Now().UnixNano() {
			continue
		}
		out := f.outgoing(req, g.addr)
		out.PrependHeader(&sip.RecordRouteHeader{Address: f.own})
		switch f.relay(out, tx, last) {
		case relayed:
			return
		case silent:
			g.rests.Store(time.Now().Add(bad).UnixNano())
		}
	}
	_ = tx.Respond(sip.NewResponseFromRequest(req, 500, "Server Internal Error", nil))
}

// within forwards a request of a dialog by its route.
func (f *forwarder) within(req *sip.Request, tx sip.ServerTransaction) {
	if !req.To().Params.Has("tag") {
		_ = tx.Respond(sip.NewResponseFromRequest(req, 404, "Not Found", nil))
		return
	}
	f.relay(f.outgoing(req, req.Recipient.HostPort()), tx, true)
}

func (f *forwarder) ack(req *sip.Request, _ sip.ServerTransaction) {
	out := f.outgoing(req, req.Recipient.HostPort())
	_ = f.client.WriteRequest(out, sipgo.ClientRequestAddVia)
}

// outgoing is a request with the header fields of req: they are shared, and none is changed.
func (f *forwarder) outgoing(req *sip.Request, to string) *sip.Request {
	out := sip.NewRequest(req.Method, req.Recipient)
	for _, h := range req.Headers() {
		switch v := h.(type) {
		case *sip.MaxForwardsHeader:
			less := sip.MaxForwardsHeader(max(v.Val(), 1) - 1)
			out.AppendHeader(&less)
		case *sip.RouteHeader: // ours: it is the only one
		case *sip.ContentLengthHeader: // SetBody writes it
		default:
			out.AppendHeader(h)
		}
	}
	out.SetBody(req.Body())
	out.SetTransport("UDP")
	out.SetDestination(to)
	return out
}

type outcome int

const (
	relayed outcome = iota
	refused         // 5xx
	silent
)

// relay sends a request and passes its responses back. Where it is not the last gateway, a refusal or silence is reported instead.
func (f *forwarder) relay(out *sip.Request, tx sip.ServerTransaction, last bool) outcome {
	client, err := f.client.TransactionRequest(context.Background(), out, sipgo.ClientRequestAddVia)
	if err != nil {
		return silent
	}
	defer client.Terminate()
	patience := time.NewTimer(silence)
	defer patience.Stop()
	heard := false
	for {
		select {
		case res := <-client.Responses():
			if heard = true; res.StatusCode == 100 {
				continue
			}
			if res.StatusCode >= 500 && !last {
				return refused
			}
			res.RemoveHeader("Via")
			if tx.Respond(res) != nil || !res.IsProvisional() {
				return relayed
			}
		case <-patience.C:
			if !heard && !last {
				return silent
			}
		case <-client.Done():
			return silent
		}
	}
}

// conn spares sipgo an address and its text for every datagram.
type conn struct {
	*net.UDPConn
	mu    sync.RWMutex
	peers map[netip.AddrPort]*peer
}

// peer is an address that knows its text.
type peer struct {
	*net.UDPAddr
	text string
}

func (p *peer) String() string { return p.text }

const maxPeers = 1024

func newConn(c *net.UDPConn) *conn { return &conn{UDPConn: c, peers: map[netip.AddrPort]*peer{}} }

// ReadFrom implements net.PacketConn.
func (c *conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	c.mu.RLock()
	p := c.peers[from]
	c.mu.RUnlock()
	if p == nil {
		p = &peer{net.UDPAddrFromAddrPort(from), from.String()}
		c.mu.Lock()
		if len(c.peers) < maxPeers {
			c.peers[from] = p
		}
		c.mu.Unlock()
	}
	return n, p, nil
}

// WriteTo implements net.PacketConn.
func (c *conn) WriteTo(b []byte, addr net.Addr) (int, error) {
	if a, ok := addr.(*net.UDPAddr); ok {
		return c.WriteToUDPAddrPort(b, a.AddrPort())
	}
	return c.UDPConn.WriteTo(b, addr)
}
