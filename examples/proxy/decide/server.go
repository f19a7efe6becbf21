package decide

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
)

//go:embed openapi.yaml
var openapi []byte

// Defaults of a Config.
const (
	DefaultMaxCalls = 10_000
	DefaultLease    = 2 * time.Minute
	DefaultLongest  = 4 * time.Hour
)

// repeats is for how long a call that is over still answers what is told again, as SIP's transactions do (64·T1).
const repeats = 32 * time.Second

// maxBody bounds a request.
const maxBody = 8 << 10

// Config is what a Server is made from. The zero value of a field is its default.
type Config struct {
	Proxy    *b2bua.Proxy  // required
	Tokens   *door.Tokens  // nil = none is asked for: on a loopback address alone
	MaxCalls int           // calls under way at one time; beyond them 503. 0 = DefaultMaxCalls
	Lease    time.Duration // silence after which a call that was not answered is given up; 0 = DefaultLease
	Longest  time.Duration // … and one that was; 0 = DefaultLongest
}

// Server gives decisions. It is safe for concurrent use; the zero value is not usable.
type Server struct {
	p        *b2bua.Proxy
	cfg      Config
	handler  http.Handler
	sessions sync.Pool
	buffers  sync.Pool
	draining atomic.Bool
	stats    counters

	mu    sync.Mutex
	calls map[string]*call // by token; those that are over for a while too
	keys  map[string]*call
	live  []*call       // under way, in no order
	past  []*call       // over, the oldest first
	idle  chan struct{} // closed when no call is under way, if somebody waits
}

type counters struct{ decisions, dialled, refused, ended, expired atomic.Uint64 }

// Stats are counts since New.
type Stats struct {
	Decisions uint64 // calls that were asked about, repeats apart
	Dialled   uint64 // … and whose first answer was a leg
	Refused   uint64 // … nothing was placed
	Ended     uint64 // calls whose end was told
	Expired   uint64 // calls that were given up for silence
	Live      int    // calls under way
}

// New makes a Server.
func New(cfg Config) (*Server, error) {
	if cfg.Proxy == nil {
		return nil, errors.New("decide: Proxy: required")
	}
	if cfg.MaxCalls < 0 || cfg.Lease < 0 || cfg.Longest < 0 {
		return nil, errors.New("decide: MaxCalls, Lease and Longest are not negative")
	}
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&cfg.Lease, DefaultLease)
	def(&cfg.Longest, DefaultLongest)
	if cfg.MaxCalls == 0 {
		cfg.MaxCalls = DefaultMaxCalls
	}
	s := &Server{p: cfg.Proxy, cfg: cfg, calls: map[string]*call{}, keys: map[string]*call{}}
	s.sessions.New = func() any { return s.p.Engine().NewSession() }
	s.buffers.New = func() any { return new(buffer) }
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/decide", s.decide)
	mux.HandleFunc("POST /v1/calls/{token}/progress", s.progress)
	mux.HandleFunc("POST /v1/calls/{token}/outcome", s.outcome)
	mux.HandleFunc("POST /v1/calls/{token}/next", s.next)
	mux.HandleFunc("POST /v1/calls/{token}/cancel", s.cancel)
	mux.HandleFunc("GET /v1/calls/{token}", s.explain)
	mux.HandleFunc("GET /v1/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(openapi)
	})
	mux.HandleFunc("GET /readyz", s.readyz)
	s.handler = door.Guard(cfg.Tokens, mux, "/readyz")
	return s, nil
}

// Handler is the API.
func (s *Server) Handler() http.Handler { return s.handler }

// Stats returns the counts.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.stats
	return Stats{c.decisions.Load(), c.dialled.Load(), c.refused.Load(), c.ended.Load(), c.expired.Load(), len(s.live)}
}

// Run gives up calls of which nothing is heard, until ctx is done.
func (s *Server) Run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.sweep(s.p.Now())
		}
	}
}

