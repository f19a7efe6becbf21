package siptrunk

import (
	"time"

	"github.com/emiago/sipgo/sip"
)

// Timers of RFC 3261 §17. They are constants here: sipgo keeps its own as package variables, which only
// concern requests that arrive.
const (
	t1      = 500 * time.Millisecond // round-trip time estimate
	t2      = 4 * time.Second        // longest interval between retransmissions
	timeout = 64 * t1                // Timers B, F, H and M
	timerC  = 185 * time.Second      // §16.6: more than three minutes
	ackWait = timeout - t2           // how long an answer may wait for Leg.Ack, before the far side gives it up
)

// parcel is a request as it is sent.
type parcel struct {
	packet []byte
	dst    hop
	small  []byte // the same for UDP, where it goes over TCP for its size alone; nil = it does not
}

// parcel writes a request for a hop: over TCP if it is too large for a datagram (RFC 3261 §18.1.1), and the trunk takes that and has not
// refused it lately. The dialog stays where it is: its Contact is that for the hop.
func (l *Leg) parcel(m *message, to hop) parcel {
	p := parcel{packet: l.d.render(m, to), dst: to}
	limit := l.route.UDPLimit
	if !l.route.TCP || to.stream() || limit <= 0 || len(p.packet) <= limit || l.d.targets.refused(to, time.Now()) {
		return p
	}
	tcp := hop{addr: to.addr, transport: TransportTCP}
	l.meet(tcp)
	return parcel{packet: m.render(l.d.self(tcp), l.d.self(to), l.d.cfg.UserAgent), dst: tcp, small: p.packet}
}

// shrink makes it one for UDP after all.
func (p *parcel) shrink() {
	p.packet, p.dst, p.small = p.small, hop{addr: p.dst.addr, transport: TransportUDP}, nil
}

// clientTx is a client transaction (RFC 3261 §17.1) of a leg. It is moved by the leg alone: by a response that
// matches its branch and method, and by the leg's one timer.
type clientTx struct {
	method sip.RequestMethod
	branch string
	parcel
	heard    bool      // a provisional response has come
	again    bool      // it was sent once more, after its connection was over
	resend   time.Time // when to send again; zero = no more
	interval time.Duration
	deadline time.Time // Timer B or F; zero = none
	fork     bool      // the BYE of a dialog that nobody wanted: it goes on when the leg is over
	former   *former   // nil = it is none

	// final takes the final response, or nil when none came in time. nil = nobody asks.
	final func(res *sip.Response, at time.Time)
}

func newClientTx(method sip.RequestMethod, branch string, p parcel, now time.Time) *clientTx {
	tx := &clientTx{method: method, branch: branch, parcel: p, interval: t1, deadline: now.Add(timeout)}
	tx.repeats(now)
	return tx
}

// repeats starts Timer A or E, where a request may be lost.
func (tx *clientTx) repeats(now time.Time) {
	if !tx.dst.stream() {
		tx.resend = now.Add(t1)
	}
}

// provisional notes a 1xx: an INVITE is not sent again (Timer A), anything else every T2 (Timer E).
func (tx *clientTx) provisional() {
	tx.heard = true
	if tx.method == sip.INVITE {
		tx.resend, tx.deadline = time.Time{}, time.Time{}
		return
	}
	tx.interval = t2
}

// due reports whether the request is to be sent again now, and plans the next time.
func (tx *clientTx) due(now time.Time) bool {
	if tx.resend.IsZero() || tx.resend.After(now) {
		return false
	}
	tx.interval *= 2
	if tx.method != sip.INVITE {
		tx.interval = min(tx.interval, t2)
	}
	tx.resend = now.Add(tx.interval)
	return true
}

func (tx *clientTx) expired(now time.Time) bool {
	return !tx.deadline.IsZero() && !tx.deadline.After(now)
}

// earliest returns the earlier of two moments, of which the zero time is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
