package passport

import (
	"errors"
	"fmt"
	"strings"
)

// Identity is the value of a SIP Identity header (RFC 8224 §4), with the full form of the PASSporT. A call may have
// several such headers.
type Identity struct {
	Token string // header.payload.signature, each in base64url
	Info  string // the URL of the certificate, without its angle brackets
	Alg   string // "ES256"
	Type  string // "ppt": the PASSporT type; "" = base
}

// String returns the header's value: token;info=<…>;alg=ES256;ppt=shaken.
func (id Identity) String() string {
	var b strings.Builder
	b.Grow(len(id.Token) + len(id.Info) + 32)
	b.WriteString(id.Token)
	b.WriteString(";info=<")
	b.WriteString(id.Info)
	b.WriteString(">")
	if id.Alg != "" {
		b.WriteString(";alg=")
		b.WriteString(id.Alg)
	}
	if id.Type != "" {
		b.WriteString(";ppt=")
		b.WriteString(id.Type)
	}
	return b.String()
}

// maxIdentity bounds what is parsed: a header beyond it is nobody's PASSporT.
const maxIdentity = 8 << 10

// ParseIdentity reads the value of an Identity header. ppt and alg may be quoted, as some senders write them;
// parameters that it does not know are passed over, and one that stands twice is an error. It checks the shape only: see Verify.
func ParseIdentity(value string) (Identity, error) {
	if len(value) > maxIdentity {
		return Identity{}, fmt.Errorf("passport: identity: longer than %d bytes", maxIdentity)
	}
	token, rest, _ := strings.Cut(strings.TrimSpace(value), ";")
	id := Identity{Token: strings.TrimSpace(token)}
	if strings.Count(id.Token, ".") != 2 {
		return Identity{}, errors.New("passport: identity: want header.payload.signature")
	}
	seen := map[string]bool{}
	for rest != "" {
		var param string
		if i := strings.IndexByte(rest, '<'); i >= 0 && i < strings.IndexByte(rest+";", ';') { // a URL may hold semicolons
			end := strings.IndexByte(rest, '>')
			if end < i {
				return Identity{}, errors.New("passport: identity: info: no closing bracket")
			}
			param, rest = rest[:end+1], rest[end+1:]
			if rest = strings.TrimSpace(rest); rest != "" && rest[0] != ';' {
				return Identity{}, errors.New("passport: identity: info: something follows the URL")
			}
			rest = strings.TrimPrefix(rest, ";")
		} else {
			param, rest, _ = strings.Cut(rest, ";")
		}
		name, val, _ := strings.Cut(param, "=")
		name, val = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(val)
		if name != "" && seen[name] {
			return Identity{}, fmt.Errorf("passport: identity: %s: given twice", name)
		}
		seen[name] = true
		var ok bool
		switch name {
		case "info":
			if len(val) < 2 || val[0] != '<' || val[len(val)-1] != '>' || !plainURL(val[1:len(val)-1]) {
				return Identity{}, errors.New("passport: identity: info: want <URL>")
			}
			id.Info = val[1 : len(val)-1]
		case "alg":
			if id.Alg, ok = unquote(val); !ok {
				return Identity{}, errors.New("passport: identity: alg: no closing quote")
			}
		case "ppt":
			if id.Type, ok = unquote(val); !ok {
				return Identity{}, errors.New("passport: identity: ppt: no closing quote")
			}
		}
	}
	if id.Info == "" {
		return Identity{}, errors.New("passport: identity: info: required")
	}
	return id, nil
}

// unquote takes the quotes off a value that has them.
func unquote(val string) (string, bool) {
	if val == "" || val[0] != '"' {
		return val, strings.IndexByte(val, '"') < 0
	}
	if len(val) < 2 || val[len(val)-1] != '"' {
		return "", false
	}
	val = val[1 : len(val)-1]
	return val, strings.IndexByte(val, '"') < 0
}
