package b2bua

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/internal/sipstream"
	"github.com/outdial/outdial/trunk"
)

// gauges show to Prometheus how the proxy itself stands, beside what kpiprom counts: calls, capacity, health, caller IDs. Labels are
// names of the configuration, and codes.
type gauges struct {
	p    *Proxy
	desc gaugeDescs

	mu      sync.Mutex
	pools   cli.Snapshot // of a large inventory it is dear: at most one in poolsEvery, and after each change by an operator
	poolsAt time.Time
	changes uint64
}

const poolsEvery = 10 * time.Second

type gaugeDescs struct {
	calls, live, draining, dropped, repeated, journalErrors, copies       *prometheus.Desc
	conns, connsOpened, connsRefused, connsClosed, carriersDropped        *prometheus.Desc
	inUse, channels, lastSecond, cps, saturated, blocked, state, health   *prometheus.Desc
	healthGroups, poolNumbers, poolReady, poolWaiting, poolRisk, overload *prometheus.Desc
}

func newGauges(p *Proxy) *gauges {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("outdial_"+name, help, labels, nil)
	}
	return &gauges{p: p, desc: gaugeDescs{
		calls:         desc("proxy_calls_total", "INVITEs of dialers that are through, by what became of them.", "outcome"),
		live:          desc("proxy_live_calls", "Calls of which something is left."),
		overload:      desc("proxy_max_calls", "Calls that may be set up or up at one time."),
		draining:      desc("proxy_draining", "1 while no new calls are taken."),
		dropped:       desc("proxy_datagrams_dropped_total", "Datagrams that came to nothing, by why.", "why"),
		repeated:      desc("proxy_repeated_total", "Final responses and BYEs sent again to dialers."),
		journalErrors: desc("proxy_journal_errors_total", "Facts that could not be journalled."),
		conns:         desc("sip_connections", "TCP and TLS connections that are open.", "side"),
		connsOpened:   desc("sip_connections_opened_total", "TCP and TLS connections that were opened, by whom: us, or the peer.", "side", "by"),
		connsRefused: desc("sip_connections_refused_total", "TCP and TLS connections that there are not: unwelcome ones, of strangers or beyond the bounds, "+
			"and those that could not be opened.", "side", "why"),
		connsClosed: desc("sip_connections_closed_total", "TCP and TLS connections that the proxy has closed: idle; half_open, with a message that came to "+
			"no end; slow, of a peer that does not read; malformed.", "side", "why"),
		carriersDropped: desc("proxy_carrier_messages_dropped_total", "Messages of carriers that came to nothing, by why.", "why"),
		copies:          desc("proxy_capture_total", "Copies of SIP messages for the HEP collector, by what became of them.", "result"),
		inUse:           desc("trunk_channels_in_use", "Channels held.", "trunk"),
		channels:        desc("trunk_channels", "The ceiling in force; -1 = none.", "trunk"),
		lastSecond:      desc("trunk_last_second_calls", "Calls sent in the last second.", "trunk"),
		cps:             desc("trunk_cps_limit", "Calls per second that may be sent; -1 = no limit.", "trunk"),
		saturated:       desc("trunk_saturated", "1 from the alarm's share of the channels on.", "trunk"),
		blocked:         desc("trunk_blocked_total", "Bids that the trunk had no room for, by code.", "trunk", "code"),
		state:           desc("trunk_state", "1 for the state that the trunk is in: live, canary, staged, draining, out.", "trunk", "state"),
		health:          desc("trunk_health_share", "Share of its calls that the trunk gets, by its health as a whole: 0 to 1.", "trunk"),
		healthGroups:    desc("trunk_groups_not_up", "Destination groups on which the trunk is not up.", "trunk"),
		poolNumbers:     desc("pool_numbers", "Caller IDs by state.", "pool", "state"),
		poolReady:       desc("pool_ready_numbers", "Caller IDs that can be presented now.", "pool"),
		poolWaiting:     desc("pool_waiting_numbers", "Caller IDs at a cap, or spaced from their last call.", "pool"),
		poolRisk:        desc("pool_risk", "Risk of presenting the pool: 0 healthy to 1.", "pool"),
	}}
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	d := &g.desc
	for _, desc := range []*prometheus.Desc{
		d.calls, d.live, d.overload, d.draining, d.dropped, d.repeated, d.journalErrors, d.copies, d.conns, d.connsOpened, d.connsRefused, d.connsClosed,
		d.carriersDropped, d.inUse, d.channels, d.lastSecond, d.cps,
		d.saturated, d.blocked, d.state, d.health, d.healthGroups, d.poolNumbers, d.poolReady, d.poolWaiting, d.poolRisk,
	} {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	d, now := &g.desc, g.p.now()
	send := func(kind prometheus.ValueType, desc *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, kind, v, labels...)
	}
	count := func(desc *prometheus.Desc, v uint64, labels ...string) {
		send(prometheus.CounterValue, desc, float64(v), labels...)
	}
	gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
		send(prometheus.GaugeValue, desc, v, labels...)
	}
	g.proxy(count, gauge)
	for _, s := range g.p.trunks.Snapshot(now) {
		gauge(d.inUse, float64(s.InUse), s.Name)
		gauge(d.channels, float64(s.Channels), s.Name)
		gauge(d.lastSecond, float64(s.LastSecond), s.Name)
		gauge(d.cps, float64(s.CPS), s.Name)
		gauge(d.saturated, flag(s.Saturated), s.Name)
		gauge(d.state, 1, s.Name, s.State.String())
		gauge(d.health, g.p.selector.Health(now, s.Trunk, 0), s.Name)
		blocked := map[string]uint64{trunk.ErrChannels.Code(): 0, trunk.ErrCPS.Code(): 0} // there from the start: rate() wants a zero
		for code, n := range s.Blocked.All() {
			blocked[code] = n
		}
		for code, n := range blocked {
			count(d.blocked, n, s.Name, code)
		}
	}
	notUp := map[string]int{}
	for _, t := range g.p.selector.Snapshot(now) {
		if t.Group != 0 && t.Share < 1 {
			notUp[t.Name]++
		}
	}
	for _, s := range g.p.set().Trunks {
		gauge(d.healthGroups, float64(notUp[s.Name]), s.Name)
	}
	g.numbers(now, gauge)
}

