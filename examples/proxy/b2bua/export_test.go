package b2bua

import (
	"slices"

	"github.com/outdial/outdial/internal/seal"
)

// Sealed is a checkpoint with the checksum of what it holds.
func Sealed(b []byte) []byte {
	return seal.Close(checkpointKind, slices.Clone(b))
}

// Fixed names what only a restart can change.
func Fixed(c, next Config) error { return c.fixed(next) }
