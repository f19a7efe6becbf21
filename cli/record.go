package cli

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// record writes what was read of a number that is presented, before this use is counted: the tier that it was found in,
// its uses in each window and the caps.
func (n *number) record(r *outdial.Record, trunk outdial.TrunkID, at tier, now window.Instant) {
	if !r.On() {
		return
	}
	r.Text(outdial.StageCLI, trunk, "tier", at.String())
	r.Text(outdial.StageCLI, trunk, "number", n.number.String())
	for _, c := range n.pool.rules.list {
		r.Num(outdial.StageCLI, trunk, "window_s", c.Window.Seconds())
		r.Num(outdial.StageCLI, trunk, "uses", float64(n.uses.count(now, c.Window)))
		r.Num(outdial.StageCLI, trunk, "cap", float64(c.Max))
	}
	r.Num(outdial.StageCLI, trunk, "in_flight", float64(n.inFlight))
	r.Text(outdial.StageCLI, trunk, "state", n.state.String())
	r.Num(outdial.StageCLI, trunk, "share", float64(n.share))
	r.Num(outdial.StageCLI, trunk, "weight", float64(n.weight))
	if last := n.uses.last; last != window.Never {
		r.Num(outdial.StageCLI, trunk, "idle_s", time.Duration(now-last).Seconds())
	}
}

// recordRefused writes why the number that the call or the callee has seen is not presented.
func (n *number) recordRefused(r *outdial.Record, trunk outdial.TrunkID, at tier, status Status, accepted bool) {
	if !r.On() {
		return
	}
	r.Text(outdial.StageCLI, trunk, "not_kept", n.number.String())
	r.Text(outdial.StageCLI, trunk, "not_kept_tier", at.String())
	why := status.String()
	if !accepted {
		why = "carrier"
	}
	r.Text(outdial.StageCLI, trunk, "not_kept_why", why)
}

// record writes how often the callee was called.
func (c *callees) record(r *outdial.Record, caps []Cap, i int32, now window.Instant) {
	for _, p := range caps {
		calls := 0
		if i != none {
			for _, s := range c.of(i)[:p.Max] {
				if s != 0 && instantOf(s)+window.Instant(p.Window) > now {
					calls++
				}
			}
		}
		r.Num(outdial.StageCLI, 0, "callee_window_s", p.Window.Seconds())
		r.Num(outdial.StageCLI, 0, "callee_calls", float64(calls))
		r.Num(outdial.StageCLI, 0, "callee_cap", float64(p.Max))
	}
}

// record writes the tiers that were looked at before the one that had a number, and why they had none.
func (s *spot) record(r *outdial.Record, trunk outdial.TrunkID, found tier) {
	for t, b := range s.tiers {
		if tier(t) == found {
			return
		}
		why := "no number is ready"
		if b == none && (tier(t) != tierOverlay || len(s.overlay) == 0) {
			why = "no stock"
		}
		r.Text(outdial.StageCLI, trunk, "tier_"+tier(t).String(), why)
	}
}
