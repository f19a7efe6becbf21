package kpi

import (
	"strconv"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// Report is a snapshot in the form that people and other programs read: named, with every ratio carrying its
// denominator, its interval and a verdict. It marshals to stable JSON: the same facts give the same bytes. A value
// that is undefined is null, never zero. Durations are in seconds.
type Report struct {
	CodeTable  int          `json:"code_table"` // version of the table behind the classes
	From       time.Time    `json:"from"`       // the window: From inclusive, To exclusive
	To         time.Time    `json:"to"`
	Now        time.Time    `json:"now"`
	ShortCalls []float64    `json:"short_calls"` // thresholds
	Late       uint64       `json:"late"`        // Stats.Late
	Folded     uint64       `json:"folded"`      // Stats.Folded
	Cells      []CellReport `json:"cells"`
}

// CellReport is one cell of a Report.
type CellReport struct {
	View View              `json:"view"`
	Key  map[string]string `json:"key,omitempty"` // dimension to name; "other": "true" for what found no room

	Calls       uint64            `json:"calls"`
	Bids        uint64            `json:"bids"`
	Seizures    uint64            `json:"seizures"`
	Open        uint64            `json:"open"`
	Lost        uint64            `json:"lost"`
	Answers     uint64            `json:"answers"`
	LateAnswers uint64            `json:"late_answers"`
	EarlyMedia  uint64            `json:"early_media"`
	Classes     map[string]uint64 `json:"classes"`               // those that are not zero
	Statuses    map[string]uint64 `json:"statuses,omitempty"`    // final SIP statuses of unanswered legs
	AnsweredBy  map[string]uint64 `json:"answered_by,omitempty"` // dispositions
	Contacts    uint64            `json:"contacts"`
	Cost        outdial.Micros    `json:"cost_micros"`
	AgentTime   float64           `json:"agent_seconds"`
	Refusals    map[string]uint64 `json:"refusals,omitempty"`

	ASR            RatioReport    `json:"asr"`
	ABR            RatioReport    `json:"abr"`
	NER            RatioReport    `json:"ner"`
	SEER           RatioReport    `json:"seer"`
	Short          []RatioReport  `json:"short"` // by threshold
	ZeroSecond     RatioReport    `json:"zero_second"`
	SER            RatioReport    `json:"ser"`
	ISA            RatioReport    `json:"isa"`
	SCR            RatioReport    `json:"scr"`
	Block          RatioReport    `json:"block"`
	Abnormal       RatioReport    `json:"abnormal"`
	NoRing         RatioReport    `json:"no_ring"`
	Instant        RatioReport    `json:"instant"`
	EarlyMediaRate RatioReport    `json:"early_media_rate"`
	Human          RatioReport    `json:"human"` // human answers of seizures, by dispositions
	Abandoned      RatioReport    `json:"abandoned"`
	Labelled       RatioReport    `json:"labelled"`
	LabelUnknown   RatioReport    `json:"label_unknown"`
	PDD            DurationReport `json:"pdd"`
	Ringing        DurationReport `json:"ringing"` // INVITE to the first 180
	Audible        DurationReport `json:"audible"` // INVITE to what the caller may have heard first
	SRD            DurationReport `json:"srd"`
	SRDFailed      DurationReport `json:"srd_failed"`
	SDD            DurationReport `json:"sdd"`
	SDDFailed      DurationReport `json:"sdd_failed"`
	Ring           DurationReport `json:"ring"`
	ACD            DurationReport `json:"acd"`
	Cohort         *CohortReport  `json:"cohort,omitempty"` // with Config.Cohorts
}

// CohortReport is the average duration of the calls that were started within the window, as far as they have ended.
type CohortReport struct {
	Mean         *float64    `json:"mean"`
	Completeness RatioReport `json:"completeness"`
}

// RatioReport is a Ratio with its 95 % Wilson interval and the verdict by Config.MinEvidence.
type RatioReport struct {
	Ratio
	Value   *float64 `json:"value"`
	Low     *float64 `json:"low"`
	High    *float64 `json:"high"`
	Verdict Evidence `json:"verdict"`
}

// DurationReport sums a Sketch up, in seconds.
type DurationReport struct {
	N     uint64       `json:"n"`
	Mean  *float64     `json:"mean"`
	P50   *float64     `json:"p50"`
	P95   *float64     `json:"p95"`
	Humps []HumpReport `json:"humps,omitempty"` // the two that Sketch.Humps finds
}

// HumpReport is a Hump, in seconds.
type HumpReport struct {
	Share float64 `json:"share"`
	Mode  float64 `json:"mode"`
}

// Report is Meter.Report over the window's span.
func (w Window) Report(now time.Time) Report {
	m := w.m
	stats := m.Stats()
	r := Report{
		CodeTable: CodeTable, Now: now.UTC(),
		Late: stats.Late, Folded: stats.Folded, ShortCalls: []float64{}, Cells: []CellReport{},
	}
	r.From, r.To = w.bounds(now)
	for _, d := range m.cfg.ShortCalls {
		r.ShortCalls = append(r.ShortCalls, d.Seconds())
	}
	for c := range w.Snapshot(now) {
		r.Cells = append(r.Cells, m.reportCell(&c))
	}
	return r
}

func (m *Meter) reportCell(c *Cell) CellReport {
	out := CellReport{
		View: c.Key.View, Key: m.names(c.Key),
		Calls: c.Calls, Bids: c.Bids(), Seizures: c.Seizures(), Open: c.Open(), Lost: c.Lost,
		Answers: c.Answers, LateAnswers: c.LateAnswers, EarlyMedia: c.EarlyMedia, Classes: map[string]uint64{},
		ASR: m.ratio(c.ASR()), ABR: m.ratio(c.ABR()), NER: m.ratio(c.NER()), SEER: m.ratio(c.SEER()),
		Short: []RatioReport{}, ZeroSecond: m.ratio(c.ZeroSecondCalls()),
		SER: m.ratio(c.SER()), ISA: m.ratio(c.ISA()), SCR: m.ratio(c.SCR()), Block: m.ratio(c.BlockRate()),
		Abnormal: m.ratio(c.AbnormalRelease()), NoRing: m.ratio(c.NoRingAnswers()), Instant: m.ratio(c.InstantAnswers()),
		EarlyMediaRate: m.ratio(c.EarlyMediaRate()), Human: m.ratio(c.AnswerTypes().Human), Abandoned: m.ratio(c.AbandonedRate()),
		Contacts: c.Contacts, Cost: c.Cost, AgentTime: c.AgentTime.Seconds(),
		PDD: seconds(&c.PDD), Ringing: seconds(&c.Ringing), Audible: seconds(&c.Audible), SRD: seconds(&c.SRD),
		SRDFailed: seconds(&c.SRDFailed), SDD: seconds(&c.SDD), SDDFailed: seconds(&c.SDDFailed), Ring: seconds(&c.Ring),
		ACD: seconds(&c.Duration),
	}
	if m.cfg.Cohorts {
		mean, completeness, ok := c.CohortACD()
		out.Cohort = &CohortReport{Completeness: m.ratio(completeness)}
		setSeconds(&out.Cohort.Mean, mean, ok)
	}
	labelled, unknown := c.LabelledCalls()
	out.Labelled, out.LabelUnknown = m.ratio(labelled), m.ratio(unknown)
	for _, s := range c.Statuses {
		count(&out.Statuses, strconv.Itoa(int(s.Code)), s.N)
	}
	for by, n := range c.Disposed {
		count(&out.AnsweredBy, outdial.AnsweredBy(by).String(), n)
	}
	for i, n := range c.Classes {
		if n > 0 {
			out.Classes[Class(i).String()] = n
		}
	}
	for i := range m.cfg.ShortCalls {
		out.Short = append(out.Short, m.ratio(c.ShortCalls(i)))
	}
	for _, r := range c.Refusals {
		if r.Code == otherCode {
			count(&out.Refusals, otherCode, r.N)
		} else {
			count(&out.Refusals, r.Stage.String()+"/"+r.Code, r.N)
		}
	}
	return out
}

// count adds n to a map that is made when there is something to count.
func count(to *map[string]uint64, name string, n uint64) {
	if n == 0 {
		return
	}
	if *to == nil {
		*to = map[string]uint64{}
	}
	(*to)[name] += n
}

// names gives the dimensions of a key; an id without a name stands as "#" and its number, none as "".
func (m *Meter) names(k Key) map[string]string {
	reg := m.cfg.IDs
	if reg == nil {
		reg = new(outdial.Registry)
	}
	out := map[string]string{}
	if k.Other {
		out["other"] = "true"
		return out
	}
	ids := [len(dimensionNames)]uint64{
		uint64(k.Trunk), uint64(k.Carrier), uint64(k.Group), uint64(k.Pool), uint64(k.Program), uint64(k.Campaign),
		uint64(k.DayPart), uint64(k.Tenant), uint64(k.Network), 0, uint64(k.Region), 0, 0,
	}
	names := [len(dimensionNames)]string{
		reg.Trunks.Name(k.Trunk), reg.Carriers.Name(k.Carrier), reg.Groups.Name(k.Group), reg.Pools.Name(k.Pool),
		reg.Programs.Name(k.Program), reg.Campaigns.Name(k.Campaign), reg.DayParts.Name(k.DayPart),
		reg.Tenants.Name(k.Tenant), reg.Networks.Name(k.Network), strings.TrimRight(string(k.Country[:]), "\x00"),
		m.Region(k.Region), m.digitsOf(k.Block), m.number(k.CLI),
	}
	for i, dim := range dimensionNames {
		if k.View&(1<<i) == 0 {
			continue
		}
		if names[i] == "" && ids[i] != 0 {
			names[i] = "#" + strconv.FormatUint(ids[i], 10)
		}
		out[dim] = names[i]
	}
	return out
}

func (m *Meter) ratio(r Ratio) RatioReport {
	out := RatioReport{Ratio: r, Verdict: r.Verdict(uint64(m.cfg.MinEvidence))}
	if v, ok := r.Value(); ok {
		low, high, _ := r.Interval(0.95)
		out.Value, out.Low, out.High = &v, &low, &high
	}
	return out
}

func seconds(s *Sketch) DurationReport {
	out := DurationReport{N: s.Count()}
	mean, ok := s.Mean()
	setSeconds(&out.Mean, mean, ok)
	p50, ok := s.Quantile(0.5)
	setSeconds(&out.P50, p50, ok)
	p95, ok := s.Quantile(0.95)
	setSeconds(&out.P95, p95, ok)
	for _, h := range s.Humps() {
		out.Humps = append(out.Humps, HumpReport{h.Share, h.Mode.Seconds()})
	}
	return out
}

func setSeconds(to **float64, d time.Duration, ok bool) {
	if ok {
		v := d.Seconds()
		*to = &v
	}
}

// number shows a caller ID as a report may: by Config.Number.
func (m *Meter) number(n outdial.Number) string {
	if n == 0 {
		return ""
	}
	return m.cfg.Number(n)
}

// digitsOf shows a block of numbers.
func (m *Meter) digitsOf(p outdial.Prefix) string {
	if p == 0 {
		return ""
	}
	return p.String()
}
