package admin

import (
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
	"github.com/outdial/outdial/failover"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/routing"
)

// kpis is a report of the meter: every ratio with its counts, its 95 % interval, and whether it can be relied on.
func (s *Server) kpis(_ http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	q := query{r: r}
	span, text := q.duration("span"), q.text("view")
	var view *kpi.View
	if text != "" {
		view = new(kpi.View)
		if err := view.UnmarshalText([]byte(text)); err != nil {
			q.refuse("view", err.Error())
		}
	}
	if p := q.problem(); p != nil {
		return reply{}, p
	}
	now, m := s.p.Now(), s.p.Meter()
	var report kpi.Report
	if span == 0 {
		report = m.Report(now)
	} else {
		w, kept := m.Over(span)
		if !kept {
			return reply{}, door.Refuse(http.StatusNotFound, "no_such_span", "the meter keeps no %s: see kpi.window and kpi.spans", span)
		}
		report = w.Report(now)
	}
	if view != nil {
		cells := []kpi.CellReport{}
		for _, c := range report.Cells {
			if c.View == *view {
				cells = append(cells, c)
			}
		}
		report.Cells = cells
	}
	return ok(report)
}

// incidentView is the record of one outage, from the first call that failed to the full return.
type incidentView struct {
	Trunk     string         `json:"trunk"`
	Carrier   string         `json:"carrier"`
	Group     string         `json:"group"` // "" = the trunk as a whole
	Why       string         `json:"why"`
	Began     *time.Time     `json:"began,omitempty"`
	Detected  *time.Time     `json:"detected,omitempty"`
	Isolated  *time.Time     `json:"isolated,omitempty"`
	Noticed   *time.Time     `json:"noticed,omitempty"`
	Returned  *time.Time     `json:"returned,omitempty"`
	Recovered *time.Time     `json:"recovered,omitempty"`
	Calls     int            `json:"calls"`
	Failed    int            `json:"failed"`
	Relapses  int            `json:"relapses"`
	Probes    int            `json:"probes"`
	Depth     float64        `json:"depth"`         // how deep the answers fell, as a share
	ShiftMS   int64          `json:"time_to_shift"` // milliseconds
	Learned   string         `json:"learned"`
	Contact   *b2bua.Contact `json:"contact,omitempty"` // whom to call at the carrier
}

func (s *Server) incidents(http.ResponseWriter, *http.Request) (reply, *door.Problem) {
	list := []incidentView{}
	for _, i := range s.p.Failover().Incidents(s.p.Now()) {
		depth, width := i.Cliff()
		carrier := s.carrierOf(i.Name)
		list = append(list, incidentView{
			Trunk: i.Name, Carrier: carrier, Group: i.GroupName, Why: i.Why, Began: known(i.Began), Detected: known(i.Detected),
			Isolated: known(i.Isolated), Noticed: known(i.Noticed), Returned: known(i.Returned), Recovered: known(i.Recovered), Calls: i.Calls,
			Failed: i.Failed, Relapses: i.Relapses, Probes: i.Probes, Depth: depth, ShiftMS: width.Milliseconds(), Learned: i.Learned(),
			Contact: s.p.Escalation(carrier),
		})
	}
	return ok(map[string]any{"incidents": list})
}

func (s *Server) carrierOf(trunk string) string {
	for _, t := range s.p.Config().Trunks {
		if t.Name == trunk {
			return t.Carrier
		}
	}
	return ""
}

// drillView is the report of a drill.
type drillView struct {
	To     []string   `json:"to"`
	Share  float64    `json:"share"`
	Group  string     `json:"group"`
	Actor  string     `json:"actor"`
	Reason string     `json:"reason"`
	From   *time.Time `json:"from"`
	Until  *time.Time `json:"until"`
	Over   bool       `json:"over"`
	Cut    bool       `json:"cut"` // an operator ended it before its time
	Before sides      `json:"before"`
	During sides      `json:"during"`
}

type sides struct {
	To     tally `json:"to"`
	Others tally `json:"others"`
}

