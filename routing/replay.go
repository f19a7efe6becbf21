package routing

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/outdial/outdial"
)

// recorded is what a former decision read, from its record.
type recorded struct {
	nums   map[reading]float64
	orders []order
}

type reading struct {
	trunk outdial.TrunkID
	name  string
}

func (r *recorded) num(trunk outdial.TrunkID, name string) float64 {
	return r.nums[reading{trunk, name}]
}

func (r *recorded) has(trunk outdial.TrunkID, name string) bool {
	_, ok := r.nums[reading{trunk, name}]
	return ok
}

// Replay decides again what was decided at now, from the record of that decision and nothing else: the sources are not
// read, and the past is not asked. With the table of the same policy it gives the same candidates in the same order, with
// the same propensity; with another, what that would have made of the same readings, where what was not read then counts as
// nothing known. call is the call of then, its ID and Dest included.
func (t *Table) Replay(now time.Time, call *outdial.Call, readings []outdial.Reading) ([]outdial.Candidate, error) {
	again := &recorded{nums: map[reading]float64{}}
	for _, r := range readings {
		if r.Stage != outdial.StageRouting {
			continue
		}
		if r.Name == readOrder {
			if o, ok := parseOrder(r.Text); ok {
				again.orders = append(again.orders, compileOrder(t.ids, o))
			}
			continue
		}
		again.nums[reading{r.Trunk, r.Name}] = r.Value
	}
	d := decision{matter: matter{t: t, again: again, now: now, call: *call}}
	return d.route()
}

// recorded is an override as a record has it: names may hold any character.
func (k *order) recorded() string {
	text, err := json.Marshal(&k.Override)
	if err != nil {
		panic(err) // it has nothing that JSON cannot tell
	}
	return string(text)
}

// parseOrder is the reverse of recorded.
func parseOrder(text string) (o Override, ok bool) {
	err := json.Unmarshal([]byte(text), &o)
	return o, err == nil && slices.Contains(overrideActions, o.Action) && (o.Trunk == "") != (o.Carrier == "")
}
