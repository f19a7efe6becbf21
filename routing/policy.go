package routing

import "github.com/outdial/outdial"

// Policy is everything that a Table is compiled from, as data: it is made to be decoded from YAML or JSON, compared
// and versioned. Names stand for ids. The zero value is not a valid policy, because it has no rules. Compile copies
// what it needs.
type Policy struct {
	Version   string    `json:"version,omitempty"   yaml:"version,omitempty"` // free text that tells policies apart
	Trunks    []Trunk   `json:"trunks"              yaml:"trunks"`
	Decks     []Deck    `json:"decks,omitempty"     yaml:"decks,omitempty"`
	Rules     []Rule    `json:"rules"               yaml:"rules"`
	Admission Admission `json:"admission,omitzero"  yaml:"admission,omitempty"`
	Defaults  Defaults  `json:"defaults,omitzero"   yaml:"defaults,omitempty"`

	Exploration Exploration `json:"exploration,omitzero" yaml:"exploration,omitempty"`
	Caps        []Cap       `json:"caps,omitempty"       yaml:"caps,omitempty"`
	Commits     []Commit    `json:"commits,omitempty"    yaml:"commits,omitempty"`
	Overrides   []Override  `json:"overrides,omitempty"  yaml:"overrides,omitempty"`
}

// Trunk is a trunk that rules may name, and what is known of where it leads.
type Trunk struct {
	Name    string `json:"name"              yaml:"name"` // required, unique
	Carrier string `json:"carrier,omitempty" yaml:"carrier,omitempty"`
	Deck    string `json:"deck,omitempty"    yaml:"deck,omitempty"` // what the carrier charges on it; "" = unknown

	// Hop is the next company behind the carrier, where that is known. Trunks with one hop share its fate.
	Hop          string       `json:"hop,omitempty"          yaml:"hop,omitempty"`
	Interconnect Interconnect `json:"interconnect,omitempty" yaml:"interconnect,omitempty"`
	Tags         []string     `json:"tags,omitempty"         yaml:"tags,omitempty"` // for targets to name several trunks
	Surcharges   []Surcharge  `json:"surcharges,omitempty"   yaml:"surcharges,omitempty"`
}

// Interconnect is how a trunk leads to the networks behind it.
type Interconnect string

// Classes of interconnect; "" = not known.
const (
	Direct  Interconnect = "direct"  // the carrier hands calls to the terminating network itself
	Transit Interconnect = "transit" // it hands them to others
)

// Surcharge is a fee that a carrier takes for each short call once they are more than a share of all answered calls: a
// cliff, since it is then due for every one of them.
type Surcharge struct {
	Above float64 `json:"above" yaml:"above"` // share of answered calls, in [0, 1)
	Fee   Price   `json:"fee"   yaml:"fee"`   // per short call; required
}

// Rule gives calls that match it a plan. An empty list of a match field matches every call; a list matches calls
// with any of its values. Of the rules that match, the most specific one counts (see the package comment).
type Rule struct {
	Name string `json:"name,omitempty" yaml:"name,omitempty"` // for people, in explanations and lint

	Prefixes  []outdial.Prefix `json:"prefixes,omitempty"  yaml:"prefixes,omitempty"`
	Campaigns []string         `json:"campaigns,omitempty" yaml:"campaigns,omitempty"`
	Programs  []string         `json:"programs,omitempty"  yaml:"programs,omitempty"`
	Tenants   []string         `json:"tenants,omitempty"   yaml:"tenants,omitempty"`
	Modes     []string         `json:"modes,omitempty"     yaml:"modes,omitempty"`     // "manual" …: an outdial.Mode
	Tags      []string         `json:"tags,omitempty"      yaml:"tags,omitempty"`      // of the call: outdial.Call.Tags
	AllTags   bool             `json:"all_tags,omitempty"  yaml:"all_tags,omitempty"`  // it has to have all of them, not any
	DayParts  []string         `json:"day_parts,omitempty" yaml:"day_parts,omitempty"` // of the numbering plan
	Networks  []string         `json:"networks,omitempty"  yaml:"networks,omitempty"`  // terminating: Destination.Network

	Effective Instant  `json:"effective,omitempty" yaml:"effective,omitempty"` // 0 = always
	End       Instant  `json:"end,omitempty"       yaml:"end,omitempty"`       // not included; 0 = never
	Risk      PoolRisk `json:"risk,omitzero"       yaml:"risk,omitempty"`      // zero = whatever the pools' risk is

	Block bool   `json:"block,omitempty" yaml:"block,omitempty"` // refuse the call instead of routing it
	Tiers []Tier `json:"tiers,omitempty" yaml:"tiers,omitempty"` // at least one, unless Block
}

// PoolRisk is a condition: that a pool of caller IDs stands under suspicion. It needs CompileConfig.Risk.
type PoolRisk struct {
	Pool    string  `json:"pool"     yaml:"pool"`
	AtLeast float64 `json:"at_least" yaml:"at_least"` // in (0, 1]
}

// Tier is a group of trunks that are tried before those of later tiers.
type Tier struct {
	Strategy Strategy `json:"strategy,omitempty" yaml:"strategy,omitempty"` // "" = weighted with weights, else priority
	LCR      LCR      `json:"lcr,omitempty"      yaml:"lcr,omitempty"`      // for least-cost; "" = Defaults.LCR
	Success  Success  `json:"success,omitzero"   yaml:"success,omitempty"`  // for cost-per-contact

	// PreferDirect puts direct trunks with room before the others; Diverse puts, after the first, a trunk of another
	// carrier and hop second. Neither changes a weighted tier.
	PreferDirect bool `json:"prefer_direct,omitempty" yaml:"prefer_direct,omitempty"`
	Diverse      bool `json:"diverse,omitempty"       yaml:"diverse,omitempty"`

	Trunks []Target `json:"trunks"             yaml:"trunks"`
}

