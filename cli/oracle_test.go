package cli_test

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// oracle is the Governor as a plain list of uses: every question walks the list.
type oracle struct {
	cfg     cli.Config
	held    time.Time
	uses    []*oracleUse
	quiet   map[string]bool // program and callee
	resting map[outdial.Number]time.Time
}

type oracleUse struct {
	at       time.Time
	number   outdial.Number
	callee   outdial.Number
	program  string
	call     outdial.CallID
	counted  bool // for the callee
	inFlight bool
	undone   bool
	carrier  string
	lease    outdial.Lease
}

func (o *oracle) tick(now time.Time) time.Time {
	if now.After(o.held) {
		o.held = now
	}
	return o.held
}

func (o *oracle) pool(name string) cli.PoolConfig {
	for _, p := range o.cfg.Pools {
		if p.Name == name {
			return p
		}
	}
	panic(name)
}

func (o *oracle) config(n outdial.Number) cli.NumberConfig {
	for _, c := range o.cfg.Numbers {
		if c.Number == n {
			return c
		}
	}
	panic(n)
}

// within counts the uses that keep returns true for, in the window that ends now.
func (o *oracle) within(now time.Time, w time.Duration, keep func(*oracleUse) bool) (k int, nth func(int) time.Time) {
	var times []time.Time
	for _, u := range o.uses {
		if !u.undone && keep(u) {
			times = append(times, u.at)
			if u.at.After(now.Add(-w)) {
				k++
			}
		}
	}
	return k, func(i int) time.Time { return times[len(times)-i] }
}

// ready returns whether a number can be presented, and when that may change; zero = not known.
func (o *oracle) ready(now time.Time, n cli.NumberConfig, spaced bool) (ok bool, status cli.Status, wake time.Time) {
	until, resting := o.resting[n.Number]
	switch {
	case n.State != cli.StateUnset && !n.State.Presentable():
		return false, cli.StatusResting, time.Time{}
	case resting && until.IsZero():
		return false, cli.StatusResting, time.Time{}
	case resting && until.After(now):
		return false, cli.StatusResting, until
	case n.Evidence == "" || (!n.Expires.IsZero() && !n.Expires.After(now)):
		return false, cli.StatusNoRight, time.Time{}
	}
	limits := o.cfg.Limits
	mine := func(u *oracleUse) bool { return u.number == n.Number }
	for _, c := range limits.Caps {
		if k, nth := o.within(now, c.Window, mine); k >= c.Max {
			if t := nth(c.Max).Add(c.Window); t.After(wake) {
				wake = t
			}
		}
	}
	if limits.Spacing > 0 && spaced {
		if k, nth := o.within(now, limits.Spacing, mine); k > 0 {
			if t := nth(1).Add(limits.Spacing); t.After(wake) {
				wake = t
			}
		}
	}
	if !wake.IsZero() {
		return false, cli.StatusWaiting, wake
	}
	busy := 0
	for _, u := range o.uses {
		if u.inFlight && u.number == n.Number {
			busy++
		}
	}
	if limits.Concurrent > 0 && busy >= limits.Concurrent {
		return false, cli.StatusBusy, time.Time{}
	}
	return true, cli.StatusReady, now
}

// wholeSecond is when a call counts for its callee: what is kept of callees is kept in seconds, rounded up.
func wholeSecond(t time.Time) time.Time {
	d := t.Sub(t0)
	return t0.Add((d + time.Second - 1) / time.Second * time.Second)
}

// region is where the numbers of the callee's area code are.
func (o *oracle) region(callee outdial.Number) string {
	for _, n := range o.cfg.Numbers {
		if n.Number/1e7 == callee/1e7 {
			return n.Region
		}
	}
	return ""
}

func accepts(n cli.NumberConfig, carrier string) bool {
	if len(n.Carriers) == 0 {
		return true
	}
	for _, c := range n.Carriers {
		if c == carrier {
			return true
		}
	}
	return false
}

// want is what a Reserve must return: any of a set of numbers, or an error and when to ask again.
type want struct {
	any   map[outdial.Number]bool
	err   error
	again time.Time
}

func (o *oracle) reserve(now time.Time, program, pool, carrier string, call *outdial.Call, prev outdial.Number) want {
	if o.quiet[program+call.To.String()] {
		return want{err: cli.ErrSuppressed}
	}
	var last, met *oracleUse // the callee's last use, and the last that was counted for it
	same := false
	var calls []time.Time
	for _, u := range o.uses {
		if u.undone || u.program != program || u.callee != call.To {
			continue
		}
		last = u
		if u.counted {
			met = u
			calls = append(calls, wholeSecond(u.at))
			same = prev != 0 && u.call == call.ID && wholeSecond(u.at).Add(o.cfg.Callee[0].Window).After(now)
		}
	}
	var again time.Time
	for _, c := range o.cfg.Callee {
		if len(calls) >= c.Max && !same {
			if t := calls[len(calls)-c.Max].Add(c.Window); t.After(now) && t.After(again) {
				again = t
			}
		}
	}
	if !again.IsZero() {
		return want{err: cli.ErrCallee, again: again}
	}
	known := prev
	if known == 0 && last != nil && o.cfg.Sticky.Mode != cli.StickyOff && met != nil &&
		wholeSecond(met.at).Add(o.cfg.Sticky.TTL).After(now) {
		known = last.number
	}
	if known != 0 {
		n := o.config(known)
		if o.pool(n.Pool).Program == program && n.State < cli.StateRetiring {
			ok, _, wake := o.ready(now, n, prev == 0)
			if !accepts(n, carrier) || pool != "" && n.Pool != pool {
				ok, wake = false, time.Time{}
			}
			if ok {
				return want{any: map[outdial.Number]bool{known: true}}
			}
			if o.cfg.Sticky.Mode == cli.StickyStrict {
				return want{err: cli.ErrSticky, again: wake}
			}
		}
	}
	tiers := make([]map[outdial.Number]bool, 4)
	var first time.Time
	count, total := map[cli.Status]int{}, 0
	for _, n := range o.cfg.Numbers {
		if n.Pool != pool {
			continue
		}
		total++
		if !accepts(n, carrier) {
			continue
		}
		ok, status, wake := o.ready(now, n, true)
		count[status]++
		if !ok {
			if !wake.IsZero() && (first.IsZero() || wake.Before(first)) {
				first = wake
			}
			continue
		}
		t := 3
		switch {
		case n.Number/1e7 == call.To/1e7:
			t = 0
		case n.Region != "" && n.Region == o.region(call.To):
			t = 1
		case n.Country == "US":
			t = 2
		}
		if tiers[t] == nil {
			tiers[t] = map[outdial.Number]bool{}
		}
		tiers[t][n.Number] = true
	}
	for _, t := range tiers {
		if t != nil {
			return want{any: t}
		}
	}
	switch {
	case count[cli.StatusWaiting]+count[cli.StatusBusy] > 0:
		return want{err: cli.ErrCaps, again: first}
	case count[cli.StatusNoRight] > 0:
		return want{err: cli.ErrRight, again: first}
	case len(count) == 0 && total > 0:
		return want{err: cli.ErrCarrier, again: first}
	}
	return want{err: cli.ErrNoNumber, again: first}
}
