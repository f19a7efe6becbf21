package b2bua

import "github.com/prometheus/client_golang/prometheus"

// states are what operators have ordered, as metrics: labels are names of the configuration, never numbers. How trunks and pools stand
// besides is told by gauges.
type states struct{ p *Proxy }

var (
	healthState = prometheus.NewDesc("outdial_trunk_health_state",
		"1 for the state of health that the trunk, or a destination group on it (\"\" = the trunk), is in.", []string{"trunk", "group", "state"}, nil)
	ordersStanding = prometheus.NewDesc("outdial_orders_standing", "Operators' orders in force: flips, overrides, freezes.", []string{"action"}, nil)
	campaignOpen   = prometheus.NewDesc("outdial_campaign_open", "Whether a campaign that is gated by name is open.", []string{"campaign"}, nil)
	controlsTotal  = prometheus.NewDesc("outdial_controls_total", "Changes by operators and policies since the process began.", []string{"action"}, nil)
	policyInfo     = prometheus.NewDesc("outdial_policy_info", "1 for the configuration in force.", []string{"version"}, nil)
)

// Describe implements prometheus.Collector.
func (s states) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{healthState, ordersStanding, campaignOpen, controlsTotal, policyInfo} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s states) Collect(ch chan<- prometheus.Metric) {
	p, now := s.p, s.p.now()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, t := range p.selector.Snapshot(now) {
		gauge(healthState, 1, t.Name, t.GroupName, t.State.String())
	}
	orders := map[string]int{"flip": len(p.selector.Flips(now)), "freeze": len(p.orders.freezes(now))}
	for _, o := range p.router.Overrides(now) {
		orders[string(o.Action)]++
	}
	for action, n := range orders {
		gauge(ordersStanding, float64(n), action)
	}
	for _, name := range p.orders.gate.Load().Campaigns {
		open := 0.0
		if _, is, _ := p.Opened(name); is {
			open = 1
		}
		gauge(campaignOpen, open, name)
	}
	for action, n := range p.Controls() {
		ch <- prometheus.MustNewConstMetric(controlsTotal, prometheus.CounterValue, float64(n), action)
	}
	current, _ := p.Loaded()
	gauge(policyInfo, 1, current.Version)
}

// Metrics are how the proxy stands, for a registry of one's own; the configured endpoint has them.
func (p *Proxy) Metrics() []prometheus.Collector {
	return []prometheus.Collector{newGauges(p), states{p}}
}