// Drain implements b2bua.Guest: calls that are under way may go on for so long, and end as unknown then.
func (s *Server) Drain(limit time.Duration) {
	s.draining.Store(true)
	s.mu.Lock()
	idle := make(chan struct{})
	if s.idle = idle; len(s.live) == 0 {
		close(idle)
		s.idle = nil
	}
	s.mu.Unlock()
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-idle:
	case <-t.C:
	}
	for _, c := range s.underway() {
		s.giveUp(c, s.p.Now())
	}
}

// underway are the calls that are not over.
func (s *Server) underway() []*call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.live)
}

// sweep gives up calls of which nothing was heard for too long, and forgets what is over.
func (s *Server) sweep(now time.Time) {
	for _, c := range s.underway() {
		c.mu.Lock()
		limit := s.cfg.Lease
		if c.answered {
			limit = s.cfg.Longest
		}
		late := c.session != nil && now.Sub(c.heard) >= limit
		c.mu.Unlock()
		if late && s.giveUp(c, now) {
			s.stats.expired.Add(1)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.past) > 0 && now.Sub(s.past[0].heard) >= repeats {
		s.forget()
	}
}

// giveUp ends a call of which nobody knows how it went; false = it is over.
func (s *Server) giveUp(c *call, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == nil {
		return false
	}
	s.end(c, now, outdial.OriginUnknown)
	s.retire(c, now)
	return true
}

// enter makes a call known, or returns the one that has its key by now; neither where there are too many.
func (s *Server) enter(c *call) (known *call, entered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.keys[c.key]; known != nil {
		return known, false
	}
	if len(s.live) >= s.cfg.MaxCalls {
		return nil, false
	}
	c.place, s.live = len(s.live), append(s.live, c)
	s.calls[c.token] = c
	if c.key != "" {
		s.keys[c.key] = c
	}
	return nil, true
}

// retire notes that a call is over. It still answers repeats; of more than MaxCalls such calls the oldest is forgotten. c.mu is held.
func (s *Server) retire(c *call, now time.Time) {
	c.heard = now
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.live) - 1
	s.live[last].place = c.place
	s.live[c.place], s.live[last] = s.live[last], nil
	s.live = s.live[:last]
	if s.past = append(s.past, c); len(s.past) > s.cfg.MaxCalls {
		s.forget()
	}
	if last == 0 && s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
}

// forget forgets the call that is over the longest. s.mu is held.
func (s *Server) forget() {
	c := s.past[0]
	s.past[0] = nil
	s.past = s.past[1:]
	delete(s.calls, c.token)
	if s.keys[c.key] == c {
		delete(s.keys, c.key)
	}
}

func (s *Server) byToken(token string) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[token]
}

func newToken() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails: see crypto/rand
	return hex.EncodeToString(b[:])
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if s.draining.Load() || s.p.Draining() {
		door.Refuse(http.StatusServiceUnavailable, "draining", "no new calls are taken").Write(w)
		return
	}
	send(w, []byte(`{"status":"ready"}`+"\n"))
}

// explain tells what was decided for a call so far, and why.
func (s *Server) explain(w http.ResponseWriter, r *http.Request) {
	c := s.byToken(r.PathValue("token"))
	if c == nil {
		unknownToken(w)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == nil {
		unknownToken(w)
		return
	}
	b, err := json.Marshal(c.session.Explain())
	if err != nil {
		door.Refuse(http.StatusInternalServerError, "internal", "%v", err).Write(w)
		return
	}
	send(w, append(b, '\n'))
}

func unknownToken(w http.ResponseWriter) {
	door.Refuse(http.StatusNotFound, "no_such_call", "no call under way has this token").Write(w)
}

var jsonType = []string{"application/json"}

func send(w http.ResponseWriter, b []byte) {
	w.Header()["Content-Type"] = jsonType
	_, _ = w.Write(b)
}
