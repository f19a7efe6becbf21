package cli

import "github.com/outdial/outdial"

// program is what is kept of a program's callees. It outlives configurations.
type program struct {
	id         outdial.ProgramID
	callees    callees
	suppressed map[calleeKey]int64 // until when, in Unix seconds; 0 = for good
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
