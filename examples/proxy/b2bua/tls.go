package b2bua

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// TLS are the files of one side, in PEM, relative to the configuration file. They are read again by a reload.
type TLS struct {
	Certificate string `yaml:"certificate"` // ours, with those between it and its root
	Key         string `yaml:"key"`
	CA          string `yaml:"ca"`   // who signs the other side's; "" = towards carriers the system's roots, for dialers nobody
	Name        string `yaml:"name"` // of a trunk: what its certificate is for; "" = the host of its address
}

// load reads the files.
func (t TLS) load(dir string) (certificates []tls.Certificate, roots *x509.CertPool, err error) {
	at := func(name string) string {
		if filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(dir, name)
	}
	var errs []error
	if t.Certificate != "" || t.Key != "" {
		c, err := tls.LoadX509KeyPair(at(t.Certificate), at(t.Key))
		if err != nil {
			errs = append(errs, fmt.Errorf("certificate: %w", err))
		} else {
			certificates = []tls.Certificate{c}
		}
	}
	if t.CA != "" {
		pem, err := os.ReadFile(at(t.CA))
		roots = x509.NewCertPool()
		if err == nil && !roots.AppendCertsFromPEM(pem) {
			err = fmt.Errorf("%s holds no certificate", t.CA)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("ca: %w", err))
		}
	}
	return certificates, roots, errors.Join(errs...)
}

// over is t with what it lacks from base: what a trunk does not say is as for all trunks.
func (t TLS) over(base TLS) TLS {
	if t.Certificate == "" && t.Key == "" {
		t.Certificate, t.Key = base.Certificate, base.Key
	}
	if t.CA == "" {
		t.CA = base.CA
	}
	return t
}

// towards is what is spoken to a carrier.
func (t TLS) towards(dir string) (*tls.Config, error) {
	certificates, roots, err := t.load(dir)
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: certificates, RootCAs: roots, ServerName: t.Name}, err
}

// serverTLS is what is spoken to a dialer that connects: its certificate is asked for, and judged by settings.owner. No authorities are
// named to it, for who is known by a fingerprint may have signed it himself, and would not show it then.
func (p *Proxy) serverTLS() *tls.Config { return p.set().server }

// carrierTLS is what is spoken to a carrier that connects.
func (p *Proxy) carrierTLS() *tls.Config { return p.set().carrierServer }

// secrets is what the settings have of TLS.
type secrets struct {
	server, carrierServer *tls.Config
	dialerCA              *x509.CertPool // nil = dialers are not known by names
	mine                  []tls.Certificate
	clients               sync.Map // host: *tls.Config, for connections to dialers
}

func (c Config) secrets() (*secrets, error) {
	s := &secrets{}
	var errs []error
	var err error
	s.mine, s.dialerCA, err = c.TLS.load(c.dir)
	if err != nil {
		errs = append(errs, &FieldError{"tls", err})
	}
	s.server = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: s.mine, ClientAuth: tls.RequestClientCert}
	theirs, roots, err := c.CarrierTLS.load(c.dir)
	if err != nil {
		errs = append(errs, &FieldError{"carrier_tls", err})
	}
	s.carrierServer = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: theirs, ClientCAs: roots}
	if roots != nil {
		s.carrierServer.ClientAuth = tls.VerifyClientCertIfGiven
	}
	for i, t := range c.Trunks {
		if t.TLS == (TLS{}) {
			continue // as carrier_tls, which was read before
		}
		if _, err := t.TLS.over(c.CarrierTLS).towards(c.dir); err != nil {
			errs = append(errs, &FieldError{fmt.Sprintf("trunks[%d].tls", i), err})
		}
	}
	return s, errors.Join(errs...)
}

// clientTLS is what is spoken to a dialer that has closed its connection, and is called back: its certificate must be for its host.
func (s *secrets) clientTLS(to place) *tls.Config {
	name := to.name
	if name == "" {
		name = to.addr.Addr().String()
	}
	cfg, ok := s.clients.Load(name)
	if !ok {
		cfg, _ = s.clients.LoadOrStore(name, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: s.mine, RootCAs: s.dialerCA, ServerName: name})
	}
	return cfg.(*tls.Config)
}

func upper(s string) string { return strings.ToUpper(s) }
func lower(s string) string { return strings.ToLower(s) }
