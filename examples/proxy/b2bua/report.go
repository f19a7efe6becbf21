package b2bua

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/outdial/outdial"
)

// outcome is what the dialer was told.
type outcome struct {
	code    int
	refusal string // codes of the refusals, where nothing was placed
}

// report logs one line about a call that is over.
func (p *Proxy) report(c *call, now time.Time) {
	if !p.log.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	invite := c.dialog.invite
	attrs := []slog.Attr{
		slog.String("ref", limited(invite.CallID().Value())), slog.String("dialer", invite.source.name),
		slog.Int("code", c.outcome.code), slog.Duration("lasted", now.Sub(c.began)),
	}
	if c.session == nil { // it was no call that the engine could be asked about
		p.log.LogAttrs(context.Background(), slog.LevelInfo, "call", attrs...)
		return
	}
	call, attempts := c.session.Call(), c.session.Attempts()
	attrs = append(attrs, slog.String("call", strconv.FormatUint(uint64(call.ID), 16)), slog.String("to", p.shown(call.To)),
		slog.Int("attempts", len(attempts)), slog.String("stop", c.session.Stopped().String()))
	if len(attempts) > 0 {
		a := &attempts[len(attempts)-1]
		for i := range attempts {
			if attempts[i].Answered() && !attempts[i].Late {
				a = &attempts[i]
			}
		}
		attrs = append(attrs, slog.String("trunk", p.ids.Trunks.Name(a.Candidate.Trunk)), slog.String("cli", p.shown(a.CLI)),
			slog.String("end", a.Result.Origin.String()))
		if d, ok := a.Timeline.PDD(); ok {
			attrs = append(attrs, slog.Duration("pdd", d))
		}
		if d, ok := a.Timeline.Duration(); ok {
			attrs = append(attrs, slog.Duration("talked", d))
		}
	}
	if c.outcome.refusal != "" {
		attrs = append(attrs, slog.String("refusal", c.outcome.refusal))
	}
	p.log.LogAttrs(context.Background(), slog.LevelInfo, "call", attrs...)
}

// masked is a callee's number as operators see it.
func (p *Proxy) masked(n outdial.Number) string {
	if p.private.mode == numbersClear {
		return n.String()
	}
	return (&private{mode: numbersMasked}).number(n)
}

// shown is a number as it may stand in a log.
func (p *Proxy) shown(n outdial.Number) string { return p.private.number(n) }
