package b2bua

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// Callees is what callees get to hear; see kpi.CalleesConfig.
type Callees struct {
	Period        time.Duration `yaml:"period"`
	Repeat        time.Duration `yaml:"repeat"`
	Max           int           `yaml:"max"`
	RecentAnswers int           `yaml:"recent_answers"`
}

// Numbers is how caller IDs are labelled; see kpi.NumbersConfig.
type Numbers struct {
	Window time.Duration `yaml:"window"`
	Max    int           `yaml:"max"`
}

// Budget is a share of calls that is limited over a period; see kpi.Budget.
type Budget struct {
	Name    string            `yaml:"name"`
	Of      map[string]string `yaml:"of"`    // dimension: name, as {carrier: alpha}; absent = all traffic
	Share   *kpi.Share        `yaml:"share"` // short, failed, given_up, abandoned, blocked
	Within  time.Duration     `yaml:"within"`
	Period  time.Duration     `yaml:"period"`
	Rolling bool              `yaml:"rolling"`
	Most    float64           `yaml:"most"`
	Stop    float64           `yaml:"stop"`
	Warn    float64           `yaml:"warn"`
	Least   uint64            `yaml:"least"`
}

// Disposition is what one of the dialer's codes says; see kpi.Outcome.
type Disposition struct {
	By      string `yaml:"by"` // human, voicemail, ivr, announcement, fax, screening, unknown
	Contact bool   `yaml:"contact"`
}

// shortest is the shortest stretch of time that the meter looks back over.
func (k KPI) shortest() time.Duration {
	shortest := cmp.Or(k.Window, time.Hour)
	for _, s := range k.Spans {
		shortest = min(shortest, s.Window)
	}
	return shortest
}

// counted is what is counted beside the cells of the meter.
type counted struct {
	callees *kpi.Callees // nil = off
	numbers *kpi.Numbers // nil = off
	agents  kpi.Agents
	mapper  *kpi.Mapper
}

// counts builds it; every error is a *FieldError.
func (c Config) counts(ids *outdial.Registry, numbering *outdial.NumberingPlan) (*counted, error) {
	out := new(counted)
	var errs []error
	try := func(section string, err error) {
		if err != nil {
			errs = append(errs, &FieldError{"kpi." + section, err})
		}
	}
	var err error
	if k := c.KPI.Callees; k != nil {
		out.callees, err = kpi.NewCallees(kpi.CalleesConfig{
			Period: k.Period, Repeat: k.Repeat, Max: k.Max, RecentAnswers: k.RecentAnswers, AbandonedCodes: c.KPI.AbandonedCodes,
		})
		try("callees", err)
	}
	if k := c.KPI.Numbers; k != nil {
		out.numbers, err = kpi.NewNumbers(kpi.NumbersConfig{
			IDs: ids, Window: k.Window, Max: k.Max, Place: func(n outdial.Number) string { return placeOf(numbering, n) },
		})
		try("numbers", err)
	}
	codes := map[string]kpi.Outcome{}
	for _, code := range slices.Sorted(maps.Keys(c.KPI.Dispositions)) {
		d := c.KPI.Dispositions[code]
		by, ok := answeredBy(d.By)
		if !ok {
			try("dispositions."+code+".by", fmt.Errorf("%q is not who answers", d.By))
		}
		codes[code] = kpi.Outcome{AnsweredBy: by, Contact: d.Contact}
	}
	out.mapper, err = kpi.NewMapper(codes)
	try("dispositions", err)
	return out, errors.Join(errs...)
}

// placeOf is where a number belongs: its country, and the region of it that is known.
func placeOf(numbering *outdial.NumberingPlan, n outdial.Number) string {
	country, region := numbering.Region(n)
	if region == "" {
		return country
	}
	return country + "/" + region
}

func answeredBy(name string) (outdial.AnsweredBy, bool) {
	for by := range outdial.AnsweredBy(kpi.AnswerKinds) {
		if by.String() == name {
			return by, true
		}
	}
	return 0, false
}

// observers are those that are on.
func (k *counted) observers() []outdial.Observer {
	out := []outdial.Observer{&k.agents}
	if k.callees != nil {
		out = append(out, k.callees)
	}
	if k.numbers != nil {
		out = append(out, k.numbers)
	}
	return out
}

// save and restore are for checkpoints; a meter that is off saves nothing.
func (k *counted) save(take func(to *[]byte, save func(uint64) ([]byte, error)), c *checkpoint) {
	if k.callees != nil {
		take(&c.Callees, k.callees.Save)
	}
	if k.numbers != nil {
		take(&c.Numbers, k.numbers.Save)
	}
}

func (k *counted) restore(c *checkpoint, warn func(string, error)) {
	if k.callees != nil && len(c.Callees) > 0 {
		warn("kpi.callees", k.callees.Restore(c.Callees))
	}
	if k.numbers != nil && len(c.Numbers) > 0 {
		warn("kpi.numbers", k.numbers.Restore(c.Numbers))
	}
}

