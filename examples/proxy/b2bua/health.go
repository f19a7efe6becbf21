package b2bua

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// health is what failover is built from: the section, the trunks, and what it reads of the other packages.
func (c Config) health(p *parts) (failover.Config, error) {
	f := c.Failover
	cfg := failover.Config{
		IDs: p.ids, Baseline: f.Baseline, BaselineCalls: f.BaselineCalls, FalseAlarm: f.FalseAlarm, HardCount: f.HardCount,
		Backoff: f.Backoff, BackoffMax: f.BackoffMax, RetryAfterMax: f.RetryAfterMax, ProbeGood: f.ProbeGood, Seed: f.Seed,
		KeepWarm: f.KeepWarm, Ramp: f.Ramp, Flap: f.Flap, PingEvery: f.PingEvery, PingOut: f.PingOut, UntestedAfter: f.UntestedAfter,
		Dwell: f.Dwell, ProbeTimeout: f.ProbeTimeout, Launch: f.Launch, LaunchFalseAlarm: f.LaunchFalseAlarm,
		DrillEvery: f.DrillEvery, SignalEvery: f.SignalEvery, Rules: rulesOf(f.Rules),
	}
	for _, l := range f.Limits {
		cfg.Limits = append(cfg.Limits, failover.Limit{Metric: outdial.Metric(l.Metric), Poor: l.Poor, Good: l.Good, Least: l.Least})
	}
	for _, t := range c.Trunks {
		cfg.Trunks = append(cfg.Trunks, failover.Trunk{
			Name: t.Name, Carrier: t.Carrier, Addresses: append([]string{t.Address}, t.Sources...), Baseline: t.Baseline,
		})
	}
	cfg.Capacity = p.trunks
	if f.Signals {
		cfg.Signals = p.meter
	}
	for _, o := range f.Overrides { // before the presets, where they are for the same carrier
		cfg.Overrides = append(cfg.Overrides, failover.Override{
			Carrier: o.Carrier, Trunk: o.Trunk, Matched: o.Prefix, Rules: rulesOf(o.Rules),
		})
	}
	var errs []error
	for _, carrier := range slices.Sorted(maps.Keys(f.Presets)) {
		rules, err := failover.Preset(f.Presets[carrier])
		errs = append(errs, err)
		cfg.Overrides = append(cfg.Overrides, failover.Override{Carrier: carrier, Rules: rules})
	}
	return cfg, errors.Join(errs...)
}

// pingTimeout is how long an OPTIONS is waited for: two repetitions, at 0.5 s and 1.5 s, and a little.
const pingTimeout = 2 * time.Second

// ping sends OPTIONS to the trunks that failover wants to hear of, until ctx is done, and tells it what came.
func (p *Proxy) ping(ctx context.Context) {
	var sent sync.WaitGroup
	defer sent.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var due []outdial.TrunkID
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		now := p.now()
		var next time.Time
		due, next = p.selector.DuePings(now, due[:0])
		if next.IsZero() {
			return // nobody is to be pinged
		}
		for _, t := range due {
			sent.Go(func() { p.pingOne(ctx, t) })
		}
		timer.Reset(min(max(next.Sub(now), 10*time.Millisecond), time.Second)) // a trunk may fall ill meanwhile
	}
}

func (p *Proxy) pingOne(ctx context.Context, t outdial.TrunkID) {
	asking, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	code, _, err := p.dialer.Ping(asking, t)
	if ctx.Err() != nil {
		return // the proxy ends: that says nothing
	}
	if err != nil {
		p.log.Debug("ping", "trunk", p.ids.Trunks.Name(t), "error", err)
		code = 0
	}
	p.selector.Pinged(p.now(), t, code)
}