// tally counts attempts, and what they came to; a figure that is not known is null.
type tally struct {
	Started  uint64    `json:"started"`
	Reached  uint64    `json:"reached"`
	Answered uint64    `json:"answered"`
	ASR      *estimate `json:"asr"`
	NER      *estimate `json:"ner"`
	PDD      *estimate `json:"pdd"` // seconds
}

type estimate struct {
	Mean  float64 `json:"mean"`
	Error float64 `json:"standard_error"`
	N     float64 `json:"n"`
}

func tallyOf(t failover.Tally) tally {
	of := func(e outdial.Estimate) *estimate {
		if !e.Known() {
			return nil
		}
		return &estimate{e.Mean, math.Sqrt(e.Var), e.N}
	}
	return tally{t.Started, t.Reached, t.Answered, of(t.ASR()), of(t.NER()), of(t.PDD())}
}

func sidesOf(s failover.Sides) sides { return sides{tallyOf(s.To), tallyOf(s.Others)} }

func (s *Server) drills(http.ResponseWriter, *http.Request) (reply, *door.Problem) {
	list := []drillView{}
	for _, d := range s.p.Failover().Drills(s.p.Now()) {
		list = append(list, drillView{
			d.Order.To, d.Order.Share, d.Order.Group, d.Actor, d.Reason, known(d.From), known(d.Until), d.Over, d.Cut,
			sidesOf(d.Before), sidesOf(d.During),
		})
	}
	return ok(map[string]any{"drills": list})
}

// finding is something that an operator should know of now, whoever found it.
type finding struct {
	Source  string         `json:"source"` // failover, routing, cli, provider, campaign, proxy
	Code    string         `json:"code"`
	Fails   bool           `json:"fails"` // in a preflight: it keeps the campaign from being opened
	About   []string       `json:"about"` // trunks, pools, numbers, carriers, places in the policy
	Since   *time.Time     `json:"since,omitempty"`
	Text    string         `json:"text"`
	Contact *b2bua.Contact `json:"contact,omitempty"`
}

// alarms are what stands now; alerts what came up.
func (s *Server) alarms(http.ResponseWriter, *http.Request) (reply, *door.Problem) {
	now := s.p.Now()
	list := []finding{}
	for _, f := range s.p.Failover().Alarms(now, s.began) {
		x := fromFailover(&f)
		if len(f.Trunks) > 0 {
			x.Contact = s.p.Escalation(s.carrierOf(f.Trunks[0]))
		}
		list = append(list, x)
	}
	list = append(list, s.ofPolicy()...)
	list = append(list, s.ofNumbers("")...)
	list = append(list, s.ofProviders(nil)...)
	return ok(map[string]any{"alarms": list})
}

func fromFailover(f *failover.Finding) finding {
	x := finding{Source: "failover", Code: string(f.Code), About: append([]string{}, f.Trunks...), Since: known(f.Since), Text: f.Text}
	if f.Group != "" {
		x.About = append(x.About, f.Group)
	}
	return x
}

func (s *Server) ofPolicy() (list []finding) {
	cfg := s.p.Config()
	for _, f := range cfg.Lint() {
		list = append(list, fromRouting(f))
	}
	return list
}

func fromRouting(f routing.Finding) finding {
	return finding{Source: "routing", Code: f.Code, About: []string{f.Place}, Text: f.Text}
}

// ofNumbers are the findings of the pools of a program; "" = of all.
func (s *Server) ofNumbers(program string) (list []finding) {
	if s.p.CLIs() == nil {
		return nil
	}
	for _, p := range s.allPools("") {
		if program != "" && p.Program != program {
			continue
		}
		for _, f := range p.Findings {
			list = append(list, finding{
				Source: "cli", Code: f.Code, Fails: f.Code == "empty", About: append([]string{p.Name}, f.Numbers...), Text: f.Text,
			})
		}
		if p.Ready+p.Waiting+p.Busy == 0 {
			list = append(list, finding{
				Source: "cli", Code: "no_number", Fails: true, About: []string{p.Name}, Text: "no number of the pool may be presented",
			})
		}
	}
	return list
}