// budgets checks what is limited.
func (v *validator) budgets(c Config) {
	for i, b := range c.KPI.Budgets {
		at := fmt.Sprintf("kpi.budgets[%d].", i)
		if b.Name == "" {
			v.bad(at+"name", errors.New("required"))
		}
		if slices.ContainsFunc(c.KPI.Budgets[:i], func(o Budget) bool { return o.Name == b.Name }) {
			v.bad(at+"name", fmt.Errorf("%q: given twice", b.Name))
		}
		if b.Share == nil {
			v.bad(at+"share", errors.New("required"))
		}
		if err := b.limit().Validate(); err != nil {
			v.bad(at+"most", err)
		}
		if b.Most == 0 {
			v.bad(at+"most", errors.New("required"))
		}
		view, err := b.view()
		if err != nil {
			v.bad(at+"of", err)
		} else if !slices.Contains(c.KPI.Archive.Views, view) {
			v.bad(at+"of", fmt.Errorf("kpi.archive.views does not keep %v", view))
		}
		for dimension, known := range map[string]func(Trunk) string{
			"trunk": func(t Trunk) string { return t.Name }, "carrier": func(t Trunk) string { return t.Carrier },
		} {
			name, ok := b.Of[dimension]
			if ok && !slices.ContainsFunc(c.Trunks, func(t Trunk) bool { return known(t) == name }) {
				v.bad(at+"of", fmt.Errorf("no trunk is of %s %q", dimension, name))
			}
		}
	}
}

// view are the dimensions of the budget's key.
func (b *Budget) view() (view kpi.View, err error) {
	for dimension := range b.Of {
		var one kpi.View
		err = errors.Join(err, one.UnmarshalText([]byte(dimension)))
		view |= one
	}
	return view, err
}

func (b *Budget) limit() kpi.Limit {
	return kpi.Limit{Most: b.Most, Stop: b.Stop, Warn: b.Warn, Least: b.Least}
}

// BudgetStanding is how a budget stands.
type BudgetStanding struct {
	Name   string     `json:"name"`
	Share  kpi.Share  `json:"share"`
	From   time.Time  `json:"from"`
	To     time.Time  `json:"to"`
	Ratio  kpi.Ratio  `json:"ratio"`
	Most   float64    `json:"most"`
	Signal kpi.Signal `json:"signal"` // stop: no more calls should be made that may count. The proxy stops nothing by itself
	Room   uint64     `json:"room"`
	Breach float64    `json:"breach"`
}

// Budgets says how each budget of the configuration stands.
func (p *Proxy) Budgets(now time.Time) ([]BudgetStanding, error) {
	out := []BudgetStanding{}
	var errs []error
	for _, b := range p.cfg.KPI.Budgets {
		row := BudgetStanding{Name: b.Name, Share: *b.Share, Most: b.Most}
		key, unknown := p.meter.KeyOf(b.Of) // nothing has come of what nobody has named yet
		if unknown == nil {
			s, err := p.meter.Standing(now, kpi.Budget{
				Key: key, What: *b.Share, Within: b.Within, Period: b.Period, Rolling: b.Rolling, Limit: b.limit(),
			})
			errs = append(errs, err)
			row.From, row.To, row.Ratio, row.Signal, row.Room, row.Breach = s.From, s.To, s.Ratio, s.Signal, s.Room, s.Breach
		}
		out = append(out, row)
	}
	return out, errors.Join(errs...)
}

// NumberStanding is how the caller IDs of one pool and place are labelled.
type NumberStanding struct {
	Pool    string            `json:"pool"`
	Place   string            `json:"place"`
	Numbers uint64            `json:"numbers"`
	By      map[string]uint64 `json:"by"` // standings that are not zero
}

// Counts is what is counted beside the meter, as JSON has it.
type Counts struct {
	Now      time.Time         `json:"now"`
	Agents   kpi.AgentReport   `json:"agents"`
	Callees  *kpi.CalleeReport `json:"callees,omitempty"` // of the present period
	Numbers  []NumberStanding  `json:"numbers,omitempty"`
	Untold   uint64            `json:"numbers_untold,omitempty"`
	Budgets  []BudgetStanding  `json:"budgets"`
	Unmapped map[string]uint64 `json:"unmapped_dispositions,omitempty"`
}

// Counts returns it.
func (p *Proxy) Counts(now time.Time) (Counts, error) {
	budgets, err := p.Budgets(now)
	c := Counts{Now: now.UTC(), Agents: p.counted.agents.Report(now), Budgets: budgets}
	if k := p.counted.callees; k != nil {
		if r, ok := k.Report(now); ok {
			c.Callees = &r
		}
	}
	if k := p.counted.numbers; k != nil {
		c.Untold = k.Untold()
		for _, row := range k.Report(now) {
			s := NumberStanding{Pool: p.ids.Pools.Name(row.Pool), Place: row.Place, Numbers: row.Numbers(), By: map[string]uint64{}}
			for status, n := range row.By {
				if n > 0 {
					s.By[outdial.LabelStatus(status).String()] = n
				}
			}
			c.Numbers = append(c.Numbers, s)
		}
	}
	c.Unmapped, _ = p.counted.mapper.Unknown()
	return c, err
}

// SetAgents tells how many of the dialer's agents are idle and busy from now on.
func (p *Proxy) SetAgents(now time.Time, idle, busy int) { p.counted.agents.Set(now, idle, busy) }

// Dispose takes the dialer's word for what became of an answered attempt, by kpi.dispositions; a code that is not there is kept and
// says nothing else.
func (p *Proxy) Dispose(now time.Time, id outdial.AttemptID, code string, agent time.Duration) error {
	d, _ := p.counted.mapper.Map(code, agent)
	return p.engine.Dispose(now, &outdial.Attempt{ID: id}, d)
}
