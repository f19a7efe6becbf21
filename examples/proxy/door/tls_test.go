package door_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/door"
)

// certificate writes a certificate for 127.0.0.1 that signs itself, with its key, and returns who trusts it.
func certificate(t *testing.T) (certFile, keyFile string, trust *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	require.NoError(t, os.WriteFile(certFile, text, 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	trust = x509.NewCertPool()
	require.True(t, trust.AppendCertsFromPEM(text))
	return certFile, keyFile, trust
}

// Over TLS a token goes to who trusts the certificate. Plain HTTP, an old version of TLS and a client that does not trust it get nothing, and
// those that follow are served.
func TestServeTLS(t *testing.T) {
	cert, key, trust := certificate(t)
	t.Setenv("OUTDIAL_TEST_TOKEN", token)
	d, err := door.Open(door.Config{Listen: "127.0.0.1:0", TokenEnv: "OUTDIAL_TEST_TOKEN", CertFile: cert, KeyFile: key})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- d.Serve(ctx, door.Guard(d.Tokens, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "in") })),
			slog.New(slog.DiscardHandler))
	}()
	defer func() {
		stop()
		require.NoError(t, <-served)
	}()
	ask := func(scheme, bearer string, cfg *tls.Config) (status int, body string, err error) {
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: cfg, DisableKeepAlives: true}}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+d.Addr().String(), nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+bearer)
		res, err := c.Do(req)
		if err != nil {
			return 0, "", err
		}
		b, err := io.ReadAll(res.Body)
		require.NoError(t, res.Body.Close())
		return res.StatusCode, string(b), err
	}
	good := func() {
		t.Helper()
		status, body, err := ask("https", token, &tls.Config{RootCAs: trust})
		require.NoError(t, err)
		require.Equal(t, []any{200, "in"}, []any{status, body})
	}
	good()
	status, _, err := ask("https", "0"+token, &tls.Config{RootCAs: trust})
	require.NoError(t, err)
	require.Equal(t, 401, status)

	status, body, err := ask("http", token, nil)
	require.NoError(t, err)
	require.Equal(t, 400, status)
	require.Contains(t, body, "HTTP request to an HTTPS server")

	_, _, err = ask("https", token, &tls.Config{RootCAs: x509.NewCertPool()})
	var unknown x509.UnknownAuthorityError
	require.ErrorAs(t, err, &unknown)
	_, _, err = ask("https", token, &tls.Config{RootCAs: trust, ServerName: "proxy.example"})
	var other x509.HostnameError
	require.ErrorAs(t, err, &other)
	_, _, err = ask("https", token, &tls.Config{RootCAs: trust, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10})
	require.ErrorContains(t, err, "protocol version")

	conn, err := net.Dial("tcp", d.Addr().String()) // who sends what is neither
	require.NoError(t, err)
	_, err = conn.Write([]byte("\x00\x01\x02 no handshake\r\n\r\n"))
	require.NoError(t, err)
	_, _ = io.ReadAll(conn) // it is ended
	require.NoError(t, conn.Close())
	good()
}
