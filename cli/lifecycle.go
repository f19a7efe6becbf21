package cli

import (
	"fmt"
	"math"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// Lifecycle is by which rules numbers change their state by themselves. The zero value of a field is its default, a
// negative one means none; the defaults are the package's advice, not those of any analytics engine, which publish none.
//
// A number is compared with its peers: the calls of the same pool, carrier, terminating network, nearness and expected attestation
// at the same time, times the number's own ratio to them, which is learned in its first calls. So a bad list, a bad hour or a bad
// carrier moves no number, and neither does a number that was never as good as others.
type Lifecycle struct {
	// Off leaves every state to configuration and operators.
	Off bool `json:",omitempty"`

	// Ramp is the share of its caps that a warming number may use, in percent, stage by stage; after the last it is
	// active. nil = DefaultRamp, empty = no warming.
	Ramp []int `json:",omitzero"`
	// Stage is how long a stage lasts at least. 0 = 24 h.
	Stage time.Duration `json:",omitempty"`
	// StageUse is the share of the stage's cap that has to be used before the next one, in percent. 0 = 50.
	StageUse int `json:",omitempty"`
	// Idle is after how long without a call a warming number falls back by a stage. 0 = 14 days, negative = never.
	Idle time.Duration `json:",omitempty"`

	Detection Detection `json:",omitzero"`

	// Suspect is the share of its caps that a number on probation or in rehab may use, in percent. 0 = 25.
	Suspect int `json:",omitempty"`
	// Rest is how long a quarantine lasts. 0 = 21 days.
	Rest time.Duration `json:",omitempty"`
	// MaxResting is the share of a pool that may be in quarantine by the rules, in percent, but one number in any case.
	// 0 = 20. MaxDaily is the share that may come to be in 24 hours. 0 = 10. Beyond either, numbers stay on probation, and a
	// NoticeBreaker says that it is the list or the carrier, not the numbers.
	MaxResting int `json:",omitempty"`
	MaxDaily   int `json:",omitempty"`

	// RetireAfter is at which quarantine within RetireWithin a number is retired instead. 0 = 2 in 90 days; negative = never.
	RetireAfter  int           `json:",omitempty"`
	RetireWithin time.Duration `json:",omitempty"`
	// Callback is how long after its last call a retiring number still takes calls back, before it is released.
	// 0 = 30 days.
	Callback time.Duration `json:",omitempty"`

	// OnMixed and OnLabelled are the states that a label leads to (outdial.LabelMixed; outdial.LabelLabelled and
	// LabelBlocked): probation or quarantined. Unset = probation and quarantined; active = labels change nothing.
	OnMixed    State `json:",omitzero"`
	OnLabelled State `json:",omitzero"`
}

// Detection is how much evidence a change takes, as log-likelihood ratios (natural logarithm) of cumulative sums.
type Detection struct {
	Drop       float64 `json:",omitempty"` // the answer rate to find, as a share of what it should be. 0 = 0.5
	Probation  float64 `json:",omitempty"` // 0 = 6
	Quarantine float64 `json:",omitempty"` // of the answer rate. 0 = 13
	Block      float64 `json:",omitempty"` // of blocks: from 0.2 % to 3 % of the calls. 0 = 10
	Short      float64 `json:",omitempty"` // of short calls: from 10 % to 25 % of the answers. 0 = 13
	Complaint  float64 `json:",omitempty"` // of complaints: from 0.1 % to 0.5 % of the calls. 0 = 6

	// Peers is from how many numbers in use a pool can be compared within. 0 = 5.
	Peers int `json:",omitempty"`
	// Calibrate is the number of calls in which a number's own ratio is learned. 0 = 500.
	Calibrate int `json:",omitempty"`
	// Spread is the standard deviation of the logarithm of that ratio between healthy numbers. 0 = 0.2.
	Spread float64 `json:",omitempty"`
	// ShortCall is what a short call is: answered, and over within it. 0 = 6 s.
	ShortCall time.Duration `json:",omitempty"`
}

// DefaultRamp returns 14 stages from 10 % to all of the caps, each a fifth more than the one before: at a cap of 100 a day,
// 10 calls on the first day.
func DefaultRamp() []int { return []int{10, 12, 14, 17, 21, 25, 30, 36, 43, 52, 62, 74, 89, 100} }

// ruleset is a Lifecycle made ready for use; immutable.
type ruleset struct {
	off             bool
	ramp            []uint8
	stage, idle     window.Instant
	used            uint8
	detect          detection
	suspect         uint8
	rest, callback  window.Instant
	resting, daily  int
	retireAfter     int
	retireWithin    int64 // seconds
	mixed, labelled State
	onLabel         outdial.LabelStatus // from which label on a number that has rested is not tried again
	shortCall       time.Duration

	blocking, shortness, complaining, labelling trial // among peers of which no more is known than what is usual
}

type detection struct {
	drop                         float64
	logDrop                      float32
	probation, quarantine, block float32
	short, complaint             float32
	peers                        int
	frozen                       uint32
	prior                        float64
}

func (l Lifecycle) withDefaults() Lifecycle {
	if l.Ramp == nil {
		l.Ramp = DefaultRamp()
	}
	def(&l.Stage, 24*time.Hour)
	def(&l.StageUse, 50)
	def(&l.Idle, 14*24*time.Hour)
	def(&l.Suspect, 25)
	def(&l.Rest, 21*24*time.Hour)
	def(&l.MaxResting, 20)
	def(&l.MaxDaily, 10)
	def(&l.RetireAfter, 2)
	def(&l.RetireWithin, 90*24*time.Hour)
	def(&l.Callback, 30*24*time.Hour)
	def(&l.OnMixed, StateProbation)
	def(&l.OnLabelled, StateQuarantined)
	d := &l.Detection
	def(&d.Drop, .5)
	def(&d.Probation, 6)
	def(&d.Quarantine, 13)
	def(&d.Block, 10)
	def(&d.Short, 13)
	def(&d.Complaint, 6)
	def(&d.Peers, 5)
	def(&d.Calibrate, 500)
	def(&d.Spread, .2)
	def(&d.ShortCall, 6*time.Second)
	return l
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// check wants a Lifecycle with its defaults.
func (l *Lifecycle) check(bad func(field string, err error)) {
	last := 1
	for i, share := range l.Ramp {
		if share < last || share > whole {
			bad(fmt.Sprintf("Ramp[%d]", i), fmt.Errorf("%d is not between %d and 100: a ramp goes up", share, last))
		}
		last = max(last, share)
	}
	percent := func(field string, v int) {
		if v < 1 || v > 100 {
			bad(field, fmt.Errorf("%d is not a percentage from 1 to 100", v))
		}
	}
	percent("StageUse", l.StageUse)
	percent("Suspect", l.Suspect)
	percent("MaxResting", l.MaxResting)
	percent("MaxDaily", l.MaxDaily)
	span := func(field string, d time.Duration) {
		if d < 0 || d > MaxWindow {
			bad(field, fmt.Errorf("%v is not between 0 and %v", d, MaxWindow))
		}
	}
	span("Stage", l.Stage)
	span("Rest", l.Rest)
	span("Callback", l.Callback)
	span("RetireWithin", l.RetireWithin)
	span("Detection.ShortCall", l.Detection.ShortCall)
	for field, s := range map[string]State{"OnMixed": l.OnMixed, "OnLabelled": l.OnLabelled} {
		if s != StateProbation && s != StateQuarantined && s != StateActive {
			bad(field, fmt.Errorf("%v is not probation, quarantined or active", s))
		}
	}
	d := &l.Detection
	if !(d.Drop > 0 && d.Drop < 1) {
		bad("Detection.Drop", fmt.Errorf("%v is not between 0 and 1", d.Drop))
	}
	for field, h := range map[string]float64{
		"Probation": d.Probation, "Quarantine": d.Quarantine, "Block": d.Block, "Short": d.Short, "Complaint": d.Complaint,
		"Spread": d.Spread,
	} {
		if !(h > 0 && h < 1e6) {
			bad("Detection."+field, fmt.Errorf("%v is not positive", h))
		}
	}
	if d.Peers < 2 {
		bad("Detection.Peers", fmt.Errorf("%d: a number has no peers in less than two", d.Peers))
	}
	if d.Calibrate < 0 {
		bad("Detection.Calibrate", fmt.Errorf("%d is negative", d.Calibrate))
	}
}

func (l *Lifecycle) rules() ruleset {
	d := &l.Detection
	r := ruleset{
		off: l.Off, stage: window.Instant(l.Stage), idle: window.Instant(l.Idle), used: uint8(l.StageUse),
		suspect: uint8(l.Suspect), rest: window.Instant(l.Rest), callback: window.Instant(l.Callback),
		resting: l.MaxResting, daily: l.MaxDaily, retireAfter: l.RetireAfter, retireWithin: int64(l.RetireWithin / time.Second),
		mixed: l.OnMixed, labelled: l.OnLabelled, shortCall: d.ShortCall,
		blocking: trialOf(blockRate, blockBad), shortness: trialOf(shortRate, shortBad), complaining: trialOf(complaintRate, complaintBad),
		labelling: trialOf(labelsRate, labelsBad),
		detect: detection{
			drop: d.Drop, logDrop: float32(math.Log(d.Drop)), probation: float32(d.Probation), quarantine: float32(d.Quarantine), block: float32(d.Block),
			short: float32(d.Short), complaint: float32(d.Complaint), peers: d.Peers, frozen: uint32(d.Calibrate),
			prior: 1 / (d.Spread * d.Spread),
		},
	}
	if r.idle < 0 {
		r.idle = noWake
	}
	if l.OnLabelled != StateActive {
		r.onLabel = outdial.LabelLabelled
	}
	for _, share := range l.Ramp {
		r.ramp = append(r.ramp, uint8(share))
	}
	return r
}

// conversation is from when on an answered call was a conversation, where nobody told what it was.
const conversation = 15 * time.Second

const (
	defaultLabelTTL = 7 * 24 * time.Hour
	maxEngines      = 16 // whose labels are kept of one number
)
