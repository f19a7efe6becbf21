package cli

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"sync"

	"github.com/outdial/outdial"
)

// calleeKey stands for a callee: 55 bits of the AES-CMAC (RFC 4493, NIST SP 800-38B) of its number, under a key that HMAC-SHA-256
// derives from the Secret. Whoever does not have the Secret can neither tell the number nor whether a number is among those that are
// remembered, and who has it can find out by trying all numbers, as with any other keyed hash. A number is one block, so that a key
// takes one round of AES, where an HMAC takes two of SHA-256.
//
// Two callees in a million share a key with a probability of 1 in 65,000; they would be counted as one.
type calleeKey uint64

const calleeKeyMask = 1<<55 - 1

// keys computes callee keys. It is safe for concurrent use.
type keys struct {
	block  cipher.Block
	hi, lo uint64 // K1 of RFC 4493: a message of one whole block is masked with it
	pool   sync.Pool
}

type keyHasher struct{ in, out [aes.BlockSize]byte }

func newKeys(secret []byte) *keys {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("outdial cli callee"))
	return keysUnder(mac.Sum(nil))
}

// keysUnder requires a key of AES: 16, 24 or 32 bytes.
func keysUnder(key []byte) *keys {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	var l [aes.BlockSize]byte
	block.Encrypt(l[:], l[:])
	hi, lo := binary.BigEndian.Uint64(l[:8]), binary.BigEndian.Uint64(l[8:])
	return &keys{
		block: block, hi: hi<<1 | lo>>63, lo: lo<<1 ^ hi>>63*0x87,
		pool: sync.Pool{New: func() any { return new(keyHasher) }},
	}
}

func (k *keys) of(n outdial.Number) calleeKey { return calleeKey(k.mac(0, uint64(n))) & calleeKeyMask }

// mac is the first half of the AES-CMAC of a block.
func (k *keys) mac(hi, lo uint64) uint64 {
	h := k.pool.Get().(*keyHasher)
	binary.BigEndian.PutUint64(h.in[:8], hi^k.hi)
	binary.BigEndian.PutUint64(h.in[8:], lo^k.lo)
	k.block.Encrypt(h.out[:], h.in[:])
	first := binary.BigEndian.Uint64(h.out[:8])
	k.pool.Put(h)
	return first
}
