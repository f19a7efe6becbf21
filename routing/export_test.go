package routing

import (
	"slices"

	"github.com/outdial/outdial/internal/seal"
)

// Resealed is a snapshot with the checksum of what it holds.
func Resealed(b []byte) []byte {
	return seal.Close(keptKind, slices.Clone(b))
}
