package passport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// Why a PASSporT is not accepted, compared by identity (errors.Is).
var (
	ErrSignature = errors.New("passport: the signature does not fit the key")
	ErrStale     = errors.New("passport: not fresh")
	ErrMismatch  = errors.New("passport: made for another call")
)

// MaxAge is how far the time of issue may be from the time of verification, either way (RFC 8224 §6.2, ATIS-1000074).
const MaxAge = 60 * time.Second

// Verify checks that an Identity's token was signed with the key, that it is fresh at now, and that it was made for a
// call from one number to the other. It returns what the token claims. The key is that of the certificate at the x5u:
// see CertificateKey. Errors are ErrSignature, ErrStale, ErrMismatch, or say what is wrong with the shape.
func Verify(now time.Time, id Identity, key *ecdsa.PublicKey, from, to outdial.Number) (*Passport, error) {
	p, sig, err := parse(id.Token)
	if err != nil {
		return nil, err
	}
	if key == nil || key.Curve != elliptic.P256() || len(sig) != SignatureSize {
		return nil, ErrSignature
	}
	if id.Info != "" && id.Info != p.X5U || id.Type != p.Type || id.Alg != "" && id.Alg != "ES256" {
		return nil, fmt.Errorf("%w: the header's parameters are not those of the token", ErrMismatch)
	}
	digest := sha256.Sum256([]byte(id.Token[:strings.LastIndexByte(id.Token, '.')]))
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	if !ecdsa.Verify(key, digest[:], r, s) {
		return nil, ErrSignature
	}
	if age := now.Sub(p.IssuedAt); age > MaxAge || age < -MaxAge {
		return nil, fmt.Errorf("%w: issued %v before now", ErrStale, age.Round(time.Second))
	}
	if from == 0 || p.Orig.TN != from || !slices.Contains(p.Dest.TN, to) {
		return nil, ErrMismatch
	}
	return p, nil
}

// CertificateKey returns the key of a certificate chain in PEM, the leaf first, as it stands at an x5u. The chain must
// lead to roots (the STI-PA's list of certification authorities) and be valid at now. nil roots accept no chain.
func CertificateKey(now time.Time, chain []byte, roots *x509.CertPool) (*ecdsa.PublicKey, error) {
	if roots == nil {
		return nil, errors.New("passport: roots: required")
	}
	var leaf *x509.Certificate
	others := x509.NewCertPool()
	for {
		block, rest := pem.Decode(chain)
		if block == nil {
			break
		}
		chain = rest
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		switch {
		case err != nil:
			return nil, fmt.Errorf("passport: certificate: %w", err)
		case leaf == nil:
			leaf = c
		default:
			others.AddCert(c)
		}
	}
	if leaf == nil {
		return nil, errors.New("passport: certificate: none in PEM")
	}
	// The TN authorisation list (RFC 8226) is critical in some certificates; its content is for the caller to judge.
	leaf.UnhandledCriticalExtensions = slices.DeleteFunc(leaf.UnhandledCriticalExtensions, func(id asn1ID) bool {
		return id.Equal(tnAuthList)
	})
	if _, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: others, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}); err != nil {
		return nil, fmt.Errorf("passport: certificate: %w", err)
	}
	key, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("passport: certificate: want a key of ECDSA over P-256")
	}
	return key, nil
}
