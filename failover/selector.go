package failover

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
)

// Selector chooses among candidates, judges outcomes and keeps health. It must be made by New. All methods are safe
// for concurrent use. Pick, Return, Verdict, Judge, Shortage, Health and Observe allocate nothing, but when they meet a
// trunk, a destination group, a plan or a set of weights for the first time, or a target is ejected.
type Selector struct {
	cfg      settings
	launch   settings
	trunks   []Trunk
	ids      *outdial.Registry
	rules    classifier
	signals  Signals
	limits   []Limit
	capacity Capacity

	boards   boards
	layouts  layouts
	turns    turns
	warm     warm
	slowest  atomic.Int64 // see slow
	reviewed atomic.Int64 // when signals were looked at, in ns since 1970
	resumed  atomic.Uint64

	ordering sync.Mutex // serialises changes of orders
	orders   atomic.Pointer[[]*flip]
}

var (
	_ outdial.Failover       = (*Selector)(nil)
	_ outdial.Advancer       = (*Selector)(nil)
	_ outdial.ControlChecker = (*Selector)(nil)
)

// New returns a Selector to which every target is up. The error names every bad field of cfg.
func New(cfg Config) (*Selector, error) {
	s := &Selector{ids: cfg.IDs, signals: cfg.Signals, capacity: cfg.Capacity, trunks: append([]Trunk(nil), cfg.Trunks...)}
	var err, limitErr error
	s.cfg, err = cfg.settings()
	s.launch = s.cfg.launching(cfg.LaunchFalseAlarm)
	s.limits, limitErr = limitsOf(cfg.Limits)
	s.rules.retryAfter, s.rules.ignoreRetry = cfg.RetryAfterMax, cfg.RetryAfterMax < 0
	if cfg.RetryAfterMax == 0 {
		s.rules.retryAfter = DefaultRetryAfterMax
	}
	own, ownErr := compile(cfg.Rules, "Rules")
	defaults, defaultErr := compile(DefaultRules(), "DefaultRules")
	s.rules.rows = append(own, defaults...)
	s.rules.index()
	err = errors.Join(err, limitErr, ownErr, defaultErr, s.rules.override(cfg.Overrides, cfg.IDs))
	if err != nil {
		return nil, err
	}
	for _, t := range cfg.Trunks {
		baseline := s.cfg.baseline
		if t.Baseline > 0 {
			baseline = t.Baseline
		}
		if b := s.boards.open(s.ids.Trunks.ID(t.Name), baseline); b != nil {
			b.carrier, b.gate.needed = s.ids.Carriers.ID(t.Carrier), t.Gated
			b.settle(0)
		}
	}
	return s, nil
}

// Verdict implements outdial.Failover: the verdict of Judge.
func (s *Selector) Verdict(a *outdial.Attempt) outdial.Verdict { return s.Judge(a).Verdict }

// Judge says what the verdict table makes of how a ended, or of why hunting moved on from it: of a.Outcome and of the
// carrier, trunk and route of a.Candidate alone.
func (s *Selector) Judge(a *outdial.Attempt) Judgement {
	return s.rules.judge(&a.Candidate, a.Outcome())
}

// Health returns how much of its share of the calls to a destination group a trunk gets: 1 while it is up, 0 while it is
// out, suspended or held, between them while it ramps, is probed or its figures are poor. Group 0 asks for the trunk
// as a whole. It does not allocate, and takes no lock while nothing is wrong with the trunk.
func (s *Selector) Health(now time.Time, t outdial.TrunkID, g outdial.GroupID) float64 {
	b := s.boards.get(t)
	if b == nil || b.sick.Load() == 0 {
		return 1
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expire(now)
	silent, _ := b.ping.out(now, &s.cfg)
	if silent || b.held || b.gate.shut(now) {
		return 0
	}
	health := 1.0
	for _, t := range [2]*target{&b.whole, b.group(g)} {
		if t == nil {
			continue
		}
		t.wake(now, &s.cfg)
		share := t.share(now, &s.cfg)
		if t.state == Probing || t.state == Out && t.probe.out {
			share = s.cfg.rampFrom
		}
		health = min(health, share)
	}
	b.settleTime(g)
	return health
}

// Advance ends what time alone ends (suspensions, ramps, holds, flips, drills, lost probes), looks at the signals, and
// returns when something may be due next; zero = nothing is. Choices do not depend on it: they look at the time
// themselves. It implements outdial.Advancer.
func (s *Selector) Advance(now time.Time) (next time.Time) {
	soonest := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	soonest(s.review(now))
	soonest(s.expireOrders(now))
	for _, b := range s.boards.all() {
		if b == nil || b.sick.Load() == 0 {
			continue
		}
		b.mu.Lock()
		soonest(b.advance(now, &s.cfg))
		b.settleAll()
		b.mu.Unlock()
	}
	return next
}
