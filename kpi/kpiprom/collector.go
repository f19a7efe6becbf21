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
	c.at(key).count(&c.cfg, ev)
}

// at returns the series of a key, or the one that takes what is beyond the limit.
func (c *Collector) at(key kpi.Key) *series {
	if s := c.series[key]; s != nil {
		return s
	}
	if len(c.series) < c.cfg.MaxSeries {
		s := new(series)
		c.series[key] = s
		return s
	}
	if c.other == nil {
		c.other = new(series)
	}
	c.truncated++
	return c.other
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
	durations := func(d *prometheus.Desc, h *histogram, bounds []float64) {
		ch <- prometheus.MustNewConstHistogram(d, h.n, h.sum, h.cumulative(bounds), labels...)
	}
	durations(c.desc.pdd, &s.pdd, c.cfg.PDD)
	durations(c.desc.duration, &s.duration, c.cfg.Duration)
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
	for _, dimension := range c.names {
		value := ""
		switch dimension {
		case "trunk":
			value = named(&ids.Trunks, k.Trunk)
		case "carrier":
			value = named(&ids.Carriers, k.Carrier)
		case "group":
			value = named(&ids.Groups, k.Group)
		case "pool":
			value = named(&ids.Pools, k.Pool)
		case "program":
			value = named(&ids.Programs, k.Program)
		case "campaign":
			value = named(&ids.Campaigns, k.Campaign)
		case "day_part":
			value = named(&ids.DayParts, k.DayPart)
		case "tenant":
			value = named(&ids.Tenants, k.Tenant)
		case "network":
			value = named(&ids.Networks, k.Network)
		case "country":
			value = strings.TrimRight(string(k.Country[:]), "\x00")
		}
		if k.Other {
			value = other
		}
		out = append(out, strings.ToValidUTF8(value, "\uFFFD"))
	}
	return out
}

// named is the name of an id, or "#" and its number, or "" for none.
func named[ID ~uint32](names *outdial.Names[ID], id ID) string {
	if name := names.Name(id); name != "" || id == 0 {
		return name
	}
	return "#" + strconv.FormatUint(uint64(id), 10)
}
