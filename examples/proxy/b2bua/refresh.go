package b2bua

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/outdial/outdial/trunk/siptrunk"
)

// supported are the extensions that the dialers' side understands.
const supported = "timer"

// defaultSession is the session interval where the dialer asks for none.
const defaultSession = 30 * time.Minute

// refresh is the session timer of the dialer's dialog (RFC 4028). The carrier's dialog has its own, which siptrunk keeps: each
// side is refreshed by itself, and either one's end ends the call.
type refresh struct {
	agreed siptrunk.SessionExpires
	ours   bool // we refresh
	update bool // the dialer understands UPDATE

	at, expiry time.Time // zero = none
}

// sessionOf is what a request says of the session's interval; the zero value = nothing.
func sessionOf(r *request) siptrunk.SessionExpires {
	v := r.value("session-expires")
	if v == "" {
		v = r.value("x")
	}
	return siptrunk.ParseSessionExpires(v)
}

// leastOf is what a Min-SE says; 0 = nothing.
func leastOf(h sip.Header) time.Duration {
	if h == nil {
		return 0
	}
	return siptrunk.ParseSessionExpires(h.Value()).Interval
}

// brief is the refusal of a session interval that is too small; nil = it is not.
func brief(r *request) *response {
	if s := sessionOf(r); s.Interval == 0 || s.Interval >= siptrunk.MinSessionExpires {
		return nil
	}
	least := strconv.Itoa(int(siptrunk.MinSessionExpires / time.Second))
	return &response{code: 422, phrase: "Session Interval Too Small", headers: []header{{"Min-SE", least}}}
}

// agree settles the timer by a request of the dialer's that is accepted, and returns what the 2xx says of it.
func (s *refresh) agree(now time.Time, r *request, ask time.Duration) []header {
	if r.Method != sip.INVITE && r.Method != sip.UPDATE {
		return nil
	}
	s.update = s.update || tokens(r, "allow", "UPDATE")
	want := sessionOf(r)
	speaks := tokens(r, "supported", "timer") || tokens(r, "k", "timer") || tokens(r, "require", "timer")
	switch {
	case want.Interval > 0: // a proxy on the way may have asked for a dialer that knows nothing of it (§9)
		if !speaks {
			want.Refresher = siptrunk.RefresherUAS
		}
	case speaks && ask > 0:
		want.Interval = max(ask, leastOf(r.GetHeader("min-se")))
	default:
		s.start(now, siptrunk.SessionExpires{}, false)
		return nil
	}
	if want.Refresher == siptrunk.RefresherNone {
		want.Refresher = siptrunk.RefresherUAC
	}
	s.start(now, want, want.Refresher == siptrunk.RefresherUAS)
	said := []header{{"Session-Expires", want.String()}}
	if want.Refresher == siptrunk.RefresherUAC {
		said = append(said, header{"Require", "timer"})
	}
	return said
}

// offer is what a request of ours that refreshes says.
func (s *refresh) offer() []header {
	if s.agreed.Interval == 0 {
		return nil
	}
	se := siptrunk.SessionExpires{Interval: s.agreed.Interval, Refresher: siptrunk.RefresherUAS}
	if s.ours {
		se.Refresher = siptrunk.RefresherUAC
	}
	return []header{{"Session-Expires", se.String()}}
}

// accepted takes the 2xx to a request of ours.
func (s *refresh) accepted(now time.Time, res *sip.Response) {
	if s.agreed.Interval == 0 {
		return
	}
	agreed := s.agreed
	if h := res.GetHeader("session-expires"); h != nil {
		agreed = siptrunk.ParseSessionExpires(h.Value())
		s.start(now, agreed, agreed.Refresher != siptrunk.RefresherUAS)
		return
	}
	s.start(now, agreed, true) // who does not speak of it does not refresh
}

func (s *refresh) start(now time.Time, agreed siptrunk.SessionExpires, ours bool) {
	s.agreed, s.ours = agreed, ours
	s.stop()
	switch {
	case agreed.Interval == 0:
	case ours:
		s.at, s.expiry = now.Add(agreed.Refresh()), now.Add(agreed.Interval)
	default:
		s.expiry = now.Add(agreed.Expiry())
	}
}

func (s *refresh) stop() { s.at, s.expiry = time.Time{}, time.Time{} }

// tickSession refreshes the session, and reports one that nobody has refreshed.
func (d *dialog) tickSession(now time.Time) (expired bool) {
	s := &d.session
	if !s.expiry.IsZero() && !s.expiry.After(now) {
		s.stop()
		return true
	}
	if s.at.IsZero() || s.at.After(now) || d.state != confirmed {
		return false
	}
	if d.asking() || d.serving() {
		s.at = now.Add(t2) // it may be a refresh by itself
		return false
	}
	s.at = now.Add(max(s.expiry.Sub(now)/2, t2)) // unless this one succeeds
	method, contentType, body := sip.UPDATE, "", []byte(nil)
	if !s.update {
		method, contentType, body = sip.INVITE, d.described.contentType, d.described.body
	}
	d.ask(now, method, contentType, body, s.offer(), func(now time.Time, res *sip.Response) {
		switch {
		case res == nil, res.StatusCode == 408, res.StatusCode == 481: // §10: the dialog is over there
			s.at, s.expiry = time.Time{}, now
		case res.StatusCode < 300:
			s.accepted(now, res)
		case res.StatusCode == 422 && leastOf(res.GetHeader("min-se")) > s.agreed.Interval: // §7.3
			s.agreed.Interval, s.at = leastOf(res.GetHeader("min-se")), now
		case method == sip.UPDATE && (res.StatusCode == 405 || res.StatusCode == 501):
			s.update, s.at = false, now
		}
	})
	return false
}

// tokens reports whether a header field of the request, a list, has this token.
func tokens(r *request, name, token string) bool {
	for _, h := range r.GetHeaders(name) {
		for v := range strings.SplitSeq(h.Value(), ",") {
			if strings.EqualFold(strings.TrimSpace(v), token) {
				return true
			}
		}
	}
	return false
}
