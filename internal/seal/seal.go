// Package seal marks what is saved with its kind and its version, and with a checksum (CRC-32, IEEE 802.3) of the content, so
// that what is damaged, cut off or something else is not taken for it. It keeps no secret: anyone can close a seal.
package seal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// Errors of Open.
var (
	ErrForeign = errors.New("something else, or of another version")
	ErrDamaged = errors.New("damaged")
)

// Begin returns the head of what is saved, of a kind that names its version too: append the content, and Close it.
func Begin(kind string) []byte { return append([]byte(kind), 0, 0, 0, 0) }

// Close sets the checksum in what Begin began, and returns b. What is too short to have a head stays as it is.
func Close(kind string, b []byte) []byte {
	if head := len(kind) + 4; len(b) >= head {
		binary.LittleEndian.PutUint32(b[len(kind):], crc32.ChecksumIEEE(b[head:]))
	}
	return b
}

// Open returns the content of what was closed, a part of b.
func Open(kind string, b []byte) ([]byte, error) {
	head := len(kind) + 4
	if len(b) < head || string(b[:len(kind)]) != kind {
		return nil, ErrForeign
	}
	if binary.LittleEndian.Uint32(b[len(kind):]) != crc32.ChecksumIEEE(b[head:]) {
		return nil, ErrDamaged
	}
	return b[head:], nil
}
