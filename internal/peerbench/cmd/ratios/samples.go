package main

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ours is the side that the others are compared with.
const ours = "outdial"

// series is one figure of one side, by round; NaN where a round has none.
type series []float64

// name is what a series is about: Benchmark<subject>/<case>/<side>, and the unit.
type name struct{ subject, test, side, unit string }

// samples are the figures of all rounds.
type samples struct {
	rounds int
	cpu    string
	series map[name]series
}

var (
	line  = regexp.MustCompile(`^Benchmark(\w+)/(\S+)/(\w+?)(?:-\d+)?\s+\d+\s+(.+)$`)
	start = regexp.MustCompile(`^Benchmark\S*\s`)
)

// add reads what a benchmark printed in a round.
func (s *samples) add(round int, text string) error {
	for l := range strings.Lines(text) {
		l = strings.TrimSpace(l)
		if cpu, ok := strings.CutPrefix(l, "cpu:"); ok {
			s.cpu = strings.TrimSpace(cpu)
		}
		if !start.MatchString(l) {
			continue
		}
		part := line.FindStringSubmatch(l)
		if part == nil {
			return fmt.Errorf("not Benchmark<subject>/<case>/<side> with figures: %q", l)
		}
		fields := strings.Fields(part[4])
		if len(fields)%2 != 0 {
			return fmt.Errorf("a figure without a unit: %q", l)
		}
		for i := 0; i < len(fields); i += 2 {
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return fmt.Errorf("%q: %w", l, err)
			}
			s.put(round, name{part[1], part[2], part[3], fields[i+1]}, v)
		}
	}
	return nil
}

func (s *samples) put(round int, n name, v float64) {
	if s.series == nil {
		s.series = map[name]series{}
	}
	if s.series[n] == nil {
		s.series[n] = slices.Repeat(series{math.NaN()}, s.rounds)
	}
	s.series[n][round] = v
}

// cases returns the cases of a subject in which outdial has a figure in this unit, by leading number and then by name.
func (s *samples) cases(subject, unit string) []string {
	var out []string
	for n := range s.series {
		if n.subject == subject && n.unit == unit && n.side == ours {
			out = append(out, n.test)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(leading(a), leading(b)), cmp.Compare(a, b)) })
	return out
}

// leading is the number that a case begins with; beyond all others if there is none.
func leading(test string) int {
	n, err := strconv.Atoi(test[:len(test)-len(strings.TrimLeft(test, "0123456789"))])
	if err != nil {
		return math.MaxInt
	}
	return n
}

// beside divides, round by round.
func (s series) beside(o series) series {
	out := make(series, len(s))
	for i := range s {
		out[i] = s[i] / o[i]
	}
	return out
}

// spread returns the least, the median and the greatest of the rounds that have a figure; NaN if none has.
func (s series) spread() (least, median, greatest float64) {
	v := slices.DeleteFunc(slices.Clone(s), math.IsNaN)
	if len(v) == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	slices.Sort(v)
	n := len(v)
	return v[0], (v[(n-1)/2] + v[n/2]) / 2, v[n-1]
}

func (s series) median() float64 {
	_, m, _ := s.spread()
	return m
}
