package routing

import (
	"math"
	"math/bits"

	"github.com/outdial/outdial"
)

// contender is a candidate of a cost-per-contact tier.
type contender struct {
	posterior
	spread     float64 // standard deviation of the mean
	cost       float64 // of a typical answered call
	index      float64 // cost per success
	drawn      float64 // from the posterior; 0 = no contender in a draw
	weight     uint8   // its part of the exploration that is spread
	wins       uint8   // of the draws
	acceptable bool    // its success is not surely below what counts as good
	dear       bool    // it is surely dearer per success than the best of the acceptable ones
	unfit      bool    // below a floor
	out        bool    // no room, not healthy, penalised, over its cap: nothing is learned by trying it
	behind     bool    // it is out, or others are put before it whatever is believed: it cannot come first
}

// few is how many contenders choose has room for at once: clearing room for the most that there may be takes longer than
// choosing among a few.
const few = 12

// choose orders a cost-per-contact tier, and says how likely its first candidate was.
func (d *decision) choose(g *tier, first int) {
	n := len(d.dst) - first
	if n > few {
		d.chooseAmongMany(g, first)
		return
	}
	var all [few]contender
	d.chooseAmong(g, first, all[:n])
}

//go:noinline
func (d *decision) chooseAmongMany(g *tier, first int) {
	var all [outdial.MaxCandidates]contender
	d.chooseAmong(g, first, all[:len(d.dst)-first])
}

func (d *decision) chooseAmong(g *tier, first int, contenders []contender) {
	t, cs, from := d.t, d.dst[first:], first-d.first
	o := &t.objectives[g.objective]
	for i := range contenders {
		k := &contenders[i]
		k.posterior = d.posterior(&cs[i], g)
		k.spread = math.Sqrt(k.variance())
		k.unfit = k.failed&floorBits != 0
		k.out = d.class[from+i]&classLater != 0 || d.class[from+i] >= classPenalised
		k.cost = float64(d.costs[from+i]) + d.surcharge(&cs[i])
		k.index = k.cost + float64(o.AttemptCost)/max(k.mean, least)
		d.note(cs[i].Trunk, "cost_per_success", k.index)
	}
	d.front(g, first, contenders)
	judge(contenders, o)
	best := 0
	for i := range contenders {
		d.keys[i] = contenders[i].key()
		if a, b := &contenders[i], &contenders[best]; !a.behind && b.behind || a.behind == b.behind && d.keys[i] < d.keys[best] {
			best = i
		}
	}
	pick := best
	if first == d.first && d.forced == nil && !d.preferred(g) {
		pick = d.explore(contenders, o, best, cs)
	}
	if pick != best {
		d.keys[pick] = math.Inf(-1)
	}
	// What a failover would try next stands in the order of belief in either case.
	d.rank(g, first)
}

// front marks those that stand behind others whatever is believed of them: what arrange and settle will put there.
func (d *decision) front(g *tier, first int, cs []contender) {
	rank := func(i int) uint16 {
		c := &d.dst[first+i]
		return 2*d.class[first-d.first+i] + uint16(btoi(g.preferDirect && d.t.metaOf(c.Trunk).Interconnect != Direct))
	}
	least := uint16(math.MaxUint16)
	for i := range cs {
		if !cs[i].out {
			least = min(least, rank(i))
		}
	}
	for i := range cs {
		cs[i].behind = cs[i].out || rank(i) > least
	}
}

// preferred reports whether an override prefers a trunk of another tier: then that comes first, and nothing is learned.
func (d *decision) preferred(g *tier) bool {
	if !d.overridden {
		return false
	}
	for i := range d.rule.tiers {
		other := &d.rule.tiers[i]
		if other == g {
			continue
		}
		for j := range other.targets {
			if k := d.overrideOf(&other.targets[j].candidate); k != nil && k.Action == Prefer {
				return true
			}
		}
	}
	return false
}

// least is the least success that costs are divided by.
const least = 1e-3

// judge marks the contenders whose success is as good as the best one's, as far as is known, and those of them that are
// surely dearer per success than another although a call costs less. Where nothing is sure the price decides, which is.
func judge(cs []contender, o *objective) {
	best := -1
	for i := range cs {
		if k := &cs[i]; !k.unfit && !k.behind && (best < 0 || k.mean > cs[best].mean) {
			best = i
		}
	}
	if best < 0 {
		return
	}
	share, frugal := 1-o.Alpha, best
	for i := range cs {
		k := &cs[i]
		behind := share*cs[best].mean - k.mean
		k.acceptable = i == best || behind <= 0 ||
			behind <= o.Z*math.Sqrt(k.variance()+share*share*cs[best].variance())
		if k.acceptable && !k.unfit && !k.behind && k.index < cs[frugal].index {
			frugal = i
		}
	}
	for i := range cs {
		k := &cs[i]
		hoped := k.mean + o.Z*math.Sqrt(k.variance()+cs[frugal].variance())
		k.dear = k.cost+float64(o.AttemptCost)/max(hoped, least) > cs[frugal].index
	}
	cs[frugal].dear = false
}

// key sorts: acceptable ones by cost, but those that are surely dear by cost per success behind them; then the others that
// are fit by success; then the unfit by success; then those that are out.
func (k *contender) key() float64 {
	const step = 1e15 // beyond any cost
	switch {
	case k.out:
		return 4*step - k.mean
	case k.unfit:
		return 3*step - k.mean*1e6
	case !k.acceptable:
		return 2*step - k.mean*1e6
	case k.dear:
		return min(step+k.index, 1.5*step)
	}
	return min(k.cost, step/2)
}

