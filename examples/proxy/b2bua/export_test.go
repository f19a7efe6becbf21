package b2bua

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// Sealed is a checkpoint with the checksum of what it holds.
func Sealed(b []byte) []byte {
	b = slices.Clone(b)
	if head := len(checkpointMagic) + 4; len(b) >= head {
		binary.LittleEndian.PutUint32(b[len(checkpointMagic):], crc32.ChecksumIEEE(b[head:]))
	}
	return b
}

// Fixed names what only a restart can change.
func Fixed(c, next Config) error { return c.fixed(next) }
