package admin

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
	"github.com/outdial/outdial/failover"
	"github.com/outdial/outdial/routing"
	"github.com/outdial/outdial/trunk"
)

// trunkView is how a trunk stands.
type trunkView struct {
	Name    string         `json:"name"`
	Carrier string         `json:"carrier"`
	State   string         `json:"state"` // live, canary, staged, draining, out
	ETag    string         `json:"etag"`
	Address string         `json:"address"`
	Contact *b2bua.Contact `json:"contact,omitempty"` // whom to call at the carrier

	InUse         int `json:"in_use"`
	Peak          int `json:"peak"`
	Channels      int `json:"channels"`   // the ceiling in force; -1 = none
	Ceiling       int `json:"ceiling"`    // with bursts
	Contracted    int `json:"contracted"` // by contract and order, whatever was learned
	Headroom      int `json:"headroom"`
	CPS           int `json:"cps"` // -1 = none
	ContractedCPS int `json:"contracted_cps"`
	LastSecond    int `json:"last_second"` // calls in it

	Saturated   bool              `json:"saturated"`
	LearnedAt   int               `json:"learned_channels"` // a ceiling that rejections have taught; 0 = none
	Source      string            `json:"source"`           // of the figures, as configured
	Blocked     map[string]uint64 `json:"blocked"`          // refusals by their code
	Trial       [2]int            `json:"trial"`            // of a canary: good and bad attempts
	LastChange  *trunkChange      `json:"last_change,omitempty"`
	Health      []healthView      `json:"health"` // of the trunk as a whole and of destination groups, where anything is known
	Orders      []standingOrder   `json:"orders"` // that stand: flips, holds, overrides
	FrozenUntil *time.Time        `json:"frozen_until,omitempty"`
}

type trunkChange struct {
	Time   time.Time `json:"time"`
	What   string    `json:"what"`
	Value  string    `json:"value"`
	From   string    `json:"from"`
	To     string    `json:"to"`
	Actor  string    `json:"actor"`
	Reason string    `json:"reason"`
}

type healthView struct {
	Group    string     `json:"group"` // "" = the trunk as a whole
	State    string     `json:"state"` // up, suspect, out, probing, ramping, suspended, held
	Share    float64    `json:"share"` // of its share of the calls that it gets, 0 to 1
	Why      string     `json:"why"`
	Since    *time.Time `json:"since,omitempty"`
	Until    *time.Time `json:"until,omitempty"`
	Baseline float64    `json:"baseline"`
}

type standingOrder struct {
	Action  string     `json:"action"` // "flip", "avoid", "pin", "force" …
	What    string     `json:"what"`
	Actor   string     `json:"actor,omitempty"`
	Reason  string     `json:"reason,omitempty"`
	Expires *time.Time `json:"expires,omitempty"`
}

func (s *Server) trunks(http.ResponseWriter, *http.Request) (reply, *door.Problem) {
	return ok(map[string]any{"trunks": s.allTrunks()})
}

// allTrunks are the views of all trunks, in the order of the configuration.
func (s *Server) allTrunks() []trunkView {
	now, cfg := s.p.Now(), s.p.Config()
	targets, list := s.p.Failover().Snapshot(now), []trunkView{}
	for _, st := range s.p.Trunks().Snapshot(now) {
		list = append(list, s.viewTrunk(now, &cfg, st, targets))
	}
	return list
}

func (s *Server) oneTrunk(name string) (trunkView, *door.Problem) {
	now, cfg := s.p.Now(), s.p.Config()
	id, _ := s.p.IDs().Trunks.Lookup(name)
	st, found := s.p.Trunks().Status(now, id)
	if !found {
		return trunkView{}, door.Refuse(http.StatusNotFound, "no_such_trunk", "no trunk %q", name)
	}
	return s.viewTrunk(now, &cfg, st, s.p.Failover().Snapshot(now)), nil
}

