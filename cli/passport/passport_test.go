package passport_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli/passport"
)

// The key and the token of RFC 8225 Appendix A.
const (
	rfcKey = `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIFeZ1R208QCvcu5GuYyMfG4W7sH4m99/7eHSDLpdYllFoAoGCCqGSM49
AwEHoUQDQgAE8HNbQd/TmvCKwPKHkMF9fScavGeH78YTU8qLS8I5HLHSSmlATLcs
lQMhNC/OhlWBYC626nIlo7XeebYS7Sb37g==
-----END EC PRIVATE KEY-----`
	rfcHeader  = "eyJhbGciOiJFUzI1NiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly9jZXJ0LmV4YW1wbGUub3JnL3Bhc3Nwb3J0LmNlciJ9"
	rfcPayload = "eyJkZXN0Ijp7InVyaSI6WyJzaXA6YWxpY2VAZXhhbXBsZS5jb20iXX0sImlhdCI6MTQ3MTM3NTQxOCwib3JpZyI6eyJ0biI6IjEyMTU1NTUxMjEyIn19"
	rfcSig     = "VLBCIVDCaeK6M4hLJb6SHQvacAQVvoiiEOWQ_iUkqk79UD81fHQ0E1b3_GluIkba7UWYRM47ZbNFdOJquE35cw"
	rfcToken   = rfcHeader + "." + rfcPayload + "." + rfcSig
	x5u        = "https://cert.example.org/passport.cer"
	uuid       = "123e4567-e89b-12d3-a456-426655440000"
)

var (
	from   = outdial.MustNumber("+12155551212")
	to     = outdial.MustNumber("+12125551213")
	issued = time.Unix(1443208345, 0).UTC()
	ctx    = context.Background()
)

func key(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	block, _ := pem.Decode([]byte(rfcKey))
	k, err := x509.ParseECPrivateKey(block.Bytes)
	require.NoError(t, err)
	return k
}

func signer(t testing.TB) passport.KeySigner {
	t.Helper()
	s, err := passport.NewKeySigner(key(t))
	require.NoError(t, err)
	return s
}

func shaken() *passport.Passport {
	return &passport.Passport{
		X5U: x5u, Type: passport.TypeShaken, Attest: passport.AttestA, Orig: passport.TN(from), Dest: passport.TNs(to),
		IssuedAt: issued, OrigID: uuid,
	}
}

// TestRFC8225 builds what is signed in Appendix A to the byte. The signature is another one each time, and the one that
// stands in the RFC was not made with the key that stands there: it is refused.
func TestRFC8225(t *testing.T) {
	p := &passport.Passport{
		X5U: x5u, Orig: passport.TN(from), Dest: passport.Parties{URI: []string{"sip:alice@example.com"}},
		IssuedAt: time.Unix(1471375418, 0),
	}
	require.JSONEq(t, string(p.Header()), `{"alg":"ES256","typ":"passport","x5u":"https://cert.example.org/passport.cer"}`)
	require.Equal(t, `{"dest":{"uri":["sip:alice@example.com"]},"iat":1471375418,"orig":{"tn":"12155551212"}}`, string(p.Claims()))
	id, err := passport.Sign(ctx, signer(t), p)
	require.NoError(t, err)
	require.Equal(t, rfcHeader+"."+rfcPayload, id.Token[:len(rfcHeader)+1+len(rfcPayload)])

	read, err := passport.Parse(rfcToken)
	require.NoError(t, err)
	require.Equal(t, p.Dest, read.Dest)
	require.Equal(t, p.Orig, read.Orig)
	_, err = passport.Verify(p.IssuedAt, passport.Identity{Token: rfcToken, Info: x5u}, &key(t).PublicKey, from, to)
	require.ErrorIs(t, err, passport.ErrSignature)
	_, err = passport.Verify(p.IssuedAt, id, &key(t).PublicKey, from, to)
	require.ErrorIs(t, err, passport.ErrMismatch, "our own fits the key; it is for a URI, not for a number")
}

