package cli

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"

	"github.com/outdial/outdial"
)

// calleeKey stands for a callee: the first 55 bits of the HMAC-SHA-256 of its number. Two callees in a million share one
// with a probability of 1 in 65,000; they would be counted as one.
type calleeKey uint64

const calleeKeyMask = 1<<55 - 1

// keys computes callee keys. It is safe for concurrent use.
type keys struct{ pool sync.Pool }

type keyHasher struct {
	mac hash.Hash
	in  [8]byte
	out [sha256.Size]byte

	number outdial.Number // the last one, and its key: a call asks for the same callee in Admit and in every Reserve
	key    calleeKey
}

func newKeys(secret []byte) *keys {
	return &keys{pool: sync.Pool{New: func() any { return &keyHasher{mac: hmac.New(sha256.New, secret)} }}}
}

func (k *keys) of(n outdial.Number) calleeKey {
	h := k.pool.Get().(*keyHasher)
	if h.number != n || n == 0 {
		h.mac.Reset()
		binary.BigEndian.PutUint64(h.in[:], uint64(n))
		h.mac.Write(h.in[:])
		h.number, h.key = n, calleeKey(binary.BigEndian.Uint64(h.mac.Sum(h.out[:0]))&calleeKeyMask)
	}
	key := h.key
	k.pool.Put(h)
	return key
}