func (s *Server) viewTrunk(now time.Time, cfg *b2bua.Config, st trunk.Status, targets []failover.Target) trunkView {
	v := trunkView{
		Name: st.Name, State: st.State.String(), InUse: st.InUse, Peak: st.Peak, Channels: st.Channels, Ceiling: st.Ceiling,
		Contracted: st.Contracted, Headroom: st.Headroom, CPS: st.CPS, ContractedCPS: st.ContractedCPS, LastSecond: st.LastSecond,
		Saturated: st.Saturated, LearnedAt: st.Learned.Limit, Source: st.Source, Blocked: map[string]uint64{}, Trial: st.Trial,
		Health: []healthView{}, Orders: []standingOrder{},
	}
	for code, n := range st.Blocked.All() {
		v.Blocked[code] = n
	}
	if c := st.Change; !c.Time.IsZero() {
		v.LastChange = &trunkChange{c.Time.UTC(), c.What, c.Value, c.From.String(), c.To.String(), c.By, c.Reason}
	}
	for _, t := range cfg.Trunks {
		if t.Name == st.Name {
			v.Carrier, v.Address = t.Carrier, t.Address
		}
	}
	v.Contact = s.p.Escalation(v.Carrier)
	held := false
	for _, t := range targets {
		if t.Trunk != st.Trunk {
			continue
		}
		held = held || t.State == failover.Held
		v.Health = append(v.Health, healthView{
			Group: s.p.IDs().Groups.Name(t.Group), State: t.State.String(), Share: s.p.Failover().Health(now, t.Trunk, t.Group),
			Why: t.Why, Since: known(t.Since), Until: known(t.Until), Baseline: t.Baseline,
		})
	}
	for _, f := range s.p.Failover().Flips(now) {
		if slices.Contains(f.To, st.Name) {
			c := f.Control("", "", "", time.Time{})
			v.Orders = append(v.Orders, standingOrder{Action: "flip", What: c.Target + " " + c.Value})
		}
	}
	for _, o := range s.p.Router().Overrides(now) {
		if o.Trunk == st.Name || o.Carrier != "" && o.Carrier == v.Carrier {
			v.Orders = append(v.Orders, standingOrder{string(o.Action), whichCalls(&o), o.Actor, o.Reason, ends(o.Expires)})
		}
	}
	for _, f := range s.p.Freezes() {
		if f.Target == "" || f.Target == st.Name {
			v.FrozenUntil = known(f.Expires)
		}
	}
	v.ETag = tagOf(v.State, v.Contracted, v.ContractedCPS, held, v.Orders, v.LastChange, v.FrozenUntil)
	return v
}

func whichCalls(o *routing.Override) string {
	text := ""
	for _, p := range o.Prefixes {
		text += "prefix=" + p.String() + "; "
	}
	for _, l := range []struct {
		key  string
		list []string
	}{{"network", o.Networks}, {"campaign", o.Campaigns}, {"program", o.Programs}} {
		for _, v := range l.list {
			text += l.key + "=" + v + "; "
		}
	}
	if text == "" {
		return "all calls"
	}
	return text[:len(text)-2]
}

func ends(i routing.Instant) *time.Time {
	if i == 0 {
		return nil
	}
	return known(i.Time())
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func (s *Server) trunk(_ http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	v, p := s.oneTrunk(r.PathValue("trunk"))
	return reply{etag: v.ETag, body: v}, p
}

// limits are what PATCH changes: a number, or null to end the order before. What is not there stays.
type limits struct {
	envelope
	Channels optional `json:"channels"`
	CPS      optional `json:"cps"`
}

// optional is a whole number, null, or not there.
type optional struct {
	Set   bool
	Value *int
}

// UnmarshalJSON implements json.Unmarshaler; it is called for null, and not for what is not there.
func (o *optional) UnmarshalJSON(b []byte) error {
	o.Set = true
	if string(b) == "null" {
		return nil
	}
	n, err := strconv.Atoi(string(b))
	if err != nil {
		return errWhole
	}
	o.Value = &n
	return nil
}

func (s *Server) patchLimits(w http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	since := time.Now()
	var in limits
	if p := door.Decode(w, r, &in); p != nil {
		return reply{}, p
	}
	s.edit.Lock()
	defer s.edit.Unlock()
	v, p := s.oneTrunk(r.PathValue("trunk"))
	if p == nil {
		p = match(r, v.ETag, true)
	}
	if p == nil {
		p = in.check(r, s.p.Now())
	}
	if p != nil {
		return reply{}, p
	}
	var orders []outdial.Control
	for _, f := range []struct {
		name, action string
		most         int
		v            optional
	}{
		{"channels", trunk.ActionChannels, trunk.MaxChannels, in.Channels},
		{"cps", trunk.ActionCPS, trunk.MaxCPS, in.CPS},
	} {
		switch {
		case !f.v.Set:
		case f.v.Value == nil:
			orders = append(orders, in.control(f.action, v.Name, ""))
		case *f.v.Value < 1 || *f.v.Value > f.most:
			return reply{}, door.Invalid(f.name, "want 1 to %d, or null to end the order before", f.most)
		default:
			c := in.control(f.action, v.Name, strconv.Itoa(*f.v.Value))
			if err := s.checkControl(s.p.Now(), &c); err != nil {
				return reply{}, door.Invalid(f.name, "%s", err)
			}
			orders = append(orders, c)
		}
	}
	if len(orders) == 0 {
		return reply{}, door.Invalid("channels", "nothing is to be changed: say channels, cps, or both")
	}
	return s.apply(since, s.readTrunk(v.Name), orders...)
}

func (s *Server) readTrunk(name string) func() (string, any) {
	return func() (string, any) {
		v, _ := s.oneTrunk(name)
		return v.ETag, v
	}
}
