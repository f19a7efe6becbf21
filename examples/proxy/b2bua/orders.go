package b2bua

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// Actions of an outdial.Control that the proxy itself folds or writes, beside those of the packages.
const (
	ActionOpen     = "campaign.open"   // calls of the campaign Target may be placed, until Expires (zero = until closed)
	ActionClose    = "campaign.close"  // … may not; those that are up go on
	ActionFreeze   = "proxy.freeze"    // no changes of the trunk Target ("" = of anything) until Expires, but for what keeps calls away from harm
	ActionThaw     = "proxy.thaw"      // end a freeze
	ActionLoad     = "policy.load"     // a configuration is put in force; Value is its version
	ActionRollback = "policy.rollback" // … that was in force before
	ActionHangUp   = "call.hangup"     // a live call is ended; Target is its id
)

// ErrGate refuses a call of a campaign that needs to be opened, and was not.
var ErrGate = outdial.NewRefusal(outdial.StageRouting, outdial.RefusedByPolicy, "gate", "the campaign was not opened")

// auditLength is how many orders are kept at hand; older ones stand in the journal.
const auditLength = 4096

// Order is a Control as it stands in the journal.
type Order struct {
	Seq  uint64 // 0 = there is no journal
	Time time.Time
	outdial.Control
}

// orders is the fold over Control events that is the proxy's own: the audit log, which campaigns are open, and what is frozen. It
// refuses what is frozen, and is the gate of the campaigns.
type orders struct {
	ids     *outdial.Registry
	gate    atomic.Pointer[Gate]
	open    atomic.Pointer[map[outdial.CampaignID]time.Time] // until when; zero = for good
	mu      sync.Mutex
	kept    []Order
	total   int               // ever observed
	counts  map[string]uint64 // by action, since the process began
	frozen  map[string]outdial.Control
	resumed uint64
}

func newOrders(ids *outdial.Registry, g Gate) *orders {
	o := &orders{ids: ids, counts: map[string]uint64{}, frozen: map[string]outdial.Control{}}
	o.gate.Store(&g)
	o.open.Store(&map[outdial.CampaignID]time.Time{})
	return o
}

// protective are the actions that a freeze does not stop: they take load or harm away, or end something that an operator began.
var protective = []string{
	ActionThaw, ActionClose, ActionHangUp, "trunk.drain", "trunk.out", "failover.hold", "failover.revert", "failover.fail",
	"cli.quarantine", "cli.suppress", "cli.complaint", "routing.avoid",
}

// FrozenError says that a change was refused because of a freeze.
type FrozenError struct{ By outdial.Control }

// Error says who froze what until when.
func (e *FrozenError) Error() string {
	what := "everything"
	if e.By.Target != "" {
		what = "trunk " + e.By.Target
	}
	return fmt.Sprintf("proxy: %s is frozen by %s until %s: %s", what, e.By.Actor, e.By.Expires.UTC().Format(time.RFC3339), e.By.Reason)
}

