package page

import (
	"context"
	"time"
)

// Tick takes a snapshot that the plots keep, as Run does every other time. Not while Run is at it: the source is one goroutine's.
func (p *Page) Tick(ctx context.Context) { p.tick(ctx, true) }

// Rates are the calls a second that a page shows for counts that are taken at so many milliseconds.
func Rates(at []int, calls []uint64) (all []float64) {
	var s source
	for i := range at {
		all = append(all, s.rate(time.UnixMilli(int64(at[i])), calls[i]))
	}
	return all
}
