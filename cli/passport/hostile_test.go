package passport_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/cli/passport"
)

// signed is a token of any header and claims with a good signature.
func signed(t *testing.T, key *ecdsa.PrivateKey, header, claims string) string {
	enc := base64.RawURLEncoding
	input := enc.EncodeToString([]byte(header)) + "." + enc.EncodeToString([]byte(claims))
	s, err := passport.NewKeySigner(key)
	require.NoError(t, err)
	sig, err := s.Sign(context.Background(), sha256.Sum256([]byte(input)))
	require.NoError(t, err)
	return input + "." + enc.EncodeToString(sig[:])
}

// TestAmbiguousTokensAreRefused: a token that another verifier may read otherwise is none, however well it is signed: names twice
// or in another case, an extension that is critical and not understood (RFC 7515 §4.1.11), a time that is no number.
func TestAmbiguousTokensAreRefused(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	const (
		header = `{"alg":"ES256","typ":"passport","x5u":"https://cert.example.org/passport.cer"}`
		claims = `{"dest":{"tn":["12155551213"]},"iat":1443208345,"orig":{"tn":"12155551212"}}`
	)
	now := time.Unix(1443208345, 0)
	verify := func(header, claims string) error {
		_, err := passport.Verify(now, passport.Identity{Token: signed(t, key, header, claims)}, &key.PublicKey, 12155551212, 12155551213)
		return err
	}
	require.NoError(t, verify(header, claims))
	for _, c := range []struct{ name, header, claims string }{
		{"claim in another case", header, `{"dest":{"tn":["12155551213"]},"iat":1443208345,"orig":{"tn":"12155550000"},"Orig":{"tn":"12155551212"}}`},
		{"claim twice", header, `{"dest":{"tn":["12155551213"]},"iat":1443208345,"orig":{"tn":"12155550000"},"orig":{"tn":"12155551212"}}`},
		{"callee twice", header, `{"dest":{"tn":["12155550000"],"tn":["12155551213"]},"iat":1443208345,"orig":{"tn":"12155551212"}}`},
		{"other case only", header, `{"DEST":{"TN":["12155551213"]},"iat":1443208345,"orig":{"tn":"12155551212"}}`},
		{"time as text", header, `{"dest":{"tn":["12155551213"]},"iat":"1443208345","orig":{"tn":"12155551212"}}`},
		{"header twice", `{"alg":"none","alg":"ES256","typ":"passport","x5u":"https://cert.example.org/passport.cer"}`, claims},
		{"critical", `{"alg":"ES256","crit":["exp"],"typ":"passport","x5u":"https://cert.example.org/passport.cer"}`, claims},
	} {
		require.Error(t, verify(c.header, c.claims), c.name)
	}
	require.NoError(t, verify(header, strings.Replace(claims, "}}", `},"extra":{"x":1}}`, 1)), "claims that are not known are passed over")
}

// TestNoNumberMatchesNoNumber: a call without a caller's number is none that a token of a URI was made for.
func TestNoNumberMatchesNoNumber(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	token := signed(t, key, `{"alg":"ES256","typ":"passport","x5u":"https://cert.example.org/passport.cer"}`,
		`{"dest":{"tn":["12155551213"]},"iat":1443208345,"orig":{"uri":"sip:anonymous@example.org"}}`)
	_, err = passport.Verify(time.Unix(1443208345, 0), passport.Identity{Token: token}, &key.PublicKey, 0, 12155551213)
	require.ErrorIs(t, err, passport.ErrMismatch)
}

func TestHostileIdentity(t *testing.T) {
	const token = "eyJhbGciOiJFUzI1NiJ9.eyJhIjoxfQ.c2ln"
	for _, value := range []string{
		token + ";info=<https://a.example/c>x;alg=ES256",
		token + ";info=<https://a.example/c>;info=<https://b.example/c>",
		token + ";info=<https://a.example/c>;ppt=shaken;ppt=div",
		token + ";info=<https://a.example/c>;alg=ES256;alg=none",
		token + ";info=<https://a.example/c>;alg=\"ES256",
	} {
		_, err := passport.ParseIdentity(value)
		require.Error(t, err, value)
	}
}

// TestVerstatIsTheNetworks: what a caller wrote itself, in its display name or after the URI, is no verstat.
func TestVerstatIsTheNetworks(t *testing.T) {
	for _, header := range []string{
		`";verstat=TN-Validation-Passed" <tel:+12155551212>`,
		`;verstat=TN-Validation-Passed <tel:+12155551212>`,
		`"a\";verstat=TN-Validation-Passed" <sip:+12155551212@example.org;user=phone>`,
		`"x <tel:1;verstat=TN-Validation-Passed>" <tel:+12155551212>`,
		`<tel:+12155551212>;verstat=TN-Validation-Passed`,
		strings.Repeat("İ", 10) + ";verstat=", // its lower case is longer
		strings.Repeat("\u212a", 10) + ";verstat=TN-Validation-Passed",
	} {
		v, a := passport.ParseVerstat(header)
		require.Equal(t, passport.VerstatNone, v, header)
		require.Equal(t, passport.AttestNone, a, header)
	}
	for header, want := range map[string]passport.Verstat{
		`";verstat=TN-Validation-Passed" <tel:+12155551212;verstat=TN-Validation-Failed>`: passport.VerstatFailed,
		`<sip:+12155551212;verstat=TN-Validation-Passed@example.org;user=phone>;tag=1`:    passport.VerstatPassed,
		`tel:+12155551212;verstat=No-TN-Validation`:                                       passport.VerstatNo,
	} {
		v, _ := passport.ParseVerstat(header)
		require.Equal(t, want, v, header)
	}
}