// CheckControl implements outdial.ControlChecker.
func (o *orders) CheckControl(now time.Time, c *outdial.Control) error {
	switch c.Action {
	case ActionFreeze:
		if !c.Expires.After(now) {
			return fmt.Errorf("proxy: %s: Expires: a freeze ends, and in the future", c.Action)
		}
		if _, ok := o.ids.Trunks.Lookup(c.Target); !ok {
			return fmt.Errorf("proxy: %s: Target: no trunk %q", c.Action, c.Target)
		}
		return nil
	case ActionOpen:
		if c.Target == "" {
			return fmt.Errorf("proxy: %s: Target: required", c.Action)
		}
		if !c.Expires.IsZero() && !c.Expires.After(now) {
			return fmt.Errorf("proxy: %s: Expires: it has passed", c.Action)
		}
	}
	if slices.Contains(protective, c.Action) {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for target, by := range o.frozen {
		if by.Expires.After(now) && (target == "" || concerns(c, target)) {
			return &FrozenError{by}
		}
	}
	return nil
}

// concerns reports whether a change is about a trunk: orders of routing say "trunk NAME", those of failover may name several.
func concerns(c *outdial.Control, trunk string) bool {
	if strings.HasPrefix(c.Action, "cli.") || strings.HasPrefix(c.Action, "campaign.") {
		return false
	}
	return slices.Contains(strings.Split(strings.TrimPrefix(c.Target, "trunk "), ","), trunk)
}

// Observe implements outdial.Observer.
func (o *orders) Observe(ev *outdial.Event) {
	if ev.Kind != outdial.EventControl {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	c := *ev.Control
	o.total++
	o.kept = append(o.kept, Order{ev.Seq, ev.Time, c})
	if len(o.kept) >= 2*auditLength {
		o.kept = slices.Clone(o.kept[len(o.kept)-auditLength:])
	}
	if !ev.Replay {
		o.counts[c.Action]++
	}
	switch c.Action {
	case ActionFreeze:
		o.frozen[c.Target] = c
	case ActionThaw:
		delete(o.frozen, c.Target)
	case ActionOpen:
		o.setOpen(o.ids.Campaigns.ID(c.Target), c.Expires, true)
	case ActionClose:
		o.setOpen(o.ids.Campaigns.ID(c.Target), time.Time{}, false)
	}
}

func (o *orders) setOpen(id outdial.CampaignID, until time.Time, open bool) {
	next := maps.Clone(*o.open.Load())
	if open {
		next[id] = until
	} else {
		delete(next, id)
	}
	o.open.Store(&next)
}

// isOpen reports whether the calls of a campaign may be placed now, and until when (zero = for good).
func (o *orders) isOpen(now time.Time, id outdial.CampaignID) (bool, time.Time) {
	until, ok := (*o.open.Load())[id]
	return ok && (until.IsZero() || until.After(now)), until
}

// admits refuses the calls of a campaign that needs to be opened and is not. It reads a snapshot and takes no lock.
func (o *orders) admits(now time.Time, id outdial.CampaignID) error {
	g := o.gate.Load()
	if !g.All && len(g.Campaigns) == 0 || !g.gates(o.ids.Campaigns.Name(id)) {
		return nil
	}
	if ok, _ := o.isOpen(now, id); ok {
		return nil
	}
	return ErrGate
}

func (o *orders) audit() []Order {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.kept[max(0, len(o.kept)-auditLength):])
}

func (o *orders) freezes(now time.Time) []outdial.Control {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []outdial.Control
	for _, target := range slices.Sorted(maps.Keys(o.frozen)) {
		if c := o.frozen[target]; c.Expires.After(now) {
			all = append(all, c)
		}
	}
	return all
}

// savedOrders is what orders writes into a checkpoint: campaigns stand by their names.
type savedOrders struct {
	Seq    uint64
	Kept   []Order
	Open   map[string]time.Time
	Frozen map[string]outdial.Control
}

// Save writes what was folded, as of an event of the journal.
func (o *orders) Save(seq uint64) ([]byte, error) {
	s := savedOrders{Seq: seq, Kept: o.audit(), Open: map[string]time.Time{}}
	for id, until := range *o.open.Load() {
		s.Open[o.ids.Campaigns.Name(id)] = until
	}
	o.mu.Lock()
	s.Frozen = maps.Clone(o.frozen)
	o.mu.Unlock()
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(&s)
	return b.Bytes(), err
}

// Restore makes new orders know what Save wrote.
func (o *orders) Restore(b []byte) error {
	var s savedOrders
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&s); err != nil {
		return err
	}
	open := map[outdial.CampaignID]time.Time{}
	for name, until := range s.Open {
		open[o.ids.Campaigns.ID(name)] = until
	}
	o.open.Store(&open)
	o.kept, o.resumed = s.Kept, s.Seq
	if s.Frozen != nil {
		o.frozen = s.Frozen
	}
	return nil
}

// Resumed implements outdial.Resumer.
func (o *orders) Resumed() uint64 { return o.resumed }

// gated is the router behind the gate of the campaigns.
type gated struct {
	*routing.Router
	orders *orders
}

// Admit implements outdial.Router.
func (g gated) Admit(now time.Time, call *outdial.Call) (time.Time, error) {
	if err := g.orders.admits(now, call.Campaign); err != nil {
		return time.Time{}, err
	}
	return g.Router.Admit(now, call)
}