// Target is a trunk of a tier, or all trunks of a carrier or with a tag in the order of Policy.Trunks.
type Target struct {
	Trunk   string `json:"trunk,omitempty"   yaml:"trunk,omitempty"`   // either this
	Carrier string `json:"carrier,omitempty" yaml:"carrier,omitempty"` // or this
	Tag     string `json:"tag,omitempty"     yaml:"tag,omitempty"`     // or all trunks with this tag

	// Weight is the share within a weighted tier, from 1 to MaxWeight: of each trunk, if it is a carrier. 0 in other
	// tiers.
	Weight uint32 `json:"weight,omitempty" yaml:"weight,omitempty"`

	Pool string `json:"pool,omitempty" yaml:"pool,omitempty"` // the caller-ID pool; "" = the pool of the call's program
}

// Strategy is how the trunks of a tier are ordered.
type Strategy string

// Strategies.
const (
	Priority  Strategy = "priority"   // as written
	Weighted  Strategy = "weighted"   // failover takes turns by the weights
	LeastCost Strategy = "least-cost" // the lowest cost of a typical call first; equal ones as written
	ByQuality Strategy = "quality"    // the highest cautious estimate of success first; equal ones as written

	// CostPerContact puts first what costs least per success among the trunks whose success is as good as the best one's;
	// see Success.
	CostPerContact Strategy = "cost-per-contact"
)

// LCR is whose longest prefix counts in a least-cost tier.
type LCR string

// Modes of least-cost routing.
const (
	PerCarrierLPM LCR = "per-carrier-lpm" // each trunk is rated by the longest prefix of its own deck
	GlobalLPM     LCR = "global-lpm"      // only trunks whose deck has the longest prefix of all decks of the tier count
)

// Bounds of a policy.
const (
	MaxWeight = 1_000_000
	MaxDecks  = 1 << 16
	maxTrunks = 1<<16 - 2
	maxWhos   = 1 << 16 // combinations of campaign, program, tenant, tag and mode that one rule names

	maxObjectives = 1 << 16 // different Success settings
)

// Defaults hold for rules that do not say otherwise.
type Defaults struct {
	LCR LCR `json:"lcr,omitempty" yaml:"lcr,omitempty"` // "" = per-carrier-lpm

	// TypicalCall is the length in seconds of the answered call whose cost least-cost compares. 0 = 60; at most
	// 86,400. Shorter ones make billing increments and set-up fees count more.
	TypicalCall uint32 `json:"typical_call_seconds,omitempty" yaml:"typical_call_seconds,omitempty"`

	Quality QualityPrior `json:"quality,omitzero" yaml:"quality,omitempty"`
}

// QualityPrior is what a quality tier believes of a trunk before there are observations of it, and how cautious it is.
// A trunk's estimate is drawn towards Mean as if Strength observations had shown it; its place is decided by the
// result less Z standard errors, so that a few lucky calls do not make a trunk the best. A source that already leans
// on other traffic where it saw little, as kpi.Meter does, needs little Strength or none.
type QualityPrior struct {
	Mean     float64 `json:"mean,omitempty"     yaml:"mean,omitempty"`     // a ratio in (0, 1]; 0 = 0.5
	Strength float64 `json:"strength,omitempty" yaml:"strength,omitempty"` // 0 = 5 observations; negative = none
	Z        float64 `json:"z,omitempty"        yaml:"z,omitempty"`        // 0 = 1; negative = none: the mean decides
}

// Admission says who may be called.
type Admission struct {
	// Deny and Allow list prefixes. The longest one that a number begins with decides; a number that begins with none
	// may be called. Denying the empty prefix leaves only what Allow lists. The service codes of calling code 1 (N11,
	// among them 911), which no dialled number can begin with but by mistake, are denied unless Allow lists the same
	// prefix (1911).
	Deny  []outdial.Prefix `json:"deny,omitempty"  yaml:"deny,omitempty"`
	Allow []outdial.Prefix `json:"allow,omitempty" yaml:"allow,omitempty"`

	// Classes of numbers that the numbering plan knows are refused unless these say otherwise. Deny still applies to
	// them.
	AllowPremium    bool `json:"allow_premium,omitempty"    yaml:"allow_premium,omitempty"`
	AllowTollFree   bool `json:"allow_toll_free,omitempty"  yaml:"allow_toll_free,omitempty"`
	AllowUnassigned bool `json:"allow_unassigned,omitempty" yaml:"allow_unassigned,omitempty"`

	// Windows are the hours in which callees may be called. Programs without a window of their own have the one that
	// names no program; where there is none either, hours are not limited.
	Windows []Window `json:"windows,omitempty" yaml:"windows,omitempty"`

	Blackouts []Blackout `json:"blackouts,omitempty" yaml:"blackouts,omitempty"`
}

// Window is the span of the day in which the callees of some programs may be called. It has to be within From and To
// in every time zone that the callee plausibly is in; a callee whose zones are unknown is not called.
type Window struct {
	Programs []string  `json:"programs,omitempty" yaml:"programs,omitempty"` // none = every program without its own
	From     TimeOfDay `json:"from"               yaml:"from"`
	To       TimeOfDay `json:"to"                 yaml:"to"` // not included; before From = across midnight
}
