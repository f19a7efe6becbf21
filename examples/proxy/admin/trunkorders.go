package admin

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
	"github.com/outdial/outdial/failover"
	"github.com/outdial/outdial/trunk"
)

var errWhole = errors.New("want a whole number, or null")

// trunkOrder is what an operator orders of one trunk.
type trunkOrder struct {
	envelope
	Force bool `json:"force"` // live: past the trial that it owes

	Share float64  `json:"share"` // flip, drill: of the calls, above 0 and up to 1
	Over  string   `json:"over"`  // flip, drill: how long the share takes to grow
	Group string   `json:"group"` // flip, drill: the destination group; "" = all
	Spill []string `json:"spill"` // flip, drill: trunks that take what the first cannot

	Calls string `json:"calls"` // pin, force …: which ("prefix=+1602; campaign=spring"); "" = all
}

// trunkOrders are the orders by their names in the path.
var trunkOrders = map[string]struct {
	action    string
	temporary bool // it has to end
	fields    []string
}{
	"canary":   {action: trunk.ActionCanary},
	"live":     {action: trunk.ActionLive, fields: []string{"force"}},
	"drain":    {action: trunk.ActionDrain},
	"out":      {action: trunk.ActionOut},
	"reset":    {action: trunk.ActionReset},
	"forget":   {action: trunk.ActionForget},
	"hold":     {action: failover.ActionHold},
	"release":  {action: failover.ActionRelease},
	"flip":     {action: failover.ActionFlip, fields: []string{"share", "over", "group", "spill"}},
	"drill":    {action: failover.ActionDrill, temporary: true, fields: []string{"share", "over", "group", "spill"}},
	"revert":   {action: failover.ActionRevert},
	"launch":   {action: failover.ActionLaunch},
	"pass":     {action: failover.ActionPass},
	"fail":     {action: failover.ActionFail},
	"avoid":    {action: "routing.avoid", temporary: true, fields: []string{"calls"}},
	"penalise": {action: "routing.penalise", temporary: true, fields: []string{"calls"}},
	"prefer":   {action: "routing.prefer", temporary: true, fields: []string{"calls"}},
	"pin":      {action: "routing.pin", temporary: true, fields: []string{"calls"}},
	"force":    {action: "routing.force", temporary: true, fields: []string{"calls"}},
	"clear":    {action: "routing.clear", fields: []string{"calls"}},
	"freeze":   {action: b2bua.ActionFreeze, temporary: true},
	"thaw":     {action: b2bua.ActionThaw},
}

// misplaced names a field that is set and that the order does not know.
func (o *trunkOrder) misplaced(knows []string) string {
	for name, set := range map[string]bool{
		"force": o.Force, "share": o.Share != 0, "over": o.Over != "", "group": o.Group != "", "spill": len(o.Spill) > 0, "calls": o.Calls != "",
	} {
		if set && !slices.Contains(knows, name) {
			return name
		}
	}
	return ""
}

func (s *Server) trunkOrder(w http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	since := time.Now()
	kind, found := trunkOrders[r.PathValue("order")]
	if !found {
		return reply{}, noOrder(r, slices.Sorted(maps.Keys(trunkOrders)))
	}
	var in trunkOrder
	if p := door.Decode(w, r, &in); p != nil {
		return reply{}, p
	}
	s.edit.Lock()
	defer s.edit.Unlock()
	v, p := s.oneTrunk(r.PathValue("trunk"))
	if p == nil {
		p = match(r, v.ETag, false)
	}
	if p == nil {
		p = in.check(r, s.p.Now())
	}
	if p == nil && kind.temporary {
		p = in.temporary()
	}
	if p != nil {
		return reply{}, p
	}
	if name := in.misplaced(kind.fields); name != "" {
		return reply{}, door.Invalid(name, "it has no meaning for %s", r.PathValue("order"))
	}
	c := in.control(kind.action, v.Name, "")
	switch {
	case strings.HasPrefix(kind.action, "routing."):
		c.Target, c.Value = "trunk "+v.Name, in.Calls
	case kind.action == trunk.ActionLive && in.Force:
		c.Value = "force"
	case slices.Contains(kind.fields, "share"):
		if c, p = in.flip(c, v.Name); p != nil {
			return reply{}, p
		}
	}
	out, p := s.apply(since, s.readTrunk(v.Name), c)
	field := "share"
	if strings.HasPrefix(kind.action, "routing.") {
		field = "calls"
	} else if kind.action == trunk.ActionLive {
		field = "force"
	}
	return about(field, out, p)
}

// flip completes the order of a flip or a drill.
func (o *trunkOrder) flip(c outdial.Control, name string) (outdial.Control, *door.Problem) {
	f := failover.Flip{To: append([]string{name}, o.Spill...), Share: o.Share, Group: o.Group}
	if !(f.Share > 0 && f.Share <= 1) {
		return c, door.Invalid("share", "want a share of the calls, above 0 and up to 1")
	}
	if o.Over != "" {
		var err error
		if f.Over, err = time.ParseDuration(o.Over); err != nil || f.Over < 0 {
			return c, door.Invalid("over", "%q is no duration, such as 10m", o.Over)
		}
	}
	return f.Control(c.Action, c.Actor, c.Reason, c.Expires), nil
}

// globalOrders are those that are about no trunk in particular.
var globalOrders = map[string]struct {
	action    string
	temporary bool
}{
	"freeze": {b2bua.ActionFreeze, true},
	"thaw":   {b2bua.ActionThaw, false},
	"revert": {failover.ActionRevert, false},
}

func (s *Server) globalOrder(w http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	since := time.Now()
	kind, found := globalOrders[r.PathValue("order")]
	if !found {
		return reply{}, noOrder(r, slices.Sorted(maps.Keys(globalOrders)))
	}
	var in envelope
	if p := door.Decode(w, r, &in); p != nil {
		return reply{}, p
	}
	p := in.check(r, s.p.Now())
	if p == nil && kind.temporary {
		p = in.temporary()
	}
	if p != nil {
		return reply{}, p
	}
	s.edit.Lock()
	defer s.edit.Unlock()
	return s.apply(since, func() (string, any) { return "", s.statusView() }, in.control(kind.action, "", ""))
}

func noOrder(r *http.Request, all []string) *door.Problem {
	return door.Refuse(http.StatusNotFound, "no_such_order", "no order %q: want one of %s", r.PathValue("order"), strings.Join(all, ", "))
}
