package siptrunk

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/outdial/outdial"
)

// Session timers (RFC 4028): a session that nobody refreshes is over, so that a lost BYE does not keep a channel for ever.
const (
	// MinSessionExpires is the shortest interval that is accepted (§5).
	MinSessionExpires = 90 * time.Second
	// MaxSessionExpires bounds what is read: longer intervals are no protection.
	MaxSessionExpires = 24 * time.Hour

	defaultSession = 30 * time.Minute
)

// A Refresher is who refreshes a session.
type Refresher uint8

// Refreshers, from the side of the request that negotiates.
const (
	RefresherNone Refresher = iota // the header does not say
	RefresherUAC                   // who sent the request
	RefresherUAS                   // who answered it
)

// SessionExpires is what a Session-Expires header field says; the zero value is none.
type SessionExpires struct {
	Interval  time.Duration
	Refresher Refresher
}

// ParseSessionExpires reads the value of a Session-Expires header field. What cannot be read, and an interval below a second,
// gives the zero value; one above MaxSessionExpires gives that.
func ParseSessionExpires(value string) SessionExpires {
	seconds, params, _ := strings.Cut(value, ";")
	n, err := strconv.ParseUint(strings.TrimSpace(seconds), 10, 32)
	if err != nil || n == 0 {
		return SessionExpires{}
	}
	s := SessionExpires{Interval: min(time.Duration(n)*time.Second, MaxSessionExpires)}
	for p := range strings.SplitSeq(params, ";") {
		name, v, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "refresher") {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "uac":
			s.Refresher = RefresherUAC
		case "uas":
			s.Refresher = RefresherUAS
		}
	}
	return s
}

// String returns the value of a Session-Expires header field, "" for the zero value.
func (s SessionExpires) String() string {
	if s.Interval < time.Second {
		return ""
	}
	v := strconv.FormatInt(int64(s.Interval/time.Second), 10)
	switch s.Refresher {
	case RefresherUAC:
		return v + ";refresher=uac"
	case RefresherUAS:
		return v + ";refresher=uas"
	}
	return v
}

// Refresh is when the refresher sends a request: after half of the interval (§10).
func (s SessionExpires) Refresh() time.Duration { return s.Interval / 2 }

// Expiry is when the other side ends a session that was not refreshed: a third of the interval before its end, or 32 s if that
// is less (§10).
func (s SessionExpires) Expiry() time.Duration { return s.Interval - min(s.Interval/3, 32*time.Second) }

// session is the session timer of a leg.
type session struct {
	ask    time.Duration // what is asked for; 0 = session timers are not spoken of
	min    time.Duration // what a 422 demanded
	tries  int           // 422s that were followed
	agreed SessionExpires
	ours   bool // we refresh
	update bool // the carrier understands UPDATE

	refresh, expiry time.Time // zero = none
}

// lines are the header lines that a request which negotiates has.
func (s *session) lines(base []string, refresh bool) []string {
	if s.ask == 0 {
		return base
	}
	se := SessionExpires{Interval: max(s.ask, s.min)}
	if refresh && s.agreed.Interval > 0 {
		se.Interval = max(s.agreed.Interval, s.min)
		if se.Refresher = RefresherUAS; s.ours {
			se.Refresher = RefresherUAC
		}
	}
	base = append(base[:len(base):len(base)], "Session-Expires: "+se.String()+"\r\n")
	if s.min > 0 {
		base = append(base, "Min-SE: "+strconv.FormatInt(int64(s.min/time.Second), 10)+"\r\n")
	}
	return base
}

// supported is the line of what an INVITE supports; "" = nothing.
func (l *Leg) supported() string {
	switch reliable := l.reliable && len(l.initial.body) > 0; {
	case reliable && l.session.ask > 0:
		return "Supported: timer, 100rel\r\n"
	case reliable:
		return "Supported: 100rel\r\n"
	case l.session.ask > 0:
		return "Supported: timer\r\n"
	}
	return ""
}

// tooBrief takes a 422 (§7.3): the INVITE is sent again with the interval that the carrier wants.
func (l *Leg) tooBrief(res *sip.Response, at time.Time) bool {
	if res.StatusCode != 422 || l.gaveUp != 0 || !l.session.longer(res) {
		return false
	}
	return l.resendInvite(at)
}

