package b2bua

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/outdial/outdial/internal/sipstream"
)

// Certified is who a dialer is by the certificate that it shows over TLS: one of the names, in a certificate of tls.ca's, or one of
// the fingerprints, whoever has signed. Its sources, where it has some, bind it besides.
type Certified struct {
	Names        []string `yaml:"names"`        // DNS name, sip URI's host, or common name
	Fingerprints []string `yaml:"fingerprints"` // SHA-256 of the certificate, in hexadecimal, with or without colons
}

func (c Certified) some() bool { return len(c.Names)+len(c.Fingerprints) > 0 }

// identified is a dialer that is known by its certificate.
type identified struct {
	source       *source
	networks     []netip.Prefix // none = from anywhere
	names        []string
	fingerprints []string
}

func newIdentified(d Dialer, s *source) identified {
	id := identified{source: s}
	for _, text := range d.Sources {
		if p, err := parseNetwork(text); err == nil {
			id.networks = append(id.networks, p)
		}
	}
	for _, n := range d.TLS.Names {
		id.names = append(id.names, lower(n))
	}
	for _, f := range d.TLS.Fingerprints {
		sum, _ := fingerprint(f)
		id.fingerprints = append(id.fingerprints, sum)
	}
	return id
}

// fingerprint reads a fingerprint as people write it.
func fingerprint(s string) (string, error) {
	f := lower(strings.ReplaceAll(s, ":", ""))
	if b, err := hex.DecodeString(f); err != nil || len(b) != sha256.Size {
		return "", fmt.Errorf("%q: want the SHA-256 of a certificate, 64 hexadecimal digits", s)
	}
	return f, nil
}

func (id *identified) from(a netip.Addr) bool {
	return len(id.networks) == 0 || slices.ContainsFunc(id.networks, func(p netip.Prefix) bool { return p.Contains(a) })
}

// mayConnect reports whether a connection from an address can turn out to be a dialer's.
func (s *settings) mayConnect(a netip.Addr) bool {
	return s.sources.find(a) != nil || slices.ContainsFunc(s.identified, func(id identified) bool { return id.from(a) })
}

// owner is the dialer whose connection it is; nil = nobody's. Who is known by a certificate is not known without it, though its address is
// another dialer's too.
func (s *settings) owner(c *sipstream.Conn, now time.Time) *source {
	from := c.Remote().Addr()
	if state := c.TLS(); state != nil && len(state.PeerCertificates) > 0 {
		leaf := state.PeerCertificates[0]
		sum := sha256.Sum256(leaf.Raw)
		shown, valid := hex.EncodeToString(sum[:]), !now.Before(leaf.NotBefore) && !now.After(leaf.NotAfter)
		var names []string
		if valid && len(s.identified) > 0 && s.verify(state.PeerCertificates, now) == nil {
			names = namesOf(leaf)
		}
		for i := range s.identified {
			id := &s.identified[i]
			known := slices.Contains(id.fingerprints, shown) || slices.ContainsFunc(id.names, func(n string) bool { return slices.Contains(names, n) })
			if known && valid && id.from(from) {
				return id.source
			}
		}
	}
	return s.sources.find(from)
}

// verify checks that a certificate is signed by whom the configuration names.
func (s *settings) verify(chain []*x509.Certificate, now time.Time) error {
	if s.dialerCA == nil {
		return errors.New("no authority is configured")
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: s.dialerCA, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err
}

// namesOf are the names that a certificate is for, in small letters (RFC 5922 §7.1); the common name where it has no others.
func namesOf(c *x509.Certificate) []string {
	var names []string
	for _, n := range c.DNSNames {
		names = append(names, lower(n))
	}
	for _, u := range c.URIs {
		if lower(u.Scheme) == "sip" && !strings.Contains(u.Opaque, "@") {
			names = append(names, lower(u.Opaque))
		}
	}
	if len(names) == 0 && c.Subject.CommonName != "" {
		names = append(names, lower(c.Subject.CommonName))
	}
	return names
}
