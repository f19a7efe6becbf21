package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Document returns the policy in force as a document for people, in Markdown: what pools there are and for whom, how much
// their numbers may be used, how numbers come and go, and what countries ask. It is made from what is in force, so it
// cannot say anything else.
func (g *Governor) Document() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var b strings.Builder
	b.WriteString("# Caller IDs: the policy in force\n\n")
	for _, p := range g.layout.pools {
		g.documentPool(&b, p)
	}
	g.documentLife(&b)
	return b.String()
}

func (g *Governor) documentPool(b *strings.Builder, p *pool) {
	fmt.Fprintf(b, "## Pool %s\n\n", p.name)
	fmt.Fprintf(b, "- Presented for the program %s only", p.programName)
	if p.tenant != 0 {
		fmt.Fprintf(b, ", for calls of the tenant %s only", g.ids.Tenants.Name(p.tenant))
	}
	fmt.Fprintf(b, "; %d numbers.\n", len(p.slots))
	if len(p.require) > 0 {
		names := make([]string, len(p.require))
		for i := range p.require {
			names[i] = p.require[i].String()
		}
		fmt.Fprintf(b, "- Every number meets %s.\n", strings.Join(names, " and "))
	}
	fmt.Fprintf(b, "- A number: %s", capList(p.rules.list))
	if p.rules.spacing > 0 {
		fmt.Fprintf(b, "; %v between two calls", time.Duration(p.rules.spacing))
	}
	if p.rules.concurrent > 0 {
		fmt.Fprintf(b, "; %d calls at one time", p.rules.concurrent)
	}
	b.WriteString(".\n")
	for _, region := range slices.Sorted(maps.Keys(p.budgets)) {
		fmt.Fprintf(b, "- All numbers of %s together: %s.\n", region, capList(p.budgets[region].caps))
	}
	switch p.sticky.Mode {
	case StickyOff:
		b.WriteString("- A callee sees the next number.\n")
	case StickyStrict:
		fmt.Fprintf(b, "- A callee sees the number that it knows, or is not called, for %v.\n", p.sticky.TTL)
	default:
		fmt.Fprintf(b, "- A callee sees the number that it knows for %v; within %v of a call, and after a conversation, that or none.\n",
			p.sticky.TTL, max(p.sticky.Strict, 0))
	}
	for _, country := range slices.SortedFunc(maps.Keys(p.program.rules), func(a, b [2]byte) int { return strings.Compare(string(a[:]), string(b[:])) }) {
		r := p.program.rules[country]
		where := "everywhere"
		if country != [2]byte{} {
			where = "in " + string(country[:])
		}
		fmt.Fprintf(b, "- A callee %s: %s", where, capList(r.caps))
		if r.afterTalk > 0 {
			fmt.Fprintf(b, "; left alone for %v after a conversation", time.Duration(r.afterTalk))
		}
		if r.afterAbandoned > 0 {
			fmt.Fprintf(b, "; left alone for %v after an abandoned call", time.Duration(r.afterAbandoned))
		}
		b.WriteString(".\n")
		switch {
		case r.callbackOnly > 0:
			fmt.Fprintf(b, "- A number %s is presented only where a test of the last %v says that calls back arrive.\n", where, r.callbackOnly)
		case r.callback > 0:
			fmt.Fprintf(b, "- A number %s should be tested for calls back every %v.\n", where, r.callback)
		}
	}
	b.WriteString("\n")
}

func (g *Governor) documentLife(b *strings.Builder) {
	r, d := &g.rules, &g.rules.detect
	b.WriteString("## How numbers come and go\n\n")
	b.WriteString("- Without a recorded right to use that has not expired, a number is not presented.\n")
	if r.off {
		b.WriteString("- States change by configuration and by operators alone.\n")
		return
	}
	if len(r.ramp) > 0 {
		shares := make([]string, len(r.ramp))
		for i, s := range r.ramp {
			shares[i] = fmt.Sprint(s)
		}
		fmt.Fprintf(b, "- Warming: %s %% of the caps, a stage each %v of which %d %% was used; back by a stage after %v without a call.\n",
			strings.Join(shares, ", "), time.Duration(r.stage), r.used, time.Duration(r.idle))
	}
	fmt.Fprintf(b, "- Probation from a sum of %g on, at %d %% of the caps, until nothing is left of the suspicion.\n", d.probation, r.suspect)
	fmt.Fprintf(b, "- Quarantine for %v from a sum of %g (answers, to find %g of what peers would have), %g (blocks), %g (short calls) or %g (complaints); "+
		"labels lead to %v (mixed) and %v.\n", time.Duration(r.rest), d.quarantine, d.drop, d.block, d.short, d.complaint, r.mixed, r.labelled)
	fmt.Fprintf(b, "- At most %d %% of a pool rests, and %d %% comes to rest in 24 hours; beyond that it is the list or the carrier, not the numbers.\n",
		r.resting, r.daily)
	fmt.Fprintf(b, "- After a quarantine a number is on trial at %d %% of the caps.", r.suspect)
	if r.retireAfter > 0 {
		fmt.Fprintf(b, " Quarantine %d within %v retires it.", r.retireAfter, time.Duration(r.retireWithin)*time.Second)
	}
	fmt.Fprintf(b, "\n- A retired number takes calls back for %v and is then released; there is no way back.\n", time.Duration(r.callback))
}

func capList(caps []Cap) string {
	if len(caps) == 0 {
		return "no cap"
	}
	list := make([]string, len(caps))
	for i, c := range caps {
		list[i] = fmt.Sprintf("%d calls in %s", c.Max, c.String()[strings.IndexByte(c.String(), '/')+1:])
	}
	return strings.Join(list, ", ")
}
