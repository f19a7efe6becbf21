package b2bua

import (
	"cmp"
	"math/rand/v2"
	"strconv"
	"time"
)

// served is the server transaction of an INVITE of the dialer's within the dialog. It stays until the next one, for copies.
type served struct {
	request  *request
	code     int // of the final response; 0 = none yet
	last     []byte
	resend   time.Time
	interval time.Duration
	deadline time.Time // of the wait for the ACK; zero = it has come
}

// serve begins to answer an INVITE within the dialog.
func (d *dialog) serve(r *request) {
	d.served = &served{request: r}
	d.respond(response{code: 100, phrase: "Trying"})
}

// respond sends a response to that INVITE; a final one is repeated until its ACK comes.
func (d *dialog) respond(res response) {
	s := d.served
	res.tag = cmp.Or(d.tag, d.own)
	s.last = res.render(s.request)
	d.p.send(s.last, s.request.replyTo())
}

func (d *dialog) conclude(now time.Time, res response) {
	s := d.served
	if s == nil || s.code != 0 {
		return
	}
	s.code, s.interval, s.deadline = res.code, t1, now.Add(timeout)
	if res.code < 300 || !s.request.at.stream() {
		s.resend = now.Add(t1)
	}
	d.respond(res)
}

// serving reports whether an INVITE of the dialer's within the dialog has no final response yet.
func (d *dialog) serving() bool { return d.served != nil && d.served.code == 0 }

// isServed takes a copy of that INVITE; false = it is none.
func (d *dialog) isServed(r *request) bool {
	s := d.served
	if s == nil || s.request.key != r.key {
		return false
	}
	if s.code < 200 || s.code >= 300 {
		d.p.send(s.last, r.replyTo())
	}
	return true
}

// onServedAck takes the ACK of that INVITE, and reports whether it is the first one of a 2xx.
func (d *dialog) onServedAck(r *request) bool {
	s := d.served
	if s == nil || s.code == 0 || r.CSeq().SeqNo != s.request.CSeq().SeqNo {
		return false
	}
	first := !s.deadline.IsZero()
	s.resend, s.deadline = time.Time{}, time.Time{}
	return first && s.code < 300
}

func (d *dialog) nextServed() time.Time {
	if d.served == nil {
		return time.Time{}
	}
	return earliest(d.served.resend, d.served.deadline)
}

// tickServed repeats the final response. It reports a 2xx that was never acknowledged: the session is over (§13.3.1.4).
func (d *dialog) tickServed(now time.Time) (unacknowledged bool) {
	s := d.served
	switch {
	case s == nil:
	case !s.deadline.IsZero() && !s.deadline.After(now):
		s.resend, s.deadline = time.Time{}, time.Time{}
		return s.code < 300
	case !s.resend.IsZero() && !s.resend.After(now):
		s.interval = min(2*s.interval, t2)
		s.resend = now.Add(s.interval)
		d.p.send(s.last, s.request.replyTo())
		d.p.stats.repeated.Add(1)
	}
	return false
}

// soon is a Retry-After within ten seconds (§14.2).
func soon() header { return header{"Retry-After", strconv.Itoa(rand.IntN(11))} }
