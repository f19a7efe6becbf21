package b2bua

import (
	"context"
	"time"
)

// flushEvery is how long the record that an attempt rings may wait for another one at most. Calls that are placed, answered or over are on
// record at once.
const flushEvery = 50 * time.Millisecond

// flush writes what waits in the journal, until ctx is done.
func (p *Proxy) flush(ctx context.Context) {
	if p.journal == nil {
		return
	}
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := p.journal.Flush(); err != nil && p.stats.journalErrors.Add(1) == 1 {
				p.log.Error("journal", "error", err)
			}
		}
	}
}
