package routing

import (
	"fmt"
	"math"
	"time"

	"github.com/outdial/outdial"
)

// Success says how a cost-per-contact tier weighs success against cost. The zero value works.
//
// First comes, of the trunks whose success is not surely below (1 − Alpha) of the best one's, the one with the least
// cost per success: the cost of a typical answered call, surcharges and burst price included, plus AttemptCost for each
// attempt that it takes. Then the others of them, by cost; then the rest, by success. Trunks below a floor come last.
//
// Success is the estimate of CompileConfig.Quality (kpi.Meter shrinks it over destination, trunk and all traffic), less
// what was answered without ringing (false answer supervision), corrected by what a Router has seen to have changed
// since, and drawn towards Defaults.Quality.
type Success struct {
	Alpha       float64 `json:"alpha,omitempty"        yaml:"alpha,omitempty"`        // 0 = 0.1; negative = none
	Z           float64 `json:"z,omitempty"            yaml:"z,omitempty"`            // standard errors that make it sure; 0 = 1, negative = none
	AttemptCost Price   `json:"attempt_cost,omitempty" yaml:"attempt_cost,omitempty"` // what an attempt costs beside the carrier: agents' time, exposure

	// Metric is what a success is: "asr" (answered; "" too) or "contact" (disposed as a contact), which needs
	// CompileConfig.Measures.
	Metric string `json:"metric,omitempty" yaml:"metric,omitempty"`
	Floors Floors `json:"floors,omitzero"  yaml:"floors,omitempty"`
}

// Floors are hard limits of quality. A trunk that is surely beyond one of them (by one standard error) comes after all
// that are not. Zero = no limit. They need CompileConfig.Measures.
type Floors struct {
	NER   float64 `json:"ner,omitempty"   yaml:"ner,omitempty"`   // least share of seizures that reach the callee's network
	PDD   float64 `json:"pdd,omitempty"   yaml:"pdd,omitempty"`   // greatest 95th percentile of post-dial delay, seconds
	Short float64 `json:"short,omitempty" yaml:"short,omitempty"` // greatest share of short calls
	MOS   float64 `json:"mos,omitempty"   yaml:"mos,omitempty"`   // least mean opinion score
}

// Exploration bounds what may be spent on learning: calls whose first trunk is another than the one believed best. It
// applies to cost-per-contact tiers of a Router; a Table alone does not explore.
type Exploration struct {
	// Share is the share of calls over the last 24 hours that may be used to explore, standbys that failover kept warm and
	// probes included. The greater part is spread over the trunks other than the best one, so that one that has healed is
	// found: less over those that are surely worse, unless they were well before or their latest calls give hope, then more, and
	// more calls for a while. The rest goes where a draw from the posteriors points (Thompson sampling), which may be the best one.
	// 0 = 0.05; negative = none; at most 0.5.
	Share float64 `json:"share,omitempty" yaml:"share,omitempty"`

	// Money is what carriers may charge for them over the same span. A minute (Candidate.Cost) is reserved when a call is
	// routed, and corrected to the minutes that were begun when it ends; how long it is talked on, nobody bounds. 0 = no limit;
	// negative = none may be spent.
	Money Price `json:"money,omitempty" yaml:"money,omitempty"`
}

// filled are the defaults of Success.
func (s Success) filled() Success {
	s.Alpha, s.Z = orDefault(s.Alpha, 0.1), orDefault(s.Z, 1)
	if s.Metric == "" {
		s.Metric = outdial.MetricASR.String()
	}
	return s
}

// objective is a compiled Success.
type objective struct {
	Success
	contact bool
}

// objective compiles it.
func (s Success) objective() objective {
	return objective{Success: s.filled(), contact: s.Metric == outdial.MetricContact.String()}
}

// objectives are the different ones of a policy: tiers with the same one share what is read for it.
type objectives struct {
	list []objective
	at   map[objective]uint16 // index into list
}

