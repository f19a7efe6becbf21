package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/outdial/outdial/failover"
)

// writeText writes the summary for people, in so many columns.
func (s *summary) writeText(w io.Writer, invariants bool, width int) error {
	var b strings.Builder
	p := func(format string, args ...any) {
		for l := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
			b.WriteString(strings.Join(wrap(l, width), "\n") + "\n")
		}
	}
	head := "SUMMARY"
	if s.Interrupted {
		head = "SUMMARY of what was done before the interruption"
	}
	p("\n%s   seed %d, %.1f s, %d seats", head, s.Seed, s.Seconds, s.Seats)
	p("\ncalls      %d placed, %d answered: %s (of calls)", s.Calls.Placed, s.Calls.Answered, percent(s.Calls.ABR))
	p("attempts   %d, %d failovers to another trunk; ASR %s (of attempts)", s.Calls.Attempts, s.Calls.Advances, percent(s.Total.ASR))
	p("calls lost %d (failed or refused, and a trunk had room for them)", s.Calls.Lost)
	for _, v := range sorted(s.Verdicts) {
		p("           %5d %s", s.Verdicts[v], v)
	}
	p("callees    %s", counts(s.Outcomes))
	if len(s.Refusals) > 0 {
		p("refusals   of bids, the call then tried the next trunk: %s", counts(s.Refusals))
	}
	p("agents     %.0f s talk on average (model time), %.0f %% occupied, %d humans found no agent free",
		s.Agents.Talk, 100*s.Agents.Occupancy, s.Calls.NoAgent)
	p("caller IDs %d of %d numbers used, at most %d times each; the cap is %d", s.CallerIDs.Used, s.CallerIDs.Numbers, s.CallerIDs.Most, s.CallerIDs.Cap)
	p("journal    %d events, %d attempts, %d answers, %d open", s.Journal.Events, s.Journal.Attempts, s.Journal.Answered, s.Journal.Open)
	s.writeTrunks(p, width < tableWidth)
	s.writeIncident(p)
	if len(s.Story) > 0 {
		p("\nONE CALL THAT MET THE FAULT")
		for _, l := range s.Story {
			p("  %s", l)
		}
	}
	if s.Explained != nil {
		p("\nONE DECISION, EXPLAINED   at %.2f s, with %s broken; as JSON: --json, .explained.decision", s.Explained.At, good)
		for _, l := range s.Decision {
			p("  %s", l)
		}
	}
	if len(s.Other) > 0 {
		p("\nTHE SAME CALLS BY ANOTHER POLICY   replayed from the journal")
		for _, l := range s.Other {
			p("  %s", l)
		}
	}
	s.writeChecks(p, invariants)
	if s.Kept != "" {
		p("\nkept: %s", s.configFile())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeTrunks writes a line for each trunk; a narrow one leaves out the 95th percentile and what the carrier is like.
func (s *summary) writeTrunks(p func(string, ...any), narrow bool) {
	p95 := left("p95", 8) + " "
	if narrow {
		p95 = ""
	}
	p("\nby trunk; channels and calls/s are the carrier's own peaks, of what is agreed; ACD is model time")
	p("trunk    attempts answers   ASR  95 %%       PDD p50 %s channels calls/s   ACD", p95)
	for _, t := range s.Trunks {
		line := fmt.Sprintf("%s %s %s %s %s", fit(t.Name, 8), t.columns(narrow), left(fmt.Sprintf("%d/%d", t.CarrierPeak, t.Channels), 9),
			left(fmt.Sprintf("%d/%d", t.CarrierCPS, t.Contract), 7), acd(t.ACD))
		if !narrow {
			line += "  " + t.About
		}
		p("%s", line)
	}
	p("%s %s", fit("all", 8), s.Total.columns(narrow))
	p("\nroom by trunk: channels that were free at the peak, and bids that were blocked, by reason")
	for _, t := range s.Trunks {
		reasons := "nothing blocked"
		if len(t.Blocked) > 0 {
			reasons = "blocked " + counts(t.Blocked)
		}
		p("%s least headroom %d of %d channels; %s", fit(t.Name, 8), t.Headroom, t.Channels, reasons)
	}
}

// columns are what is measured, in columns.
func (m measures) columns(narrow bool) string {
	asr, interval := "    –", ""
	if m.ASR.Value != nil {
		asr, interval = fmt.Sprintf("%3.0f %%", 100**m.ASR.Value), span(m.ASR.Ratio)
	}
	text := fmt.Sprintf("%8d %7d %s  %s %s", m.Attempts, m.Answers, asr, fit(interval, 9), left(delay(m.PDD50), 8))
	if !narrow {
		text += " " + left(delay(m.PDD95), 8)
	}
	return text
}

func (s *summary) writeIncident(p func(string, ...any)) {
	names := s.trunkNames()
	p("\nshare of attempts%s  calls answered", columns(names))
	for _, ph := range s.Phases {
		var shares []string
		for _, n := range names {
			shares = append(shares, fmt.Sprintf("%.0f %%", 100*ph.Shares[n]))
		}
		p("%s%s  %s", fit(ph.Name, 17), columns(shares), percent(ph.ABR))
	}
	if len(s.Label) > 0 {
		p("\n%s", strings.Join(s.Label, "\n"))
	}
	in := s.Incident
	if in == nil {
		return
	}
	how := "answered 503"
	if s.Fault == faultSilent {
		how = "went silent"
	}
	p("\n%s %s at %.2f s:", in.Trunk, how, in.At)
	if in.Detect != nil {
		p("  noticed after        %s, by %d failures in a row; %d calls had been sent to it by then", delay(in.Detect), in.InARow, in.MetBefore)
		p("  traffic shifted in   %s (fault to the last ordinary call on it)", delay(in.Shift))
	} else {
		p("  not noticed          there were too few calls: at most %d failures in a row", in.InARow)
	}
	p("  calls that met it    %d, probes included; %d went on to another trunk, in the median %s later", in.Met, in.Saved, delay(in.AddedDelay))
	if in.HealedAt != nil {
		p("  repaired at          %.2f s", *in.HealedAt)
	}
	if in.Recover != nil {
		p("  had its share again  %s after the repair: %d probes in a row had to do well", delay(in.Recover), failover.DefaultProbeGood)
	}
}

func (s *summary) writeChecks(p func(string, ...any), all bool) {
	p("\n%d of %d invariants hold", len(s.Checked)-s.failed(), len(s.Checked))
	for _, c := range s.Checked {
		switch {
		case !c.OK:
			p("  FAILED  %s: %s", c.Name, c.Fault)
		case all:
			p("  ok      %s", c.Name)
		}
	}
}

// percent shows a ratio with its interval.
func percent(r ratio) string {
	if r.Value == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f %% [%.1f–%.1f]", 100**r.Value, 100**r.Low, 100**r.High)
}

// delay shows seconds that may not be known.
func delay(s *float64) string {
	if s == nil {
		return "–"
	}
	return ms(sinceOf(s))
}

func acd(s *float64) string {
	if s == nil {
		return left("–", 5)
	}
	return left(fmt.Sprintf("%.0f s", *s), 5)
}

// columns pads texts to the columns of the table of shares.
func columns(texts []string) string {
	var b strings.Builder
	for _, t := range texts {
		b.WriteString(left(t, 9))
	}
	return b.String()
}

// counts lists counts, the greatest first.
func counts[K cmp.Ordered, N int | uint64](m map[K]N) string {
	var parts []string
	for _, k := range sorted(m) {
		parts = append(parts, fmt.Sprintf("%d %v", m[k], k))
	}
	return strings.Join(parts, ", ")
}

// sorted returns the keys by their count, the greatest first.
func sorted[K cmp.Ordered, N int | uint64](m map[K]N) []K {
	keys := slices.Sorted(maps.Keys(m))
	slices.SortStableFunc(keys, func(a, b K) int { return cmp.Compare(m[b], m[a]) })
	return keys
}
