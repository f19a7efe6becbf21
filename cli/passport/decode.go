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
	var header struct{ Alg, Typ, Ppt, X5u string }
	var crit json.RawMessage
	if err := decode(raw[0], fields{"alg": &header.Alg, "typ": &header.Typ, "ppt": &header.Ppt, "x5u": &header.X5u, "crit": &crit}); err != nil {
		return nil, nil, fmt.Errorf("passport: header: %w", err)
	}
	switch {
	case crit != nil: // RFC 7515 §4.1.11
		return nil, nil, fmt.Errorf("passport: header: crit %s is not understood", crit)
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
	var (
		iat        int64
		attest, tn string
		tns        []string
	)
	err := decode(data, fields{
		"attest": &attest, "iat": &iat, "origid": &p.OrigID,
		"orig": fields{"tn": &tn, "uri": &p.Orig.URI}, "dest": fields{"tn": &tns, "uri": &p.Dest.URI},
	})
	if err != nil {
		return fmt.Errorf("passport: claims: %w", err)
	}
	p.IssuedAt = time.Unix(iat, 0).UTC()
	if tn != "" {
		if p.Orig.TN, err = outdial.ParseDigits(tn); err != nil {
			return fmt.Errorf("passport: claims: orig: %w", err)
		}
	}
	for _, s := range tns {
		n, err := outdial.ParseDigits(s)
		if err != nil {
			return fmt.Errorf("passport: claims: dest: %w", err)
		}
		p.Dest.TN = append(p.Dest.TN, n)
	}
	if attest != "" {
		if len(attest) != 1 || Attestation(attest[0]).String() == "" {
			return fmt.Errorf("passport: claims: attest %q is not A, B or C", attest)
		}
		p.Attest = Attestation(attest[0])
	}
	return nil
}

// fields are the members of an object that are read, by name, and where to: a pointer, or the fields of an object within.
type fields map[string]any

// decode reads one JSON object and nothing after it. Names are told apart by case, and one that stands twice is an error, also
// where it is not read: a token must not say one thing to one reader and another to the next.
func decode(data []byte, into fields) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if err := object(d, into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the object")
	}
	return nil
}

func object(d *json.Decoder, into fields) error {
	if token, err := d.Token(); err != nil {
		return err
	} else if token != json.Delim('{') {
		return fmt.Errorf("want an object, not %v", token)
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		if seen[name] {
			return fmt.Errorf("%q stands twice", name)
		}
		seen[name] = true
		switch to := into[name].(type) {
		case nil:
			var skipped json.RawMessage
			err = d.Decode(&skipped)
		case fields:
			err = object(d, to)
		default:
			err = d.Decode(to)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	_, err := d.Token()
	return err
}
