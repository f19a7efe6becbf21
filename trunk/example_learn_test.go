package trunk_test

import (
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

// The contract says ten channels; the carrier takes six, and says so twice.
func ExampleLearned() {
	set, _, alpha := aSet(trunk.Limits{Channels: 10})
	for range 6 {
		_, _, _ = set.Acquire(nine, nil, alpha)
	}
	for range 2 {
		seventh, _, _ := set.Acquire(nine, nil, alpha)
		set.Release(nine, seventh)
		set.Reject(nine, alpha.Trunk, outdial.ShortageChannels)
	}
	st, _ := set.Status(nine, alpha.Trunk)
	fmt.Printf("contracted %d, observed %d, confidence %.0f %%\n", st.Contracted, st.Learned.Limit, 100*st.Learned.Confidence)
	_, _, err := set.Acquire(nine, nil, alpha)
	fmt.Println(err)
	// Output:
	// contracted 10, observed 6, confidence 50 %
	// trunk: the carrier has refused more calls than are up
}

// LearnOnly reports what rejections teach, and holds to the contract.
func ExampleLearning() {
	set, _, alpha := aSet(trunk.Limits{Channels: 10, Learning: trunk.LearnOnly})
	set.Reject(nine, alpha.Trunk, outdial.ShortageChannels)
	set.Reject(nine, alpha.Trunk, outdial.ShortageChannels)
	st, _ := set.Status(nine, alpha.Trunk)
	fmt.Println(st.Channels, st.Learned.Limit)
	// Output: 10 1
}

// terse is a carrier that says everything with one code.
type terse struct{}

func (terse) Shortage(_ outdial.CarrierID, r *outdial.Result) outdial.Shortage {
	if r.Code == 486 && r.Phrase == "" {
		return outdial.ShortageChannels
	}
	return trunk.DefaultShortage(r)
}

func ExampleShortages() {
	var table trunk.Shortages = terse{}
	limit := &outdial.Result{Origin: outdial.OriginCarrier, Code: 503, Phrase: "CPS limit reached"}
	silent := &outdial.Result{Origin: outdial.OriginCarrier, Code: 486}
	fmt.Println(table.Shortage(1, limit), table.Shortage(1, silent))
	// Output: cps channels
}

// Traffic is what the last hour brought, for sizing.
func ExampleTraffic() {
	tr := trunk.Traffic{Window: time.Hour, Attempts: 3000, Refused: 600, Hold: 90 * time.Second}
	fmt.Printf("%.0f Erlang offered\n", tr.Offered())
	// Output: 90 Erlang offered
}
