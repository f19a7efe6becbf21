package outdial

import "time"

// Micros is an amount of money in millionths of the deployment's currency unit.
type Micros int64

// Candidate is one way for a call to leave: a trunk that may carry it, and how much it is wanted. The router emits
// candidates in tiers; failover chooses among them. A Candidate is a plain value.
type Candidate struct {
	Trunk   TrunkID
	Carrier CarrierID
	Tier    uint8  // lower tiers are tried first
	Weight  uint32 // share within the tier; a tier whose weights are all 0 is kept in the order given
	Pool    PoolID // the caller-ID pool to present from; 0 = the pool of the call's program
	Cost    Micros // expected cost of one minute; 0 = unknown
	Matched Prefix // the prefix that the route was found under

	// Propensity is the probability with which a router that draws at random gave the candidate its place; 0 when
	// nothing was drawn. It is kept so that another policy can be judged on the same traffic.
	Propensity float64

	// Explore says that the router put the candidate first in order to learn, not because it expects it to do best.
	Explore bool
}

// MaxCandidates is the longest plan that a Session keeps; a router's candidates beyond it are dropped.
const MaxCandidates = 64

// Lease is an opaque hold on something that must be given back: a channel of a trunk, a use of a caller ID. Its
// issuer packs a slot and a generation into it, so that giving back twice or too late is a no-op. Zero means
// "nothing held".
type Lease uint64

// Choice says how failover came to a candidate, or, where it offers none, when it may again.
type Choice struct {
	Why         Why
	Probability float64   // of this choice given what was read; 1 where nothing was drawn
	Again       time.Time // with Pick's -1: when a candidate may be offered again; zero = not known

	// Among is who took part in the choice, by place in the plan, for Return to give everybody back what it had; 0 where
	// nothing was shared out. It is not kept in the journal.
	Among uint64
}

// Why is the reason for a choice among candidates.
type Why uint8

// Reasons for a choice.
const (
	WhyOrder      Why = iota // next in the router's order
	WhyWeight                // its turn by weight
	WhyKeepWarm              // a standby's turn, so that it is known to work
	WhyProbe                 // a live call to learn whether the target is back
	WhyLastResort            // every eligible target rests, and one must be tried
	WhyFlip                  // an operator's flip or drill sends a share of the calls there
)

// String returns "order", "weight", "keep_warm", "probe", "last_resort" or "flip".
func (w Why) String() string {
	return nameOf(w, "order", "weight", "keep_warm", "probe", "last_resort", "flip")
}

// Presentation is the caller ID for one attempt, and the hold on its use.
type Presentation struct {
	Number Number
	Pool   PoolID
	Lease  Lease
}