// plainECDSA signs as RFC 6979 has it: the same each time.
type plainECDSA struct{ *ecdsa.PrivateKey }

func (k plainECDSA) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.PrivateKey.Sign(nil, digest, opts)
}

// TestRFC6979 is the vectors of RFC 6979 A.2.5 (P-256, SHA-256): the signature is r and s, 32 bytes each, to the byte.
func TestRFC6979(t *testing.T) {
	d, ok := new(big.Int).SetString("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", 16)
	require.True(t, ok)
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d.FillBytes(make([]byte, 32)))
	require.NoError(t, err)
	s, err := passport.NewKeySigner(plainECDSA{k})
	require.NoError(t, err)
	for message, want := range map[string]string{
		"sample": "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716" +
			"F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
		"test": "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367" +
			"019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
	} {
		sig, err := s.Sign(ctx, sha256.Sum256([]byte(message)))
		require.NoError(t, err)
		require.Equal(t, want, fmt.Sprintf("%X", sig), message)
	}
}

// TestRFC8588 is the example of RFC 8588 §6 (with iat as a number, as the RFC's erratum has it).
func TestRFC8588(t *testing.T) {
	p := shaken()
	require.Equal(t, `{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"https://cert.example.org/passport.cer"}`, string(p.Header()))
	require.Equal(t, `{"attest":"A","dest":{"tn":["12125551213"]},"iat":1443208345,"orig":{"tn":"12155551212"},`+
		`"origid":"123e4567-e89b-12d3-a456-426655440000"}`, string(p.Claims()))
	id, err := passport.Sign(ctx, signer(t), p)
	require.NoError(t, err)
	require.Equal(t, id.Token+";info=<https://cert.example.org/passport.cer>;alg=ES256;ppt=shaken", id.String())
	again, err := passport.ParseIdentity(id.String())
	require.NoError(t, err)
	require.Equal(t, id, again)
	got, err := passport.Verify(issued.Add(59*time.Second), again, &key(t).PublicKey, from, to)
	require.NoError(t, err)
	require.Equal(t, p, got)
}

func TestVerifyRefuses(t *testing.T) {
	id, err := passport.Sign(ctx, signer(t), shaken())
	require.NoError(t, err)
	pub := &key(t).PublicKey
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	wrongInfo, wrongType := id, id
	wrongInfo.Info += "x"
	wrongType.Type = ""
	for name, c := range map[string]struct {
		now      time.Time
		id       passport.Identity
		key      *ecdsa.PublicKey
		from, to outdial.Number
		want     error
	}{
		"old":          {issued.Add(61 * time.Second), id, pub, from, to, passport.ErrStale},
		"from future":  {issued.Add(-61 * time.Second), id, pub, from, to, passport.ErrStale},
		"other key":    {issued, id, &other.PublicKey, from, to, passport.ErrSignature},
		"no key":       {issued, id, nil, from, to, passport.ErrSignature},
		"other caller": {issued, id, pub, from + 1, to, passport.ErrMismatch},
		"other callee": {issued, id, pub, from, to + 1, passport.ErrMismatch},
		"info":         {issued, wrongInfo, pub, from, to, passport.ErrMismatch},
		"ppt":          {issued, wrongType, pub, from, to, passport.ErrMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := passport.Verify(c.now, c.id, c.key, c.from, c.to)
			require.ErrorIs(t, err, c.want)
		})
	}
	for i := range id.Token { // no byte of a token can be changed
		changed := []byte(id.Token)
		changed[i] ^= 1
		_, err := passport.Verify(issued, passport.Identity{Token: string(changed), Type: passport.TypeShaken}, pub, from, to)
		require.Error(t, err, i)
	}
}

