package trunk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outdial/outdial/internal/window"
)

// Defaults of a Share. The holds are for a process that dies: a proxy without media leaves its calls up, and they end by
// their session timer; a B2BUA takes its media with it, and both sides hang up when none comes.
const (
	DefaultShareTTL = 10 * time.Second
	HoldProxy       = 30 * time.Minute
	HoldB2BUA       = time.Minute
)

// FailPolicy is what a node does about new calls without a lease: when the ledger cannot be reached.
type FailPolicy uint8

// Policies. With all but FailOpen the limit holds over all nodes, also when they are cut off from each other.
const (
	FailStatic FailPolicy = iota // keep the last share until its lease ends, then take no new calls
	FailClosed                   // take no new calls as soon as a renewal has failed
	FailFloor                    // as FailStatic, but a floor is never lent, and there without a lease once one has covered it
	FailOpen                     // as FailStatic, then the limit by the number of nodes: the sum may exceed it
)

// String returns "static", "closed", "floor" or "open".
func (p FailPolicy) String() string {
	names := [...]string{"static", "closed", "floor", "open"}
	if int(p) < len(names) {
		return names[p]
	}
	return "invalid"
}

// Share says how this process shares a trunk with others, through Config.Ledger. The zero Share is a trunk for itself. The
// channels and calls per second of Limits are then those of the whole trunk, and Burst cannot be used.
type Share struct {
	Nodes  int           // processes that share the trunk, as far as is known; 0 or 1 = it is not shared
	TTL    time.Duration // of a lease; renew it five times as often. 0 = DefaultShareTTL
	Hold   time.Duration // how long calls may go on without their process; 0 = HoldProxy, negative = none
	Policy FailPolicy
	Floor  int // channels that are this node's without a lease, with FailFloor, and as large a part of the CPS, one at least
}

func (s Share) withDefaults() Share {
	s.TTL = orDefault(s.TTL, DefaultShareTTL)
	s.Hold = max(orDefault(s.Hold, HoldProxy), 0)
	return s
}

func (s Share) on() bool { return s.Nodes > 1 }

func (s Share) validate(l *Limits, bad func(format string, args ...any)) {
	if !s.on() {
		return
	}
	if s.TTL < 0 {
		bad("Share.TTL: %v is negative", s.TTL)
	}
	if s.Policy > FailOpen {
		bad("Share.Policy: %d is not a policy", s.Policy)
	}
	if s.Floor < 0 || l.Channels > 0 && s.Floor*s.Nodes > l.Channels {
		bad("Share.Floor: %d for %d nodes is not between 0 and the %d Channels", s.Floor, s.Nodes, l.Channels)
	}
	if s.Floor > 0 && s.Policy != FailFloor {
		bad("Share.Floor: it is for FailFloor")
	}
	if s.Floor > 0 && l.CPS > 0 && s.Nodes > l.CPS {
		bad("Share.Floor: %d nodes cannot each have one of %d calls per second", s.Nodes, l.CPS)
	}
	if l.Burst.Channels > 0 {
		bad("Burst.Channels: a trunk that is shared has none")
	}
}

// lease is this node's share of a trunk.
type lease struct {
	channels, rate int
	until          window.Instant // when it ends here
	failed         bool           // the last renewal did not succeed
	given          bool           // one was ever granted
	floored        bool           // one was granted that covers Share.Floor: from then on the ledger keeps it for this node
	held           bool           // what is in force is by a lease that has not ended
}

// asked is what calls asked for since the last claim: channels that they got or not, and turns to leave.
type asked struct{ taken, refused, seized int }

// grantInForce is what this node may use of a shared trunk now; a rate of -1 = no limit.
func (t *line) grantInForce() (channels, rate int) {
	s, g := &t.terms.limits.Share, &t.lease
	base, _, _ := t.contract()
	switch {
	case g.given && t.latest < g.until && !(g.failed && s.Policy == FailClosed):
		channels, rate = g.channels, g.rate
	case s.Policy == FailFloor && g.floored:
		channels, rate = s.Floor, t.rateFloor()
	case s.Policy == FailOpen:
		channels, rate = t.part(base), t.part(t.contractCPS())
	}
	if t.contractCPS() < 0 {
		rate = -1
	}
	return channels, rate
}