// explore decides whether the call is used to learn and returns who comes first. With a probability of the budget's share,
// and while share and money last, the first place is drawn: spread of the time among all but the best that are not out,
// else as one of the draws from the posteriors says (Thompson sampling for a cost subsidy: Sinha et al., 2020). There are
// draws such draws, of which one counts, so the probability of the choice is known exactly and needs no integral.
func (d *decision) explore(cs []contender, o *objective, best int, plan []outdial.Candidate) int {
	rate, spread := d.exploreRate(), usualSpread
	if rate < 0 {
		return best
	}
	sum, eager := uint64(0), 1.
	for i := range cs {
		if k := &cs[i]; i != best && !k.behind {
			switch k.weight = 3; {
			case k.acceptable:
			case k.failed&looksBetter != 0:
				k.weight, spread = 9, hopefulSpread
				switch {
				case k.failed&looksWell != 0:
					eager = muchEager
				case k.failed&wasWell != 0:
					eager = max(eager, fallenEager)
				default:
					eager = max(eager, someEager)
				}
			case k.failed&wasWell != 0:
				k.weight, spread = 6, max(spread, fallenSpread)
			default:
				k.weight = 2
			}
			sum += uint64(k.weight)
		}
	}
	if rate == 0 || sum == 0 {
		plan[best].Propensity = 1
		return best
	}
	rate = min(eager*rate, 0.5)
	r := stream(d.seed())
	var drawn [draws]uint8
	for s := range drawn {
		w := draw(cs, o, &r, best)
		drawn[s] = uint8(w)
		cs[w].wins++
	}
	chance := func(k *contender) float64 {
		return rate * (spread*float64(k.weight)/float64(sum) + (1-spread)*float64(k.wins)/draws)
	}
	coin, pick := r.float(), best
	switch {
	case coin >= rate:
	case coin < rate*spread:
		pick = 0
		for n := r.next() % sum; n >= uint64(cs[pick].weight); pick++ {
			n -= uint64(cs[pick].weight)
		}
	default:
		pick = int(drawn[r.next()%draws])
	}
	if pick != best && !d.affordable(plan[pick].Cost) {
		pick = best
	}
	if pick != best && !d.book(plan[pick].Cost) {
		plan[best].Propensity = 1
		return best
	}
	p := chance(&cs[pick])
	if pick == best {
		p += 1 - rate
		for i := range cs { // what could not be paid for came here too
			if i != best && !d.affordable(plan[i].Cost) {
				p += chance(&cs[i])
			}
		}
	}
	plan[pick].Propensity, plan[pick].Explore = p, pick != best
	d.note(plan[pick].Trunk, "propensity", p)
	return pick
}

// The part of the exploration that is spread over all, that while one of them was well before it fell, and that while the latest
// calls of one give hope.
const usualSpread, fallenSpread, hopefulSpread = 0.57, 0.75, 0.9

// While the latest calls of a candidate give some hope, some to one that was well before it fell, or much, calls are used to learn so
// many times as often: a carrier that has healed is found in a few minutes. The budget of the day bounds it all the same.
const someEager, fallenEager, muchEager = 1.6, 2.5, 5.

// draws is how many draws from the posteriors a decision makes. How often a candidate comes first does not depend on it, only how
// much the noted probability varies from call to call.
const draws = 2

// draw takes a success for each contender from its posterior and returns the cheapest per success among those that come
// within Alpha of the greatest one.
func draw(cs []contender, o *objective, r *random, best int) int {
	top := 0.0
	for i := range cs {
		k := &cs[i]
		if k.behind || k.unfit {
			continue
		}
		if k.drawn = k.mean + r.normal()*k.spread; k.drawn < least {
			k.drawn = least
		}
		if k.drawn > 1 {
			k.drawn = 1
		}
		if k.drawn > top {
			top = k.drawn
		}
	}
	enough := (1 - o.Alpha) * top
	pick, cost, attempt := best, math.Inf(1), float64(o.AttemptCost)
	for i := range cs {
		k := &cs[i]
		if k.drawn == 0 || k.drawn < enough || k.cost >= cost {
			continue
		}
		if per := k.cost + attempt/k.drawn; per < cost {
			pick, cost = i, per
		}
	}
	return pick
}

// random is SplitMix64 (Steele, Lea, Flood 2014): a decision's own, so that the call's id repeats it.
type random uint64

func stream(seed uint64) random { return random(seed) }

func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// float is uniform in [0, 1).
func (r *random) float() float64 { return float64(r.next()>>11) / (1 << 53) }

// normal is a sum of the eight bytes of a word, with mean 0 and variance 1: close enough to a normal deviate up to three
// standard deviations, and several times as fast.
func (r *random) normal() float64 {
	const lanes = 0x00ff00ff00ff00ff
	v := r.next()
	v = v&lanes + v>>8&lanes
	v = v + v>>32
	v = (v + v>>16) & 0xffff
	return (float64(v) - 8*127.5) * (1 / 209.02152999055)
}

// seed makes the draws of a call its own: they depend on its id, its number and the time, all of which its record has.
func (d *decision) seed() uint64 {
	hi, lo := bits.Mul64(uint64(d.call.ID)^0x9e3779b97f4a7c15, uint64(d.call.To)|1)
	return hi ^ lo ^ uint64(d.now.UnixNano())*0xbf58476d1ce4e5b9
}
