package door

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Config is where an API is served, and how it is kept from others.
type Config struct {
	Listen    string // TCP address; without a host on the loopback interface. "" = not at all
	TokenFile string // tokens, one a line: see ParseTokens
	TokenEnv  string // the environment variable that holds them, where there is no file
	CertFile  string // of TLS, PEM; "" = plain HTTP
	KeyFile   string
}

// Door is an API that is ready to be served.
type Door struct {
	Tokens *Tokens // nil = none is asked for
	cfg    Config
	ln     net.Listener
}

// ErrToken says that an API would be open to others without a token.
var ErrToken = errors.New("a token is required on any address but a loopback one: token_file or token_env")

// Open reads the tokens and binds the socket. It refuses to do so without a token but on a loopback address.
func Open(cfg Config) (*Door, error) {
	addr, err := Address(cfg.Listen)
	if err != nil {
		return nil, err
	}
	d := &Door{cfg: cfg}
	if d.Tokens, err = LoadTokens(cfg.TokenFile, cfg.TokenEnv); err != nil {
		return nil, err
	}
	if d.Tokens == nil {
		if err := Loopback(addr); err != nil {
			return nil, err
		}
	}
	if (cfg.CertFile == "") != (cfg.KeyFile == "") {
		return nil, errors.New("cert_file and key_file come together")
	}
	if cfg.CertFile != "" {
		if _, err := tls.LoadX509KeyPair(cfg.CertFile, cfg.KeyFile); err != nil {
			return nil, err
		}
	}
	d.ln, err = net.Listen("tcp", addr)
	return d, err
}

// Address completes a listening address: without a host it is one of the loopback interface.
func Address(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", err
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

// Loopback reports, as ErrToken, an address that others reach. It has to be a literal one: what a name stands for may change.
func Loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if a, err := netip.ParseAddr(host); err == nil && a.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%s: %w", addr, ErrToken)
}

// Addr is where the API is.
func (d *Door) Addr() net.Addr { return d.ln.Addr() }

// Close closes the socket of a Door that is not served.
func (d *Door) Close() error { return d.ln.Close() }

// Serve answers requests with h until ctx is done; requests that are under way may take another second.
func (d *Door) Serve(ctx context.Context, h http.Handler, log *slog.Logger) error {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		grace, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if s.Shutdown(grace) != nil {
			_ = s.Close()
		}
	})
	var err error
	if d.cfg.CertFile != "" {
		err = s.ServeTLS(d.ln, d.cfg.CertFile, d.cfg.KeyFile)
	} else {
		err = s.Serve(d.ln)
	}
	if !stop() {
		<-ended
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
