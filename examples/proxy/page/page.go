package page

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/outdial/outdial/examples/proxy/b2bua"
)

//go:embed assets
var assets embed.FS

// Config is what a Page is made from.
type Config struct {
	Proxy *b2bua.Proxy  // required
	Every time.Duration // between snapshots; 0 = 1 s
}

// Page is the page of one Proxy. Make it with New, Mount it beside the admin API, and Run it. All methods are safe for concurrent use.
type Page struct {
	proxy  *b2bua.Proxy
	every  time.Duration
	source source
	files  map[string]file // by path

	mu      sync.Mutex // guards what follows; a few lines each time
	viewers map[*viewer]struct{}
	past    history
	over    bool // Run has returned
	dropped uint64
}

// file is an asset as it is served.
type file struct {
	data []byte
	kind string
	etag string
}

// New returns a Page; the error says what is missing.
func New(cfg Config) (*Page, error) {
	if cfg.Proxy == nil {
		return nil, errors.New("page: Proxy: required")
	}
	if cfg.Every < 0 {
		return nil, fmt.Errorf("page: Every: %v is negative", cfg.Every)
	}
	if cfg.Every == 0 {
		cfg.Every = time.Second
	}
	p := &Page{proxy: cfg.Proxy, every: cfg.Every, viewers: map[*viewer]struct{}{}, files: map[string]file{}}
	p.source = newSource(cfg.Proxy)
	p.past = newHistory()
	list, err := assets.ReadDir("assets")
	if err != nil {
		return nil, err
	}
	for _, entry := range list {
		data, err := assets.ReadFile("assets/" + entry.Name())
		if err != nil {
			return nil, err
		}
		at := "/page/" + entry.Name()
		if entry.Name() == "index.html" {
			at = "/"
		}
		p.files[at] = file{data, kinds[path.Ext(entry.Name())], fmt.Sprintf(`"%x"`, sha256.Sum256(data))[:20] + `"`}
	}
	return p, nil
}

var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8",
}

// policy lets the page load what is its own, and nothing else: no script of anybody's, no frame around it, no markup made of text.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// Open are the paths of the page itself. They hold nothing of the proxy, so that they may be served to who has no token yet; the stream is
// not among them.
func (p *Page) Open() []string {
	var list []string
	for at := range p.files {
		list = append(list, at)
	}
	return list
}

// Mount serves the page at /, its assets below /page/, and the stream at /page/stream.
func (p *Page) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", p.asset)
	mux.HandleFunc("GET /page/", p.asset)
	mux.HandleFunc("GET /page/stream", p.stream)
}

func (p *Page) asset(w http.ResponseWriter, r *http.Request) {
	f, ok := p.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", f.etag)
	http.ServeContent(w, r, strings.TrimPrefix(r.URL.Path, "/"), time.Time{}, bytes.NewReader(f.data))
}

// Run takes snapshots until ctx is done, and ends the streams then. Without viewers it only keeps what the plots show of the past.
func (p *Page) Run(ctx context.Context) {
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	defer p.end()
	for n := 0; ; n++ {
		p.tick(ctx, n%2 == 0)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Viewers is how many look on, and how many were dropped because they did not keep up.
func (p *Page) Viewers() (now int, dropped uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.viewers), p.dropped
}
