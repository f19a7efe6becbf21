package siptest

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"
)

// CarrierConfig configures a [Carrier].
type CarrierConfig struct {
	// Name is the user part of its Contact; empty means "carrier".
	Name string
	// Conn is the signalling socket, owned by the carrier from now on; nil means a UDP socket on 127.0.0.1
	// with a port that the kernel picks.
	Conn net.PacketConn
	// Media is the socket that all its RTP streams use, owned by the carrier from now on. nil means a UDP
	// socket beside a real Conn, and no media beside another.
	Media net.PacketConn
	// Behaviour is the first behaviour.
	Behaviour Behaviour
	// Seed drives Behaviour.Mix and the loss of RTP. The draws repeat for calls that arrive in the same order.
	Seed uint64
	// MaxRecords bounds what Records keeps, zero means 20,000, negative none. Stats count on beyond it.
	// A record keeps the INVITE's headers and body: some 2 KB.
	MaxRecords int
	// Log receives what is odd on the wire, at debug level; nil is silent.
	Log *slog.Logger
}

// settlePoll is how often Settle looks.
const settlePoll = 5 * time.Millisecond

// A Carrier is a programmable callee: a user agent server whose behaviour is data. It has its own small
// transaction layer under sipgo's parser, since much of what carriers do wrong no proper stack can be made to do.
// Two goroutines serve all its calls, three with media. Make it with [StartCarrier]. Its methods are safe for concurrent
// use; what it does towards the network happens in the order of arrival.
type Carrier struct {
	name string
	ep   *endpoint
	book *ledger

	// The fields below belong to the loop.
	behaviour Behaviour
	rng       *rand.Rand
	nonce     string
	legs      map[string]*leg // by Call-ID and From tag
	byCallID  map[string]*leg // those that sent a BYE, for its answer
	offered   window
	admitted  window
	channels  int
	media     *mediaSocket
}

// StartCarrier binds the sockets and starts to serve. When it fails, sockets of cfg stay the caller's.
func StartCarrier(cfg CarrierConfig) (*Carrier, error) {
	if err := cfg.Behaviour.validate(); err != nil {
		return nil, err
	}
	switch {
	case cfg.MaxRecords == 0:
		cfg.MaxRecords = 20_000
	case cfg.MaxRecords < 0:
		cfg.MaxRecords = 0
	}
	if cfg.Name == "" {
		cfg.Name = "carrier"
	}
	ep, err := newEndpoint(cfg.Conn, cfg.Log)
	if err != nil {
		return nil, err
	}
	c := &Carrier{
		name: cfg.Name, ep: ep, book: newLedger(cfg.MaxRecords), behaviour: cfg.Behaviour,
		rng: rand.New(rand.NewPCG(cfg.Seed, 0x7369707465737421)), nonce: randomToken(),
		legs: make(map[string]*leg), byCallID: make(map[string]*leg),
	}
	if c.media, err = newMediaSocket(cfg.Media, ep.conn); err != nil {
		if cfg.Conn == nil {
			ep.conn.Close()
		}
		return nil, err
	}
	ep.start(c.onMessage)
	return c, nil
}

// Addr is the address of the signalling socket.
func (c *Carrier) Addr() netip.AddrPort { return c.ep.local }

// Name is CarrierConfig.Name.
func (c *Carrier) Name() string { return c.name }

// Close stops at once, as a carrier that loses power: no BYE is sent, pending calls stay unanswered. It
// waits for its goroutines. Stats and Records stay readable. A second Close does nothing.
func (c *Carrier) Close() error {
	err := c.ep.close()
	c.media.close()
	return err
}

// SetBehaviour swaps the behaviour for the calls that come from now on; calls in progress keep their
// script. A behaviour that does not validate leaves the old one in force. When it returns, it holds.
func (c *Carrier) SetBehaviour(b Behaviour) error {
	if err := b.validate(); err != nil {
		return err
	}
	if !c.ep.do(func() { c.behaviour = b }) {
		return fmt.Errorf("siptest: carrier %s: %w", c.name, net.ErrClosed)
	}
	return nil
}

// HangUp sends BYE for every answered call, as an operator would, and returns when that is done.
func (c *Carrier) HangUp() {
	c.ep.do(func() {
		for _, l := range c.legs {
			if l.state == legAnswered {
				c.hangUp(l)
			}
		}
	})
}

// Stats returns the counts so far. The maps are the caller's.
func (c *Carrier) Stats() Stats {
	s := c.book.snapshot()
	sent, received := c.media.totals()
	s.RTPSent, s.RTPReceived = sent, received
	return s
}

// Records returns a copy of the record of every call, in the order of arrival.
func (c *Carrier) Records() []Record { return c.book.all() }

// Settle waits until no call is up or being set up and every final response and BYE is
// acknowledged or given up on, or until ctx ends. Use it before comparing counts on both sides.
func (c *Carrier) Settle(ctx context.Context) error {
	for {
		idle := false
		if !c.ep.do(func() { idle = c.idle() }) || idle {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("siptest: carrier %s: %w", c.name, context.Cause(ctx))
		case <-time.After(settlePoll):
		}
	}
}

func (c *Carrier) idle() bool {
	for _, l := range c.legs {
		if done := l.state == legEnded || l.state == legChallenged && l.chAcked; !done || l.resend != nil || l.bye != nil {
			return false
		}
	}
	return true
}

func (c *Carrier) onMessage(msg sip.Message, src netip.AddrPort) {
	switch m := msg.(type) {
	case *sip.Request:
		if m.CallID() == nil || m.From() == nil || m.To() == nil || m.CSeq() == nil || m.Via() == nil || m.CSeq().MethodName != m.Method {
			if m.Via() != nil && m.Method != sip.ACK {
				c.answer(m, src, reply{code: 400})
			}
			return
		}
		c.onRequest(m, src)
	case *sip.Response:
		c.onResponse(m)
	}
}

func (c *Carrier) onRequest(req *sip.Request, src netip.AddrPort) {
	switch req.Method {
	case sip.INVITE:
		c.onInvite(req, src)
	case sip.ACK:
		c.onAck(req)
	case sip.CANCEL:
		c.onCancel(req, src)
	case sip.BYE:
		c.onBye(req, src)
	case sip.PRACK:
		c.onPrack(req, src)
	case sip.OPTIONS:
		c.book.mu.Lock()
		c.book.stats.Options++
		c.book.mu.Unlock()
		if code := c.behaviour.Options; code >= 0 {
			if code == 0 {
				code = 200
			}
			c.answer(req, src, reply{code: code, toTag: randomToken()})
		}
	default:
		c.answer(req, src, reply{code: 405, toTag: randomToken(), headers: []Header{{"Allow", "INVITE, ACK, CANCEL, BYE, PRACK, OPTIONS"}}})
	}
}

// answer sends a response outside of any script.
func (c *Carrier) answer(req *sip.Request, src netip.AddrPort, r reply) {
	c.ep.send(replyTo(req, src), r.render(req, src))
}

func (c *Carrier) contact() string { return c.ep.contact(c.name) }
