package b2bua

import "sync/atomic"

// Stats are counts since New. Every call that began is answered, failed, refused, redirected or cancelled, or still being set up.
type Stats struct {
	Calls      uint64 // calls that began: INVITEs that were not rejected
	Live       int    // calls of which something is left: a leg, or a transaction with the dialer
	Answered   uint64
	Failed     uint64 // attempts were made, none was answered
	Refused    uint64 // nothing left the host: no route, no capacity, policy, a number that cannot be read
	Cancelled  uint64 // the caller gave up before a final response
	Lost       uint64 // answered, and ended because the dialer never acknowledged the answer, or that of an INVITE within the call
	Expired    uint64 // answered, and ended because the dialer did not refresh the session (RFC 4028)
	Overlong   uint64 // answered, and ended because they lasted longer than their dialer's may
	Redirected uint64 // sent to a carrier with 302
	Challenged uint64 // INVITEs that had no credentials, or wrong ones
	Rejected   uint64 // INVITEs that began no call: draining, loop, too many calls, something not supported

	Strangers     uint64 // datagrams dropped unread, and connections closed: their source is no dialer
	Malformed     uint64 // datagrams that are no usable SIP message, and connections over which something else came
	Repeated      uint64 // final responses and BYEs sent again to dialers
	ReadErrors    uint64 // failed reads of the dialers' socket
	SendErrors    uint64 // failed writes to it, and messages that no connection took
	JournalErrors uint64 // facts that could not be journalled

	Conns    int    // connections of dialers that are open
	Excess   uint64 // connections that were refused: too many
	HalfOpen uint64 // connections closed because no whole message came in time
	Slow     uint64 // connections closed because the dialer did not read
}

type counters struct {
	calls, answered, failed, refused, cancelled, lost, expired, rejected, redirected, challenged, overlong atomic.Uint64
	malformed, repeated, journalErrors, strangers, lostMessages                                            atomic.Uint64
}

// Stats returns the counts.
func (p *Proxy) Stats() Stats {
	c := &p.stats
	s := Stats{
		Calls: c.calls.Load(), Live: p.Live(), Answered: c.answered.Load(), Failed: c.failed.Load(),
		Refused: c.refused.Load(), Cancelled: c.cancelled.Load(), Lost: c.lost.Load(), Expired: c.expired.Load(), Overlong: c.overlong.Load(), Redirected: c.redirected.Load(), Challenged: c.challenged.Load(), Rejected: c.rejected.Load(),
		Malformed: c.malformed.Load(), Repeated: c.repeated.Load(), JournalErrors: c.journalErrors.Load(),
	}
	for _, k := range p.links {
		if w := k.wire; w != nil {
			s.Strangers += w.strangers.Load()
			s.ReadErrors += w.readErrors.Load()
			s.SendErrors += w.sendErrors.Load()
		}
	}
	t := p.streams.Stats()
	s.Strangers += c.strangers.Load() + t.Strangers
	s.SendErrors += c.lostMessages.Load()
	s.Malformed += t.Malformed
	s.Conns, s.Excess, s.HalfOpen, s.Slow = t.Open, t.Excess, t.HalfOpen, t.Slow
	return s
}

// Live is the number of calls of which something is left.
func (p *Proxy) Live() int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return len(p.calls)
}
