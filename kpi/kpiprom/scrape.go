package kpiprom

import (
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

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
	shown, truncated := c.shown()
	for _, s := range shown {
		c.send(ch, &s.series, s.labels)
	}
	ch <- prometheus.MustNewConstMetric(c.desc.truncated, prometheus.CounterValue, float64(truncated))
	c.window(ch, shown)
}

// shown is what one label set shows: two ids may have names that look alike, or one is called "other".
type shown struct {
	labels []string
	keys   []kpi.Key
	series series
}

// shown copies the series, by their labels.
func (c *Collector) shown() (list []*shown, truncated uint64) {
	c.mu.Lock()
	keys := slices.Collect(maps.Keys(c.series))
	if c.other != nil {
		keys = append(keys, kpi.Key{View: *c.cfg.View, Other: true})
	}
	truncated = c.truncated
	c.mu.Unlock()
	by := map[string]*shown{}
	for _, key := range keys {
		labels := c.labels(key)
		id := strings.Join(labels, "\xff")
		if by[id] == nil {
			by[id] = &shown{labels: labels}
			list = append(list, by[id])
		}
		s := by[id]
		c.mu.Lock() // anew for each, so that nobody waits for all of them
		if key.Other {
			s.series.add(c.other)
		} else {
			s.series.add(c.series[key])
			s.keys = append(s.keys, key)
		}
		c.mu.Unlock()
	}
	return list, truncated
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
func (c *Collector) window(ch chan<- prometheus.Metric, list []*shown) {
	if c.cfg.Meter == nil {
		return
	}
	now := c.cfg.Now()
	for _, s := range list {
		var cell kpi.Cell
		any := false
		for _, key := range s.keys {
			if one, ok := c.cfg.Meter.Cell(now, key); ok {
				cell.Key, any = key, true
				cell.Merge(&one)
			}
		}
		if any {
			c.ratios(ch, &cell, s.labels)
		}
	}
}

func (c *Collector) ratios(ch chan<- prometheus.Metric, cell *kpi.Cell, of []string) {
	for name, r := range map[string]kpi.Ratio{
		"asr": cell.ASR(), "ner": cell.NER(), "abr": cell.ABR(), "short": cell.ShortCalls(0), "block": cell.BlockRate(),
		"abnormal": cell.AbnormalRelease(), "contact": cell.Contact(), "abandoned": cell.AbandonedRate(),
	} {
		labels := append(of[:len(of):len(of)], name)
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
