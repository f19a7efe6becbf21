package siptest

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/emiago/sipgo/sip"
)

type dialState uint8

const (
	dialCalling    dialState = iota // no response yet
	dialProceeding                  // a provisional response came
	dialAnswered
	dialClosing // our BYE is out
	dialOver
)

// A dial is one call at a caller. It belongs to the caller's loop, apart from done.
type dial struct {
	c    *Caller
	call CallerCall
	to   netip.AddrPort
	done chan *CallResult
	res  CallResult

	state      dialState
	uri        string // request URI
	fromTag    string
	branch     string
	cseq       int
	credential []Header
	tag        string // the far end's, of the dialog that was answered
	theirSeq   uint32 // CSeq of the far end's last request
	remoteURI  string
	remoteHop  netip.AddrPort
	routes     []string
	wantCancel bool
	delivered  bool

	resend, cancelAt, cancelResend, hangup, bye *task
	media                                       *mediaSocket
	stream                                      *stream
}

func newDial(c *Caller, to netip.AddrPort, call CallerCall) *dial {
	if call.From == "" {
		call.From = "caller"
	}
	if call.To == "" {
		call.To = "callee"
	}
	if call.CallID == "" {
		call.CallID = randomToken() + "@siptest"
	}
	return &dial{
		c: c, call: call, to: to, done: make(chan *CallResult, 1),
		uri: "sip:" + call.To + "@" + to.String(), fromTag: randomToken(), res: CallResult{CallID: call.CallID},
	}
}

// openMedia binds the media socket, before the loop knows of the call.
func (d *dial) openMedia() error {
	var conn net.PacketConn
	if d.c.listen != nil {
		var err error
		if conn, err = d.c.listen(); err != nil {
			return fmt.Errorf("siptest: media socket: %w", err)
		}
	}
	var err error
	if d.media, err = newMediaSocket(conn, d.c.ep.conn); d.media != nil {
		d.stream = d.media.openAny()
	}
	return err
}

// start sends the INVITE. Loop only, as is all below.
func (d *dial) start() error {
	if d.c.calls[d.call.CallID] != nil {
		return fmt.Errorf("Call-ID %q is in use", d.call.CallID)
	}
	d.res.StartedAt = time.Now()
	d.c.calls[d.call.CallID] = d
	if err := d.invite(); err != nil {
		delete(d.c.calls, d.call.CallID)
		d.resend.stop()
		return err
	}
	if d.call.CancelAfter > 0 {
		d.cancelAt = d.c.ep.after(d.call.CancelAfter, d.cancel)
	}
	return nil
}

func (d *dial) sdp() []byte {
	if d.call.SDP != nil {
		return d.call.SDP
	}
	return d.media.sdp(d.c.ep.local)
}

func (d *dial) contact() string { return d.c.ep.contact(d.call.From) }

func (d *dial) from() string {
	return "<sip:" + d.call.From + "@" + d.c.ep.local.String() + ">;tag=" + d.fromTag
}

func (d *dial) request(method string) outbound {
	return outbound{
		method: method, uri: d.uri, branch: d.branch, from: d.from(), to: "<sip:" + d.call.To + "@" + d.to.String() + ">",
		callID: d.call.CallID, cseq: d.cseq,
	}
}

// invite sends a new INVITE transaction: the first, or the one with credentials.
func (d *dial) invite() error {
	d.cseq++
	d.branch = newBranch()
	d.state = dialCalling
	o := d.request("INVITE")
	o.contact, o.body = d.contact(), d.sdp()
	o.headers = append([]Header{{"Allow", "INVITE, ACK, CANCEL, BYE, PRACK, OPTIONS"}}, d.credential...)
	if d.call.PAI != "" {
		o.headers = append(o.headers, Header{"P-Asserted-Identity", "<sip:" + d.call.PAI + "@" + d.c.ep.local.Addr().String() + ">"})
	}
	if d.call.Reliable {
		o.headers = append(o.headers, Header{"Supported", "100rel"})
	}
	for _, v := range d.call.RecordRoute {
		o.headers = append(o.headers, Header{"Record-Route", v})
	}
	o.headers = append(o.headers, d.call.Headers...)
	msg := o.render(d.c.ep)
	err := d.c.ep.send(d.to, msg)
	d.c.ep.repeat(&d.resend, &backoff{}, func() {
		d.res.InviteRetransmits++
		d.c.ep.send(d.to, msg)
	}, d.timeOut)
	return err
}