// part is this node's part of a limit where all nodes have the same, rounded up.
func (t *line) part(limit int) int {
	nodes := t.terms.limits.Share.Nodes
	return (max(limit, 0) + nodes - 1) / nodes
}

// rateFloor is the part of the calls per second that goes with Share.Floor: one at least.
func (t *line) rateFloor() int {
	floor, cps := t.terms.limits.Share.Floor, t.contractCPS()
	if floor == 0 || cps < 0 {
		return 0
	}
	base, _, _ := t.contract()
	return max(cps*floor/max(base, 1), 1)
}

// Renew renews this node's shares of the trunks that are shared. The host calls it five times in each Share.TTL from one
// goroutine, when a Watcher says so, and soon after calls were refused with ErrShare: a claim asks for what they lacked. The error joins what went wrong with each trunk; what is in force then is what
// Share.Policy says. It does nothing without a Ledger.
func (s *Set) Renew(ctx context.Context, now time.Time) error {
	table := s.table.Load()
	if table.ledger == nil {
		return nil
	}
	var errs []error
	for _, t := range table.all {
		claim, shared := t.claim(now, table.node)
		if !shared {
			continue
		}
		grant, err := table.ledger.Renew(ctx, claim)
		if err != nil {
			errs = append(errs, fmt.Errorf("trunk: %q: share: %w", t.name, err))
		}
		t.grant(claim, grant, err)
	}
	return errors.Join(errs...)
}

// claim shrinks this node's share to what it can use, and says so.
func (t *line) claim(now time.Time, node string) (Claim, bool) {
	t.lock()
	defer t.unlock()
	if !t.known || !t.terms.limits.Share.on() {
		return Claim{}, false
	}
	at := t.clock(now)
	l, g, s := &t.terms.limits, &t.lease, &t.terms.limits.Share
	base, _, _ := t.contract()
	used := t.slots.used()
	// Twice what was taken since the last claim is what may be taken until the next but one; a node that takes nothing keeps a
	// quarter of its part to begin with, and leaves the rest to the others.
	want := min(used+max(2*t.asked.taken+t.asked.refused, t.part(base)/4, 1), base)
	wantRate := max(2*t.asked.seized+1, t.part(t.contractCPS())/4)
	if cps := t.contractCPS(); cps >= 0 {
		wantRate = min(wantRate, cps)
	}
	if !g.given || at >= g.until { // the lease has ended: what is up is all that it has
		g.channels, g.rate = used, 0
	} else {
		g.channels, g.rate = max(min(g.channels, want), used), min(g.rate, wantRate)
	}
	t.asked = asked{}
	t.relimit(at)
	return Claim{
		Trunk: t.name, Node: node, Time: now, TTL: s.TTL, Hold: s.Hold, Limit: shown(base), CPS: t.contractCPS(),
		Nodes: s.Nodes, Floor: s.Floor, RateFloor: t.rateFloor(), Channels: g.channels, Want: max(want, l.Share.Floor), Rate: g.rate, WantRate: wantRate,
	}, true
}

// grant takes the answer to a claim.
func (t *line) grant(c Claim, answer Grant, err error) {
	t.lock()
	defer t.unlock()
	if !t.known {
		return
	}
	g := &t.lease
	if g.failed = err != nil; err == nil {
		sent := t.shift + t.epoch.Instant(c.Time)
		g.given, g.until = true, sent+window.Instant(c.TTL/10*9)
		g.floored = g.floored || answer.Channels >= c.Floor && answer.Rate >= c.RateFloor
		g.channels, g.rate = answer.Channels, answer.Rate
		if answer.Target < g.channels {
			g.channels = max(answer.Target, t.slots.used())
		}
		g.rate = min(g.rate, answer.RateTo)
	}
	t.relimit(t.latest)
}
