package kpi

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/outdial/outdial"
)

// Config configures a Meter. The zero value is a meter with all defaults.
type Config struct {
	// IDs names the ids in reports: the registry that the engine uses. nil = ids stand as numbers.
	IDs *outdial.Registry

	// Number shows a telephone number in a report; the journal has them in clear. nil = the first 12 hexadecimal digits of
	// an HMAC-SHA-256 with a key that is drawn when the meter is made, so that a report tells numbers apart and nothing
	// more.
	Number func(outdial.Number) string

	// Window is the span that snapshots and estimates look back over, and Buckets the slices in which it moves on.
	// A reading covers the current, partial bucket and the full ones before it: between Window less one bucket and
	// Window. 0 = 1 h in 12 buckets of 5 min. Window ÷ Buckets must be at least 1 ms; Buckets is 2 to 1024.
	Window  time.Duration
	Buckets int

	// Spans are further stretches of time to look back over, for instance StandardSpans: Meter.Over reads them. Their
	// slices are multiples of the shortest one. Each costs a cell that is busy as much again. At most 7; nil = none.
	Spans []Span

	// Archive keeps the hours of chosen roll-ups for weeks: Meter.Hours reads them. The zero value keeps none.
	Archive ArchiveConfig

	// Views are the sets of dimensions for which cells are kept, at most 16, each once. nil = DefaultViews; empty
	// but not nil = Total alone.
	Views []View

	// MaxCells bounds the cells, over all views, besides one per view that takes what finds no room (Key.Other). When
	// they are used up, those with nothing left in the longest window, by the time of the latest reading, make room. A cell
	// takes 0.2 KB and ten bytes for each attempt in the window, and from some eight hundred on 8 KB; one that several cores
	// count in at the same time, 8 KB for each of up to 8. 0 = 16,384; negative = none.
	MaxCells int

	// RecentCalls is how many calls are remembered so that one with several bids is counted once; it should exceed
	// the calls that begin within the longest set-up of one call. 0 = 65,536 (0.5 MB).
	RecentCalls int

	// RecentAnswers is how many answered attempts are remembered, so that a Disposed event that brings only the attempt's
	// id is counted where the attempt was, and each once. 0 = 65,536 (4 MB); negative = none.
	RecentAnswers int

	// AbandonedCodes are the host's disposition codes for a call that a person answered and no agent took. nil = a
	// disposition without agent time says so.
	AbandonedCodes []string

	// ShortCalls are the thresholds up to which a conversation counts as short, ascending, at most MaxShorts.
	// nil = 3, 6, 10, 15 s; empty but not nil = none.
	ShortCalls []time.Duration

	// Cohorts keeps the durations of conversations by attempt time too (Cell.CohortACD). It costs a cell some six bytes more for
	// each answered call.
	Cohorts bool

	// PriorStrength is how many legs the rest of a trunk's traffic, and the rest of all traffic, may weigh in an
	// estimate; at least 1. 0 = 20; negative = none: every cell stands alone.
	PriorStrength float64

	// HalfLife is the age at which an attempt counts half in an estimate; at least one bucket. 0 = all of the window alike.
	HalfLife time.Duration

	// Regions gives destination groups to regions, for ByRegion: "US/212" to "New York". It needs IDs. nil = none.
	Regions map[string]string

	// BlockDigits is how many digits a number loses to be a block, for ByBlock: 3 = a thousand numbers. 0 = 3; at most 12.
	BlockDigits int

	// Tariffs say what carriers bill beside the price of a minute, each once. nil = minutes alone, to the nanosecond.
	Tariffs []Tariff

	// MinEvidence is the number of trials below which a report calls a ratio "insufficient data". 0 = 30;
	// negative = none.
	MinEvidence int
}

