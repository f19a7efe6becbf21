package cli

import (
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/outdial/outdial"
)

// SaveMagic and Sealed let a fuzz target get past the checksum of a saved state.
const SaveMagic = saveMagic

// Sealed is a state file with this body.
func Sealed(body []byte) []byte {
	file := append([]byte(saveMagic), body...)
	return binary.LittleEndian.AppendUint32(file, crc32.Checksum(body, castagnoli))
}

// Stamp is when the use that a lease holds was counted.
func Stamp(g *Governor, id outdial.Lease) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.clock.time(g.leases.get(id).stamp)
}
