package cli

import (
	"maps"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// program is what is kept of a program's callees. It outlives configurations.
type program struct {
	id         outdial.ProgramID
	callees    callees
	suppressed map[calleeKey]int64     // until when, in Unix seconds; 0 = for good
	quiet      map[calleeKey]int64     // left alone after a conversation or an abandoned call, until, in Unix seconds
	sweep      int                     // at how many quiet ones those are forgotten that are no longer
	rules      map[[2]byte]*calleeRule // by country; the zero country is what holds everywhere
	codes      []countryCode           // of the countries that rules are about
}

// countryCode is the calling code of a country.
type countryCode struct {
	code    outdial.Prefix
	country [2]byte
}

// leastSweep is how many callees that are quiet are worth looking through.
const leastSweep = 1 << 10

// rule is what is asked of calls to a callee. Where nobody looked its country up, its calling code tells it.
func (p *program) rule(d *outdial.Destination, to outdial.Number) *calleeRule {
	if r := p.rules[d.Country]; r != nil && d.Country != [2]byte{} {
		return r
	}
	if d.Country == [2]byte{} {
		for i := range p.codes {
			if c := &p.codes[i]; c.code.Contains(to) && p.rules[c.country] != nil {
				return p.rules[c.country]
			}
		}
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
	if len(p.quiet) >= p.sweep {
		maps.DeleteFunc(p.quiet, func(_ calleeKey, until int64) bool { return until <= now })
		p.sweep = max(2*len(p.quiet), leastSweep)
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
