package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// words says in words what the engine would do with a call, and why. The candidates are in the order in which it would try
// them.
func words(x outdial.Explanation) []string {
	about := []string{"to " + x.Call.To.String()}
	if x.Call.Country != "" {
		about = append(about, "country "+x.Call.Country)
	}
	about = append(about, "program "+x.Call.Program, "campaign "+x.Call.Campaign)
	if rule := text(x.Readings, "routing", "rule"); rule != "" {
		about = append(about, fmt.Sprintf("rule %q", rule))
	}
	lines := []string{"a call " + strings.Join(about, ", ")}
	if x.Refused != nil {
		return append(lines, "is refused: "+x.Refused.Text)
	}
	order := slices.Clone(x.Candidates)
	slices.SortStableFunc(order, func(a, b outdial.ExplainedCandidate) int { return rank(a) - rank(b) })
	for i, c := range order {
		lines = append(lines, fmt.Sprintf("%d. %s %s", i+1, fit(c.Trunk, 7), fateOf(c)))
		for _, w := range because(c) {
			lines = append(lines, "   "+strings.Repeat(" ", 8)+w)
		}
	}
	return lines
}

// rank orders candidates: those that would be dialled by their turn, then the refused ones, then the rest.
func rank(c outdial.ExplainedCandidate) int {
	switch {
	case c.Leg > 0:
		return c.Leg
	case c.Fate == "refused":
		return outdial.MaxAttempts + 1
	default:
		return outdial.MaxAttempts + 2
	}
}

func fateOf(c outdial.ExplainedCandidate) string {
	switch c.Fate {
	case "refused":
		return "refused: " + c.Refused.Text
	case "left_out":
		return "left out: " + c.Refused.Text
	case "not_reached":
		return "not reached"
	}
	when := "takes the call"
	if c.Leg > 1 {
		when = fmt.Sprintf("would be tried as number %d if those before fail", c.Leg)
	}
	switch c.Chosen {
	case outdial.WhyWeight.String():
		return fmt.Sprintf("%s: its turn by weight %d", when, c.Weight)
	case outdial.WhyProbe.String():
		return when + ": a probe is due, and there is another trunk to go on to"
	case outdial.WhyLastResort.String():
		return when + ": the last resort, since it rests"
	default:
		return when + ": the only one left that is up"
	}
}

// because says what was read about a candidate.
func because(c outdial.ExplainedCandidate) []string {
	var lines, parts []string
	if c.CostMicros > 0 {
		line := routing.Price(c.CostMicros).String() + " a minute"
		if n, _ := number(c.Readings, "routing", "estimate_n"); n > 0 {
			mean, _ := number(c.Readings, "routing", "estimate_mean")
			line += fmt.Sprintf(", %.0f %% answered, by %.0f calls", 100*mean, n)
		}
		lines = append(lines, line)
	}
	if state := text(c.Readings, "failover", "state"); state != "" {
		parts = append(parts, "health "+state)
	}
	if used, ok := number(c.Readings, "trunk", "in_use"); ok {
		limit, _ := number(c.Readings, "trunk", "channels")
		parts = append(parts, fmt.Sprintf("%.0f of %.0f channels in use", used, limit))
	}
	if n, ok := number(c.Readings, "trunk", "last_second"); ok {
		limit, _ := number(c.Readings, "trunk", "cps")
		parts = append(parts, fmt.Sprintf("%.0f of %.0f calls/s", n, limit))
	}
	if len(parts) > 0 {
		lines = append(lines, strings.Join(parts, ", "))
	}
	if c.CLI != 0 {
		lines = append(lines, "shows "+c.CLI.String()+usesOf(c.Readings))
	}
	return lines
}

// nearness says what the tiers of package cli mean.
var nearness = map[string]string{
	"call": "as on the attempt before", "known": "the callee knows it", "area": "the callee's area code",
	"exchange": "the callee's exchange", "centre": "the callee's rate centre", "overlay": "an area code beside the callee's",
	"region": "the callee's region", "country": "the callee's country",
	"pool": "any of the pool",
}

// usesOf says why the caller ID was taken, and how much it was used.
func usesOf(rs []outdial.ExplainedReading) string {
	var b strings.Builder
	if why, ok := nearness[text(rs, "cli", "tier")]; ok {
		b.WriteString(" (" + why + ")")
	}
	var window time.Duration
	var uses float64
	sep := ": "
	for _, r := range rs {
		if r.Stage != "cli" {
			continue
		}
		switch r.Name {
		case "window_s":
			window = time.Duration(r.Value * float64(time.Second))
		case "uses":
			uses = r.Value
		case "cap":
			fmt.Fprintf(&b, "%sused %.0f of %.0f in %s", sep, uses, r.Value, strings.TrimSuffix(strings.TrimSuffix(window.String(), "0s"), "0m"))
			sep = ", "
		}
	}
	return b.String()
}

// text returns the last text that a stage read under a name.
func text(rs []outdial.ExplainedReading, stage, name string) (s string) {
	for _, r := range rs {
		if r.Stage == stage && r.Name == name {
			s = r.Text
		}
	}
	return s
}

// number returns the last number that a stage read under a name, and whether there was one.
func number(rs []outdial.ExplainedReading, stage, name string) (v float64, ok bool) {
	for _, r := range rs {
		if r.Stage == stage && r.Name == name {
			v, ok = r.Value, true
		}
	}
	return v, ok
}
