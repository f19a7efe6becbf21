package page

import "context"

// Tick takes a snapshot that the plots keep, as Run does every other time. Not while Run is at it: the source is one goroutine's.
func (p *Page) Tick(ctx context.Context) { p.tick(ctx, true) }
