package failover

import (
	"errors"
	"fmt"
	"time"
)

// check reports what Save would never have written.
func (in *saved) check() error {
	var errs []error
	seen := map[savedID]bool{}
	for i := range in.Trunks {
		t := &in.Trunks[i]
		bad := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("trunks[%d]: "+format, append([]any{i}, args...)...))
		}
		switch {
		case seen[t.Trunk]:
			bad("trunk: it is there twice")
		case t.Trunk == savedID{}:
			bad("trunk: required")
		case len(t.Targets) == 0 || t.Targets[0].Group != savedID{}:
			bad("targets: the first must be the trunk as a whole")
		case t.Open < 0 || len(t.Past) > maxIncidents:
			bad("open or past: out of range")
		}
		seen[t.Trunk] = true
		for k := range t.Targets {
			if what := t.Targets[k].check(); what != "" {
				bad("targets[%d]: %s", k, what)
			}
		}
	}
	for i := range in.Orders {
		if what := in.Orders[i].check(); what != "" {
			errs = append(errs, fmt.Errorf("orders[%d]: %s", i, what))
		}
	}
	if in.Slowest < 0 {
		errs = append(errs, errors.New("slowest: negative"))
	}
	return errors.Join(errs...)
}

func (x *savedTarget) check() string {
	y := &x.Test
	switch {
	case x.State > Suspended:
		return "state: " + x.State.String() + " is none of a target"
	case (x.State == Ramping || x.State == Suspended) && x.Until.IsZero():
		return "until: required while it is " + x.State.String()
	case x.Good < 0 || x.Ejections < 0 || x.Setup.N < 0 || x.Setup.Mean < 0 || x.Setup.Dev < 0:
		return "good, ejections or setup: negative"
	case !(y.Calls > 0) || y.Failed < 0 || y.Failed > y.Calls || y.Since < 0 || y.Soft < 0 || y.Hard < 0 || y.Sum < 0 ||
		y.RunCalls < 0 || y.RunFailed < 0 || y.P0 < 0 || y.P0 >= 1 || y.Alarm < 0 || y.Alarm >= 1:
		return "test: out of range"
	}
	for i := range x.Slots {
		if n := x.Slots[i].N; n < 0 || n > maxMinute {
			return "slots: out of range"
		}
	}
	return ""
}

// maxMinute is a minute far ahead: that of the year 9999.
const maxMinute = 253402300799 / 60

func (x *savedOrder) check() string {
	f := &x.Order
	again := f.Control(ActionFlip, "", "", time.Time{})
	if _, err := ParseFlip(&again); err != nil {
		return err.Error()
	}
	if x.Drill != nil && x.Expires.IsZero() {
		return "expires: required for a drill"
	}
	return ""
}
