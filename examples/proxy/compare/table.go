package main

import (
	_ "embed"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/template"
)

//go:embed table.md
var tableText string

// results are what all rounds have measured.
type results struct {
	quick  bool
	rounds int
	all    map[key][]figures
}

// key is what a measurement is of, but for how long it took.
type key struct {
	kind, subject string
	rate          int
	first         string
}

func (r *results) add(j job, f figures) {
	if r.all == nil {
		r.all = map[key][]figures{}
	}
	k := key{j.Kind, j.Subject, j.Rate, j.First}
	r.all[k] = append(r.all[k], f)
}

// median is that of a figure over the rounds; NaN where it was not measured.
func (r *results) median(k key, name string) float64 {
	var all []float64
	for _, f := range r.all[k] {
		if v, ok := f[name]; ok {
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		return math.NaN()
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

func (r *results) cpu(subject string, rate int) float64 {
	return r.median(key{"cpu", subject, rate, ""}, "cpu")
}

// added is what a subject adds to the time until a call rings, in milliseconds.
func (r *results) added(subject, quantile string) float64 {
	return (r.median(key{"delay", subject, 200, ""}, quantile) - r.median(key{"delay", direct, 200, ""}, quantile)) / 1000
}

func (r *results) memory(subject, name string) float64 {
	return r.median(key{"memory", subject, 1000, ""}, name)
}

func (r *results) ceiling(subject string) float64 {
	return r.median(key{"ceiling", subject, firstTry, ""}, "ceiling")
}

func (r *results) failover(subject, first, name string) float64 {
	return r.median(key{"failover", subject, 10, first}, name)
}

// dead is what calls cost at 500 a second while the first gateway lives, or is silent.
func (r *results) dead(subject, first string) float64 {
	return r.median(key{"cpu", subject, 500, first}, "cpu")
}

// goal is what the proxy must reach.
type goal struct {
	text  string
	value float64
	limit float64
	least bool // the limit is a lower one
	unit  string
}

func (g goal) row() string {
	met := g.value <= g.limit
	if g.least {
		met = g.value >= g.limit
	}
	verdict := "**missed**"
	switch {
	case math.IsNaN(g.value):
		verdict = "not measured"
	case met:
		verdict = "met"
	}
	bound := "≤"
	if g.least {
		bound = "≥"
	}
	return fmt.Sprintf("| %s | %s %s | %s | %s |\n", g.text, bound, show(g.limit, g.unit), show(g.value, g.unit), verdict)
}

func (r *results) goals() []goal {
	return []goal{
		{"CPU per call at 1,000 calls/s, × Kamailio tm + dialog", r.cpu(full, 1000) / r.cpu(dialogs, 1000), 1, false, "×"},
		{"the same (stretch)", r.cpu(full, 1000) / r.cpu(dialogs, 1000), .8, false, "×"},
		{"CPU per call at 500 calls/s, × Kamailio tm + dialog", r.cpu(full, 500) / r.cpu(dialogs, 500), 1.25, false, "×"},
		{"what routing, CLI, KPI and journal add to one static route, at 1,000 calls/s", r.cpu(full, 1000)/r.cpu(static, 1000)*100 - 100, 10, false, "%"},
		{"the same at 500 calls/s", r.cpu(full, 500)/r.cpu(static, 500)*100 - 100, 10, false, "%"},
		{"highest rate, × Kamailio tm + dialog", r.ceiling(full) / r.ceiling(dialogs), 1.2, true, "×"},
		{"added post-dial delay at 200 calls/s, median", r.added(full, "p50"), 1, false, "ms"},
		{"… and 99th percentile", r.added(full, "p99"), 8, false, "ms"},
		{"memory after 20 s at 1,000 calls/s, × Kamailio tm + dialog", r.memory(full, "pss") / r.memory(dialogs, "pss"), 1, false, "×"},
		{"calls lost, first gateway answers 503 on 10 %", r.failover(full, "10", "lost"), 0, false, ""},
		{"… on 100 %", r.failover(full, "100", "lost"), 0, false, ""},
		{"… first gateway silent", r.failover(full, "dead", "lost"), 0, false, ""},
		{"calls delayed at 10 calls/s, first gateway silent", r.failover(full, "dead", "delayed"), 12, false, ""},
		{"CPU per call at 500 calls/s, first gateway silent, × alive", r.dead(full, "dead") / r.dead(full, "live"), 1, false, "×"},
	}
}

// print writes the page.
func (r *results) print(w io.Writer) error {
	var peers, failures, goals strings.Builder
	for _, s := range subjects {
		fmt.Fprintf(&peers, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", s.title, show(r.cpu(s.name, 500), ""), show(r.cpu(s.name, 1000), ""),
			show(r.memory(s.name, "pss"), "MB"), show(r.memory(s.name, "afterwards"), ""), show(r.ceiling(s.name), ""),
			show(r.added(s.name, "p50"), "ms"), show(r.added(s.name, "p99"), "ms"))
	}
	for _, s := range subjects {
		if _, measured := r.all[key{"failover", s.name, 10, "dead"}]; !measured {
			continue
		}
		fmt.Fprintf(&failures, "| %s |", s.title)
		for _, first := range []string{"10", "100", "dead"} {
			fmt.Fprintf(&failures, " %s | %s |", show(r.failover(s.name, first, "lost"), ""), show(r.failover(s.name, first, "delayed"), ""))
		}
		fmt.Fprintf(&failures, " %s | %s |\n", show(r.dead(s.name, "live"), ""), show(r.dead(s.name, "dead"), ""))
	}
	for _, g := range r.goals() {
		goals.WriteString(g.row())
	}
	t, err := template.New("").Parse(tableText)
	if err != nil {
		return err
	}
	return t.Execute(w, map[string]any{
		"Quick": r.quick, "Rounds": r.rounds, "Peers": peers.String(), "Failures": failures.String(), "Goals": goals.String(),
		"CPUs": runtime.NumCPU(), "Go": runtime.Version(), "Model": model(),
	})
}

// show writes a figure with three digits, or more where it has them.
func show(v float64, unit string) string {
	s := "–"
	switch abs := math.Abs(v); {
	case math.IsNaN(v):
		return s
	case unit == "" || abs >= 100 || v == math.Trunc(v):
		s = fmt.Sprintf("%.0f", v)
	case abs >= 10:
		s = fmt.Sprintf("%.1f", v)
	default:
		s = fmt.Sprintf("%.2f", v)
	}
	if unit != "" {
		s += " " + unit
	}
	return s
}

// model is the processor as the machine names it.
func model() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(data)) {
		if name, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return "unknown processor"
}