func (d *dial) timeOut() {
	d.res.TimedOut = true
	d.over(NoSide)
}

func (d *dial) since() time.Duration { return time.Since(d.res.StartedAt) }

func (d *dial) startMedia(answer []byte) {
	to, ok := MediaAddr(answer)
	if d.stream == nil || !ok || d.call.Media == nil {
		return
	}
	d.stream.to = to
	d.stream.send(d.c.ep, *d.call.Media, d.c.rng)
}

// cancel sends CANCEL as soon as it may (RFC 3261 §9.1).
func (d *dial) cancel() {
	d.wantCancel = true
	if d.state != dialProceeding || d.res.Cancelled {
		return
	}
	d.res.Cancelled = true
	msg := d.request("CANCEL").render(d.c.ep)
	d.c.ep.send(d.to, msg)
	d.c.ep.repeat(&d.cancelResend, &backoff{cap: T2}, func() { d.c.ep.send(d.to, msg) }, func() {})
	d.resend = d.c.ep.after(TimeoutB, d.timeOut)
}

func (d *dial) hangUp() {
	if d.state != dialAnswered {
		return
	}
	d.state = dialClosing
	o := d.request("BYE")
	o.uri, o.branch, o.cseq, o.routes = d.remoteURI, newBranch(), d.cseq+1+d.res.Pracks, d.routes
	o.to += ";tag=" + d.tag
	msg := o.render(d.c.ep)
	d.c.ep.send(d.remoteHop, msg)
	d.c.ep.repeat(&d.bye, &backoff{cap: T2}, func() { d.c.ep.send(d.remoteHop, msg) }, func() { d.over(CallerSide) })
}

func (d *dial) onBye(req *sip.Request) {
	if d.state == dialAnswered || d.state == dialClosing {
		d.bye.stop()
		d.res.ByeHeaders = allHeaders(req)
		d.over(CarrierSide)
	}
}

// abort is for a caller that lost interest.
func (d *dial) abort() {
	d.delivered = true
	switch d.state {
	case dialCalling, dialProceeding:
		d.cancel()
	case dialAnswered:
		d.hangUp()
	}
}

// over ends the call. The dial stays for a while to answer what is repeated.
func (d *dial) over(by Side) {
	if d.state == dialOver {
		return
	}
	d.state = dialOver
	d.res.EndedBy, d.res.EndedAt = by, d.since()
	for _, t := range []*task{d.resend, d.cancelAt, d.hangup, d.bye} {
		t.stop()
	}
	if d.stream != nil {
		d.stream.task.stop()
	}
	d.c.ep.after(d.call.Linger, func() {
		if !d.delivered {
			d.delivered = true
			d.done <- d.result()
		}
	})
	d.c.ep.after(d.call.Linger+retention, func() { delete(d.c.calls, d.call.CallID) })
}

// result returns a copy of what is known.
func (d *dial) result() *CallResult {
	r := d.res
	r.Provisionals = slices.Clone(r.Provisionals)
	r.Challenges = slices.Clone(r.Challenges)
	r.Faults = slices.Clone(r.Faults)
	if d.stream != nil {
		d.media.mu.Lock()
		r.RTPSent, r.RTPReceived, r.RTPLost = d.stream.sent, d.stream.received, d.stream.span-d.stream.received
		if d.stream.received > 0 {
			r.FirstRTP = d.stream.first.Sub(r.StartedAt)
		}
		d.media.mu.Unlock()
	}
	return &r
}
