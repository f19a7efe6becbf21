package cli

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/seal"
)

// Sealed is a saved state with this body: it lets a fuzz target get past the checksum.
func Sealed(body []byte) []byte { return seal.Close(savedKind, append(seal.Begin(savedKind), body...)) }

// Body is the body of a saved state.
func Body(saved []byte) []byte {
	body, _ := seal.Open(savedKind, saved)
	return body
}

// Stamp is when the use that a lease holds was counted.
func Stamp(g *Governor, id outdial.Lease) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.clock.time(g.leases.get(id).stamp)
}
