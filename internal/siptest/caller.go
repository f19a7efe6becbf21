package siptest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"
)

// CallerConfig configures a [Caller].
type CallerConfig struct {
	// Conn is the signalling socket, owned by the caller from now on; nil means a UDP socket on 127.0.0.1
	// with a port that the kernel picks.
	Conn net.PacketConn
	// ListenMedia opens the media socket of a call that has Media or counts RTP. nil means a UDP socket beside
	// a real Conn, and no media beside another.
	ListenMedia func() (net.PacketConn, error)
	// Seed drives the loss of RTP.
	Seed uint64
	// Log receives what is odd on the wire, at debug level; nil is silent.
	Log *slog.Logger
}

// A Caller is a programmable user agent client, as a dialer is one: it places calls and reports all that came back.
// Two goroutines serve all its calls. Make it with [StartCaller]. Safe for concurrent use.
type Caller struct {
	ep     *endpoint
	listen func() (net.PacketConn, error)

	// The fields below belong to the loop.
	rng      *rand.Rand
	calls    map[string]*dial // by Call-ID
	requests map[string]func(*sip.Response)
}

// StartCaller binds the socket and starts to serve.
func StartCaller(cfg CallerConfig) (*Caller, error) {
	ep, err := newEndpoint(cfg.Conn, cfg.Log)
	if err != nil {
		return nil, err
	}
	c := &Caller{
		ep: ep, listen: cfg.ListenMedia, rng: rand.New(rand.NewPCG(cfg.Seed, 0x7369707465737422)),
		calls: make(map[string]*dial), requests: make(map[string]func(*sip.Response)),
	}
	ep.start(c.onMessage)
	return c, nil
}

// Addr is the address of the socket.
func (c *Caller) Addr() netip.AddrPort { return c.ep.local }

// Close stops at once, as a dialer that loses power: calls in progress return net.ErrClosed and nothing more is
// sent. It waits for its goroutines.
func (c *Caller) Close() error { return c.ep.close() }

// Call places one call to target ("ip:port") and returns when it is over: at a failure, at the BYE of
// either side (answered), or when the transaction has timed out. What the network says, or does not say,
// is in the result; an error means that the call could not be placed, or that ctx ended first. In that
// case the result holds what was known, and the call is cancelled or hung up in the background.
func (c *Caller) Call(ctx context.Context, target string, call CallerCall) (*CallResult, error) {
	to, err := netip.ParseAddrPort(target)
	if err != nil {
		return nil, fmt.Errorf("siptest: target: %w", err)
	}
	d := newDial(c, to, call)
	if call.Media != nil {
		if err := call.Media.validate(); err != nil {
			return nil, err
		}
	}
	if call.Media != nil || call.CountRTP {
		if err := d.openMedia(); err != nil {
			return nil, err
		}
		defer d.media.close()
	}
	errc := make(chan error, 1)
	if !c.ep.post(func() { errc <- d.start() }) {
		return nil, fmt.Errorf("siptest: caller: %w", net.ErrClosed)
	}
	for {
		select {
		case err := <-errc:
			if err != nil {
				return nil, fmt.Errorf("siptest: INVITE to %s: %w", target, err)
			}
		case r := <-d.done:
			return r, nil
		case <-c.ep.quit:
			c.ep.done.Wait()
			return d.result(), fmt.Errorf("siptest: caller: %w", net.ErrClosed)
		case <-ctx.Done():
			partial := make(chan *CallResult, 1)
			if c.ep.post(func() { partial <- d.result(); d.abort() }) {
				select {
				case r := <-partial:
					return r, context.Cause(ctx)
				case <-c.ep.quit:
				}
			}
			c.ep.done.Wait()
			return d.result(), context.Cause(ctx)
		}
	}
}

// Request sends a request outside of any dialog, such as OPTIONS or REGISTER, and returns its final
// response, or nil when Timer F (32 s) ran out without one.
func (c *Caller) Request(ctx context.Context, target, method string, headers ...Header) (*Response, error) {
	to, err := netip.ParseAddrPort(target)
	if err != nil {
		return nil, fmt.Errorf("siptest: target: %w", err)
	}
	if method == "INVITE" || method == "ACK" || method == "CANCEL" {
		return nil, errors.New("siptest: Request sends no " + method)
	}
	got := make(chan *Response, 1)
	sent := make(chan error, 1)
	o := outbound{
		method: method, uri: "sip:" + target, branch: newBranch(), callID: randomToken(), cseq: 1, contact: c.ep.contact("caller"),
		from: "<sip:caller@" + c.ep.local.String() + ">;tag=" + randomToken(), to: "<sip:" + target + ">", headers: headers,
	}
	if !c.ep.post(func() {
		msg, began := o.render(c.ep), time.Now()
		var resend *task
		c.requests[o.branch] = func(res *sip.Response) {
			if res.StatusCode >= 200 {
				resend.stop()
				delete(c.requests, o.branch)
				got <- newResponse(res, time.Since(began))
			}
		}
		if err := c.ep.send(to, msg); err != nil {
			delete(c.requests, o.branch)
			sent <- err
			return
		}
		c.ep.repeat(&resend, &backoff{cap: T2}, func() { c.ep.send(to, msg) }, func() {
			delete(c.requests, o.branch)
			got <- nil
		})
	}) {
		return nil, fmt.Errorf("siptest: caller: %w", net.ErrClosed)
	}
	select {
	case r := <-got:
		return r, nil
	case err := <-sent:
		return nil, fmt.Errorf("siptest: %s to %s: %w", method, target, err)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-c.ep.quit:
		return nil, fmt.Errorf("siptest: caller: %w", net.ErrClosed)
	}
}

func (c *Caller) onMessage(msg sip.Message, src netip.AddrPort) {
	switch m := msg.(type) {
	case *sip.Response:
		if m.CallID() == nil || m.CSeq() == nil || m.Via() == nil {
			return
		}
		if f := c.requests[m.Via().Params.GetOr("branch", "")]; f != nil {
			f(m)
			return
		}
		if d := c.calls[m.CallID().Value()]; d != nil {
			d.onResponse(m)
		}
	case *sip.Request:
		if m.CallID() == nil || m.From() == nil || m.To() == nil || m.CSeq() == nil || m.Via() == nil || m.Method == sip.ACK {
			return
		}
		d := c.calls[m.CallID().Value()]
		switch {
		case m.Method == sip.OPTIONS:
			c.reply(m, src, reply{code: 200, toTag: randomToken()})
		case d == nil || toTag(m) != d.fromTag || fromTag(m) != d.tag:
			c.reply(m, src, reply{code: 481, toTag: randomToken()})
		case m.Method == sip.BYE:
			d.checkRequest(m)
			d.onBye(m)
			c.reply(m, src, reply{code: 200})
		case m.Method == sip.INVITE:
			c.reply(m, src, reply{code: 200, contact: d.contact(), body: d.sdp()})
		default:
			c.reply(m, src, reply{code: 200})
		}
	}
}

func (c *Caller) reply(req *sip.Request, src netip.AddrPort, r reply) {
	c.ep.send(replyTo(req, src), r.render(req, src))
}
