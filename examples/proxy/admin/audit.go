package admin

import (
	"net/http"
	"strconv"
	"time"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
)

// auditEntry is a change as the journal has it.
type auditEntry struct {
	Seq     uint64     `json:"seq"` // in the journal; 0 = there is none
	Time    time.Time  `json:"time"`
	Actor   string     `json:"actor"`
	Action  string     `json:"action"`
	Target  string     `json:"target"`
	Value   string     `json:"value"`
	Reason  string     `json:"reason"`
	Expires *time.Time `json:"expires,omitempty"`
}

func entryOf(o *b2bua.Order) auditEntry {
	e := auditEntry{o.Seq, o.Time.UTC(), o.Actor, o.Action, o.Target, o.Value, o.Reason, nil}
	if !o.Expires.IsZero() {
		at := o.Expires.UTC()
		e.Expires = &at
	}
	return e
}

func (s *Server) audit(_ http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	q := query{r: r}
	after, limit := q.number("after", 0), q.limit(100, 1000)
	action, target := q.text("action"), q.text("target")
	if p := q.problem(); p != nil {
		return reply{}, p
	}
	list := []auditEntry{}
	for _, o := range s.p.Orders() {
		if o.Seq > after && (action == "" || o.Action == action) && (target == "" || o.Target == target) {
			list = append(list, entryOf(&o))
		}
	}
	// The oldest first behind a place that is known already, otherwise the latest ones.
	more := len(list) > limit
	if more && after > 0 {
		list = list[:limit]
	} else if more {
		list = list[len(list)-limit:]
	}
	return ok(map[string]any{"orders": list, "more": more})
}

// query reads parameters of a URL, and notes what is wrong with them.
type query struct {
	r     *http.Request
	known []string
	bad   *door.Problem
}

func (q *query) text(name string) string {
	q.known = append(q.known, name)
	all := q.r.URL.Query()[name]
	if len(all) == 0 {
		return ""
	}
	if len(all) > 1 {
		q.refuse(name, "it is given twice")
	}
	return all[0]
}

func (q *query) number(name string, absent uint64) uint64 {
	v := q.text(name)
	if v == "" {
		return absent
	}
	n, err := strconv.ParseUint(v, 10, 63)
	if err != nil {
		q.refuse(name, "want a whole number")
	}
	return n
}

func (q *query) limit(absent, most int) int {
	n := q.number("limit", uint64(absent))
	if n < 1 || n > uint64(most) {
		q.refuse("limit", "want 1 to "+strconv.Itoa(most))
		return absent
	}
	return int(n)
}

func (q *query) duration(name string) time.Duration {
	v := q.text(name)
	if v == "" {
		return 0
	}
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 {
		q.refuse(name, "want a duration, such as 5m")
	}
	return d
}

func (q *query) refuse(name, what string) {
	if q.bad == nil {
		q.bad = door.Refuse(http.StatusBadRequest, "query", "a parameter does not fit")
	}
	q.bad.With(name, "%s", what)
}

// problem is what is wrong with the parameters; those that were not asked for are.
func (q *query) problem() *door.Problem {
	for name := range q.r.URL.Query() {
		known := false
		for _, k := range q.known {
			known = known || k == name
		}
		if !known {
			q.refuse(name, "unknown parameter")
		}
	}
	return q.bad
}
