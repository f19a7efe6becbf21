package b2bua_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli/passport"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// dialerIdentity is what a dialer that signs by itself sends; how it is written does not matter to the proxy.
var dialerIdentity = []siptest.Header{
	{Name: "Identity", Value: `eyJhbGciOiJFUzI1NiJ9.eyJhdHRlc3QiOiJBIn0.c2ln;info=<https://cert.example.com/a.pem>;alg="ES256"; ppt=shaken`},
	{Name: "Identity", Value: `e30.e30.c2ln ;info=<https://cert.example.com/b.pem?x=1;y=2> ;ppt="div"`},
}

func identities(c *siptest.Carrier, call int) (values []string) {
	for _, h := range c.Records()[call].Headers {
		if h.Name == "Identity" {
			values = append(values, h.Value)
		}
	}
	return values
}

// What a dialer signed passes byte by byte while the number is the one that it signed for, and not when it is another.
func TestIdentityPasses(t *testing.T) {
	want := []string{dialerIdentity[0].Value, dialerIdentity[1].Value}
	own := func(c *b2bua.Config) { c.CLI = nil }
	bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), own, func(t *testing.T, w *world) {
		w.call(siptest.CallerCall{From: "+19995550000", Headers: dialerIdentity})
		w.call(siptest.CallerCall{From: "+19995550000", Headers: []siptest.Header{{Name: "y", Value: want[0]}}})
		w.settled()
		require.Equal(t, want, identities(w.first, 0))
		require.Equal(t, want[:1], identities(w.first, 1), "in its compact form")
	})
	bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), nil, func(t *testing.T, w *world) {
		w.call(siptest.CallerCall{From: "+19995550000", Headers: dialerIdentity})
		w.call(siptest.CallerCall{From: "+19995550000", PAI: cli, Headers: dialerIdentity})
		w.settled()
		require.Equal(t, cli, w.first.Records()[0].From)
		require.Empty(t, identities(w.first, 0), "another number is presented")
		require.Equal(t, want, identities(w.first, 1), "the inventory's number is the one that was asked for")
	})
}

// With a key, every attempt is signed for the number that it presents and the callee, on each trunk anew.
func TestIdentitySigned(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600))
	for _, inventory := range []bool{true, false} {
		change := func(c *b2bua.Config) {
			c.Identity = b2bua.Identity{KeyFile: file, X5U: "https://cert.example.com/ours.pem"}
			if !inventory {
				c.CLI = nil
			}
		}
		bubble(t, siptest.Reject(503, "Service Unavailable"), siptest.Answer(0, 0, time.Second), change, func(t *testing.T, w *world) {
			w.call(siptest.CallerCall{From: "+19995550000", Headers: dialerIdentity})
			w.settled()
			for _, carrier := range []*siptest.Carrier{w.first, w.second} {
				values := identities(carrier, 0)
				require.Len(t, values, 1, "the dialer's do not pass beside it")
				id, err := passport.ParseIdentity(values[0])
				require.NoError(t, err)
				from := outdial.MustNumber(carrier.Records()[0].From)
				p, err := passport.Verify(time.Now(), id, &key.PublicKey, from, outdial.MustNumber(callee))
				require.NoError(t, err)
				require.Equal(t, "https://cert.example.com/ours.pem", p.X5U)
				want := passport.AttestC
				if inventory {
					want = passport.AttestA
					require.Equal(t, outdial.MustNumber(cli), from)
				}
				require.Equal(t, want, p.Attest)
			}
		})
	}
}

func TestIdentityConfig(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, block *pem.Block) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
		return file
	}
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	good, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	goodDER, err := x509.MarshalPKCS8PrivateKey(good)
	require.NoError(t, err)
	for _, tt := range []struct {
		id   b2bua.Identity
		want string
	}{
		{b2bua.Identity{KeyFile: filepath.Join(dir, "none.pem")}, "identity: "},
		{b2bua.Identity{KeyFile: write("certificate.pem", &pem.Block{Type: "CERTIFICATE", Bytes: der})}, "no private key"},
		{b2bua.Identity{KeyFile: write("p384.pem", &pem.Block{Type: "PRIVATE KEY", Bytes: der})}, "P-256"},
		{b2bua.Identity{KeyFile: write("p256.pem", &pem.Block{Type: "PRIVATE KEY", Bytes: goodDER})}, "X5U"},
		{b2bua.Identity{KeyFile: filepath.Join(dir, "p256.pem"), X5U: "https://cert.example.com/a.pem", OrigID: "me"}, "OrigID"},
	} {
		cfg := config("127.0.0.1:5060", "127.0.0.1:5061")
		cfg.Identity = tt.id
		require.ErrorContains(t, cfg.Validate(), tt.want)
	}
}
