package kpiprom

import (
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// Collector counts events and shows them to Prometheus. Give it to an engine as an observer, and to a registry. Events that
// are replayed from a journal count as they did live, so that counters go on where the process before left off.
// It is safe for concurrent use; New makes one.
type Collector struct {
	cfg   Config
	names []string // of the labels
	desc  descs

	mu        sync.Mutex
	series    map[kpi.Key]*series
	other     *series
	truncated uint64
}

var (
	_ outdial.Observer     = (*Collector)(nil)
	_ prometheus.Collector = (*Collector)(nil)
)

type descs struct {
	attempts, outcomes, refused, answeredBy, contacts, pdd, duration *prometheus.Desc
	ratio, low, high, trials                                         *prometheus.Desc
	truncated                                                        *prometheus.Desc
}

// New returns a Collector; the error names every bad field of cfg.
func New(cfg Config) (*Collector, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Collector{cfg: cfg, series: map[kpi.Key]*series{}}
	if *cfg.View != kpi.Total {
		c.names = strings.Split(cfg.View.String(), "+")
	}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("outdial_"+name, help, append(append([]string(nil), c.names...), labels...), nil)
	}
	c.desc = descs{
		attempts:   desc("attempts_total", "Attempts started."),
		outcomes:   desc("outcomes_total", "Legs with a known outcome, by its class.", "class"),
		refused:    desc("refused_total", "Bids that a stage refused, by stage and code.", "stage", "code"),
		answeredBy: desc("answered_by_total", "Dispositions, by who or what answered.", "by"),
		contacts:   desc("contacts_total", "Answered calls on which the right person was reached."),
		pdd:        desc("pdd_seconds", "Post-dial delay: INVITE to the first response beyond 100."),
		duration:   desc("duration_seconds", "Answer to end, of calls answered in time."),
		ratio:      desc("ratio", "A ratio over the meter's window; absent where its denominator is 0.", "kpi"),
		low:        desc("ratio_low", "Lower end of the ratio's 95 % interval.", "kpi"),
		high:       desc("ratio_high", "Upper end of the ratio's 95 % interval.", "kpi"),
		trials:     desc("ratio_trials", "Denominator of the ratio.", "kpi"),
		truncated: prometheus.NewDesc("outdial_series_truncated_total",
			"Events counted under \"other\" because there were more label sets than the limit.", nil, nil),
	}
	return c, nil
}

// Observe implements outdial.Observer.
func (c *Collector) Observe(ev *outdial.Event) {
	if ev.Attempt == nil || ev.Kind == outdial.EventProgressed || ev.Kind == outdial.EventAbandoned {
		return
	}
	key := c.cfg.View.Key(ev.Attempt)
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.series[key]
	if s == nil {
		if s = c.other; len(c.series) < c.cfg.MaxSeries {
			s = new(series)
			c.series[key] = s
		} else {
			if s == nil {
				s = new(series)
				c.other = s
			}
			c.truncated++
		}
	}
	s.count(&c.cfg, ev)
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	d := &c.desc
	for _, desc := range []*prometheus.Desc{
		d.attempts, d.outcomes, d.refused, d.answeredBy, d.contacts, d.pdd, d.duration, d.ratio, d.low, d.high, d.trials,
		d.truncated,
	} {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, s := range c.series {
		c.send(ch, s, c.labels(key))
	}
	if c.other != nil {
		c.send(ch, c.other, c.labels(kpi.Key{View: *c.cfg.View, Other: true}))
	}
	ch <- prometheus.MustNewConstMetric(c.desc.truncated, prometheus.CounterValue, float64(c.truncated))
	c.window(ch)
}

func (c *Collector) send(ch chan<- prometheus.Metric, s *series, labels []string) {
	count := func(d *prometheus.Desc, n uint64, more ...string) {
		values := append(append(make([]string, 0, len(labels)+2), labels...), more...)
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), values...)
	}
	count(c.desc.attempts, s.started)
	count(c.desc.contacts, s.contacts)
	for class, n := range s.outcomes {
		count(c.desc.outcomes, n, kpi.Class(class).String())
	}
	for r, n := range s.refused {
		count(c.desc.refused, n, r.stage.String(), r.code)
	}
	for by, n := range s.human {
		if n > 0 {
			count(c.desc.answeredBy, n, outdial.AnsweredBy(by).String())
		}
	}
	ch <- prometheus.MustNewConstHistogram(c.desc.pdd, s.pdd.n, s.pdd.sum, s.pdd.cumulative(c.cfg.PDD), labels...)
	ch <- prometheus.MustNewConstHistogram(
		c.desc.duration, s.duration.n, s.duration.sum, s.duration.cumulative(c.cfg.Duration), labels...)
}

// window shows the meter's ratios of the label sets that are kept apart.
func (c *Collector) window(ch chan<- prometheus.Metric) {
	if c.cfg.Meter == nil {
		return
	}
	now := c.cfg.Now()
	for key := range c.series {
		cell, ok := c.cfg.Meter.Cell(now, key)
		if !ok {
			continue
		}
		for name, r := range map[string]kpi.Ratio{
			"asr": cell.ASR(), "ner": cell.NER(), "abr": cell.ABR(), "short": cell.ShortCalls(0), "block": cell.BlockRate(),
			"abnormal": cell.AbnormalRelease(), "contact": cell.Contact(), "abandoned": cell.AbandonedRate(),
		} {
			labels := append(c.labels(key), name)
			gauge := func(d *prometheus.Desc, v float64) {
				ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
			}
			gauge(c.desc.trials, float64(r.N))
			if v, ok := r.Value(); ok {
				low, high, _ := r.Interval(0.95)
				gauge(c.desc.ratio, v)
				gauge(c.desc.low, low)
				gauge(c.desc.high, high)
			}
		}
	}
}

// labels are the values of a key's dimensions, in the order of the view; an id without a name stands as "#" and its
// number, none as "".
func (c *Collector) labels(k kpi.Key) []string {
	out := make([]string, 0, len(c.names)+1)
	ids := c.cfg.IDs
	for _, name := range c.names {
		value, id := "", uint64(0)
		switch name {
		case "trunk":
			value, id = ids.Trunks.Name(k.Trunk), uint64(k.Trunk)
		case "carrier":
			value, id = ids.Carriers.Name(k.Carrier), uint64(k.Carrier)
		case "group":
			value, id = ids.Groups.Name(k.Group), uint64(k.Group)
		case "pool":
			value, id = ids.Pools.Name(k.Pool), uint64(k.Pool)
		case "program":
			value, id = ids.Programs.Name(k.Program), uint64(k.Program)
		case "campaign":
			value, id = ids.Campaigns.Name(k.Campaign), uint64(k.Campaign)
		case "day_part":
			value, id = ids.DayParts.Name(k.DayPart), uint64(k.DayPart)
		case "tenant":
			value, id = ids.Tenants.Name(k.Tenant), uint64(k.Tenant)
		case "network":
			value, id = ids.Networks.Name(k.Network), uint64(k.Network)
		case "country":
			value = strings.TrimRight(string(k.Country[:]), "\x00")
		}
		switch {
		case k.Other:
			value = other
		case value == "" && id != 0:
			value = "#" + strconv.FormatUint(id, 10)
		}
		out = append(out, strings.ToValidUTF8(value, "\uFFFD"))
	}
	return out
}
