package passport

import (
	"encoding/base64"
	"encoding/json"
	"strconv"

	"github.com/outdial/outdial"
)

// Header returns the protected header and Claims the payload in the deterministic form of RFC 8225 §9: keys in
// lexicographic order, no white space. They do not check p.
func (p *Passport) Header() []byte { return p.appendHeader(nil) }

// Claims returns the payload; see Header.
func (p *Passport) Claims() []byte { return p.appendClaims(nil) }

func (p *Passport) appendHeader(b []byte) []byte {
	b = append(b, `{"alg":"ES256",`...)
	if p.Type != "" {
		b = append(b, `"ppt":`...)
		b = appendString(b, p.Type)
		b = append(b, ',')
	}
	b = append(b, `"typ":"passport","x5u":`...)
	b = appendString(b, p.X5U)
	return append(b, '}')
}

func (p *Passport) appendClaims(b []byte) []byte {
	b = append(b, '{')
	if p.Type == TypeShaken {
		b = append(b, `"attest":"`...)
		b = append(b, p.Attest.String()...)
		b = append(b, `",`...)
	}
	b = append(b, `"dest":{`...)
	if len(p.Dest.TN) > 0 {
		b = append(b, `"tn":[`...)
		for i, n := range p.Dest.TN {
			b = appendTN(comma(b, i), n)
		}
		b = append(b, ']')
	}
	if len(p.Dest.URI) > 0 {
		if len(p.Dest.TN) > 0 {
			b = append(b, ',')
		}
		b = append(b, `"uri":[`...)
		for i, s := range p.Dest.URI {
			b = appendString(comma(b, i), s)
		}
		b = append(b, ']')
	}
	b = append(b, `},"iat":`...)
	b = strconv.AppendInt(b, p.IssuedAt.Unix(), 10)
	if p.Orig.TN != 0 {
		b = append(b, `,"orig":{"tn":`...)
		b = appendTN(b, p.Orig.TN)
	} else {
		b = append(b, `,"orig":{"uri":`...)
		b = appendString(b, p.Orig.URI)
	}
	b = append(b, '}')
	if p.Type == TypeShaken {
		b = append(b, `,"origid":`...)
		b = appendString(b, p.OrigID)
	}
	return append(b, '}')
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

// appendTN writes a number in the canonical form of RFC 8224 §8.3: its digits, without the plus sign.
func appendTN(b []byte, n outdial.Number) []byte {
	return append(n.AppendDigits(append(b, '"')), '"')
}

// appendString writes a JSON string; what needs no escape, which is the ordinary case, is copied.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(s) // a string always has a JSON form
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// appendInput appends what is signed: header and payload, each in base64url, with a dot between them.
func (p *Passport) appendInput(b []byte) []byte {
	var room [512]byte
	b = base64.RawURLEncoding.AppendEncode(b, p.appendHeader(room[:0]))
	return base64.RawURLEncoding.AppendEncode(append(b, '.'), p.appendClaims(room[:0]))
}
