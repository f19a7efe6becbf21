package passport

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// Parse reads a token in full form. It verifies nothing but the shape, so what it returns is a claim that anybody may
// have made: see Verify.
func Parse(token string) (*Passport, error) {
	p, _, err := parse(token)
	return p, err
}

// parse returns the signature too.
func parse(token string) (*Passport, []byte, error) {
	if len(token) > maxIdentity {
		return nil, nil, fmt.Errorf("passport: token: longer than %d bytes", maxIdentity)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 || parts[0] == "" {
		return nil, nil, errors.New("passport: token: want header.payload.signature")
	}
	var raw [3][]byte
	for i, s := range parts {
		b, err := base64.RawURLEncoding.Strict().DecodeString(s)
		if err != nil {
			return nil, nil, fmt.Errorf("passport: token: part %d: %w", i+1, err)
		}
		raw[i] = b
	}
	var header struct {
		Alg, Typ, Ppt, X5u string
	}
	if err := decode(raw[0], &header); err != nil {
		return nil, nil, fmt.Errorf("passport: header: %w", err)
	}
	switch {
	case header.Alg != "ES256":
		return nil, nil, fmt.Errorf("passport: header: alg %q is not ES256", header.Alg)
	case header.Typ != "passport":
		return nil, nil, fmt.Errorf("passport: header: typ %q is not passport", header.Typ)
	}
	p := &Passport{X5U: header.X5u, Type: header.Ppt}
	if err := p.readClaims(raw[1]); err != nil {
		return nil, nil, err
	}
	if err := p.check(); err != nil {
		return nil, nil, err
	}
	return p, raw[2], nil
}

func (p *Passport) readClaims(data []byte) error {
	var c struct {
		Attest string
		Dest   struct {
			Tn  []string
			URI []string
		}
		Iat  json.Number
		Orig struct {
			Tn  string
			URI string
		}
		Origid string
	}
	if err := decode(data, &c); err != nil {
		return fmt.Errorf("passport: claims: %w", err)
	}
	iat, err := c.Iat.Int64()
	if err != nil {
		return errors.New("passport: claims: iat: want seconds since 1970")
	}
	p.IssuedAt = time.Unix(iat, 0).UTC()
	p.Orig.URI, p.Dest.URI, p.OrigID = c.Orig.URI, c.Dest.URI, c.Origid
	if c.Orig.Tn != "" {
		if p.Orig.TN, err = outdial.ParseDigits(c.Orig.Tn); err != nil {
			return fmt.Errorf("passport: claims: orig: %w", err)
		}
	}
	for _, s := range c.Dest.Tn {
		n, err := outdial.ParseDigits(s)
		if err != nil {
			return fmt.Errorf("passport: claims: dest: %w", err)
		}
		p.Dest.TN = append(p.Dest.TN, n)
	}
	if c.Attest != "" {
		if len(c.Attest) != 1 || Attestation(c.Attest[0]).String() == "" {
			return fmt.Errorf("passport: claims: attest %q is not A, B or C", c.Attest)
		}
		p.Attest = Attestation(c.Attest[0])
	}
	return nil
}

// decode reads one JSON value and nothing after it.
func decode(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the object")
	}
	return nil
}