func (s *Server) alerts(_ http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	q := query{r: r}
	after := q.number("after", 0)
	if p := q.problem(); p != nil {
		return reply{}, p
	}
	list := s.p.Alerts(after)
	if list == nil {
		list = []b2bua.Alert{}
	}
	return ok(map[string]any{"alerts": list})
}

// providerView is the record of a carrier, and what is wrong with it.
type providerView struct {
	b2bua.Provider
	OnRecord  bool       `json:"on_record"`
	Trunks    []string   `json:"trunks"`
	Questions []question `json:"questions"`
	Missing   []string   `json:"missing"`      // questions without an answer in writing
	Stale     []string   `json:"stale"`        // figures and answers older than 90 days, or without a date
	Complete  float64    `json:"completeness"` // share of the questions that are answered, 0 to 1
}

type question struct {
	Key  string `json:"key"`
	Text string `json:"text"`
}

// records are the records of all carriers that have trunks, in the order of these; those without one are empty.
func (s *Server) records() []providerView {
	cfg, now := s.p.Config(), s.p.Now()
	list, at := []providerView{}, map[string]int{}
	for _, t := range cfg.Trunks {
		if t.Carrier == "" {
			continue
		}
		i, seen := at[t.Carrier]
		if !seen {
			i = len(list)
			at[t.Carrier] = i
			v := providerView{Provider: b2bua.Provider{Carrier: t.Carrier}, Trunks: []string{}}
			for _, p := range cfg.Providers {
				if p.Carrier == t.Carrier {
					v.Provider, v.OnRecord = p, true
				}
			}
			for _, q := range b2bua.Questions() {
				v.Questions = append(v.Questions, question(q))
			}
			v.Missing, v.Stale = append([]string{}, v.Provider.Missing()...), append([]string{}, v.Provider.Stale(now)...)
			v.Complete = 1 - float64(len(v.Missing))/float64(len(v.Questions))
			if v.Contract == nil {
				v.Contract = []b2bua.ContractFigure{}
			}
			if v.Answers == nil {
				v.Answers = map[string]b2bua.Answer{}
			}
			list = append(list, v)
		}
		list[i].Trunks = append(list[i].Trunks, t.Name)
	}
	return list
}

// ofProviders are the findings about the records of carriers; nil = of all.
func (s *Server) ofProviders(carriers map[string]bool) (list []finding) {
	for _, v := range s.records() {
		if carriers != nil && !carriers[v.Carrier] {
			continue
		}
		add := func(code, format string, args ...any) {
			list = append(list, finding{
				Source: "provider", Code: code, About: []string{v.Carrier}, Text: fmt.Sprintf(format, args...), Contact: s.p.Escalation(v.Carrier),
			})
		}
		switch {
		case !v.OnRecord:
			add("no_record", "nothing is on record of %s", v.Carrier)
			continue
		case v.Contact == (b2bua.Contact{}):
			add("no_contact", "nobody is named whom to call at %s", v.Carrier)
		}
		for _, key := range v.Missing {
			add("missing_answer", "%s has not answered in writing: %s", v.Carrier, textOf(key))
		}
		for _, name := range v.Stale {
			add("stale", "%s of %s is older than 90 days, or has no date", name, v.Carrier)
		}
	}
	return list
}

func textOf(key string) string {
	for _, q := range b2bua.Questions() {
		if q.Key == key {
			return q.Text
		}
	}
	return key
}

func (s *Server) providers(http.ResponseWriter, *http.Request) (reply, *door.Problem) {
	return ok(map[string]any{"providers": s.records()})
}

func (s *Server) provider(_ http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	for _, v := range s.records() {
		if v.Carrier == r.PathValue("carrier") {
			return ok(v)
		}
	}
	return reply{}, door.Refuse(http.StatusNotFound, "no_such_carrier", "no trunk is of %q", r.PathValue("carrier"))
}