// proxy shows the counts of Stats.
func (g *gauges) proxy(count func(*prometheus.Desc, uint64, ...string), gauge func(*prometheus.Desc, float64, ...string)) {
	d, s := &g.desc, g.p.Stats()
	for outcome, n := range map[string]uint64{
		"answered": s.Answered, "failed": s.Failed, "refused": s.Refused, "cancelled": s.Cancelled, "lost": s.Lost, "expired": s.Expired,
		"redirected": s.Redirected, "challenged": s.Challenged, "rejected": s.Rejected,
	} {
		count(d.calls, n, outcome)
	}
	for why, n := range map[string]uint64{
		"stranger": s.Strangers, "malformed": s.Malformed, "read_error": s.ReadErrors, "send_error": s.SendErrors,
	} {
		count(d.dropped, n, why)
	}
	c := g.p.Captured()
	for result, n := range map[string]uint64{"sent": c.Sent, "dropped": c.Dropped, "failed": c.Failed} {
		count(d.copies, n, result)
	}
	count(d.repeated, s.Repeated)
	count(d.journalErrors, s.JournalErrors)
	g.connections(count, gauge)
	gauge(d.live, float64(s.Live))
	gauge(d.overload, float64(g.p.set().MaxCalls))
	gauge(d.draining, flag(g.p.draining.Load()))
}

// connections shows those of TCP and TLS on both sides, and what carriers sent in vain.
func (g *gauges) connections(count func(*prometheus.Desc, uint64, ...string), gauge func(*prometheus.Desc, float64, ...string)) {
	d, t, c := &g.desc, g.p.streams.Stats(), g.p.dialer.Stats()
	for side, s := range map[string]sipstream.Stats{
		"dialers": t,
		"carriers": {
			Open: c.Conns, Accepted: c.Accepted, Dialled: c.Dialled, Failed: c.Failed, Excess: c.Unwelcome, HalfOpen: c.HalfOpen, Idle: c.Idle, Slow: c.Slow,
			Malformed: c.Unframed,
		},
	} {
		gauge(d.conns, float64(s.Open), side)
		count(d.connsOpened, s.Accepted, side, "peer")
		count(d.connsOpened, s.Dialled, side, "us")
		count(d.connsRefused, s.Strangers+s.Excess, side, "unwelcome")
		count(d.connsRefused, s.Failed, side, "unreachable")
		count(d.connsClosed, s.Idle, side, "idle")
		count(d.connsClosed, s.HalfOpen, side, "half_open")
		count(d.connsClosed, s.Slow, side, "slow")
		count(d.connsClosed, s.Malformed, side, "malformed")
	}
	for why, n := range map[string]uint64{"stranger": c.Strangers, "malformed": c.Malformed, "unmatched": c.Unmatched, "read_error": c.ReadErrors} {
		count(d.carriersDropped, n, why)
	}
}

// numbers shows the pools of caller IDs.
func (g *gauges) numbers(now time.Time, gauge func(*prometheus.Desc, float64, ...string)) {
	if g.p.clis == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	changes := uint64(0)
	for _, n := range g.p.Controls() {
		changes += n
	}
	if g.poolsAt.IsZero() || now.Sub(g.poolsAt) >= poolsEvery || changes != g.changes {
		g.pools, g.poolsAt, g.changes = g.p.clis.Snapshot(now), now, changes
	}
	for _, p := range g.pools.Pools {
		for state, n := range p.States {
			gauge(g.desc.poolNumbers, float64(n), p.Name, state.String())
		}
		gauge(g.desc.poolReady, float64(p.Ready), p.Name)
		gauge(g.desc.poolWaiting, float64(p.Waiting), p.Name)
		gauge(g.desc.poolRisk, g.p.clis.Risk(now, p.ID).Mean, p.Name)
	}
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
