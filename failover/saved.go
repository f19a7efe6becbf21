package failover

import (
	"time"

	"github.com/outdial/outdial"
)

const savedKind = "OUTDFOV1"

// saved is what Save writes: magic, checksum, and this as JSON. Trunks, carriers and groups stand by their names, as another
// process issues other ids; by their ids where there is no registry.
type saved struct {
	Seq     uint64        `json:"seq"`
	Slowest time.Duration `json:"slowest,omitempty"`
	Trunks  []savedTrunk  `json:"trunks"`
	Orders  []savedOrder  `json:"orders,omitempty"`
}

type savedID struct {
	Name string `json:"name,omitempty"`
	ID   uint32 `json:"id,omitempty"`
}

// savedTrunk is a board. What OPTIONS and signals said is not part of it, nor are turns.
type savedTrunk struct {
	Trunk    savedID         `json:"trunk"`
	Carrier  savedID         `json:"carrier,omitzero"`
	Hold     *savedHold      `json:"hold,omitempty"`
	Gate     *savedGate      `json:"gate,omitempty"`
	Launch   time.Time       `json:"launch,omitzero"`
	Drilled  time.Time       `json:"drilled,omitzero"`
	Full     uint64          `json:"full,omitempty"`
	Faults   uint64          `json:"faults,omitempty"`
	Faulted  time.Time       `json:"faulted,omitzero"`
	Open     int             `json:"open,omitempty"`
	Answered time.Time       `json:"answered,omitzero"`
	Reached  time.Time       `json:"reached,omitzero"`
	Past     []savedIncident `json:"past,omitempty"`
	Targets  []savedTarget   `json:"targets"` // the trunk as a whole, then its groups
}

type savedHold struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until,omitzero"`
}

type savedGate struct {
	Passed bool      `json:"passed,omitempty"`
	At     time.Time `json:"at"`
	Until  time.Time `json:"until,omitzero"`
}

type savedTarget struct {
	Group     savedID        `json:"group,omitzero"`
	State     State          `json:"state"`
	Why       string         `json:"why,omitempty"`
	Since     time.Time      `json:"since,omitzero"`
	Until     time.Time      `json:"until,omitzero"`
	Test      savedTest      `json:"test"`
	Doubt     bool           `json:"doubt,omitempty"`
	SilentAt  time.Time      `json:"silent_at,omitzero"`
	Good      int            `json:"good,omitempty"`
	Ejections int            `json:"ejections,omitempty"`
	Ejected   time.Time      `json:"ejected,omitzero"`
	Returned  time.Time      `json:"returned,omitzero"`
	Probe     *savedProbe    `json:"probe,omitempty"`
	Healthy   uint64         `json:"healthy,omitempty"`
	Failed    uint64         `json:"failed,omitempty"`
	RunFrom   time.Time      `json:"run_from,omitzero"`
	Suspected time.Time      `json:"suspected,omitzero"`
	Incident  *savedIncident `json:"incident,omitempty"`
	Setup     savedSetup     `json:"setup,omitzero"`
	Slots     []savedSlot    `json:"slots,omitempty"`
}

type savedIncident struct {
	Group     savedID   `json:"group,omitzero"`
	Why       string    `json:"why"`
	Began     time.Time `json:"began,omitzero"`
	Detected  time.Time `json:"detected,omitzero"`
	Isolated  time.Time `json:"isolated"`
	Noticed   time.Time `json:"noticed,omitzero"`
	Returned  time.Time `json:"returned,omitzero"`
	Recovered time.Time `json:"recovered,omitzero"`
	Calls     int       `json:"calls"`
	Failed    int       `json:"failed"`
	Relapses  int       `json:"relapses,omitempty"`
	Probes    int       `json:"probes,omitempty"`
	Baseline  float64   `json:"baseline"`
}

type savedTest struct {
	Calls     float64 `json:"calls"`
	Failed    float64 `json:"failed"`
	Since     int     `json:"since,omitempty"`
	P0        float64 `json:"p0,omitempty"` // of the thresholds, as are the next three
	Alarm     float64 `json:"alarm,omitempty"`
	SoftAt    int     `json:"soft_at,omitempty"`
	HardAt    int     `json:"hard_at,omitempty"`
	Soft      int     `json:"soft,omitempty"`
	Hard      int     `json:"hard,omitempty"`
	Sum       float64 `json:"sum,omitempty"`
	RunCalls  float64 `json:"run_calls,omitempty"`
	RunFailed float64 `json:"run_failed,omitempty"`
}

type savedProbe struct {
	Call outdial.CallID `json:"call,omitempty"`
	From time.Time      `json:"from"`
	To   time.Time      `json:"to"`
}

type savedSetup struct {
	N    int           `json:"n"`
	Mean time.Duration `json:"mean"`
	Dev  time.Duration `json:"dev"`
}

type savedSlot struct {
	N int64 `json:"n"`
	savedTally
}

type savedTally struct {
	Started  uint64  `json:"started,omitempty"`
	Reached  uint64  `json:"reached,omitempty"`
	Answered uint64  `json:"answered,omitempty"`
	PDD      float64 `json:"pdd,omitempty"`
	Squares  float64 `json:"squares,omitempty"`
	PDDs     uint64  `json:"pdds,omitempty"`
}

// savedOrder is a flip or a drill in force, or the report of a drill.
type savedOrder struct {
	Order   Flip        `json:"order"`
	From    time.Time   `json:"from"`
	Expires time.Time   `json:"expires,omitzero"`
	Ended   time.Time   `json:"ended,omitzero"`
	Drill   *savedDrill `json:"drill,omitempty"`
}

type savedDrill struct {
	Actor  string     `json:"actor,omitempty"`
	Reason string     `json:"reason,omitempty"`
	Until  time.Time  `json:"until"`
	Over   bool       `json:"over,omitempty"`
	Cut    bool       `json:"cut,omitempty"`
	Before savedSides `json:"before"`
	During savedSides `json:"during"`
}

type savedSides struct {
	To     savedTally `json:"to"`
	Others savedTally `json:"others"`
}

// Names of the kinds of ids that are saved; nil = there is no registry.
func trunkNames(r *outdial.Registry) *outdial.Names[outdial.TrunkID] {
	if r == nil {
		return nil
	}
	return &r.Trunks
}

func carrierNames(r *outdial.Registry) *outdial.Names[outdial.CarrierID] {
	if r == nil {
		return nil
	}
	return &r.Carriers
}

func groupNames(r *outdial.Registry) *outdial.Names[outdial.GroupID] {
	if r == nil {
		return nil
	}
	return &r.Groups
}

func saveID[ID ~uint32](names *outdial.Names[ID], id ID) savedID {
	if names != nil {
		if name := names.Name(id); name != "" {
			return savedID{Name: name}
		}
	}
	return savedID{ID: uint32(id)}
}

// restoreID is the id of what was saved; 0 = none, or a name without a registry. A name that is not known gets an id.
func restoreID[ID ~uint32](names *outdial.Names[ID], x savedID) ID {
	switch {
	case x.Name == "":
		return ID(x.ID)
	case names == nil:
		return 0
	}
	return names.ID(x.Name)
}
