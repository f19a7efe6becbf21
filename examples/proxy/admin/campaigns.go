package admin

import (
	"fmt"
	"net/http"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
	"github.com/outdial/outdial/failover"
)

// maxSamples bounds the callees that a preflight asks about.
const maxSamples = 20

// campaignView is how a campaign stands with its gate, and what its preflight finds now.
type campaignView struct {
	Name     string     `json:"name"`
	Gated    bool       `json:"gated"` // it has to be opened before its calls are placed
	Open     bool       `json:"open"`
	Until    *time.Time `json:"until,omitempty"`
	Passes   bool       `json:"passes"` // no finding fails
	Findings []finding  `json:"findings"`
}

// wants are the calls that a preflight asks about.
type wants struct {
	program, campaign string
	to                []string
}

func (s *Server) campaignView(w wants) campaignView {
	v := campaignView{Name: w.campaign, Passes: true}
	var until time.Time
	v.Gated, v.Open, until = s.p.Opened(w.campaign)
	v.Until = known(until)
	v.Findings = s.preflight(w)
	for _, f := range v.Findings {
		v.Passes = v.Passes && !f.Fails
	}
	return v
}

// preflight looks for what stands against placing the calls of a campaign now.
func (s *Server) preflight(w wants) []finding {
	list := []finding{}
	if s.p.Draining() {
		list = append(list, finding{Source: "proxy", Code: "draining", Fails: true, About: []string{}, Text: "the proxy takes no new calls"})
	}
	list = append(list, s.ofPolicy()...)
	list = append(list, s.ofNumbers(w.program)...)
	routes, carriers, used := s.routes(w, &list)
	now := s.p.Now()
	for _, f := range s.p.Failover().Lint(now, routes) {
		list = append(list, fromFailover(&f))
	}
	for _, f := range s.p.Failover().Alarms(now, s.began) {
		if x := fromFailover(&f); len(f.Trunks) > 0 && (used == nil || used[f.Trunks[0]]) {
			x.Contact = s.p.Escalation(s.carrierOf(f.Trunks[0]))
			list = append(list, x)
		}
	}
	return append(list, s.ofProviders(carriers)...)
}

// routes asks what would be done with calls to the samples, and notes which of them would not be placed. Without samples nothing is
// known of routes: then all carriers count.
func (s *Server) routes(w wants, list *[]finding) (routes []failover.Route, carriers, used map[string]bool) {
	if len(w.to) == 0 {
		*list = append(*list, finding{
			Source: "campaign", Code: "no_sample", Fails: true, About: []string{w.campaign},
			Text: "say whom the campaign calls (to): without a callee nobody knows how its calls would go",
		})
		return nil, nil, nil
	}
	carriers, used = map[string]bool{}, map[string]bool{}
	ids := s.p.IDs()
	for _, to := range w.to {
		call, err := s.p.Call(b2bua.Demand{To: to, Program: w.program, Campaign: w.campaign})
		if err != nil {
			*list = append(*list, finding{Source: "campaign", Code: "sample", Fails: true, About: []string{to}, Text: err.Error()})
			continue
		}
		x := s.p.Engine().Explain(s.p.Now(), call)
		if r := x.Refused; r != nil && r.Code == b2bua.ErrGate.Code() {
			x = s.p.ExplainOpen(call)
		}
		if r := x.Refused; r != nil {
			*list = append(*list, finding{
				Source: "campaign", Code: r.Code, Fails: true, About: []string{to}, Text: fmt.Sprintf("a call to %s would be refused: %s", to, r.Text),
			})
			continue
		}
		route := failover.Route{Group: x.Call.Group}
		for _, c := range x.Candidates {
			if c.Fate == "left_out" {
				continue
			}
			carriers[c.Carrier], used[c.Trunk] = true, true
			t, _ := ids.Trunks.Lookup(c.Trunk)
			k, _ := ids.Carriers.Lookup(c.Carrier)
			route.Plan = append(route.Plan, outdial.Candidate{Trunk: t, Carrier: k, Tier: uint8(c.Tier), Weight: c.Weight})
		}
		if x.Outcome != outdial.StepDial.String() {
			*list = append(*list, finding{
				Source: "campaign", Code: "no_route", Fails: true, About: []string{to}, Text: fmt.Sprintf("no trunk would take a call to %s now", to),
			})
		}
		routes = append(routes, route)
	}
	return routes, carriers, used
}

func (s *Server) campaign(_ http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	q := query{r: r}
	w := wants{program: q.text("program"), campaign: r.PathValue("campaign"), to: r.URL.Query()["to"]}
	q.known = append(q.known, "to")
	if len(w.to) > maxSamples {
		q.refuse("to", fmt.Sprintf("at most %d", maxSamples))
	}
	s.knownProgram(w.program, func(text string) { q.refuse("program", text) })
	if p := q.problem(); p != nil {
		return reply{}, p
	}
	return ok(s.campaignView(w))
}

func (s *Server) knownProgram(name string, refuse func(string)) {
	if _, known := s.p.IDs().Programs.Lookup(name); !known {
		refuse(fmt.Sprintf("no program %q", name))
	}
}

// opening lets the calls of a campaign be placed, once its preflight passes.
type opening struct {
	envelope
	Program string   `json:"program"`
	To      []string `json:"to"`      // callees to ask about, as they are dialled; at least one
	Despite bool     `json:"despite"` // of findings that fail; then it has to end by itself
}

func (s *Server) openCampaign(w http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	since := time.Now()
	var in opening
	if p := door.Decode(w, r, &in); p != nil {
		return reply{}, p
	}
	p := in.check(r, s.p.Now())
	if p == nil && len(in.To) > maxSamples {
		p = door.Invalid("to", "at most %d", maxSamples)
	}
	if p == nil {
		s.knownProgram(in.Program, func(text string) { p = door.Invalid("program", "%s", text) })
	}
	if p == nil && in.Despite {
		p = in.temporary()
	}
	if p != nil {
		return reply{}, p
	}
	s.edit.Lock()
	defer s.edit.Unlock()
	want := wants{in.Program, r.PathValue("campaign"), in.To}
	v := s.campaignView(want)
	if !v.Passes && !in.Despite {
		p := door.Refuse(http.StatusConflict, "preflight", "the preflight of %q has not passed, so that it stays closed", v.Name)
		p.Findings = v.Findings
		return reply{}, p
	}
	value := "passed"
	if !v.Passes {
		value = "despite findings"
	}
	return s.apply(since, func() (string, any) { return "", s.campaignView(want) }, in.control(b2bua.ActionOpen, v.Name, value))
}

func (s *Server) closeCampaign(w http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	since := time.Now()
	var in envelope
	if p := door.Decode(w, r, &in); p != nil {
		return reply{}, p
	}
	if p := in.check(r, s.p.Now()); p != nil {
		return reply{}, p
	}
	if in.Expires != nil {
		return reply{}, door.Invalid("expires", "a campaign is closed until it is opened")
	}
	name := r.PathValue("campaign")
	s.edit.Lock()
	defer s.edit.Unlock()
	return s.apply(since, func() (string, any) {
		gated, open, until := s.p.Opened(name)
		return "", map[string]any{"name": name, "gated": gated, "open": open, "until": known(until)}
	}, in.control(b2bua.ActionClose, name, ""))
}