func TestSignNamesEveryBadField(t *testing.T) {
	_, err := passport.Sign(ctx, signer(t), &passport.Passport{X5U: "ftp://x", Type: passport.TypeShaken, Orig: passport.Party{URI: "a", TN: 1}})
	for _, field := range []string{"X5U", "Orig:", "Orig.TN", "Dest", "IssuedAt", "Attest", "OrigID"} {
		require.ErrorContains(t, err, field)
	}
	p := shaken()
	p.Type = ""
	_, err = passport.Sign(ctx, signer(t), p)
	require.ErrorContains(t, err, "need")
	p.Type = "div"
	_, err = passport.Sign(ctx, signer(t), p)
	require.ErrorContains(t, err, "not known")
	_, err = passport.NewKeySigner(nil)
	require.ErrorContains(t, err, "required")
	k384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	_, err = passport.NewKeySigner(k384)
	require.ErrorContains(t, err, "P-256")
	_, err = passport.Sign(ctx, passport.KeySigner{}, shaken())
	require.ErrorContains(t, err, "no key")
}

// remote is a signing service that fails.
type remote struct{}

func (remote) Sign(context.Context, [sha256.Size]byte) (sig [passport.SignatureSize]byte, err error) {
	return sig, errors.New("unreachable")
}

func TestSignerFails(t *testing.T) {
	_, err := passport.Sign(ctx, remote{}, shaken())
	require.ErrorContains(t, err, "unreachable")
}

// broken is a crypto.Signer whose signature is none.
type broken struct{ crypto.Signer }

func (broken) Sign(_ io.Reader, _ []byte, _ crypto.SignerOpts) ([]byte, error) {
	return []byte{0x30, 0}, nil
}

func TestKeyThatSignsNothing(t *testing.T) {
	s, err := passport.NewKeySigner(broken{key(t)})
	require.NoError(t, err)
	_, err = passport.Sign(ctx, s, shaken())
	require.ErrorContains(t, err, "no ECDSA signature")
}

// TestKeyIsNeverShown prints a signer in every way that logs do.
func TestKeyIsNeverShown(t *testing.T) {
	s := signer(t)
	secret, err := key(t).Bytes()
	require.NoError(t, err)
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		fmt.Fprintf(&b, verb+" ", s)
		fmt.Fprintf(&b, verb+" ", &s)
		fmt.Fprintf(&b, verb+" ", struct{ S passport.KeySigner }{s})
	}
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "s", s)
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "s", s)
	require.NoError(t, json.NewEncoder(&b).Encode(s))
	require.NotContains(t, b.String(), new(big.Int).SetBytes(secret).String())
	require.NotContains(t, b.String(), fmt.Sprintf("%x", secret))
	require.Contains(t, b.String(), "redacted")
}

func TestParseIdentity(t *testing.T) {
	for value, want := range map[string]string{
		"":                                 "header.payload.signature",
		"..sig;info=<https://a.example/c>": "",
		"a.b.c":                            "info",
		"a.b.c;info=https://a.example":     "info",
		"a.b.c;info=<https://a.example/c":  "info",
		"a.b.c;info=<javascript:x>":        "info",
		"a.b.c;x=1;INFO=<https://a.ex/;x=1>;ppt=\"shaken\" ; alg = ES256": "",
	} {
		id, err := passport.ParseIdentity(value)
		if want != "" {
			require.ErrorContains(t, err, want, value)
			continue
		}
		require.NoError(t, err, value)
		require.NotEmpty(t, id.Info)
	}
	id, _ := passport.ParseIdentity("a.b.c;x=1;INFO=<https://a.ex/;x=1>;ppt=\"shaken\" ; alg = ES256")
	require.Equal(t, passport.Identity{Token: "a.b.c", Info: "https://a.ex/;x=1", Alg: "ES256", Type: "shaken"}, id)
}