// compileObjectives collects the objectives of the cost-per-contact tiers, and reports the first that is one too many.
func compileObjectives(rules []Rule, bad *problems) objectives {
	all := objectives{at: map[objective]uint16{}}
	for i := range rules {
		for n := range rules[i].Tiers {
			t := &rules[i].Tiers[n]
			if t.strategy() != CostPerContact {
				continue
			}
			o := t.Success.objective()
			if _, ok := all.at[o]; ok {
				continue
			}
			if len(all.list) == maxObjectives {
				bad.add(fmt.Sprintf("rules[%d].tiers[%d].success", i, n), "the policy has more than %d different ones", maxObjectives)
				return all
			}
			all.at[o] = uint16(len(all.list))
			all.list = append(all.list, o)
		}
	}
	return all
}

// filled are the defaults of Exploration.
func (e Exploration) filled() Exploration {
	e.Share = orDefault(e.Share, 0.05)
	return e
}

// orDefault is v, d for 0, and 0 for what is negative.
func orDefault(v, d float64) float64 {
	if v == 0 {
		return d
	}
	return max(v, 0)
}

func (s *Success) check(place string, hasMeasures bool, bad *problems) {
	unit := func(field string, v, most float64) {
		if math.IsNaN(v) || v > most {
			bad.add(place+"."+field, "%v is not a number up to %v", v, most)
		}
	}
	unit("alpha", s.Alpha, 0.99)
	unit("z", s.Z, 100)
	if s.AttemptCost < 0 || s.AttemptCost > MaxPrice {
		bad.add(place+".attempt_cost", "not between 0 and 1000000")
	}
	switch s.Metric {
	case "", outdial.MetricASR.String():
	case outdial.MetricContact.String():
		if !hasMeasures {
			bad.add(place+".metric", "needs CompileConfig.Measures, which counts contacts")
		}
	default:
		bad.add(place+".metric", "%q is neither %q nor %q", s.Metric, outdial.MetricASR, outdial.MetricContact)
	}
	f := &s.Floors
	for _, l := range []struct {
		name    string
		v, most float64
	}{{"ner", f.NER, 1}, {"pdd", f.PDD, 3600}, {"short", f.Short, 1}, {"mos", f.MOS, 5}} {
		if !(l.v >= 0 && l.v <= l.most) {
			bad.add(place+".floors."+l.name, "%v is not between 0 and %v", l.v, l.most)
		}
	}
	if *f != (Floors{}) && !hasMeasures {
		bad.add(place+".floors", "need CompileConfig.Measures, which measures them")
	}
}

// Bits of what a candidate fails.
const (
	belowNER uint64 = 1 << iota
	abovePDD
	aboveShort
	belowMOS
	floorBits = 1<<iota - 1

	// The signs of a track are no floors.
	firstSign   = 1 << 8
	looksBetter = signHope * firstSign
	looksWell   = signMuchHope * firstSign
	wasWell     = signFallen * firstSign
)

var floorNames = [...]string{"NER below its floor", "PDD above its limit", "short calls above their limit", "MOS below its floor"}

// failed returns what the candidate is surely beyond.
func (f *Floors) failed(now time.Time, m Measures, c *outdial.Candidate, group outdial.GroupID) (bits uint64) {
	if f.NER > 0 {
		if e := m.Measure(now, outdial.MetricNER, c, group); e.Known() && e.Upper(1) < f.NER {
			bits |= belowNER
		}
	}
	if f.PDD > 0 {
		if e := m.Measure(now, outdial.MetricPDD, c, group); e.Known() && e.Lower(1) > f.PDD {
			bits |= abovePDD
		}
	}
	if f.Short > 0 {
		if e := m.Measure(now, outdial.MetricShort, c, group); e.Known() && e.Lower(1) > f.Short {
			bits |= aboveShort
		}
	}
	if f.MOS > 0 {
		if e := m.Measure(now, outdial.MetricMOS, c, group); e.Known() && e.Upper(1) < f.MOS {
			bits |= belowMOS
		}
	}
	return bits
}
