package b2bua

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli/passport"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// Identity is how calls are signed (RFC 8224, RFC 8588). Without a key, the Identity headers of a call pass byte by byte
// where the number that the dialer asked for is presented, and are left out where another one is: they would not be true.
type Identity struct {
	KeyFile string `yaml:"key_file"` // PEM, ECDSA over P-256; relative to the configuration file; "" = calls are not signed
	X5U     string `yaml:"x5u"`      // where the certificate of the key stands
	OrigID  string `yaml:"orig_id"`  // a UUID; "" = one that is drawn at the start
}

// signer signs calls; it never shows its key.
type signer struct {
	key         passport.KeySigner
	x5u, origID string
}

// build returns nil where calls are not signed.
func (c Identity) build(dir string) (*signer, error) {
	if c.KeyFile == "" {
		return nil, nil
	}
	name := c.KeyFile
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	key, err := parseKey(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := &signer{x5u: c.X5U, origID: c.OrigID}
	if s.key, err = passport.NewKeySigner(key); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if s.origID == "" {
		s.origID = newUUID()
	}
	_, err = s.sign(context.Background(), time.Now(), 12125550100, 12125550101, passport.AttestA) // names what is wrong with the rest
	return s, err
}

// parseKey reads a private key in PEM. What it says of a bad one tells nothing of its content.
func parseKey(data []byte) (crypto.Signer, error) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "EC PRIVATE KEY":
			if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
				return key, nil
			}
		case "PRIVATE KEY":
			if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
				if s, ok := key.(crypto.Signer); ok {
					return s, nil
				}
			}
		}
	}
	return nil, errors.New("no private key in PEM that can be read")
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (s *signer) sign(ctx context.Context, now time.Time, from, to outdial.Number, attest passport.Attestation) (string, error) {
	id, err := passport.Sign(ctx, s.key, &passport.Passport{
		X5U: s.x5u, Type: passport.TypeShaken, Attest: attest, OrigID: s.origID,
		Orig: passport.TN(from), Dest: passport.TNs(to), IssuedAt: now,
	})
	if err != nil {
		return "", err
	}
	return id.String(), nil
}

// identity is the Identity headers of an attempt: one of our own, or those of the call where they are still true. A number of
// the inventory has an unexpired right to use on record; one that a dialer brought is known by where it came from alone.
func (p *Proxy) identity(ctx context.Context, now time.Time, invite *request, a *outdial.Attempt) (hs []siptrunk.Header, err error) {
	if signs := p.set().signer; signs != nil && a.CLI != 0 {
		attest := passport.AttestC
		if a.Pool != 0 {
			attest = passport.AttestA
		}
		value, err := signs.sign(ctx, now, a.CLI, a.Call.To, attest)
		if err != nil {
			return nil, err
		}
		return []siptrunk.Header{{Name: "Identity", Value: value}}, nil
	}
	if a.CLI == 0 || a.CLI != a.Call.From {
		return nil, nil
	}
	for _, name := range []string{"identity", "y"} { // y is the compact form
		for _, h := range invite.GetHeaders(name) {
			hs = append(hs, siptrunk.Header{Name: "Identity", Value: h.Value()})
		}
	}
	return hs, nil
}