func TestVerstat(t *testing.T) {
	for header, want := range map[string]struct {
		v passport.Verstat
		a passport.Attestation
	}{
		"<tel:+12155551212;verstat=TN-Validation-Passed>":                          {passport.VerstatPassed, 0},
		"<sip:+12155551212;verstat=TN-Validation-Passed-A@example.com;user=phone>": {passport.VerstatPassed, 'A'},
		"\"x\" <sip:+1215;VERSTAT=tn-validation-failed@example.com>;tag=1":         {passport.VerstatFailed, 0},
		"<tel:+1;verstat=No-TN-Validation>":                                        {passport.VerstatNo, 0},
		"<tel:+1;verstat=TN-Validation-Passed-D>":                                  {},
		"<tel:+1;verstat=TN-Validation-PassedX>":                                   {},
		"<tel:+1>":                                                                 {},
		"<tel:+1;verstat=>":                                                        {},
	} {
		v, a := passport.ParseVerstat(header)
		require.Equal(t, want.v, v, header)
		require.Equal(t, want.a, a, header)
	}
}

func TestCertificateKey(t *testing.T) {
	ca, caKey := certificate(t, nil, nil, true)
	leaf, leafKey := certificate(t, ca, caKey, false)
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})
	k, err := passport.CertificateKey(issued, chain, roots)
	require.NoError(t, err)
	require.True(t, k.Equal(&leafKey.PublicKey))

	_, err = passport.CertificateKey(issued, chain, x509.NewCertPool())
	require.ErrorContains(t, err, "unknown authority")
	_, err = passport.CertificateKey(issued.AddDate(2, 0, 0), chain, roots)
	require.ErrorContains(t, err, "expired")
	_, err = passport.CertificateKey(issued, chain, nil)
	require.ErrorContains(t, err, "roots")
	_, err = passport.CertificateKey(issued, []byte("nothing"), roots)
	require.ErrorContains(t, err, "none in PEM")
}

func certificate(t *testing.T, parent *x509.Certificate, by *ecdsa.PrivateKey, ca bool) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "SHAKEN 1234"},
		NotBefore: issued.AddDate(0, -1, 0), NotAfter: issued.AddDate(1, 0, 0), IsCA: ca, BasicConstraintsValid: true,
	}
	if !ca {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 26}, Critical: true, Value: []byte{0x30, 0}}}
	}
	if parent == nil {
		parent, by = c, k
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &k.PublicKey, by)
	require.NoError(t, err)
	made, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return made, k
}

func FuzzParseIdentity(f *testing.F) {
	f.Add(rfcToken + ";info=<" + x5u + ">;alg=ES256")
	f.Add("..sig;info=<https://a/>;ppt=\"shaken\"")
	f.Add("a.b.c;info=<https://a/;x>;alg=")
	f.Fuzz(func(t *testing.T, value string) {
		id, err := passport.ParseIdentity(value)
		if err != nil {
			return
		}
		again, err := passport.ParseIdentity(passport.Identity{Token: id.Token, Info: id.Info}.String())
		require.NoError(t, err)
		require.Equal(t, id.Token, again.Token)
		require.Equal(t, id.Info, again.Info)
		p, err := passport.Parse(id.Token)
		if err != nil {
			return
		}
		_, err = passport.Sign(ctx, nullSigner{}, p) // what was read can be written
		require.NoError(t, err)
	})
}

type nullSigner struct{}

func (nullSigner) Sign(context.Context, [sha256.Size]byte) (sig [passport.SignatureSize]byte, err error) {
	return sig, nil
}

// BenchmarkSign stands beside the bare signature of a digest.
func BenchmarkSign(b *testing.B) {
	b.Run("passport", func(b *testing.B) {
		s, p := signer(b), shaken()
		for b.Loop() {
			_, _ = passport.Sign(ctx, s, p)
		}
	})
	b.Run("bare", func(b *testing.B) {
		k, digest := key(b), sha256.Sum256([]byte("x"))
		for b.Loop() {
			_, _, _ = ecdsa.Sign(rand.Reader, k, digest[:])
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	id, _ := passport.Sign(ctx, signer(b), shaken())
	pub := &key(b).PublicKey
	for b.Loop() {
		_, _ = passport.Verify(issued, id, pub, from, to)
	}
}
