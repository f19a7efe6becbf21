package admin

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/examples/proxy/door"
)

// poolView is how a pool of caller IDs stands.
type poolView struct {
	Name     string          `json:"name"`
	Program  string          `json:"program"`
	States   map[string]int  `json:"states"` // numbers by state
	Ready    int             `json:"ready"`
	Waiting  int             `json:"waiting"` // at a cap, or spaced
	Busy     int             `json:"busy"`
	NoRight  int             `json:"no_right"`
	Untested int             `json:"untested"`
	Resting  int             `json:"resting"`
	Next     *time.Time      `json:"next,omitempty"` // when the next waiting number becomes ready
	Risk     float64         `json:"risk"`           // 0 = healthy, 1 = not to be exposed
	Findings []numberFinding `json:"findings"`
	Numbers  []numberView    `json:"numbers,omitempty"` // of one pool that is asked for
}

type numberFinding struct {
	Code    string   `json:"code"`
	Denied  bool     `json:"denied"`
	Numbers []string `json:"numbers"`
	Text    string   `json:"text"`
}

// numberView is how one of our numbers stands.
type numberView struct {
	Number   string     `json:"number"`
	Pool     string     `json:"pool"`
	State    string     `json:"state"`
	Status   string     `json:"status"` // whether it can be presented now, and if not, why
	ETag     string     `json:"etag"`
	Until    *time.Time `json:"until,omitempty"`
	LastUsed *time.Time `json:"last_used,omitempty"`
	InFlight int        `json:"in_flight"`
	Uses     []use      `json:"uses"`
	Country  string     `json:"country"`
	Area     string     `json:"area"`
	Region   string     `json:"region"`
	Type     string     `json:"type"`
	Owner    string     `json:"owner"`
	Assigned string     `json:"assigned"`
	Right    string     `json:"right"` // the recorded right to use
	Expires  *time.Time `json:"right_expires,omitempty"`
	Tested   *time.Time `json:"callback_tested,omitempty"`
	Hold     *hold      `json:"hold,omitempty"`
	Evidence []evidence `json:"evidence,omitempty"` // of one number that is asked for: what moved it, and the figures
}

type use struct {
	Cap  string `json:"cap"`
	Used int    `json:"used"`
}

type hold struct {
	Actor   string     `json:"actor"`
	Reason  string     `json:"reason"`
	Since   time.Time  `json:"since"`
	Expires *time.Time `json:"expires,omitempty"`
}

type evidence struct {
	Time    time.Time          `json:"time"`
	From    string             `json:"from"`
	To      string             `json:"to"`
	Actor   string             `json:"actor"`
	Reason  string             `json:"reason"`
	Figures map[string]float64 `json:"figures"`
}

func viewNumber(n *cli.NumberSnapshot) numberView {
	v := numberView{
		Number: n.Number.String(), Pool: n.Pool, State: n.State.String(), Status: n.Status.String(), Until: known(n.Until),
		LastUsed: known(n.LastUsed), InFlight: n.InFlight, Uses: []use{}, Country: n.Country, Region: n.Region, Type: n.Type.String(),
		Owner: n.Owner, Assigned: n.Assigned, Right: n.Evidence, Expires: known(n.Expires), Tested: known(n.Callback),
	}
	if n.Area != 0 {
		v.Area = n.Area.String()
	}
	for _, u := range n.Uses {
		v.Uses = append(v.Uses, use{u.Cap.String(), u.Used})
	}
	if h := n.Hold; h != nil {
		v.Hold = &hold{h.Actor, h.Reason, h.Since.UTC(), known(h.Expires)}
	}
	v.ETag = tagOf(v.Pool, v.State, v.Hold, v.Right, v.Expires)
	return v
}

func (s *Server) noPools() *door.Problem {
	if s.p.CLIs() == nil {
		return door.Refuse(http.StatusNotFound, "no_caller_ids", "the configuration has no caller IDs: dialers present their own")
	}
	return nil
}

func (s *Server) pools(http.ResponseWriter, *http.Request) (reply, *door.Problem) {
	if p := s.noPools(); p != nil {
		return reply{}, p
	}
	return ok(map[string]any{"pools": s.allPools("")})
}

// allPools are the pools; of the one that is named with its numbers.
func (s *Server) allPools(name string) []poolView {
	now, g := s.p.Now(), s.p.CLIs()
	findings, list := map[string][]numberFinding{}, []poolView{}
	for _, f := range g.Lint(now) {
		out := numberFinding{string(f.Code), f.Denied, []string{}, f.Text}
		for _, n := range f.Numbers {
			out.Numbers = append(out.Numbers, n.String())
		}
		findings[f.Pool] = append(findings[f.Pool], out)
	}
	for _, p := range g.Snapshot(now).Pools {
		v := poolView{
			Name: p.Name, Program: p.Program, States: map[string]int{}, Ready: p.Ready, Waiting: p.Waiting, Busy: p.Busy, NoRight: p.NoRight,
			Untested: p.Untested, Resting: p.Resting, Next: known(p.Next), Risk: g.Risk(now, p.ID).Mean, Findings: findings[p.Name],
		}
		if v.Findings == nil {
			v.Findings = []numberFinding{}
		}
		for state, n := range p.States {
			v.States[state.String()] = n
		}
		if p.Name == name {
			v.Numbers = make([]numberView, 0, len(p.Numbers))
			for i := range p.Numbers {
				v.Numbers = append(v.Numbers, viewNumber(&p.Numbers[i]))
			}
		}
		list = append(list, v)
	}
	return list
}

