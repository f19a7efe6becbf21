package door

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"os"
	"strings"
)

// LeastToken is the least length of a token, in bytes: of 32 hexadecimal digits, 128 bits are random.
const LeastToken = 32

// Caller is who sends a request.
type Caller struct {
	Name string // by the token; "" = a token without a name, or none is asked for
	Read bool   // may look, and change nothing
}

// Tokens are the secrets that let callers in. They are kept as hashes and never shown. nil Tokens let in everybody.
type Tokens struct {
	hashes  [][sha256.Size]byte
	callers []Caller
}

// ParseTokens reads tokens, one a line: "[name] token [read]". A name is who the caller is in the audit log; read lets look alone. Empty
// lines and such that begin with # are passed over. Errors name the line, and never the token.
func ParseTokens(data []byte) (*Tokens, error) {
	t := new(Tokens)
	var errs []error
	for i, line := range strings.Split(string(data), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		var c Caller
		if n := len(words); n > 1 && words[n-1] == "read" {
			c.Read, words = true, words[:n-1]
		}
		if len(words) == 2 {
			c.Name, words = words[0], words[1:]
		}
		switch {
		case len(words) > 1:
			errs = append(errs, fmt.Errorf("line %d: want a name, a token, and nothing or read", i+1))
		case len(words[0]) < LeastToken:
			errs = append(errs, fmt.Errorf("line %d: the token is shorter than %d characters", i+1, LeastToken))
		default:
			t.hashes, t.callers = append(t.hashes, sha256.Sum256([]byte(words[0]))), append(t.callers, c)
		}
	}
	if len(errs) == 0 && len(t.hashes) == 0 {
		errs = append(errs, errors.New("there is no token"))
	}
	return t, errors.Join(errs...)
}

// LoadTokens reads tokens from a file or, without one, from an environment variable; nil where neither is named.
func LoadTokens(file, env string) (*Tokens, error) {
	var data []byte
	switch {
	case file != "":
		info, err := os.Stat(file)
		if err != nil {
			return nil, err
		}
		if info.Mode().Perm()&0o007 != 0 {
			return nil, fmt.Errorf("%s: others may read or write it (mode %o): chmod o= it", file, info.Mode().Perm())
		}
		if data, err = os.ReadFile(file); err != nil {
			return nil, err
		}
	case env != "":
		if data = []byte(os.Getenv(env)); len(bytes.TrimSpace(data)) == 0 {
			return nil, fmt.Errorf("the environment variable %s is empty", env)
		}
	default:
		return nil, nil
	}
	return ParseTokens(data)
}

// Find tells whose token it is. It takes the same time for every token of a length, whether and where it is known.
func (t *Tokens) Find(token string) (Caller, bool) {
	sum, at := sha256.Sum256([]byte(token)), -1
	for i := range t.hashes {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum[:], t.hashes[i][:]), i, at)
	}
	if at < 0 {
		return Caller{}, false
	}
	return t.callers[at], true
}
