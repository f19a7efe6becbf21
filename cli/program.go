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

// blocked reports whether a result says that the callee, or an analytics engine on its side, does not want the call:
// 607 (RFC 8197), 608 (RFC 8688), or 603 with the signature of an analytics block (ATIS-1000099, "603+"): the phrase
// "Network Blocked" and a Reason text that begins with "v=analytics1".
func blocked(r *outdial.Result) bool {
	switch r.Code {
	case 607, 608:
		return true
	case 603:
		return hasPrefixFold(r.Phrase, "network blocked") && len(r.Phrase) == len("network blocked") &&
			hasPrefixFold(r.Text, "v=analytics1")
	}
	return false
}

// hasPrefixFold compares ASCII without regard to case; prefix is in lower case.
func hasPrefixFold(s, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}
