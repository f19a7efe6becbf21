package passport

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
)

// Signer signs for ES256 (RFC 7518 §3.4): an ECDSA signature over P-256 of the SHA-256 digest of what is to be signed,
// as r and s of 32 bytes each. A key in an HSM is one, a signing service another. Implementations are safe for
// concurrent use and keep nothing of digest.
type Signer interface {
	Sign(ctx context.Context, digest [sha256.Size]byte) (sig [SignatureSize]byte, err error)
}

// SignatureSize is the length of an ES256 signature: r and s.
const SignatureSize = 64

// KeySigner signs with a crypto.Signer over P-256: a key in memory, or one that a module for an HSM hands out. It never
// shows its key: in whatever way it is printed it is "passport.KeySigner(redacted)". It is safe for concurrent use if the
// crypto.Signer is; make it with NewKeySigner, the zero value signs nothing.
type KeySigner struct{ key crypto.Signer }

// NewKeySigner wraps a key. It is an error if the key is not ECDSA over P-256.
func NewKeySigner(key crypto.Signer) (KeySigner, error) {
	if key == nil {
		return KeySigner{}, errors.New("passport: key: required")
	}
	pub, ok := key.Public().(*ecdsa.PublicKey)
	if !ok || pub.Curve != elliptic.P256() {
		return KeySigner{}, errors.New("passport: key: want ECDSA over P-256 (ES256)")
	}
	return KeySigner{key}, nil
}

// Sign implements Signer.
func (s KeySigner) Sign(_ context.Context, digest [sha256.Size]byte) (sig [SignatureSize]byte, err error) {
	if s.key == nil {
		return sig, errors.New("passport: the signer has no key")
	}
	der, err := s.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return sig, fmt.Errorf("passport: sign: %w", err)
	}
	var rs struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &rs); err != nil || len(rest) > 0 || rs.R.BitLen() > 256 || rs.S.BitLen() > 256 {
		return sig, errors.New("passport: sign: the key gave no ECDSA signature over P-256")
	}
	rs.R.FillBytes(sig[:32])
	rs.S.FillBytes(sig[32:])
	return sig, nil
}

const redacted = "passport.KeySigner(redacted)"

// String hides the key.
func (KeySigner) String() string { return redacted }

// Format hides the key from every verb of package fmt.
func (KeySigner) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText hides the key from encoders and from log/slog.
func (KeySigner) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Sign checks p, builds its token in the deterministic form of RFC 8225 §9 and has it signed. The error names every bad
// field, or is the signer's.
func Sign(ctx context.Context, s Signer, p *Passport) (Identity, error) {
	if err := p.check(); err != nil {
		return Identity{}, err
	}
	var room [1024]byte
	token := p.appendInput(room[:0])
	sig, err := s.Sign(ctx, sha256.Sum256(token))
	if err != nil {
		return Identity{}, err
	}
	token = base64.RawURLEncoding.AppendEncode(append(token, '.'), sig[:])
	return Identity{Token: string(token), Info: p.X5U, Alg: "ES256", Type: p.Type}, nil
}
