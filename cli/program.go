package cli

import (
	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// program is what is kept of a program's callees. It outlives configurations.
type program struct {
	id         outdial.ProgramID
	callees    callees
	suppressed map[calleeKey]int64     // until when, in Unix seconds; 0 = for good
	quiet      map[calleeKey]int64     // left alone after a conversation or an abandoned call, until, in Unix seconds
	rules      map[[2]byte]*calleeRule // by country; the zero country is what holds everywhere
}

// rule is what is asked of calls to a destination.
func (p *program) rule(d *outdial.Destination) *calleeRule {
	if r := p.rules[d.Country]; r != nil {
		return r
	}
	return p.rules[[2]byte{}]
}

func (p *program) suppresses(key calleeKey, unix int64) bool {
	until, ok := p.suppressed[key]
	return ok && (until == 0 || unix < until)
}

// suppress never shortens a suppression.
func (p *program) suppress(key calleeKey, until int64) {
	if old, ok := p.suppressed[key]; ok && (old == 0 || (until != 0 && until < old)) {
		return
	}
	p.suppressed[key] = until
}

// hush leaves a callee alone for a time.
func (p *program) hush(key calleeKey, now int64, span window.Instant) {
	if span <= 0 {
		return
	}
	if p.quiet == nil {
		p.quiet = map[calleeKey]int64{}
	}
	p.quiet[key] = max(p.quiet[key], now+int64(span/second))
}

// hushed is until when a callee is left alone, in Unix seconds; 0 = it is not.
func (p *program) hushed(key calleeKey, unix int64) int64 {
	until, ok := p.quiet[key]
	switch {
	case !ok:
		return 0
	case until <= unix:
		delete(p.quiet, key)
		return 0
	}
	return until
}
