package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// Attestation is the level of attestation that a caller ID is signed with (RFC 8588, ATIS-1000074). A Governor predicts it:
// the party that signs decides. It is one letter in text.
type Attestation byte

// Attestations. The zero value: none.
const (
	AttestNone Attestation = 0
	AttestA    Attestation = 'A' // full: the carrier knows the right to the number
	AttestB    Attestation = 'B' // partial: it knows the customer
	AttestC    Attestation = 'C' // gateway: it knows where the call came from; never expected, sometimes reported
)

// String returns "A", "B", "C" or "".
func (a Attestation) String() string {
	if a == AttestNone {
		return ""
	}
	return string(rune(a))
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (a Attestation) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// Attestation predicts how a carrier will sign a number: A only if the carrier assigned it or holds a proof of the right to
// use it (NumberConfig.Assigned, Attested) and that right has not expired; B for any other number of the inventory with a
// right to use; none for all else, also where the carrier does not accept the number.
func (g *Governor) Attestation(now time.Time, n outdial.Number, carrier outdial.CarrierID) Attestation {
	g.mu.Lock()
	defer g.mu.Unlock()
	slot, ok := g.slots[n]
	if !ok {
		return AttestNone
	}
	x := &g.numbers[slot]
	if x.pool == nil || x.info.rightUntil <= g.clock.read(now).unix {
		return AttestNone
	}
	return x.pool.classes[x.pool.homes[x.home].class].attestation(carrier)
}

func (c *class) attestation(carrier outdial.CarrierID) Attestation {
	switch {
	case !c.accepts(carrier):
		return AttestNone
	case contains(c.attested, carrier):
		return AttestA
	}
	return AttestB
}

// AttestationRow is how the numbers of a pool that a carrier is expected to sign alike have done there.
type AttestationRow struct {
	Pool     string
	Carrier  string      // "" = not known
	Expected Attestation // by the inventory
	Numbers  int         // in use that are expected to be signed so

	// Of the calls the newer ones count more: half after 20,000, and half after three days.
	Calls, Answers, Blocks float64

	// What was reported of these numbers (ActionAttested), and how many of the reports are not as expected.
	Reported map[Attestation]int `json:",omitempty"` // AttestNone = the call was not signed
	Differ   int
}

// ASR is the share of the calls that were answered, 0 without calls.
func (r *AttestationRow) ASR() float64 {
	if r.Calls == 0 {
		return 0
	}
	return r.Answers / r.Calls
}

// Attestations reports, for each pool and carrier that had calls or of which something was reported, what attestation is
// expected, what was reported, and how the calls went: by pool in the order of the configuration, by carrier, by level.
func (g *Governor) Attestations() []AttestationRow {
	g.mu.Lock()
	defer g.mu.Unlock()
	var list []AttestationRow
	for _, p := range g.layout.pools {
		list = append(list, g.attestations(p)...)
	}
	return list
}

func (g *Governor) attestations(p *pool) []AttestationRow {
	rows := map[report]*AttestationRow{} // by carrier and what is expected of it
	row := func(k report) *AttestationRow {
		if rows[k] == nil {
			rows[k] = &AttestationRow{Pool: p.name, Carrier: g.ids.Carriers.Name(k.carrier), Expected: k.level}
		}
		return rows[k]
	}
	for k, b := range p.watch.strata {
		r := row(report{k.carrier, k.attest})
		r.Calls, r.Answers, r.Blocks = r.Calls+b.calls, r.Answers+b.answers, r.Blocks+b.blocks
	}
	for _, slot := range p.slots {
		n := &g.numbers[slot]
		if n.life == nil {
			continue
		}
		for _, x := range n.life.reported {
			r := row(report{x.carrier, p.classes[p.homes[n.home].class].attestation(x.carrier)})
			if r.Reported == nil {
				r.Reported = map[Attestation]int{}
			}
			if r.Reported[x.level]++; x.level != r.Expected {
				r.Differ++
			}
		}
	}
	for _, slot := range p.slots {
		if n := &g.numbers[slot]; n.state.Presentable() && n.right {
			c := &p.classes[p.homes[n.home].class]
			for k, r := range rows {
				if c.attestation(k.carrier) == k.level {
					r.Numbers++
				}
			}
		}
	}
	list := make([]AttestationRow, 0, len(rows))
	for _, r := range rows {
		list = append(list, *r)
	}
	slices.SortFunc(list, func(a, b AttestationRow) int {
		return cmp.Or(cmp.Compare(a.Carrier, b.Carrier), cmp.Compare(a.Expected, b.Expected))
	})
	return list
}

// report is what was seen of a number's attestation by one carrier last.
type report struct {
	carrier outdial.CarrierID
	level   Attestation
}

// maxReports is of how many carriers reports are kept of one number.
const maxReports = 16

// parseReport reads the Value of an ActionAttested: the level (A, B, C or none), a space, and the carrier.
func parseReport(value string) (level Attestation, carrier string, err error) {
	text, carrier, ok := strings.Cut(value, " ")
	switch {
	case !ok || carrier == "":
	case text == "none":
		return AttestNone, carrier, nil
	case text == "A" || text == "B" || text == "C":
		return Attestation(text[0]), carrier, nil
	}
	return 0, "", fmt.Errorf("%q: want A, B, C or none, a space and a carrier", value)
}

// report keeps what a carrier was seen to sign.
func (n *number) report(x report) {
	l := n.lived()
	for i := range l.reported {
		if l.reported[i].carrier == x.carrier {
			l.reported[i] = x
			return
		}
	}
	if len(l.reported) < maxReports {
		l.reported = append(l.reported, x)
	}
}
