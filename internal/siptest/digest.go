package siptest

import (
	"crypto/md5" // RFC 2617 digests are MD5
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Auth is one set of digest credentials (RFC 2617, MD5, with qop=auth): what a carrier demands, and what
// a caller presents.
type Auth struct {
	User, Password string
	// Realm is the carrier's; empty means "siptest". A caller takes it from the challenge.
	Realm string
	// Proxy makes the carrier challenge with 407 and Proxy-Authenticate, not 401 and WWW-Authenticate.
	Proxy bool
}

func (a *Auth) validate() error {
	if a.User == "" {
		return errors.New("Auth.User is empty")
	}
	return nil
}

func (a *Auth) realm() string {
	if a.Realm == "" {
		return "siptest"
	}
	return a.Realm
}

// challenge returns the status and the header that ask for credentials.
func (a *Auth) challenge(nonce string) (int, Header) {
	v := fmt.Sprintf("Digest realm=%q, nonce=%q, algorithm=MD5, qop=\"auth\"", a.realm(), nonce)
	if a.Proxy {
		return 407, Header{Name: "Proxy-Authenticate", Value: v}
	}
	return 401, Header{Name: "WWW-Authenticate", Value: v}
}

// verify reports whether a credentials header answers the challenge for method.
func (a *Auth) verify(credentials, method, nonce string) bool {
	p, ok := digestParams(credentials)
	if !ok || p["username"] != a.User || p["realm"] != a.realm() || p["nonce"] != nonce || p["response"] == "" {
		return false
	}
	return p["response"] == digestResponse(p, a.Password, method)
}

// authorize returns the header that answers a challenge.
func (a *Auth) authorize(challenge Header, method, uri string) (Header, bool) {
	p, ok := digestParams(challenge.Value)
	if !ok || p["nonce"] == "" {
		return Header{}, false
	}
	p["username"], p["uri"] = a.User, uri
	if p["qop"] != "" {
		p["qop"], p["nc"], p["cnonce"] = "auth", "00000001", randomToken()
	}
	v := fmt.Sprintf("Digest username=%q, realm=%q, nonce=%q, uri=%q, algorithm=MD5, response=%q",
		a.User, p["realm"], p["nonce"], uri, digestResponse(p, a.Password, method))
	if p["qop"] != "" {
		v += fmt.Sprintf(", qop=auth, nc=%s, cnonce=%q", p["nc"], p["cnonce"])
	}
	if p["opaque"] != "" {
		v += fmt.Sprintf(", opaque=%q", p["opaque"])
	}
	if strings.EqualFold(challenge.Name, "Proxy-Authenticate") {
		return Header{Name: "Proxy-Authorization", Value: v}, true
	}
	return Header{Name: "Authorization", Value: v}, true
}

func digestResponse(p map[string]string, password, method string) string {
	ha1 := md5Hex(p["username"], p["realm"], password)
	ha2 := md5Hex(method, p["uri"])
	if p["qop"] == "" {
		return md5Hex(ha1, p["nonce"], ha2)
	}
	return md5Hex(ha1, p["nonce"], p["nc"], p["cnonce"], p["qop"], ha2)
}

func md5Hex(parts ...string) string {
	sum := md5.Sum([]byte(strings.Join(parts, ":")))
	return hex.EncodeToString(sum[:])
}

// digestParams splits `Digest a="b", c=d`; a comma inside quotes does not split.
func digestParams(s string) (map[string]string, bool) {
	scheme, rest, ok := strings.Cut(strings.TrimSpace(s), " ")
	if !ok || !strings.EqualFold(scheme, "Digest") {
		return nil, false
	}
	quoted := false
	fields := strings.FieldsFunc(rest, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ',' && !quoted
	})
	p := make(map[string]string, len(fields))
	for _, f := range fields {
		k, v, _ := strings.Cut(f, "=")
		p[strings.ToLower(strings.TrimSpace(k))] = strings.Trim(strings.TrimSpace(v), `"`)
	}
	return p, true
}
