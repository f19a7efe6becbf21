package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
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
	tags := flags.String("tags", "", "the call's tags, with commas between them")
	dir := flags.String("journal", "", "a journal to learn from first")
	asJSON := flags.Bool("json", false, "the whole decision as JSON")
	rest, err := parse(flags, args, 2)
	if err != nil {
		return exitBad, err
	}
	p, _, table, err := open(rest[0])
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
	for tag := range strings.SplitSeq(*tags, ",") {
		if !call.Tags.Add(p.ids.Tags.ID(strings.TrimSpace(tag))) {
			return exitBad, fmt.Errorf("-tags: more than %d", outdial.MaxTags)
		}
	}
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
	if len(c.Tags) > 0 {
		fmt.Fprintf(out, ", tagged %s,", strings.Join(c.Tags, " and "))
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
		switch {
		case r.Name == "override":
			fmt.Fprintf(out, "In force: %s\n", r.Text)
		case r.Name == "explore_rate" && r.Value > 0:
			fmt.Fprintf(out, "With a probability of %.1f %% the first place is used to learn.\n", 100*r.Value)
		}
	}
	if len(x.Candidates) == 0 {
		return
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\ttrunk\ta minute\tsuccess\ta success\troom\tway\tremarks")
	for i := range x.Candidates {
		k := &x.Candidates[i]
		place := fmt.Sprint(i+1) + "."
		if k.Fate == "left_out" {
			place = "–"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", place, k.Trunk, strings.Join(figures(k), "\t"), strings.Join(remarks(k), "; "))
	}
	t.Flush()
}

// figures of a candidate: cost, success, cost per success, room, way.
func figures(k *outdial.ExplainedCandidate) []string {
	cells := []string{"", "", "", "", ""}
	if k.CostMicros > 0 {
		cells[0] = fmt.Sprintf("%s (%s)", routing.Price(k.CostMicros), k.Matched)
	}
	for _, source := range []string{"posterior", "estimate"} {
		if n, ok := number(k.Readings, source+"_n"); ok && n > 0 {
			mean, _ := number(k.Readings, source+"_mean")
			cells[1] = fmt.Sprintf("%.0f %% of %.0f", 100*mean, n)
			break
		}
	}
	if per, ok := number(k.Readings, "cost_per_success"); ok {
		cells[2] = routing.Price(per).String()
	}
	if room, ok := number(k.Readings, "headroom_channels"); ok {
		cells[3] = fmt.Sprintf("%.0f", room)
	}
	var way []string
	for _, s := range []string{text(k.Readings, "interconnect"), k.Carrier, text(k.Readings, "hop")} {
		if s != "" {
			way = append(way, s)
		}
	}
	cells[4] = strings.Join(way, " ")
	return cells
}

// remarks are what is to be said of a candidate beside its figures.
func remarks(k *outdial.ExplainedCandidate) (parts []string) {
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if k.Refused != nil {
		add("%s: %s", k.Refused.Code, k.Refused.Text)
	}
	for _, name := range []string{"floor", "placed_last", "placed_first"} {
		if why := text(k.Readings, name); why != "" {
			add("%s", why)
		}
	}
	if burst, ok := number(k.Readings, "burst_price"); ok {
		add("%s a minute of it for the burst", routing.Price(burst))
	}
	if fee, ok := number(k.Readings, "surcharge"); ok {
		add("%s a call expected for short calls", routing.Price(fee))
	}
	if health, ok := number(k.Readings, "health"); ok && health < 1 {
		add("health %.0f %%", 100*health)
	}
	if p, ok := number(k.Readings, "propensity"); ok {
		add("first with a probability of %.1f %%", 100*p)
	}
	return parts
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
