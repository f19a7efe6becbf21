package routing

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// Resealed is a snapshot with the checksum of what it holds.
func Resealed(b []byte) []byte {
	b = slices.Clone(b)
	if head := len(keptMagic) + 4; len(b) >= head {
		binary.LittleEndian.PutUint32(b[len(keptMagic):], crc32.ChecksumIEEE(b[head:]))
	}
	return b
}
