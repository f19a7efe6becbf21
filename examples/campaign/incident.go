package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// phases are the parts of the campaign as the journal tells them. A call is in the phase of its first attempt.
func (e *evidence) phases() []phase {
	type bound struct {
		name     string
		from, to time.Time
	}
	bounds := []bound{{name: "before the fault", from: e.Began}}
	for _, b := range []bound{{name: "broken", from: e.Broken}, {name: "repaired", from: e.Healed}, {name: "back again", from: e.Back}} {
		if !b.from.IsZero() {
			bounds[len(bounds)-1].to = b.from
			bounds = append(bounds, b)
		}
	}
	bounds[len(bounds)-1].to = e.Finished
	var list []phase
	for _, b := range bounds {
		p := phase{Name: b.name, From: b.from.Sub(e.Began).Seconds(), To: b.to.Sub(e.Began).Seconds(), Shares: map[string]float64{}}
		within := func(t time.Time) bool { return !t.Before(b.from) && t.Before(b.to) }
		answered := 0
		for _, s := range e.Ledger.Calls {
			for i, a := range s.Attempts {
				if !within(a.Start) {
					continue
				}
				p.Attempts++
				p.Shares[a.Trunk]++
				if i == 0 {
					p.Calls++
					answered += s.inTime()
				}
			}
		}
		for t := range p.Shares {
			p.Shares[t] /= float64(p.Attempts)
		}
		p.ABR = ratioOf(kpi.Ratio{K: uint64(answered), N: uint64(p.Calls)})
		list = append(list, p)
	}
	return list
}

// incident measures the fault by the journal: what met it, when it was noticed, when the last ordinary call was sent.
func (e *evidence) incident() *incident {
	if e.Broken.IsZero() {
		return nil
	}
	in := &incident{Trunk: good, At: e.Broken.Sub(e.Began).Seconds()}
	end := e.Finished
	if !e.Healed.IsZero() {
		end = e.Healed
		in.HealedAt = seconds(e.Healed.Sub(e.Began))
	}
	if !e.Back.IsZero() {
		in.Recover = seconds(e.Back.Sub(e.Healed))
	}
	var noticed time.Time
	for _, d := range e.Detections {
		if d.Trunk == good {
			noticed, in.InARow = d.Noticed, d.Row
		}
	}
	if !noticed.IsZero() {
		in.Detect = seconds(noticed.Sub(e.Broken))
	}
	var delays []time.Duration
	for _, s := range e.Ledger.stories() {
		for i, a := range s.Attempts {
			if a.Trunk != good || a.Start.Before(e.Broken) || !a.Start.Before(end) {
				continue
			}
			in.Met++
			if noticed.IsZero() || !a.Start.After(noticed) {
				in.MetBefore++
			}
			if a.Why == outdial.WhyWeight || a.Why == outdial.WhyOrder {
				in.Shift = seconds(max(a.Start.Sub(e.Broken), sinceOf(in.Shift)))
			}
			if i+1 < len(s.Attempts) {
				in.Saved++
				delays = append(delays, s.Attempts[i+1].Start.Sub(a.Start))
			}
		}
	}
	if slices.Sort(delays); len(delays) > 0 {
		in.AddedDelay = seconds(delays[len(delays)/2])
	}
	return in
}

func sinceOf(s *float64) time.Duration {
	if s == nil {
		return 0
	}
	return time.Duration(*s * float64(time.Second))
}

// tell tells, in words, what happened to one call that met the fault and was carried by another trunk: one that was
// answered there rather than not, and no probe if there is another.
func (e *evidence) tell(list []judged) []string {
	var told *judged
	most := 0
	for i, j := range list {
		if n := e.tellable(j); n > most {
			told, most = &list[i], n
		}
	}
	if told == nil {
		return nil
	}
	lines := []string{fmt.Sprintf("%s  the dialer calls %s", clock(told.Placed.Sub(e.Began)), told.Callee.Number)}
	for i, a := range told.story.Attempts {
		why := "its turn by weight"
		switch a.Why {
		case outdial.WhyOrder:
			why = "the only one that is up"
		case outdial.WhyProbe:
			why = "as a probe"
		case outdial.WhyLastResort:
			why = "as the last resort"
		}
		if i > 0 {
			why = "next, " + why
		}
		lines = append(lines, fmt.Sprintf("%s  %s (%s), showing %s", clock(a.Start.Sub(e.Began)), a.Trunk, why, a.CLI))
		switch {
		case !a.Answered.IsZero():
			lines = append(lines, fmt.Sprintf("%s    answered; it lasted %.0f s of model time", clock(a.Answered.Sub(e.Began)),
				e.Options.model(a.Ended.Sub(a.Answered)).Seconds()))
		default:
			lines = append(lines, fmt.Sprintf("%s    %s, %s later", clock(a.Failed.Sub(e.Began)), failureOf(a.Result), ms(a.Failed.Sub(a.Start))))
		}
	}
	return append(lines, fmt.Sprintf("        the dialer heard %d", told.Code))
}

// tellable says how good an example a call is; 0 = none.
func (e *evidence) tellable(j judged) (n int) {
	if j.story == nil || len(j.story.Attempts) < 2 || e.Broken.IsZero() {
		return 0
	}
	for _, a := range j.story.Attempts {
		if a.Trunk != good || a.Start.Before(e.Broken) || a.Failed.IsZero() {
			continue
		}
		n = 1
		if a.Why != outdial.WhyProbe {
			n = 3
		}
	}
	if n > 0 && j.Verdict == wasAnswered {
		n++
	}
	return n
}
