package b2bua

import (
	"context"
	"errors"
	"math"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/outdial/outdial/kpi/kpiprom"
)

// liveOnly counts what happens, and nothing that is replayed: counters begin anew with a process, as Prometheus expects.
type liveOnly struct{ *kpiprom.Collector }

// Resumed implements outdial.Resumer.
func (liveOnly) Resumed() uint64 { return math.MaxUint64 }

// metricsAddr is where metrics are served; a port alone is one of the loopback interface, for there is no password.
func metricsAddr(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", err
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

// listenMetrics binds the socket, if one is configured.
func (p *Proxy) listenMetrics() error {
	if p.collector == nil {
		return nil
	}
	addr, err := metricsAddr(p.cfg.Metrics.Listen)
	if err != nil {
		return &FieldError{"metrics.listen", err}
	}
	if p.metrics, err = net.Listen("tcp", addr); err != nil {
		return &FieldError{"metrics.listen", err}
	}
	return nil
}

// serveMetrics answers GET /metrics until ctx is done.
func (p *Proxy) serveMetrics(ctx context.Context) {
	if p.metrics == nil {
		return
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(p.collector, newGauges(p), states{p})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	p.serveKPIs(mux)
	p.takeKPIs(mux)
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	if err := s.Serve(p.metrics); !errors.Is(err, http.ErrServerClosed) {
		p.log.Error("metrics", "error", err)
	}
}

// MetricsAddr is where metrics are served; nil where they are not.
func (p *Proxy) MetricsAddr() net.Addr {
	if p.metrics == nil {
		return nil
	}
	return p.metrics.Addr()
}
