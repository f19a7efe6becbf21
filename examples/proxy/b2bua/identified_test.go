package b2bua_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// selfSigned is a certificate that its own key has signed, and that is good until some time.
func selfSigned(t *testing.T, until time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "pinned"}, NotBefore: until.AddDate(-1, 0, 0), NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Who shows a certificate is the dialer that has its name only where the authority of the configuration has signed it; a fingerprint is
// enough without that. Either way it has to be valid, and to come from where the dialer's sources say.
func TestCertificatesOfOthers(t *testing.T) {
	authority, err := siptest.NewAuthority("ours")
	require.NoError(t, err)
	stranger, err := siptest.NewAuthority("theirs")
	require.NoError(t, err)
	f := files{t.TempDir(), authority}
	require.NoError(t, os.WriteFile(filepath.Join(f.dir, "ca.pem"), authority.PEM(), 0o600))
	f.issue(t, "proxy", "proxy", "127.0.0.1")
	issue := func(a *siptest.Authority, name string) tls.Certificate {
		c, err := a.Issue(name, name)
		require.NoError(t, err)
		return c
	}
	valid, expired := selfSigned(t, time.Now().AddDate(1, 0, 0)), selfSigned(t, time.Now().AddDate(0, 0, -1))
	cfg, err := b2bua.Load(filepath.Join(f.dir, "outdial.yaml"), fmt.Appendf(nil, `
listen: 127.0.0.1:0
carrier_listen: 127.0.0.1:0
listeners: [{transport: tls, address: "127.0.0.1:0"}]
tls: {certificate: proxy.pem, key: proxy.key, ca: ca.pem}
drain_timeout: -1s
dialers:
  - {name: pbx, tls: {names: [pbx.example]}}
  - {name: far, tls: {names: [far.example]}, sources: [10.9.0.0/16]}
  - {name: pinned, tls: {fingerprints: ["%X", "%x"]}}
trunks: [{name: first, address: "127.0.0.1:9"}]
routing: {rules: [{tiers: [{trunks: [{trunk: first}]}]}]}
`, sha256.Sum256(valid.Certificate[0]), sha256.Sum256(expired.Certificate[0])))
	require.NoError(t, err)
	p, err := b2bua.New(cfg, b2bua.Options{})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx) }()
	defer func() {
		stop()
		require.NoError(t, <-ran)
	}()
	for _, x := range []struct {
		name  string
		shown []tls.Certificate
		taken bool
	}{
		{"ours", []tls.Certificate{issue(authority, "pbx.example")}, true},
		{"ours, of nobody whom we know", []tls.Certificate{issue(authority, "other.example")}, false},
		{"the right name, signed by somebody else", []tls.Certificate{issue(stranger, "pbx.example")}, false},
		{"ours, from elsewhere", []tls.Certificate{issue(authority, "far.example")}, false},
		{"a fingerprint", []tls.Certificate{valid}, true},
		{"a fingerprint that has expired", []tls.Certificate{expired}, false},
		{"none", nil, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			before := p.Stats().Strangers
			conn, err := tls.Dial("tcp", p.Addrs()[0].String(), &tls.Config{RootCAs: authority.Pool(), Certificates: x.shown})
			require.NoError(t, err)
			defer conn.Close()
			raw, err := siptest.RawInvite(conn.LocalAddr().String(), p.Addrs()[0].String(), cli, callee)
			require.NoError(t, err)
			_, _ = conn.Write([]byte(strings.NewReplacer("INVITE", "OPTIONS", "SIP/2.0/UDP", "SIP/2.0/TLS").Replace(string(raw))))
			answer := make([]byte, 4096)
			n, _ := conn.Read(answer)
			require.Equal(t, x.taken, strings.HasPrefix(string(answer[:n]), "SIP/2.0 200 "), string(answer[:n]))
			require.Equal(t, x.taken, p.Stats().Strangers == before)
		})
	}
}