// withDefaults returns a validated copy with its defaults filled in; the error names every bad field.
func (c Config) withDefaults() (Config, error) {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("kpi: "+format, args...)) }
	c.Window = orDefault(c.Window, time.Hour)
	c.Buckets = orDefault(c.Buckets, 12)
	c.MaxCells = max(orDefault(c.MaxCells, 1<<14), 0)
	c.RecentCalls = orDefault(c.RecentCalls, 1<<16)
	c.RecentAnswers = max(orDefault(c.RecentAnswers, 1<<16), 0)
	c.PriorStrength = max(orDefault(c.PriorStrength, 20), 0)
	c.MinEvidence = max(orDefault(c.MinEvidence, 30), 0)
	if c.Buckets < 2 || c.Buckets > 1024 {
		bad("Buckets: %d: want 2 to 1024", c.Buckets)
	} else if c.Window/time.Duration(c.Buckets) < time.Millisecond {
		bad("Window: %v in %d buckets: want at least 1ms each", c.Window, c.Buckets)
	}
	if len(c.Spans) > 7 {
		bad("Spans: %d: want at most 7", len(c.Spans))
	}
	c.Spans = slices.Clone(c.Spans)
	for i, s := range c.Spans {
		if s.Buckets < 2 || s.Buckets > 1024 || s.Window/time.Duration(max(s.Buckets, 1)) < time.Millisecond {
			bad("Spans[%d]: %v in %d buckets: want 2 to 1024 buckets of at least 1ms", i, s.Window, s.Buckets)
		}
		if s.Window == c.Window || slices.ContainsFunc(c.Spans[:i], func(o Span) bool { return o.Window == s.Window }) {
			bad("Spans[%d]: %v: given twice", i, s.Window)
		}
	}
	if c.HalfLife < 0 || c.HalfLife > 0 && c.Buckets > 1 && c.HalfLife < c.Window/time.Duration(c.Buckets) {
		bad("HalfLife: %v: want at least one bucket", c.HalfLife)
	}
	if len(c.Regions) > 0 && c.IDs == nil {
		bad("Regions: IDs is required")
	}
	if len(c.Regions) > 1<<16-1 {
		bad("Regions: %d: want at most 65535", len(c.Regions))
	}
	c.Regions = maps.Clone(c.Regions)
	c.BlockDigits = orDefault(c.BlockDigits, 3)
	if c.BlockDigits < 0 || c.BlockDigits > 12 {
		bad("BlockDigits: %d: want 1 to 12", c.BlockDigits)
	}
	c.AbandonedCodes = slices.Clone(c.AbandonedCodes)
	c.Tariffs = slices.Clone(c.Tariffs)
	for i, t := range c.Tariffs {
		if t.Initial < 0 || t.Increment < 0 || t.ShortBelow < 0 || t.PerAnswer < 0 || t.PerShort < 0 {
			bad("Tariffs[%d]: negative value", i)
		}
		if slices.ContainsFunc(c.Tariffs[:i], func(o Tariff) bool { return o.Carrier == t.Carrier }) {
			bad("Tariffs[%d]: carrier %d: given twice", i, t.Carrier)
		}
	}
	if c.RecentAnswers > 1<<28 {
		bad("RecentAnswers: %d: want at most %d", c.RecentAnswers, 1<<28)
	}
	if c.MaxCells > 1<<26 {
		bad("MaxCells: %d: want at most %d", c.MaxCells, 1<<26)
	}
	if c.RecentCalls < 0 || c.RecentCalls > 1<<28 {
		bad("RecentCalls: %d: want 0 to %d", c.RecentCalls, 1<<28)
	}
	if c.PriorStrength != c.PriorStrength || c.PriorStrength > 1e9 || c.PriorStrength > 0 && c.PriorStrength < 1 {
		bad("PriorStrength: %v: want 1 to 1e9", c.PriorStrength)
	}
	switch {
	case c.Views == nil:
		c.Views = DefaultViews()
	case len(c.Views) == 0:
		c.Views = []View{Total}
	default:
		c.Views = slices.Clone(c.Views)
	}
	if len(c.Views) > 16 {
		bad("Views: %d: want at most 16", len(c.Views))
	}
	for i, v := range c.Views {
		if v&^allDimensions != 0 {
			bad("Views[%d]: %#x: unknown dimension", i, uint16(v))
		}
		if slices.Contains(c.Views[:i], v) {
			bad("Views[%d]: %v: given twice", i, v)
		}
	}
	c.archive(bad)
	if c.Number == nil {
		c.Number = newNumberHash()
	}
	if c.ShortCalls == nil {
		c.ShortCalls = []time.Duration{3 * time.Second, 6 * time.Second, 10 * time.Second, 15 * time.Second}
	}
	c.ShortCalls = slices.Clone(c.ShortCalls)
	if len(c.ShortCalls) > MaxShorts {
		bad("ShortCalls: %d thresholds: want at most %d", len(c.ShortCalls), MaxShorts)
	}
	for i, d := range c.ShortCalls {
		if d <= 0 || i > 0 && d <= c.ShortCalls[i-1] {
			bad("ShortCalls[%d]: %v: want positive and ascending", i, d)
		}
	}
	return c, errors.Join(errs...)
}

// archive fills in the defaults of Archive, and tells what is bad in it.
func (c *Config) archive(bad func(string, ...any)) {
	a := &c.Archive
	a.Views = slices.Clone(a.Views)
	a.MaxCells, a.Keep = orDefault(a.MaxCells, 5000), orDefault(a.Keep, 8*7*24*time.Hour)
	for i, v := range a.Views {
		if v&^allDimensions != 0 || slices.Contains(a.Views[:i], v) {
			bad("Archive.Views[%d]: %v: an unknown dimension, or given twice", i, v)
		}
	}
	if len(a.Views) > 16 {
		bad("Archive.Views: %d: want at most 16", len(a.Views))
	}
	if a.MaxCells < 0 || a.MaxCells > 1<<20 {
		bad("Archive.MaxCells: %d: want at most %d", a.MaxCells, 1<<20)
	}
	if a.Keep < time.Hour || a.Keep > 366*24*time.Hour || a.Keep%time.Hour != 0 {
		bad("Archive.Keep: %v: want whole hours, at most a year", a.Keep)
	}
}

// orDefault is v, or d where v is zero.
func orDefault[T comparable](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}
