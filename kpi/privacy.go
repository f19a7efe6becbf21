package kpi

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/outdial/outdial"
)

// NumberHash returns a function that shows a telephone number as the first 12 hexadecimal digits of its HMAC-SHA-256: the
// same for the same key, so that reports of several days can be joined, and not to be turned back without it. The key
// should have 32 bytes of entropy: numbers are few, and without a secret key all of them could be tried.
func NumberHash(key []byte) func(outdial.Number) string {
	key = append([]byte(nil), key...)
	return func(n outdial.Number) string {
		mac := hmac.New(sha256.New, key)
		_ = binary.Write(mac, binary.BigEndian, uint64(n)) // a hash takes everything
		return hex.EncodeToString(mac.Sum(nil)[:6])
	}
}

// newNumberHash is NumberHash with a key of its own.
func newNumberHash() func(outdial.Number) string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it does not fail
	return NumberHash(key)
}
