package siptrunk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/outdial/outdial"
)

// Errors of Ping.
var (
	// ErrNoResponse: nothing came within 32 s (RFC 3261 Timer F).
	ErrNoResponse = errors.New("siptrunk: no response")
	// ErrUnreachable: the network says that nobody is there.
	ErrUnreachable = errors.New("siptrunk: unreachable")
)

// Ping sends one OPTIONS to a trunk, repeated as RFC 3261 has it for a lost datagram, and waits for the final
// response: its status, and the time from the first OPTIONS to it. Any status says that somebody is there. The error
// is that of ctx, of the look-up or the socket, ErrNoResponse, ErrUnreachable or ErrClosed. Run must be running.
func (d *Dialer) Ping(ctx context.Context, trunk outdial.TrunkID) (code int, rtt time.Duration, err error) {
	r, err := d.route(trunk)
	if err != nil {
		return 0, 0, err
	}
	dsts, err := r.resolve(ctx, d)
	if err != nil {
		return 0, 0, err
	}
	dst := dsts[0]
	p := &ping{branch: newBranch(), to: dst, reply: make(chan reply, 1)}
	callID, uri := token(16), "sip:"+r.uriHost+r.Transport.uriParam()
	m := message{
		method: string(sip.OPTIONS), uri: uri, branch: p.branch, maxForwards: maxForwards, to: "<" + uri + ">",
		from: "<sip:" + d.self(dst).sentBy + ">;tag=" + token(8), callID: callID, cseq: 1, contact: true,
	}
	if err := d.enter(callID, p); err != nil {
		return 0, 0, err
	}
	met := d.meet(dst)
	defer func() {
		d.leave(callID)
		d.part(met)
	}()
	start := time.Now()
	tx := newClientTx(sip.OPTIONS, p.branch, parcel{packet: d.render(&m, dst), dst: dst}, start)
	if err := d.send(tx.packet, dst); err != nil {
		return 0, 0, fmt.Errorf("siptrunk: ping %s: %w", dst, err)
	}
	timer := time.NewTimer(t1)
	defer timer.Stop()
	for {
		select {
		case got := <-p.reply:
			if got.code == 0 && got.lost && !tx.again { // a connection that was closed when nobody used it
				tx.again = true
				_ = d.send(tx.packet, dst)
				continue
			}
			if got.code == 0 {
				return 0, 0, fmt.Errorf("siptrunk: ping %s: %w", dst, ErrUnreachable)
			}
			return got.code, got.at.Sub(start), nil
		case <-d.stopped:
			return 0, 0, ErrClosed
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		case <-timer.C:
		}
		now := time.Now()
		if tx.expired(now) {
			return 0, 0, ErrNoResponse
		}
		if tx.due(now) {
			_ = d.send(tx.packet, dst)
		}
		timer.Reset(earliest(tx.resend, tx.deadline).Sub(now))
	}
}

// ping is the party of an OPTIONS.
type ping struct {
	branch string
	to     hop
	reply  chan reply
}

type reply struct {
	code int  // 0 = unreachable
	lost bool // … because the connection is over
	at   time.Time
}

func (p *ping) unreachable(hop) { p.undelivered(reply{}) }

func (p *ping) disconnected(to hop) {
	if to == p.to {
		p.undelivered(reply{lost: true})
	}
}

func (p *ping) undelivered(r reply) {
	select {
	case p.reply <- r:
	default:
	}
}

func (p *ping) receive(res *sip.Response, at time.Time) {
	branch, _ := res.Via().Params.Get("branch")
	if res.IsProvisional() || branch != p.branch {
		return
	}
	select {
	case p.reply <- reply{code: res.StatusCode, at: at}:
	default: // a repetition
	}
}
