package b2bua

import (
	"context"
	"time"
)

// noticesEvery is how often the log is told what came up about caller IDs.
const noticesEvery = 10 * time.Second

// notices writes what a person should know of caller IDs to the log: a number that rests and where to object, a breaker, a
// number to give back. It returns when ctx is done.
func (p *Proxy) notices(ctx context.Context) {
	if p.clis == nil {
		return
	}
	tick := time.NewTicker(noticesEvery)
	defer tick.Stop()
	for {
		p.logNotices()
		select {
		case <-ctx.Done():
			p.logNotices()
			return
		case <-tick.C:
		}
	}
}

func (p *Proxy) logNotices() {
	for _, n := range p.clis.Notices() {
		attrs := []any{"kind", n.Kind.String(), "pool", n.Pool, "text", n.Text}
		if n.Number != 0 {
			attrs = append(attrs, "number", n.Number.String()) // ours, not a callee's: never masked
		}
		if n.Redress != nil {
			attrs = append(attrs, "url", n.Redress.URL, "tel", n.Redress.Tel, "email", n.Redress.Email)
		}
		p.log.Warn("caller ID", attrs...)
	}
}
