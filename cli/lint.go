package cli

import (
	"fmt"
	"time"

	"github.com/outdial/outdial"
)

// Finding is something in the inventory that ought to be put right. It is a plain value.
type Finding struct {
	Code    FindingCode
	Pool    string
	Denied  bool             // the numbers are not presented for it
	Numbers []outdial.Number // that it is about, in the order of the configuration; nil = the pool as a whole
	Text    string           // for people
}

// FindingCode tells findings apart. Its text is stable.
type FindingCode string

// Codes of findings.
const (
	FindingEmpty       FindingCode = "empty"       // a pool without numbers that could be presented
	FindingPurpose     FindingCode = "purpose"     // a pool without a purpose, though a rule of its numbers' country is about purposes
	FindingRight       FindingCode = "right"       // numbers without an unexpired right to use
	FindingRightEnds   FindingCode = "right_ends"  // numbers whose right to use ends within 30 days
	FindingCallback    FindingCode = "callback"    // numbers of which no recent test says that calls back arrive (CountryRule.Callback)
	FindingAttestation FindingCode = "attestation" // numbers that no carrier is expected to sign with full attestation
)

// lintSoon is how long before its end a right to use is a finding.
const lintSoon = 30 * 24 * time.Hour

// Lint looks for what keeps numbers from being presented, or soon will, and for what a country's rules ask and the inventory does
// not show. Numbers that were released, or are retiring, need nothing more.
func (g *Governor) Lint(now time.Time) []Finding {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.clock.read(now)
	g.expire(m)
	var list []Finding
	for _, p := range g.layout.pools {
		list = append(list, g.lint(m, p)...)
	}
	return list
}

func (g *Governor) lint(now moment, p *pool) (list []Finding) {
	numbers := map[FindingCode][]outdial.Number{}
	denied := map[FindingCode]bool{}
	usable, purposes := 0, false
	soon := now.unix + int64(lintSoon/time.Second)
	for _, slot := range p.slots {
		n := &g.numbers[slot]
		if n.state.gone() {
			continue
		}
		add := func(c FindingCode) { numbers[c] = append(numbers[c], n.number) }
		if n.right && n.state.Presentable() {
			usable++
		}
		switch r := n.info; {
		case r.rightUntil <= now.unix:
			add(FindingRight)
		case r.rightUntil <= soon:
			add(FindingRightEnds)
		}
		if c := n.info.country; c != "" {
			country := countryKey(c)
			purposes = purposes || g.layout.purposes[country]
			if r := p.program.rules[country]; r != nil && r.callback > 0 &&
				(now.unix > int64(n.callback)+int64(r.callback/time.Second) || now.unix < int64(n.callback)) { // or it is still to come
				add(FindingCallback)
				denied[FindingCallback] = r.callbackOnly > 0
			}
		}
		if p.classes[p.homes[n.home].class].attested == nil {
			add(FindingAttestation)
		}
	}
	if usable == 0 {
		list = append(list, Finding{Code: FindingEmpty, Pool: p.name, Denied: true, Text: "no number of the pool may be presented"})
	}
	if purposes && p.purpose == PurposeUnset {
		list = append(list, Finding{
			Code: FindingPurpose, Pool: p.name, Text: "the pool has no purpose, so that no rule about one applies",
		})
	}
	for _, f := range []struct {
		code FindingCode
		text string
	}{
		{FindingRight, "no unexpired right to use is on record"},
		{FindingRightEnds, "the right to use ends within 30 days"},
		{FindingCallback, "no recent test says that calls back arrive"},
		{FindingAttestation, "no carrier is expected to sign with full attestation"},
	} {
		if found := numbers[f.code]; found != nil {
			list = append(list, Finding{
				Code: f.code, Pool: p.name, Denied: f.code == FindingRight || denied[f.code], Numbers: found,
				Text: fmt.Sprintf("%d of %d numbers: %s", len(found), len(p.slots), f.text),
			})
		}
	}
	return list
}
