package admin

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
	"github.com/outdial/outdial/kpi"
)

// envelope is what every change says: who makes it, why, and until when it stands.
type envelope struct {
	Actor   string     `json:"actor"`
	Reason  string     `json:"reason"`
	Expires *time.Time `json:"expires"`
	For     string     `json:"for"` // a duration in place of expires: "30m"
}

// check completes an envelope: a token with a name says who the actor is.
func (e *envelope) check(r *http.Request, now time.Time) *door.Problem {
	c := door.CallerOf(r)
	p := door.Refuse(http.StatusUnprocessableEntity, "invalid", "the change is understood, and what it says does not fit")
	switch {
	case e.Actor == "" && c.Name == "":
		p.With("actor", "required: the token has no name")
	case e.Actor != "" && c.Name != "" && e.Actor != c.Name:
		p.With("actor", "the token is that of %q", c.Name)
	case len(e.Actor) > outdial.MaxText:
		p.With("actor", "longer than %d bytes", outdial.MaxText)
	}
	if e.Actor == "" {
		e.Actor = c.Name
	}
	if strings.TrimSpace(e.Reason) == "" {
		p.With("reason", "required")
	}
	if len(e.Reason) > outdial.MaxText {
		p.With("reason", "longer than %d bytes", outdial.MaxText)
	}
	switch d, err := time.ParseDuration(e.For); {
	case e.For == "":
	case e.Expires != nil:
		p.With("for", "expires says the same")
	case err != nil || d <= 0:
		p.With("for", "%q is no duration to come, such as 30m", e.For)
	default:
		at := now.Add(d)
		e.Expires = &at
	}
	if e.Expires != nil && !e.Expires.After(now) {
		p.With("expires", "%s has passed", e.Expires.Format(time.RFC3339))
	}
	if len(p.Errors) > 0 {
		return p
	}
	return nil
}

// temporary refuses a change that has no end and has to have one.
func (e *envelope) temporary() *door.Problem {
	if e.Expires == nil {
		return door.Invalid("expires", "required: the change ends by itself (or for: a duration)")
	}
	return nil
}

// control is the order as a Control.
func (e *envelope) control(action, target, value string) outdial.Control {
	c := outdial.Control{Actor: e.Actor, Action: action, Target: target, Value: value, Reason: e.Reason}
	if e.Expires != nil {
		c.Expires = *e.Expires
	}
	return c
}

// changed is what a change answers: the orders as the audit log has them, how long it took until they were in force, and what is so now.
type changed struct {
	Orders    []auditEntry `json:"orders"`
	InForceMS float64      `json:"in_force_ms"` // from the request to its effect
	Now       any          `json:"now"`
}

// apply makes changes, all or none as far as they can be checked, and answers with what read returns after them. The caller holds s.edit.
func (s *Server) apply(since time.Time, read func() (etag string, body any), controls ...outdial.Control) (reply, *door.Problem) {
	now := s.p.Now()
	if len(controls) > 1 {
		for i := range controls {
			if err := s.checkControl(now, &controls[i]); err != nil {
				return reply{}, refusal(err)
			}
		}
	}
	last := s.lastOrder()
	for _, c := range controls {
		if err := s.p.Engine().Control(now, c); err != nil {
			return reply{}, refusal(err)
		}
	}
	return s.changed(since, last, read)
}

// changed answers with what stands in the audit log behind an order, and what is so now.
func (s *Server) changed(since time.Time, last int, read func() (etag string, body any)) (reply, *door.Problem) {
	etag, body := read()
	took := time.Since(since)
	out := changed{InForceMS: float64(took.Microseconds()) / 1000, Now: body, Orders: []auditEntry{}}
	orders := s.p.Orders()
	for _, o := range orders[min(max(0, len(orders)-(s.p.OrderCount()-last)), len(orders)):] {
		out.Orders = append(out.Orders, entryOf(&o))
		s.took(o.Action, took)
	}
	return reply{etag: etag, body: out}, nil
}

func (s *Server) lastOrder() int { return s.p.OrderCount() }

// checkControl asks the packages whether they would take a change, before the first of several is made.
func (s *Server) checkControl(now time.Time, c *outdial.Control) error {
	return errors.Join(s.p.Trunks().CheckControl(now, c), s.p.Failover().CheckControl(now, c), s.p.Router().CheckControl(now, c))
}

func (s *Server) took(action string, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.latency[action] == nil {
		s.latency[action] = new(kpi.Sketch)
	}
	s.latency[action].Add(d)
}

// aboutField finds the part of a Control that an error of a package is about.
var aboutField = regexp.MustCompile(`\b([Tt]arget|[Vv]alue|[Ee]xpires|[Rr]eason|[Aa]ctor)\b`)

// refusal is what a package says against a change, as a problem.
func refusal(err error) *door.Problem {
	var frozen *b2bua.FrozenError
	switch {
	case errors.As(err, &frozen):
		return door.Refuse(http.StatusLocked, "frozen", "%s", frozen.Error())
	case errors.Is(err, outdial.ErrJournal):
		return door.Refuse(http.StatusServiceUnavailable, "journal", "the journal cannot be written, so nothing was changed: %v", err)
	}
	text := err.Error()
	if m := aboutField.FindString(text); m != "" {
		return door.Invalid(strings.ToLower(m), "%s", text)
	}
	return door.Refuse(http.StatusConflict, "refused", "%s", text)
}

// about gives the value of a Control the name that its field has in the request.
func about(field string, out reply, p *door.Problem) (reply, *door.Problem) {
	if p != nil {
		for i := range p.Errors {
			if p.Errors[i].Field == "value" {
				p.Errors[i].Field = field
			}
		}
	}
	return out, p
}

// tagOf is the ETag of what a resource consists of as far as people change it: the same facts give the same tag.
func tagOf(parts ...any) string {
	h := sha256.New()
	e := json.NewEncoder(h)
	for _, p := range parts {
		_ = e.Encode(p)
	}
	return fmt.Sprintf(`"%x"`, h.Sum(nil)[:9])
}

// match compares the If-Match of a request with the ETag of what it is about. required refuses a request that has none.
func match(r *http.Request, etag string, required bool) *door.Problem {
	all := r.Header.Values("If-Match")
	if len(all) == 0 {
		if required {
			return door.Refuse(http.StatusPreconditionRequired, "if_match", "say which version is changed: If-Match with the ETag, or *")
		}
		return nil
	}
	for v := range strings.SplitSeq(strings.Join(all, ","), ",") {
		if v = strings.TrimSpace(v); v == "*" || v == etag {
			return nil
		}
	}
	p := door.Refuse(http.StatusPreconditionFailed, "changed", "it was changed meanwhile; its ETag is %s", etag)
	return p
}
