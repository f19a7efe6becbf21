package admin

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
	"github.com/outdial/outdial/kpi"
)

// Config is what a Server is made from.
type Config struct {
	Proxy  *b2bua.Proxy // required
	Tokens *door.Tokens // nil = none is asked for: on a loopback address alone
	File   string       // the configuration file, for PUT /v1/policy?save=true; "" = it cannot be saved
	Page   Page         // for browsers; nil = none
	Log    *slog.Logger // nil = silent
}

// Page is what is served beside the API.
type Page interface {
	Mount(mux *http.ServeMux)
	Open() []string // paths that need no token
}

// Server is the admin API of one Proxy. It is safe for concurrent use; the zero value is not usable.
type Server struct {
	p       *b2bua.Proxy
	cfg     Config
	log     *slog.Logger
	handler http.Handler
	began   time.Time

	edit sync.Mutex // one change at a time: between the ETag that is compared and the change lies no other one

	mu      sync.Mutex
	latency map[string]*kpi.Sketch // from a request to its effect, by action
}

// New makes a Server.
func New(cfg Config) (*Server, error) {
	if cfg.Proxy == nil {
		return nil, errors.New("admin: Proxy: required")
	}
	s := &Server{p: cfg.Proxy, cfg: cfg, log: cfg.Log, latency: map[string]*kpi.Sketch{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.began = s.p.Now()
	mux := http.NewServeMux()
	for _, r := range routes() {
		mux.Handle(r.method+" "+r.path, s.serve(r))
	}
	open := []string{"/healthz", "/readyz"}
	if cfg.Page != nil {
		cfg.Page.Mount(mux)
		open = append(open, cfg.Page.Open()...)
	}
	s.handler = door.Guard(cfg.Tokens, unknown(mux), open...)
	return s, nil
}

// Handler is the API.
func (s *Server) Handler() http.Handler { return s.handler }

// unknown answers what no route is for with a problem, as everything else.
func unknown(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		rec := probe{header: http.Header{}}
		mux.ServeHTTP(&rec, r)
		if rec.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", rec.header.Get("Allow"))
			door.Refuse(http.StatusMethodNotAllowed, "method", "%s is not for this", r.Method).Write(w)
			return
		}
		door.Refuse(http.StatusNotFound, "no_such_path", "there is nothing at %s", r.URL.Path).Write(w)
	})
}

// probe takes a response of which only the status and the header count.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
func (p *probe) WriteHeader(status int)      { p.status = status }

// reply is an answer that is no refusal.
type reply struct {
	status int // 0 = 200
	etag   string
	body   any
}

// ok answers with a body.
func ok(body any) (reply, *door.Problem) { return reply{body: body}, nil }

// serve answers one route.
func (s *Server) serve(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r.changes && door.CallerOf(req).Read {
			door.Refuse(http.StatusForbidden, "read_only", "the token lets look, and change nothing").Write(w)
			return
		}
		out, problem := r.handle(s, w, req)
		if problem != nil {
			if problem.Status >= 500 {
				s.log.Error("admin", "method", req.Method, "route", r.path, "error", problem.Error())
			}
			problem.Write(w)
			return
		}
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		if out.etag != "" {
			h.Set("ETag", out.etag)
			if !r.changes && req.Header.Get("If-None-Match") == out.etag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
		}
		if raw, ok := out.body.([]byte); ok {
			h.Set("Content-Type", "application/yaml")
			_, _ = w.Write(raw)
			return
		}
		b, err := json.Marshal(out.body)
		if err != nil {
			s.log.Error("admin", "route", r.path, "error", err)
			door.Refuse(http.StatusInternalServerError, "internal", "the answer cannot be written").Write(w)
			return
		}
		h.Set("Content-Type", "application/json")
		if out.status != 0 {
			w.WriteHeader(out.status)
		}
		_, _ = w.Write(append(b, '\n'))
	})
}
