package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

func explain(args []string, out io.Writer) (int, error) {
	flags := flag.NewFlagSet("explain", flag.ContinueOnError)
	at := flags.String("at", "", "when (RFC 3339); without it now")
	from := flags.String("from", "", "the caller that the dialer asks for")
	program := flags.String("program", "", "the call's program")
	campaign := flags.String("campaign", "", "the call's campaign")
	dir := flags.String("journal", "", "a journal to learn from first")
	asJSON := flags.Bool("json", false, "the whole decision as JSON")
	rest, err := parse(flags, args, 2)
	if err != nil {
		return exitBad, err
	}
	policy, err := readPolicy(rest[0])
	if err != nil {
		return exitBad, err
	}
	p, err := newParts()
	if err != nil {
		return exitBad, err
	}
	table, err := p.compile(policy)
	if err != nil {
		return exitBad, err
	}
	router := routing.NewRouter(table)
	now := time.Now()
	if *dir != "" {
		if now, err = p.replay(*dir, p.meter, router); err != nil {
			return exitBad, err
		}
	}
	if *at != "" {
		if now, err = time.Parse(time.RFC3339, *at); err != nil {
			return exitBad, err
		}
	}
	engine, err := outdial.New(outdial.Config{IDs: p.ids, Numbering: p.plan, Router: router, MaxAttempts: outdial.MaxAttempts})
	if err != nil {
		return exitBad, err
	}
	call := outdial.Call{Program: p.ids.Programs.ID(*program), Campaign: p.ids.Campaigns.ID(*campaign)}
	if call.To, err = outdial.ParseNumber(rest[1]); err != nil {
		return exitBad, err
	}
	if *from != "" {
		if call.From, err = outdial.ParseNumber(*from); err != nil {
			return exitBad, err
		}
	}
	x := engine.Explain(now, call)
	if *asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return exitGood, e.Encode(x)
	}
	tell(out, &x)
	return exitGood, nil
}

// tell prints a decision as one would say it.
func tell(out io.Writer, x *outdial.Explanation) {
	c := &x.Call
	fmt.Fprintf(out, "A call to %s", c.To)
	if c.Group != "" {
		fmt.Fprintf(out, " (%s", c.Group)
		if c.Network != "" {
			fmt.Fprintf(out, ", network %s", c.Network)
		}
		fmt.Fprint(out, ")")
	}
	fmt.Fprintf(out, " at %s", x.Time.UTC().Format("2006-01-02 15:04 MST"))
	if rule, policy := text(x.Readings, "rule"), text(x.Readings, "policy"); rule != "" {
		fmt.Fprintf(out, " goes by the rule %q", rule)
		if prefix := text(x.Readings, "rule_prefix"); prefix != "" {
			fmt.Fprintf(out, " (%s)", prefix)
		}
		if policy != "" {
			fmt.Fprintf(out, " of policy %s", policy)
		}
	}
	fmt.Fprintln(out, ".")
	if x.Refused != nil {
		fmt.Fprintf(out, "It is refused: %s\n", x.Refused.Text)
		if !x.Refused.Again.IsZero() {
			fmt.Fprintf(out, "Asking again helps at %s.\n", x.Refused.Again.UTC().Format(time.RFC3339))
		}
	}
	for _, r := range x.Readings {
		switch r.Name {
		case "override":
			fmt.Fprintf(out, "In force: %s\n", r.Text)
		case "left_out":
			fmt.Fprintf(out, "Left out: %s\n", r.Text)
		case "explore_rate":
			fmt.Fprintf(out, "With a probability of %.1f %% the first place is used to learn.\n", 100*r.Value)
		}
	}
	for i := range x.Candidates {
		k := &x.Candidates[i]
		fmt.Fprintf(out, "%d. %s", i+1, k.Trunk)
		if k.Carrier != "" && k.Carrier != k.Trunk {
			fmt.Fprintf(out, " of %s", k.Carrier)
		}
		fmt.Fprintln(out, describe(k))
	}
}

// describe puts what was read about a candidate into words.
func describe(k *outdial.ExplainedCandidate) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if k.CostMicros > 0 {
		add("%s a minute (prefix %s)", routing.Price(k.CostMicros), k.Matched)
	}
	if burst, ok := number(k.Readings, "burst_price"); ok {
		add("%s of it for the burst", routing.Price(burst))
	}
	if fee, ok := number(k.Readings, "surcharge"); ok {
		add("%s expected for short calls", routing.Price(fee))
	}
	if mean, ok := number(k.Readings, "posterior_mean"); ok {
		n, _ := number(k.Readings, "posterior_n")
		add("success %.0f %% by %.0f calls", 100*mean, n)
	}
	if per, ok := number(k.Readings, "cost_per_success"); ok {
		add("%s a success", routing.Price(per))
	}
	if score, ok := number(k.Readings, "score"); ok {
		add("score %.2f", score)
	}
	if hop := text(k.Readings, "hop"); hop != "" {
		add("by way of %s", hop)
	}
	if class := text(k.Readings, "interconnect"); class != "" {
		add("%s", class)
	}
	if room, ok := number(k.Readings, "headroom_channels"); ok {
		add("room for %.0f calls", room)
	}
	if health, ok := number(k.Readings, "health"); ok && health < 1 {
		add("health %.0f %%", 100*health)
	}
	for _, name := range []string{"floor", "placed_last", "placed_first"} {
		if why := text(k.Readings, name); why != "" {
			add("%s", why)
		}
	}
	if p, ok := number(k.Readings, "propensity"); ok {
		add("first with a probability of %.1f %%", 100*p)
	}
	if k.Refused != nil {
		add("refused: %s", k.Refused.Text)
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

func text(rs []outdial.ExplainedReading, name string) string {
	for _, r := range rs {
		if r.Stage == "routing" && r.Name == name {
			return r.Text
		}
	}
	return ""
}

func number(rs []outdial.ExplainedReading, name string) (float64, bool) {
	for _, r := range rs {
		if r.Stage == "routing" && r.Name == name {
			return r.Value, true
		}
	}
	return 0, false
}
