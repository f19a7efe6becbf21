package kpi

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/outdial/outdial"
)

// Config configures a Meter. The zero value is a meter with all defaults.
type Config struct {
	// IDs names the ids in reports: the registry that the engine uses. nil = ids stand as numbers.
	IDs *outdial.Registry

	// Window is the span that snapshots and estimates look back over, and Buckets the slices in which it moves on.
	// A reading covers the current, partial bucket and the full ones before it: between Window less one bucket and
	// Window. 0 = 1 h in 12 buckets of 5 min. Window ÷ Buckets must be at least 1 ms; Buckets is 2 to 1024.
	Window  time.Duration
	Buckets int

	// Views are the sets of dimensions for which cells are kept, at most 16, each once. nil = DefaultViews; empty
	// but not nil = Total alone.
	Views []View

	// MaxCells bounds the cells, over all views, besides one per view that takes what finds no room (Key.Other). When
	// they are used up, those with nothing left in the window, by the time of the latest reading, make room. A cell
	// that counted in every bucket takes about 6 KB, in one bucket less than 1 KB. 0 = 16,384; negative = none.
	MaxCells int

	// RecentCalls is how many calls are remembered so that one with several bids is counted once; it should exceed
	// the calls that begin within the longest set-up of one call. 0 = 65,536 (1.2 MB).
	RecentCalls int

	// ShortCalls are the thresholds up to which a conversation counts as short, ascending, at most MaxShorts.
	// nil = 3, 6, 10, 15 s; empty but not nil = none.
	ShortCalls []time.Duration

	// PriorStrength is how many legs the rest of a trunk's traffic, and the rest of all traffic, may weigh in an
	// estimate; at least 1. 0 = 20; negative = none: every cell stands alone.
	PriorStrength float64

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
	c.PriorStrength = max(orDefault(c.PriorStrength, 20), 0)
	c.MinEvidence = max(orDefault(c.MinEvidence, 30), 0)
	if c.Buckets < 2 || c.Buckets > 1024 {
		bad("Buckets: %d: want 2 to 1024", c.Buckets)
	} else if c.Window/time.Duration(c.Buckets) < time.Millisecond {
		bad("Window: %v in %d buckets: want at least 1ms each", c.Window, c.Buckets)
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

// orDefault is v, or d where v is zero.
func orDefault[T comparable](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}
