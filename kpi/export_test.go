package kpi

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"time"
)

// Spread makes every cell of m keep rings from its first count on.
func (m *Meter) Spread() { m.diaryMost = -1 }

// Kept is d as cells keep it.
func Kept(d time.Duration) time.Duration { return quantumOf(d).duration() }

// Resealed is a snapshot with the checksum of what it holds.
func Resealed(b []byte) []byte {
	b = slices.Clone(b)
	if head := len(keptMagic) + 4; len(b) >= head {
		binary.LittleEndian.PutUint32(b[len(keptMagic):], crc32.ChecksumIEEE(b[head:]))
	}
	return b
}
