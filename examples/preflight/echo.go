package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/siplint"
	"github.com/outdial/outdial/trunk/siptrunk"
)

const (
	agent = "outdial-preflight"
	trunk = outdial.TrunkID(1)
)

// standIn is the number that the attempt is for. The trunk strips it and writes the user part of -to in its place, which need not be a number.
var standIn = outdial.MustNumber("+12125550100")

// call is the echo test call.
type call struct {
	timeline outdial.Timeline
	result   outdial.Result // how it ended; of an answered call who ended it
	code     uint16         // of the answer
	media    description    // of the answer
	mediaErr error          // why there was nobody to send audio to
	audio    audio
	wire     *wire
}

func (c *call) answered() bool { return c.code != 0 }

// echo places the call, talks, and hangs up. It closes the SIP socket. An error means that nothing was sent.
func (p *probe) echo(ctx context.Context, sip, rtp net.PacketConn) (c call, err error) {
	c.wire = new(wire)
	t := siptrunk.Trunk{
		Addr: p.to.host, Transport: siptrunk.TransportUDP, Prefix: p.to.user, Strip: standIn.String()[1:], Username: p.user, Password: p.password,
		PDDTimer: p.wait,
	}
	cfg := siptrunk.Config{
		Conn: sip, Trunks: map[outdial.TrunkID]siptrunk.Trunk{trunk: t}, UserAgent: agent, Trace: c.wire.add,
		Resolve: func(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{p.to.addr.Addr()}, nil },
	}
	if p.advertise.IsValid() {
		cfg.Advertise = p.advertise.String()
	}
	d, err := siptrunk.New(cfg)
	if err != nil {
		return c, err
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	ran := make(chan error, 1)
	go func() { ran <- d.Run(serving) }()

	start := time.Now()
	answer, over := make(chan []byte, 1), make(chan struct{})
	finish := sync.OnceFunc(func() { close(over) })
	attempt := &outdial.Attempt{
		ID: outdial.AttemptID{Call: 1, Leg: 1}, Call: outdial.Call{To: standIn}, CLI: p.from, Candidate: outdial.Candidate{Trunk: trunk}, Last: true,
	}
	leg, err := d.Invite(ctx, attempt, siptrunk.InviteOptions{Offer: offer(p.named(addrPort(rtp.LocalAddr())))}, func(ev siptrunk.Event) {
		since := ev.Time.Sub(start)
		switch ev.Kind {
		case outdial.ReportProgress:
			for m := outdial.MarkInvite; m <= outdial.MarkBye; m++ {
				if ev.Marks.Has(m) {
					c.timeline.Set(m, since)
				}
			}
		case outdial.ReportAnswer:
			if c.result == (outdial.Result{}) { // or else it is too late, and hung up
				c.timeline.Set(outdial.MarkAnswer, since)
				c.code = uint16(ev.Code)
				answer <- bytes.Clone(ev.SDP)
			}
		case outdial.ReportAbandon, outdial.ReportEnd:
			if c.result == (outdial.Result{}) {
				c.timeline.Set(outdial.MarkEnd, since)
				c.result = ev.Result
			}
			finish()
		}
	})
	if err == nil {
		select {
		case sdp := <-answer:
			if c.media, c.mediaErr = parseSDP(sdp); c.mediaErr == nil {
				c.audio = talk(ctx, rtp, c.media.addr, int(p.length/frame), over)
			}
			leg.Hangup()
		case <-over:
		case <-ctx.Done():
			leg.Hangup()
		}
	}
	stop() // Run waits for the answer to the BYE or CANCEL, or for Config.Grace
	if runErr := <-ran; err == nil {
		err = runErr
	}
	return c, err
}

// offer is a session description with one stream of PCMU.
func offer(at netip.AddrPort) []byte {
	family := "IP4"
	if at.Addr().Is6() {
		family = "IP6"
	}
	return fmt.Appendf(nil, "v=0\r\no=- 1 1 IN %[1]s %[2]s\r\ns=-\r\nc=IN %[1]s %[2]s\r\nt=0 0\r\n"+
		"m=audio %[3]d RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=sendrecv\r\n", family, at.Addr(), at.Port())
}

// wire keeps the messages of the call that are looked at afterwards.
type wire struct {
	mu       sync.Mutex
	invite   []byte
	received []siptrunk.Traced
}

func (w *wire) add(m siptrunk.Traced) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case m.Sent && w.invite == nil && bytes.HasPrefix(m.Data, []byte("INVITE ")):
		w.invite = bytes.Clone(m.Data)
	case !m.Sent && len(w.received) < 64:
		m.Data = bytes.Clone(m.Data)
		w.received = append(w.received, m)
	}
}

// faults are what siplint finds in our INVITE, as the far side sees it, and in its answers.
func (w *wire) faults(seen netip.AddrPort) (ours, theirs []siplint.Finding) {
	ours, _ = siplint.Message(w.invite, seen)
	had := map[siplint.Finding]bool{}
	for _, m := range w.received {
		found, _ := siplint.Message(m.Data, m.Remote)
		for _, f := range found {
			if !had[f] {
				had[f] = true
				theirs = append(theirs, f)
			}
		}
	}
	return ours, theirs
}
