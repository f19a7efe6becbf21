package cli

import (
	"time"

	"github.com/outdial/outdial"
)

// Attestation is the level of attestation that a carrier is expected to sign a caller ID with (RFC 8588, ATIS-1000074). It
// is a prediction: the party that signs decides. It is one letter in text.
type Attestation byte

// Attestations. The zero value: none is expected, because the number may not be presented.
const (
	AttestNone Attestation = 0
	AttestA    Attestation = 'A' // full: the carrier knows the right to the number
	AttestB    Attestation = 'B' // partial: it knows the customer
)

// String returns "A", "B" or "".
func (a Attestation) String() string {
	if a == AttestNone {
		return ""
	}
	return string(rune(a))
}

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
	c := &x.pool.classes[x.pool.homes[x.home].class]
	switch {
	case !c.accepts(carrier):
		return AttestNone
	case contains(c.attested, carrier):
		return AttestA
	}
	return AttestB
}
