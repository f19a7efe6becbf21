package routing

import (
	"math"

	"github.com/outdial/outdial"
)

// Names of readings that a decision can be repeated from.
const (
	readMean      = "posterior_mean"
	readN         = "posterior_n"
	readFloors    = "floors_failed"
	readChannels  = "headroom_channels"
	readCPS       = "headroom_cps"
	readHealth    = "health"
	readBurst     = "burst_price"
	readRisk      = "pool_risk"
	readCapped    = "over_cap"
	readCommitted = "committed"
	readRate      = "explore_rate"
	readMoney     = "explore_money"
	readShort     = "short_share"
	readOrder     = "override_terms"
)

func (d *decision) note(trunk outdial.TrunkID, name string, v float64) {
	if d.rec.On() {
		d.rec.Num(outdial.StageRouting, trunk, name, v)
	}
}

// posterior of a candidate.
func (d *decision) posterior(c *outdial.Candidate, g *tier) (p posterior) {
	if d.again != nil {
		p = posterior{d.again.num(c.Trunk, readMean), d.again.num(c.Trunk, readN), uint64(d.again.num(c.Trunk, readFloors))}
	} else {
		p = d.posteriorNow(c, g)
	}
	if d.rec.On() {
		d.note(c.Trunk, readMean, p.mean)
		d.note(c.Trunk, readN, p.n)
		d.note(c.Trunk, readFloors, float64(p.failed))
		for i, name := range floorNames {
			if p.failed>>i&1 != 0 {
				d.rec.Text(outdial.StageRouting, c.Trunk, "floor", name)
			}
		}
	}
	return p
}

// full reports whether a trunk has no room.
func (d *decision) full(trunk outdial.TrunkID) bool {
	channels, cps := math.MaxInt32, math.MaxInt32
	switch {
	case d.again != nil:
		return d.again.has(trunk, readChannels) && (d.again.num(trunk, readChannels) <= 0 || d.again.num(trunk, readCPS) <= 0)
	case d.t.headroom == nil:
		return false
	}
	channels, cps = d.t.headroom.Headroom(d.now, trunk)
	d.note(trunk, readChannels, float64(channels))
	d.note(trunk, readCPS, float64(cps))
	return channels <= 0 || cps <= 0
}

// health of a trunk towards the destination.
func (d *decision) health(trunk outdial.TrunkID) float64 {
	switch {
	case d.again != nil:
		if d.again.has(trunk, readHealth) {
			return d.again.num(trunk, readHealth)
		}
		return 1
	case d.t.health == nil:
		return 1
	}
	h := d.t.health.Health(d.now, trunk, d.call.Dest.Group)
	d.note(trunk, readHealth, h)
	return h
}

// burst is what a minute on the trunk costs beyond its deck.
func (d *decision) burst(trunk outdial.TrunkID) outdial.Micros {
	switch {
	case d.again != nil:
		return outdial.Micros(d.again.num(trunk, readBurst))
	case d.t.bursts == nil:
		return 0
	}
	p := min(max(d.t.bursts.BurstPrice(d.now, trunk), 0), outdial.Micros(MaxPrice))
	if p != 0 {
		d.note(trunk, readBurst, float64(p))
	}
	return p
}

// surcharge is what the share of short calls is expected to add to the cost of an answered call: the fee of each cliff for
// the calls that are short, as far as it is likely that the carrier will count more of them than it tolerates.
func (d *decision) surcharge(c *outdial.Candidate) float64 {
	m := d.t.metaOf(c.Trunk)
	if len(m.Surcharges) == 0 || d.t.measures == nil && d.again == nil {
		return 0
	}
	var e outdial.Estimate
	if d.again != nil {
		e = outdial.Estimate{Mean: d.again.num(c.Trunk, readShort), Var: d.again.num(c.Trunk, readShort+"_var"), N: 1}
	} else {
		e = d.t.measures.Measure(d.now, outdial.MetricShort, c, 0) // the carrier counts over all destinations
	}
	if !e.Known() {
		return 0
	}
	d.note(c.Trunk, readShort, e.Mean)
	d.note(c.Trunk, readShort+"_var", e.Var)
	sum := 0.0
	for _, s := range m.Surcharges {
		sum += float64(s.Fee) * e.Mean * beyond(e, s.Above)
	}
	if sum > 0 {
		d.note(c.Trunk, "surcharge", sum)
	}
	return sum
}

// beyond is how likely it is that a quantity is above a threshold.
func beyond(e outdial.Estimate, threshold float64) float64 {
	if e.Var <= 0 {
		if e.Mean > threshold {
			return 1
		}
		return 0
	}
	return 0.5 * math.Erfc((threshold-e.Mean)/math.Sqrt(2*e.Var))
}

// poolRisk is the risk of a pool.
func (d *decision) poolRisk(pool outdial.PoolID) float64 {
	switch {
	case pool == 0:
		return 0
	case d.again != nil:
		return d.again.num(0, readRisk+" "+d.t.ids.Pools.Name(pool))
	case d.t.risk == nil:
		return 0
	}
	r := min(max(d.t.risk.Risk(d.now, pool).Mean, 0), 1)
	if d.rec.On() {
		d.note(0, readRisk+" "+d.t.ids.Pools.Name(pool), r)
	}
	return r
}

func (d *decision) capped(trunk outdial.TrunkID) bool {
	if d.again != nil {
		return d.again.num(trunk, readCapped) != 0
	}
	if len(d.t.limits) == 0 || d.m == nil || !d.t.capped(d.m, d.call.Dest.Country, trunk) {
		return false
	}
	d.note(trunk, readCapped, 1)
	return true
}

func (d *decision) committed(trunk outdial.TrunkID) bool {
	if d.again != nil {
		return d.again.num(trunk, readCommitted) != 0
	}
	if len(d.t.commits) == 0 || d.m == nil || !d.t.committed(d.now, d.m, trunk) {
		return false
	}
	d.note(trunk, readCommitted, 1)
	return true
}

// exploreRate is the probability with which the call may explore: the budget's share while that is not used up. Negative =
// whoever decides does not explore.
func (d *decision) exploreRate() float64 {
	switch {
	case d.again != nil && d.again.has(0, readRate):
		return d.again.num(0, readRate)
	case d.again != nil || d.m == nil || d.greedy:
		return -1
	}
	d.m.booked.expire(d.now)
	rate := d.t.exploreRate(d.now, d.m)
	d.note(0, readRate, rate)
	return rate
}

// affordable reports whether the budget has money left for a call of this cost a minute.
func (d *decision) affordable(cost outdial.Micros) bool {
	if d.t.exploration.Money == 0 {
		return true
	}
	var left outdial.Micros
	if d.again != nil {
		left = outdial.Micros(d.again.num(0, readMoney))
	} else {
		left = d.t.moneyLeft(d.m)
		d.note(0, readMoney, float64(left))
	}
	return left >= max(cost, 1)
}

// book takes a call that explores from the budget. When others have used that up meanwhile, the call is decided as though it had
// come after them.
func (d *decision) book(cost outdial.Micros) bool {
	if d.again != nil || d.call.Rehearsal() || d.t.book(d.now, d.call.ID, cost, d.m) {
		return true
	}
	d.note(0, readRate, 0)
	return false
}
