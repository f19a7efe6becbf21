package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
)

// askTimeout bounds how long calls are asked how they stand.
const askTimeout = 2 * time.Second

// callView is a live call.
type callView struct {
	ID       string               `json:"id"`
	Ref      string               `json:"ref"`
	Dialer   string               `json:"dialer"`
	State    string               `json:"state"`
	Began    time.Time            `json:"began"`
	Answered *time.Time           `json:"answered,omitempty"`
	To       string               `json:"to"` // masked as in the log
	CLI      string               `json:"cli"`
	Trunk    string               `json:"trunk"`
	Carrier  string               `json:"carrier"`
	Program  string               `json:"program"`
	Campaign string               `json:"campaign"`
	Tenant   string               `json:"tenant"`
	Attempts int                  `json:"attempts"`
	Ended    *time.Time           `json:"ended,omitempty"`    // of a call that is over
	Code     int                  `json:"code,omitempty"`     // that the dialer was told in the end
	Decision *outdial.Explanation `json:"decision,omitempty"` // of one call that is asked for
}

func viewCall(l *b2bua.LiveCall) callView {
	return callView{
		l.ID.String(), l.Ref, l.Dialer, l.State, l.Began.UTC(), known(l.Answered), l.To, l.CLI, l.Trunk, l.Carrier, l.Program, l.Campaign,
		l.Tenant, l.Attempts, known(l.Ended), l.Code, l.Decision,
	}
}

func (s *Server) calls(_ http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	q := query{r: r}
	limit, text := q.limit(100, 1000), q.text("before")
	before, good := b2bua.ParseCallID(text)
	if text != "" && !good {
		q.refuse("before", "want the id of a call")
	}
	if p := q.problem(); p != nil {
		return reply{}, p
	}
	ctx, cancel := context.WithTimeout(r.Context(), askTimeout)
	defer cancel()
	list, all := s.p.LiveCalls(ctx, before, limit)
	views := make([]callView, 0, len(list))
	for i := range list {
		views = append(views, viewCall(&list[i]))
	}
	return ok(map[string]any{"live": all, "calls": views})
}

func noCall(id string) *door.Problem {
	return door.Refuse(http.StatusNotFound, "no_such_call", "no live call has the id %q", id)
}

func (s *Server) call(_ http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	text := r.PathValue("call")
	id, good := b2bua.ParseCallID(text)
	if !good {
		return reply{}, noCall(text)
	}
	ctx, cancel := context.WithTimeout(r.Context(), askTimeout)
	defer cancel()
	l, err := s.p.LiveCall(ctx, id)
	if err != nil {
		return reply{}, noCall(text)
	}
	return ok(viewCall(&l))
}

func (s *Server) hangUp(w http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	since := time.Now()
	var in envelope
	if p := door.Decode(w, r, &in); p != nil {
		return reply{}, p
	}
	if p := in.check(r, s.p.Now()); p != nil {
		return reply{}, p
	}
	if in.Expires != nil {
		return reply{}, door.Invalid("expires", "a call that is hung up stays so")
	}
	text := r.PathValue("call")
	id, good := b2bua.ParseCallID(text)
	if !good {
		return reply{}, noCall(text)
	}
	s.edit.Lock()
	defer s.edit.Unlock()
	last := s.lastOrder()
	switch err := s.p.HangUp(id, b2bua.Change{Actor: in.Actor, Reason: in.Reason}); {
	case errors.Is(err, b2bua.ErrNoCall):
		return reply{}, noCall(text)
	case err != nil:
		return reply{}, refusal(err)
	}
	return s.changed(since, last, func() (string, any) { return "", map[string]string{"id": text, "state": "ending"} })
}
