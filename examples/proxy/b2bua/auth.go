package b2bua

import (
	"cmp"
	"crypto/md5" // the digest that every dialer understands; SHA-256 is offered before it
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"
	"time"
)

// Auth are the digest credentials of a dialer (RFC 3261 §22, RFC 8760: SHA-256 and MD5).
type Auth struct {
	Username string `yaml:"username"`
	Password string `yaml:"password"`
	Realm    string `yaml:"realm"` // "" = outdial
	Proxy    bool   `yaml:"proxy"` // challenge with 407, not 401

	// Algorithms that are offered, the best first; none = SHA-256, MD5. Who reads the first challenge alone, and knows no SHA-256, wants MD5.
	Algorithms []string `yaml:"algorithms"`
}

var algorithms = map[string]func() hash.Hash{"SHA-256": sha256.New, "MD5": md5.New}

// challenge is the answer to a request of a dialer that has credentials and did not show them; nil = it did.
func (p *Proxy) challenge(now time.Time, r *request) *response {
	auth := r.source.auth
	if auth == nil {
		return nil
	}
	code, phrase, ask, name := 401, "Unauthorized", "WWW-Authenticate", "authorization"
	if auth.Proxy {
		code, phrase, ask, name = 407, "Proxy Authentication Required", "Proxy-Authenticate", "proxy-authorization"
	}
	stale := false
	for _, h := range r.GetHeaders(name) {
		params, ok := digestParams(h.Value())
		if !ok || params["realm"] != auth.Realm || params["username"] != auth.Username {
			continue
		}
		ours, old := p.nonces.check(now, r.from.Addr(), params["nonce"])
		if !ours || !auth.answers(params, string(r.Method)) {
			continue
		}
		nc := params["nc"]
		if params["qop"] == "" { // nobody vouches for it then
			nc = ""
		}
		if !old && p.nonces.use(now, params["nonce"], nc) {
			return nil
		}
		stale = true // the password is right: the dialer need not ask anybody for it
	}
	res := &response{code: code, phrase: phrase}
	nonce := p.nonces.at(now, r.from.Addr())
	for _, algorithm := range auth.Algorithms {
		v := fmt.Sprintf("Digest realm=%q, nonce=%q, algorithm=%s, qop=\"auth\"", auth.Realm, nonce, algorithm)
		if stale {
			v += ", stale=true"
		}
		res.headers = append(res.headers, header{ask, v})
	}
	return res
}

// answers reports whether credentials are right for a request with this method (RFC 7616 §3.4).
func (a *Auth) answers(p map[string]string, method string) bool {
	algorithm := cmp.Or(strings.ToUpper(p["algorithm"]), "MD5")
	sum := algorithms[algorithm]
	if sum == nil || !slices.Contains(a.Algorithms, algorithm) {
		return false
	}
	of := func(parts ...string) string {
		h := sum()
		h.Write([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(h.Sum(nil))
	}
	ha1, ha2 := of(a.Username, a.Realm, a.Password), of(method, p["uri"])
	want := of(ha1, p["nonce"], ha2)
	switch p["qop"] {
	case "":
	case "auth":
		want = of(ha1, p["nonce"], p["nc"], p["cnonce"], "auth", ha2)
	default:
		return false
	}
	return subtle.ConstantTimeCompare([]byte(strings.ToLower(p["response"])), []byte(want)) == 1
}

// digestParams splits `Digest a="b", c=d` (RFC 7616 §3.4); a comma in quotes does not split, and a backslash there quotes.
func digestParams(s string) (map[string]string, bool) {
	scheme, rest, ok := strings.Cut(strings.TrimSpace(s), " ")
	if !ok || !strings.EqualFold(scheme, "Digest") {
		return nil, false
	}
	p := map[string]string{}
	for rest != "" {
		var name string
		name, rest, ok = strings.Cut(rest, "=")
		if name = strings.ToLower(strings.Trim(name, " \t,")); !ok || name == "" {
			break
		}
		var value strings.Builder
		i, quoted := 0, false
		for ; i < len(rest); i++ {
			switch c := rest[i]; {
			case c == '"':
				quoted = !quoted
				continue
			case quoted && c == '\\' && i+1 < len(rest):
				i++
			case c == ',' && !quoted:
				goto done
			}
			value.WriteByte(rest[i])
		}
	done:
		if _, twice := p[name]; twice {
			return nil, false
		}
		p[name] = strings.TrimSpace(value.String())
		rest = rest[i:]
	}
	return p, true
}
