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
// It is safe for concurrent use, and nobody who counts waits for a scrape; New makes one.
type Collector struct {
	cfg   Config
	names []string // of the labels
	desc  descs

	mu        sync.Mutex
	series    map[kpi.Key]*series
	other     *series
	answers   []answered // the latest, each in the place of its call
	truncated uint64
}

// answered is an attempt that was answered, and where it counts: what is learned of it later may bring its id alone.
type answered struct {
	id       outdial.AttemptID
	series   *series
	disposed bool
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
	c := &Collector{cfg: cfg, series: map[kpi.Key]*series{}, answers: make([]answered, cfg.RecentAnswers)}
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
	switch ev.Kind {
	case outdial.EventAnswered:
		s := c.at(key)
		s.count(&c.cfg, ev)
		if at := c.answer(ev.Attempt.ID); at != nil && !ev.Attempt.Late {
			*at = answered{id: ev.Attempt.ID, series: s}
		}
	case outdial.EventDisposed:
		c.dispose(ev, key)
	default:
		c.at(key).count(&c.cfg, ev)
	}
}

// answer is the place of an attempt among the latest that were answered; nil where none are kept.
func (c *Collector) answer(id outdial.AttemptID) *answered {
	if len(c.answers) == 0 || id.Call == 0 {
		return nil
	}
	const nodeBits = 12 // an engine's ids count above them
	return &c.answers[uint64(id.Call)>>nodeBits%uint64(len(c.answers))]
}

// dispose counts what was learned of an attempt where the attempt was counted, once. One that is not known counts by what the
// event tells of it, and not at all where that is its id alone.
func (c *Collector) dispose(ev *outdial.Event, key kpi.Key) {
	a := ev.Attempt
	at := c.answer(a.ID)
	switch {
	case ev.Disposition == nil:
	case at != nil && at.id == a.ID:
		if !at.disposed {
			at.disposed = true
			at.series.count(&c.cfg, ev)
		}
	case !a.Start.IsZero():
		c.at(key).count(&c.cfg, ev)
	}
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
