package b2bua

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// nonceLife is how long a nonce is good for; after it the dialer is told that it is stale.
const nonceLife = 5 * time.Minute

// maxNonces bounds the nonces of one generation that are remembered as used.
const maxNonces = 1 << 17

// nonces makes and checks nonces. One that nobody has answered needs no memory: it is a time and a random part, with their HMAC together with
// the dialer's address. Of one that was answered the count (nc, RFC 7616 §3.4) is remembered, so that what was overheard cannot be sent again: two
// generations, of which the older one is forgotten when the younger one is full, or as old as nonces get. What was made before those that
// are remembered is stale. The zero value has no key; use newNonces.
type nonces struct {
	key [32]byte

	mu           sync.Mutex // guards what follows; a few lines each time
	used, before map[uint64]uint64
	turned       time.Time // when used began
	floor        time.Time // what was made before is stale
}

func newNonces() *nonces {
	n := &nonces{}
	_, _ = rand.Read(n.key[:]) // it never fails (crypto/rand)
	return n
}

func (n *nonces) at(now time.Time, from netip.Addr) string {
	stamp := strconv.FormatInt(now.Unix(), 16) + "-" + randomHex(8)
	return stamp + "." + n.sum(stamp, from)
}

func (n *nonces) sum(stamp string, from netip.Addr) string {
	h := hmac.New(sha256.New, n.key[:])
	h.Write([]byte(stamp))
	b := from.As16()
	h.Write(b[:])
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// check reports whether a nonce is one of ours for that address, and whether it is too old.
func (n *nonces) check(now time.Time, from netip.Addr, nonce string) (ours, stale bool) {
	stamp, sum, _ := strings.Cut(nonce, ".")
	made, ok := madeAt(stamp)
	if !ok || subtle.ConstantTimeCompare([]byte(sum), []byte(n.sum(stamp, from))) != 1 {
		return false, false
	}
	age := now.Sub(made)
	return true, age > nonceLife || age < -time.Minute
}

func madeAt(stamp string) (time.Time, bool) {
	seconds, _, _ := strings.Cut(stamp, "-")
	made, err := strconv.ParseInt(seconds, 16, 64)
	return time.Unix(made, 0), err == nil
}

// use notes that a nonce of ours was answered with this count, "" = without one, and reports whether it was for the first time: counts
// go up, and without them a nonce is good once.
func (n *nonces) use(now time.Time, nonce, nc string) bool {
	stamp, sum, _ := strings.Cut(nonce, ".")
	made, _ := madeAt(stamp)
	raw, err := hex.DecodeString(sum)
	if err != nil || len(raw) < 8 {
		return false
	}
	count := uint64(1) << 32 // above any count
	if nc != "" {
		if count, err = strconv.ParseUint(nc, 16, 32); err != nil {
			return false
		}
	}
	id := binary.BigEndian.Uint64(raw)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.used == nil || len(n.used) >= maxNonces || now.Sub(n.turned) > nonceLife {
		n.used, n.before, n.floor, n.turned = map[uint64]uint64{}, n.used, n.turned, now
	}
	last, seen := n.used[id]
	if !seen {
		last, seen = n.before[id]
	}
	if seen && count <= last || made.Before(n.floor) {
		return false
	}
	n.used[id] = count
	return true
}
