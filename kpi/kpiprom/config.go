package kpiprom

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// Config configures a Collector. The zero value but for IDs counts all traffic by trunk.
type Config struct {
	// IDs names the label values: the registry that the engine uses. Required.
	IDs *outdial.Registry

	// View says which dimensions become labels; nil = trunk. ByCLI and ByBlock, which are made of telephone numbers, and
	// ByRegion, which only a meter knows, are refused.
	View *kpi.View

	// Meter is read at each scrape for the ratios of its window, for those label sets that it has. nil = none. It has to
	// keep the view.
	Meter *kpi.Meter

	// MaxSeries is how many label sets are kept apart; the rest is counted together as "other". 0 = 500; at most 10,000.
	// A label set makes some fifty time series.
	MaxSeries int

	// RecentAnswers is how many answered attempts are remembered, so that a disposition that brings only the attempt's id
	// counts where the attempt did, and each once. 0 = 65,536 (2.6 MB); negative = none.
	RecentAnswers int

	// PDD and Duration are the upper bounds of the histograms' buckets in seconds, ascending; nil = 0.5 to 20 s, and 3 s to
	// an hour.
	PDD, Duration []float64

	// Now is the time of a scrape; nil = time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() (Config, error) {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("kpiprom: "+format, args...)) }
	if c.IDs == nil {
		bad("IDs: required")
	}
	view := kpi.ByTrunk
	if c.View != nil {
		view = *c.View
	}
	c.View = &view
	if view&(kpi.ByCLI|kpi.ByBlock|kpi.ByRegion) != 0 {
		bad("View: %v: telephone numbers and regions cannot be labels", view)
	}
	if c.MaxSeries == 0 {
		c.MaxSeries = 500
	}
	if c.MaxSeries < 0 || c.MaxSeries > 10_000 {
		bad("MaxSeries: %d: want 1 to 10000", c.MaxSeries)
	}
	if c.RecentAnswers == 0 {
		c.RecentAnswers = 1 << 16
	}
	if c.RecentAnswers = max(c.RecentAnswers, 0); c.RecentAnswers > 1<<28 {
		bad("RecentAnswers: %d: want at most %d", c.RecentAnswers, 1<<28)
	}
	if c.PDD == nil {
		c.PDD = []float64{0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 11, 15, 20}
	}
	if c.Duration == nil {
		c.Duration = []float64{3, 6, 10, 15, 30, 60, 120, 300, 600, 1800, 3600}
	}
	for i, bounds := range [][]float64{c.PDD, c.Duration} {
		if len(bounds) > 40 || !slices.IsSorted(bounds) || slices.ContainsFunc(bounds, func(b float64) bool { return !(b > 0) }) {
			bad("%s: %v: want at most 40 positive bounds, ascending", [...]string{"PDD", "Duration"}[i], bounds)
		}
	}
	c.PDD, c.Duration = slices.Clone(c.PDD), slices.Clone(c.Duration)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, errors.Join(errs...)
}
