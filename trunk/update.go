package trunk

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// update puts limits in force that were validated and have their defaults.
func (t *line) update(l Limits, ids *outdial.Registry) {
	now := &terms{limits: l, zone: time.UTC}
	if zone, err := time.LoadLocation(l.Burst.Zone); err == nil { // validated
		now.zone = zone
	}
	if len(l.Quotas) > 0 {
		now.quotas = make(map[outdial.TenantID]Quota, len(l.Quotas))
		for _, q := range l.Quotas {
			now.quotas[ids.Tenants.ID(q.Tenant)] = q
		}
	}
	t.place(&l, ids, now)
	for k := range t.shares {
		t.shares[k].floor = int32(now.floors[k])
	}
	t.recount()
	if now.quotas == nil {
		t.tenants = nil
		for i := range t.slots.info {
			t.slots.info[i].tenant = 0
		}
	}
	for id := range t.tenants {
		t.tenants[id].gate = regate(t.tenants[id].gate, now, outdial.TenantID(id))
	}
	if t.terms == nil || t.terms.limits.State != l.State {
		t.promoted, t.trial = false, tally{}
		if t.terms != nil && t.begun {
			t.trialFrom = t.time(t.latest)
		}
	}
	fresh := t.terms == nil
	t.terms, t.known = now, true
	t.sweep.next = 0
	t.cps = noCPS // so that its caps are made anew
	if fresh {
		t.relimit(t.latest)
		return
	}
	t.restate(t.latest, "config", "")
}

// noCPS is no limit that can be in force.
const noCPS = -2

// regate gives a tenant's gate the quota of the terms; nil = there is none.
func regate(g *window.Gate, now *terms, id outdial.TenantID) *window.Gate {
	q, ok := now.quota(id)
	if g == nil || !ok || q.CPS <= 0 {
		return nil
	}
	caps, _ := window.NewCaps(window.Cap{Limit: q.CPS, Window: second})
	setCaps(&g, caps, q.CPS)
	return g
}

// remove takes the trunk out of the configuration. What it holds is given back as its calls end.
func (t *line) remove() {
	t.known = false
	t.relimit(t.latest)
}