func (s *Server) pool(_ http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	if p := s.noPools(); p != nil {
		return reply{}, p
	}
	name := r.PathValue("pool")
	for _, v := range s.allPools(name) {
		if v.Name == name {
			return ok(v)
		}
	}
	return reply{}, door.Refuse(http.StatusNotFound, "no_such_pool", "no pool %q", name)
}

// oneNumber is a number of the inventory with the evidence of its state.
func (s *Server) oneNumber(text string) (numberView, *door.Problem) {
	if p := s.noPools(); p != nil {
		return numberView{}, p
	}
	n, err := outdial.ParseNumber(text)
	if err != nil {
		return numberView{}, door.Refuse(http.StatusNotFound, "no_such_number", "%v", err)
	}
	snap, found := s.p.CLIs().Number(s.p.Now(), n)
	if !found {
		return numberView{}, door.Refuse(http.StatusNotFound, "no_such_number", "%s is not in the inventory", n)
	}
	v := viewNumber(&snap)
	v.Evidence = []evidence{}
	for _, e := range s.p.CLIs().Audit(0) {
		if e.Number != n {
			continue
		}
		x := evidence{e.Time.UTC(), e.From.String(), e.To.String(), e.Actor, e.Reason, map[string]float64{}}
		for _, f := range e.Figures {
			x.Figures[f.Name] = f.Value
		}
		v.Evidence = append(v.Evidence, x)
	}
	v.Evidence = v.Evidence[max(0, len(v.Evidence)-100):]
	return v, nil
}

func (s *Server) number(_ http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	v, p := s.oneNumber(r.PathValue("number"))
	return reply{etag: v.ETag, body: v}, p
}

// numberOrder is what an operator orders of one of our numbers.
type numberOrder struct {
	envelope
	State       string `json:"state"`       // state: where it goes to
	Carrier     string `json:"carrier"`     // attested: who signed it
	Attestation string `json:"attestation"` // attested: A, B, C, none
}

var numberOrders = map[string]string{
	"quarantine": cli.ActionQuarantine, "release": cli.ActionRelease, "state": cli.ActionState, "complaint": cli.ActionComplaint,
	"attested": cli.ActionAttested,
}

func (s *Server) numberOrder(w http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	since, kind := time.Now(), r.PathValue("order")
	action, found := numberOrders[kind]
	if !found {
		return reply{}, noOrder(r, slices.Sorted(maps.Keys(numberOrders)))
	}
	var in numberOrder
	if p := door.Decode(w, r, &in); p != nil {
		return reply{}, p
	}
	s.edit.Lock()
	defer s.edit.Unlock()
	v, p := s.oneNumber(r.PathValue("number"))
	if p == nil {
		p = match(r, v.ETag, false)
	}
	if p == nil {
		p = in.check(r, s.p.Now())
	}
	if p != nil {
		return reply{}, p
	}
	value := ""
	switch kind {
	case "state":
		if value = in.State; value == "" {
			return reply{}, door.Invalid("state", "required")
		}
	case "attested":
		if in.Carrier == "" || in.Attestation == "" {
			return reply{}, door.Invalid("attestation", "say carrier and attestation (A, B, C or none)")
		}
		value = in.Attestation + " " + in.Carrier
	}
	for _, f := range []struct{ name, value, of string }{
		{"state", in.State, "state"}, {"carrier", in.Carrier, "attested"}, {"attestation", in.Attestation, "attested"},
	} {
		if f.value != "" && f.of != kind {
			return reply{}, door.Invalid(f.name, "it has no meaning for %s", kind)
		}
	}
	out, p := s.apply(since, func() (string, any) {
		v, _ := s.oneNumber(v.Number)
		return v.ETag, v
	}, in.control(action, v.Number, value))
	return about(map[string]string{"state": "state", "attested": "attestation"}[kind], out, p)
}

// calleeOrder keeps a program from calling somebody, or lifts that.
type calleeOrder struct {
	envelope
	Program string `json:"program"` // required
}

var calleeOrders = map[string]string{"suppress": cli.ActionSuppress, "unsuppress": cli.ActionUnsuppress}

func (s *Server) calleeOrder(w http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	since := time.Now()
	action, found := calleeOrders[r.PathValue("order")]
	if !found {
		return reply{}, noOrder(r, slices.Sorted(maps.Keys(calleeOrders)))
	}
	if p := s.noPools(); p != nil {
		return reply{}, p
	}
	var in calleeOrder
	if p := door.Decode(w, r, &in); p != nil {
		return reply{}, p
	}
	if p := in.check(r, s.p.Now()); p != nil {
		return reply{}, p
	}
	n, err := outdial.ParseNumber(r.PathValue("number"))
	switch {
	case err != nil:
		return reply{}, door.Refuse(http.StatusNotFound, "no_such_number", "%v", err)
	case strings.TrimSpace(in.Program) == "":
		return reply{}, door.Invalid("program", "required")
	}
	s.edit.Lock()
	defer s.edit.Unlock()
	out, p := s.apply(since, func() (string, any) { return "", struct{}{} }, in.control(action, n.String(), in.Program))
	return about("program", out, p)
}
