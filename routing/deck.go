package routing

import (
	"math"
	"math/bits"
	"time"

	"github.com/outdial/outdial"
)

// Deck is what a carrier charges: a price list by prefix.
type Deck struct {
	Name  string `json:"name"  yaml:"name"` // required, unique
	Rates []Rate `json:"rates" yaml:"rates"`
}

// Rate is a row of a Deck: what calls to numbers with a prefix cost. It is a plain value.
//
// A row is in force from Effective until before End. Of several rows of a deck for one prefix, the one that came into
// force last counts, so that a future price can stand beside the present one.
type Rate struct {
	Prefix    outdial.Prefix `json:"prefix"              yaml:"prefix"`
	PerMinute Price          `json:"rate"                yaml:"rate"`                // per minute of billed time
	Setup     Price          `json:"setup,omitempty"     yaml:"setup,omitempty"`     // per answered call
	Effective Instant        `json:"effective,omitempty" yaml:"effective,omitempty"` // 0 = always
	End       Instant        `json:"end,omitempty"       yaml:"end,omitempty"`       // 0 = never
	Increment Increment      `json:"increment,omitzero"  yaml:"increment,omitempty"` // zero = by the second

	// Intrastate and Indeterminate are the prices per minute of calls within one state and of calls of which nobody can
	// tell, in decks of the United States; PerMinute is then the price between states. 0 = PerMinute, and for
	// Indeterminate the greater one of the two.
	Intrastate    Price `json:"intrastate,omitempty"    yaml:"intrastate,omitempty"`
	Indeterminate Price `json:"indeterminate,omitempty" yaml:"indeterminate,omitempty"`
}

// Jurisdiction is by which price a call within the United States is billed: by where caller and callee are. The zero
// value, Interstate, is the price of decks that know no other.
type Jurisdiction uint8

// Jurisdictions.
const (
	Interstate    Jurisdiction = iota
	Intrastate                 // caller and callee are in one state
	Indeterminate              // the caller's or the callee's state is not known
)

// String returns "interstate", "intrastate" or "indeterminate".
func (j Jurisdiction) String() string {
	return [...]string{"interstate", "intrastate", "indeterminate"}[min(j, Indeterminate)]
}

// Price returns the price per minute of a call of a jurisdiction.
func (r Rate) Price(j Jurisdiction) Price {
	t := r.terms()
	return Price(t.price(j))
}

// Cost is what an answered call of duration d costs, between states where that matters: the set-up fee, and the billed
// time at the rate, rounded up to a micro-unit. Parts of a second are billed as a second. A call that was not answered
// (d ≤ 0) costs nothing. What does not fit into Micros is the greatest value that does.
func (r Rate) Cost(d time.Duration) outdial.Micros {
	return cost(int64(max(r.PerMinute, 0)), int64(max(r.Setup, 0)), r.Increment.Billed(d))
}

// terms are what a Rate says about money.
type terms struct {
	price3    [3]int64 // per minute, by Jurisdiction
	setup     int64
	increment Increment
	typical   uint32 // seconds for which a call of Defaults.TypicalCall is billed
}

func (r Rate) terms() terms {
	t := terms{setup: int64(r.Setup), increment: r.Increment.normal()}
	t.price3 = [3]int64{int64(r.PerMinute), int64(r.Intrastate), int64(r.Indeterminate)}
	if t.price3[Intrastate] == 0 {
		t.price3[Intrastate] = t.price3[Interstate]
	}
	if t.price3[Indeterminate] == 0 {
		t.price3[Indeterminate] = max(t.price3[Interstate], t.price3[Intrastate])
	}
	return t
}

func (t *terms) price(j Jurisdiction) int64 { return t.price3[min(j, Indeterminate)] }

// cost of an answered call, with what a burst adds to each minute.
func (t *terms) cost(j Jurisdiction, d time.Duration, burst outdial.Micros) outdial.Micros {
	return cost(t.price(j)+int64(burst), t.setup, t.increment.Billed(d))
}

// typicalCost is cost of a call of Defaults.TypicalCall.
func (t *terms) typicalCost(j Jurisdiction, burst outdial.Micros) outdial.Micros {
	return cost(t.price(j)+int64(burst), t.setup, int64(t.typical))
}

// cost wants nothing negative.
func cost(perMinute, setup, seconds int64) outdial.Micros {
	if seconds == 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(perMinute), uint64(seconds))
	lo, carry := bits.Add64(lo, 59, 0)
	if hi += carry; hi >= 60 {
		return math.MaxInt64
	}
	q := lo / 60
	if hi > 0 {
		q, _ = bits.Div64(hi, lo, 60)
	}
	if q > math.MaxInt64-uint64(setup) {
		return math.MaxInt64
	}
	return outdial.Micros(q) + outdial.Micros(setup)
}

// Increment is how a call's time is rounded up for billing, in seconds: to First, and beyond that to whole steps of
// Next. Its text is "60/6", or "60" for "60/60". The zero value is by the second ("1/1").
type Increment struct {
	First, Next uint16 // a Next of 0 is First
}

// normal fills in what 0 stands for.
func (i Increment) normal() Increment {
	i.First = max(i.First, 1)
	if i.Next == 0 {
		i.Next = i.First
	}
	return i
}

// Billed returns the seconds for which an answered call of duration d is billed; 0 if d ≤ 0.
func (i Increment) Billed(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	i = i.normal()
	seconds := int64(d / time.Second)
	if d%time.Second > 0 {
		seconds++
	}
	first, next := int64(i.First), int64(i.Next)
	if seconds <= first {
		return first
	}
	return first + (seconds-first+next-1)/next*next
}
