package routing

import (
	"math"
	"math/bits"

	"github.com/outdial/outdial"
)

// objective is a compiled Success.
type objective struct {
	Success
	contact bool
}

// contender is a candidate of a cost-per-contact tier.
type contender struct {
	posterior
	index      float64 // cost per success
	acceptable bool    // its success is not surely below what counts as good
	unfit      bool    // below a floor
	out        bool    // no room, not healthy, over its cap: nothing is learned by trying it
}

// choose orders a cost-per-contact tier, and says how likely its first candidate was.
func (d *decision) choose(g *tier, first int) {
	t, cs := d.t, d.dst[first:]
	var all [outdial.MaxCandidates]contender
	o := &t.objectives[g.objective]
	for i := range cs {
		k := &all[i]
		k.posterior = d.posterior(&cs[i], g)
		k.unfit = k.failed != 0
		k.out = d.class[first+i]&classLater != 0 || d.class[first+i] >= classCapped
		p := max(k.mean, 1e-3)
		k.index = float64(d.costs[first+i]) + d.surcharge(&cs[i]) + float64(o.AttemptCost)/p
		d.rec.Num(outdial.StageRouting, cs[i].Trunk, "cost_per_success", k.index)
	}
	contenders := all[:len(cs)]
	judge(contenders, o)
	var keys [outdial.MaxCandidates]float64
	for i := range contenders {
		keys[i] = contenders[i].key()
	}
	best := least(keys[:len(cs)])
	pick := d.explore(contenders, o, best, cs)
	if pick != best && pick >= 0 {
		keys[pick] = math.Inf(-1)
	}
	// What a failover would try next stands in the order of belief in either case.
	sortBoth(cs, d.class[first:], d.costs[first:], keys[:])
}

// judge marks the contenders whose success is as good as the best one's, as far as is known.
func judge(cs []contender, o *objective) {
	best := -1
	for i := range cs {
		if k := &cs[i]; !k.unfit && !k.out && (best < 0 || k.mean > cs[best].mean) {
			best = i
		}
	}
	if best < 0 {
		return
	}
	share := 1 - o.Alpha
	for i := range cs {
		k := &cs[i]
		behind := share*cs[best].mean - k.mean
		k.acceptable = i == best || behind <= 0 ||
			behind <= o.Z*math.Sqrt(k.variance()+share*share*cs[best].variance())
	}
}

// key sorts: acceptable ones by cost per success; then the others that are fit by success; then the unfit by success; then
// those that are out.
func (k *contender) key() float64 {
	const step = 1e15 // beyond any cost
	switch {
	case k.out:
		return 3*step - k.mean
	case k.unfit:
		return 2*step - k.mean*1e6
	case !k.acceptable:
		return step - k.mean*1e6
	}
	return min(k.index, step/2)
}

// explore decides whether the call is used to learn and returns who comes first. With a probability of the budget's share,
// and while share and money last, the first place is drawn: half of the time evenly among all that are not out, half of the
// time as one of the draws from the posteriors says (Thompson sampling for a cost subsidy: Sinha et al., 2020). There are
// draws such draws, of which one counts, so the probability of the choice is known exactly and needs no integral.
func (d *decision) explore(cs []contender, o *objective, best int, plan []outdial.Candidate) int {
	rate, open := d.exploreRate(), 0
	for i := range cs {
		if !cs[i].out {
			open++
		}
	}
	if rate <= 0 || open < 2 {
		if rate >= 0 {
			plan[best].Propensity = 1
		}
		return best
	}
	r := stream(d.seed())
	var wins [outdial.MaxCandidates]uint8
	var drawn [draws]uint8
	for s := range drawn {
		w := draw(cs, o, &r, best)
		drawn[s] = uint8(w)
		wins[w]++
	}
	coin, pick := r.float(), best
	switch {
	case coin >= rate:
	case coin < rate/2:
		n := int(r.next() % uint64(open))
		for pick = 0; cs[pick].out || n > 0; pick++ {
			if !cs[pick].out {
				n--
			}
		}
	default:
		pick = int(drawn[r.next()%draws])
	}
	if pick != best && !d.affordable(plan[pick].Cost) {
		pick = best
	}
	p := 0.0
	if !cs[pick].out {
		p = rate / 2 / float64(open)
	}
	p += rate / 2 * float64(wins[pick]) / draws
	if pick == best {
		p += 1 - rate
		for i := range cs { // what could not be paid for came here too
			if i != best && !d.affordable(plan[i].Cost) {
				p += rate / 2 * float64(wins[i]) / draws
				if !cs[i].out {
					p += rate / 2 / float64(open)
				}
			}
		}
	}
	plan[pick].Propensity, plan[pick].Explore = p, pick != best
	if d.rec.On() {
		d.rec.Num(outdial.StageRouting, plan[pick].Trunk, "propensity", p)
	}
	return pick
}

// draws is how many draws from the posteriors a decision makes.
const draws = 16

// draw takes a success for each contender from its posterior and returns the cheapest per success among those that come
// within Alpha of the greatest one.
func draw(cs []contender, o *objective, r *random, best int) int {
	var taken [outdial.MaxCandidates]float64
	top := 0.0
	for i := range cs {
		k := &cs[i]
		z := r.normal()
		if k.out || k.unfit {
			continue
		}
		taken[i] = min(max(k.mean+z*k.sd(), 1e-3), 1)
		top = max(top, taken[i])
	}
	pick, cost := best, math.Inf(1)
	for i := range cs {
		if taken[i] == 0 || taken[i] < (1-o.Alpha)*top {
			continue
		}
		k := &cs[i]
		per := k.index + float64(o.AttemptCost)*(1/taken[i]-1/max(k.mean, 1e-3))
		if per < cost {
			pick, cost = i, per
		}
	}
	return pick
}

func (k *contender) sd() float64 { return math.Sqrt(k.variance()) }

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

// least returns the index of the least key.
func least(keys []float64) (at int) {
	for i := range keys {
		if keys[i] < keys[at] {
			at = i
		}
	}
	return at
}

// seed makes the draws of a call its own: they depend on its id, its number and the time, all of which its record has.
func (d *decision) seed() uint64 {
	hi, lo := bits.Mul64(uint64(d.call.ID)^0x9e3779b97f4a7c15, uint64(d.call.To)|1)
	return hi ^ lo ^ uint64(d.now.UnixNano())*0xbf58476d1ce4e5b9
}