// longer takes the Min-SE of a 422, and reports whether asking again makes sense.
func (s *session) longer(res *sip.Response) bool {
	h := res.GetHeader("min-se")
	if h == nil || s.ask == 0 || s.tries >= 2 {
		return false
	}
	want := ParseSessionExpires(h.Value()).Interval
	if want <= s.min {
		return false
	}
	s.tries++
	s.min = want
	return true
}

// settle starts the timer by a 2xx to a request of ours; one without Session-Expires ends it.
func (s *session) settle(res *sip.Response, at time.Time) {
	if s.ask == 0 {
		return
	}
	if allow := res.GetHeaders("allow"); len(allow) > 0 {
		s.update = lists(allow, string(sip.UPDATE))
	}
	agreed := SessionExpires{}
	if h := res.GetHeader("session-expires"); h != nil {
		agreed = ParseSessionExpires(h.Value())
	} else if h := res.GetHeader("x"); h != nil { // the compact form
		agreed = ParseSessionExpires(h.Value())
	}
	s.start(agreed, agreed.Refresher != RefresherUAS, at)
}

func (s *session) start(agreed SessionExpires, ours bool, at time.Time) {
	s.agreed, s.ours, s.tries = agreed, ours, 0
	s.refresh, s.expiry = time.Time{}, time.Time{}
	switch {
	case agreed.Interval == 0:
	case ours:
		s.refresh, s.expiry = at.Add(agreed.Refresh()), at.Add(agreed.Interval)
	default:
		s.expiry = at.Add(agreed.Expiry())
	}
}

func (s *session) stop() { s.refresh, s.expiry = time.Time{}, time.Time{} }

// theirs is what a refresh of the carrier is answered with; the zero value = nothing, it does not speak of session timers.
func theirs(req *sip.Request) SessionExpires {
	h := req.GetHeader("session-expires")
	if h == nil {
		h = req.GetHeader("x")
	}
	if h == nil {
		return SessionExpires{}
	}
	s := ParseSessionExpires(h.Value())
	if s.Interval > 0 && s.Refresher == RefresherNone {
		s.Refresher = RefresherUAC
	}
	return s
}

// renew adds what the 2xx to a refresh of the carrier says.
func renew(req *sip.Request, res *sip.Response) {
	s := theirs(req)
	if req.Method != sip.INVITE && req.Method != sip.UPDATE || !res.IsSuccess() || s.Interval == 0 || res.GetHeader("session-expires") != nil {
		return
	}
	res.AppendHeader(sip.NewHeader("Session-Expires", s.String()))
	if s.Refresher == RefresherUAC {
		res.AppendHeader(sip.NewHeader("Require", "timer"))
	}
}

// onSession refreshes the session, or ends it.
func (l *Leg) onSession(now time.Time) {
	s := &l.session
	if due(&s.expiry, now) {
		s.stop()
		l.why.Cause = outdial.Cause{Value: 102} // recovery on timer expiry
		l.sendBye(now, outdial.Result{Origin: outdial.OriginHost, Cause: l.why.Cause})
		return
	}
	if !due(&s.refresh, now) || l.phase != answered || l.bye {
		return
	}
	if l.inviting() || l.theirInvite != nil || !l.unacked.IsZero() || l.reoffer != nil {
		s.refresh = now.Add(t2) // it may be a refresh by itself
		return
	}
	s.refresh = now.Add(max(s.expiry.Sub(now)/2, t2)) // unless this one succeeds
	method, add := sip.UPDATE, func(m *message) { m.contact = true }
	if !s.update {
		if len(l.offered.body) == 0 {
			return
		}
		method, add = sip.INVITE, func(m *message) {
			m.contact, m.contentType, m.body = true, l.offered.contentType, l.offered.body
		}
	}
	l.transact(now, method, s.lines([]string{"Supported: timer\r\n"}, true), add, &credentials{}, func(res *sip.Response, at time.Time) {
		switch {
		case res == nil, res.StatusCode == 408, res.StatusCode == 481: // §10: the dialog is over there
			s.stop()
			l.why.Cause = outdial.Cause{Value: 102}
			l.sendBye(at, outdial.Result{Origin: outdial.OriginHost, Cause: l.why.Cause})
		case res.IsSuccess():
		case res.StatusCode == 422 && s.longer(res):
			s.refresh = at
		case method == sip.UPDATE && (res.StatusCode == 405 || res.StatusCode == 501):
			s.update, s.refresh = false, at
		}
	})
}
