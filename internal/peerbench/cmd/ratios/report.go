package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// reporter writes the report, and keeps apart what outdial must not hide.
type reporter struct {
	samples *samples
	body    strings.Builder
	missed  []string // goals
	slower  []string // than a peer, where no goal says how much it may be
}

// report is the generated part of the document. It is an error when a figure that a subject asks for is not there.
func report(all []subject, m *samples, s settings, machine string) (string, error) {
	r := &reporter{samples: m}
	measured := map[string]bool{}
	for n := range m.series {
		known := slices.ContainsFunc(all, func(s subject) bool {
			return s.bench == n.subject && (n.side == ours || slices.ContainsFunc(s.peers, func(p peer) bool { return p.side == n.side }))
		})
		if !known {
			return "", fmt.Errorf("the report does not know Benchmark%s/%s/%s", n.subject, n.test, n.side)
		}
		measured[n.subject] = true
	}
	for i := range all {
		if measured[all[i].bench] {
			if err := r.subject(&all[i]); err != nil {
				return "", err
			}
		}
	}
	var out strings.Builder
	command := fmt.Sprintf("go run ./cmd/ratios -rounds %d -benchtime %v", s.rounds, s.benchtime)
	if s.bench != "." {
		command += fmt.Sprintf(" -bench '%s'", s.bench)
	}
	fmt.Fprintf(&out, "Taken with `%s -seed %d` in `internal/peerbench`, on %s.\n\n", command, s.seed, machine)
	list := func(title string, lines []string) {
		if len(lines) > 0 {
			fmt.Fprintf(&out, "%s:\n\n- %s\n\n", title, strings.Join(lines, "\n- "))
		}
	}
	list("Goals missed in this run", r.missed)
	list("Slower than what stands beside it, where no goal says by how much it may be", r.slower)
	out.WriteString(r.body.String())
	return out.String(), nil
}

func (r *reporter) subject(s *subject) error {
	fmt.Fprintf(&r.body, "## %s\n\n%s\n\n", s.title, s.text)
	units := s.units
	if len(units) == 0 {
		units = []string{"ns/op"}
	}
	used := make([]bool, len(s.goals))
	for _, unit := range units {
		r.table(s, unit, used)
	}
	r.alone(s, used)
	for i, g := range s.goals {
		if !used[i] {
			return fmt.Errorf("%s: nothing was measured for the goal %+v", s.bench, g)
		}
	}
	return nil
}

// table compares the sides of a subject by one unit.
func (r *reporter) table(s *subject, unit string, used []bool) {
	fmt.Fprintf(&r.body, "| case | outdial | beside | %s | outdial ÷ peer | goal | |\n|---|--:|---|--:|--:|--:|---|\n", unit)
	for _, test := range r.samples.cases(s.bench, unit) {
		n := name{s.bench, test, ours, unit}
		mine := r.samples.series[n]
		for _, peer := range s.peers {
			p := name{s.bench, test, peer.side, unit}
			theirs := r.samples.series[p]
			if theirs == nil {
				continue
			}
			ratio := mine.beside(theirs)
			row := fmt.Sprintf("%s, %s: %s %s beside %s (%s)", s.title, test, short(mine.median(), unit), unit,
				short(theirs.median(), unit), peer.title)
			asked, word := r.judge(s, test, peer.side, unit, ratio.median(), row, used)
			fmt.Fprintf(&r.body, "| %s | %s | %s | %s | %s | %s | %s |\n", test, r.cell(n), peer.title, r.cell(p),
				spread(ratio, ""), asked, word)
		}
	}
	r.body.WriteByte('\n')
}

// judge says what was asked of a ratio, and whether it was reached.
func (r *reporter) judge(s *subject, test, peer, unit string, ratio float64, row string, used []bool) (asked, word string) {
	for i, g := range s.goals {
		if g.peer != peer || g.unit != unit || (g.test != "" && g.test != test) {
			continue
		}
		used[i] = true
		asked = fmt.Sprintf("≤ %.3g", g.most)
		if ratio <= g.most {
			return asked, "met"
		}
		r.missed = append(r.missed, fmt.Sprintf("%s, %.3g times as much, goal %s", row, ratio, asked))
		return asked, "**missed**"
	}
	switch {
	case math.IsNaN(ratio):
		return "", ""
	case ratio > 1:
		if unit == "ns/op" {
			r.slower = append(r.slower, fmt.Sprintf("%s, %.3g times as much", row, ratio))
		}
		return "", "**more**"
	}
	return "", "less"
}

// alone compares outdial with the goals that are no ratios.
func (r *reporter) alone(s *subject, used []bool) {
	var lines []string
	for i, g := range s.goals {
		if g.peer != "" {
			continue
		}
		word := "met"
		for _, test := range r.samples.cases(s.bench, g.unit) {
			if g.test != "" && g.test != test {
				continue
			}
			used[i] = true
			_, got, greatest := r.samples.series[name{s.bench, test, ours, g.unit}].spread()
			if g.most == 0 { // never, not usually not
				got = greatest
			}
			if got <= g.most {
				continue
			}
			word = "**missed**"
			line := fmt.Sprintf("%s, %s: %s %s, goal ≤ %s", s.title, test, short(got, g.unit), g.unit, short(g.most, g.unit))
			if g.unit == "ns/op" {
				line += " on a quiet 3 GHz core"
			}
			r.missed = append(r.missed, line)
		}
		if used[i] {
			where := g.test
			if where == "" {
				where = "all cases"
			}
			lines = append(lines, fmt.Sprintf("%s ≤ %s (%s): %s", g.unit, short(g.most, g.unit), where, word))
		}
	}
	if len(lines) > 0 {
		fmt.Fprintf(&r.body, "Goals of outdial alone: %s.\n\n", strings.Join(lines, "; "))
	}
}

// cell is a figure with its spread, and the allocations if it is a time.
func (r *reporter) cell(n name) string {
	text := spread(r.samples.series[n], n.unit)
	if n.unit != "ns/op" {
		return text
	}
	n.unit = "allocs/op"
	if allocs := r.samples.series[n]; allocs != nil {
		text += fmt.Sprintf(", %.3g allocs", allocs.median())
	}
	return text
}

// spread writes a median with the least and the greatest.
func spread(s series, unit string) string {
	least, median, greatest := s.spread()
	if math.IsNaN(median) {
		return "–"
	}
	return fmt.Sprintf("%s (%s–%s)", short(median, unit), short(least, unit), short(greatest, unit))
}

// short writes three digits, and whole numbers from 100 on; of a ratio (no unit) two places, or two digits below 0.1.
func short(v float64, unit string) string {
	switch {
	case unit == "" && v < .1:
		return fmt.Sprintf("%.2g", v)
	case unit == "" && v < 10:
		return fmt.Sprintf("%.2f", v)
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
