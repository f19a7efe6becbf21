package page

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// waiting is how many snapshots may wait for a viewer; writeLimit how long one may take to be written.
const (
	waiting    = 4
	writeLimit = 10 * time.Second
	maxViewers = 256
)

// viewer is somebody who looks on. Its channel is closed when it is dropped.
type viewer struct{ events chan []byte }

// tick takes a snapshot and sends it to all viewers; sampled ones are kept for the plots.
func (p *Page) tick(ctx context.Context, sample bool) {
	p.mu.Lock()
	watched := len(p.viewers) > 0
	p.mu.Unlock()
	if !watched && !sample {
		return
	}
	s := p.source.take(ctx, p.proxy.Now(), watched)
	s.Sample = sample
	var data []byte
	if watched {
		data = encode("state", s)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if sample {
		p.past.add(s)
	}
	for v := range p.viewers {
		select {
		case v.events <- data:
		default: // it does not keep up: nobody waits for it
			delete(p.viewers, v)
			close(v.events)
			p.dropped++
		}
	}
}

// encode is an event of a stream.
func encode(kind string, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // there is nothing in it that cannot be written
		return nil
	}
	out := make([]byte, 0, len(b)+len(kind)+20)
	out = append(append(append(out, "event: "...), kind...), "\ndata: "...)
	return append(append(out, b...), "\n\n"...)
}

// enter makes a viewer known, and tells what it begins with: the past. The next snapshot follows. nil = there are too many, or it is over.
func (p *Page) enter() *viewer {
	head := p.source.hello()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over || len(p.viewers) >= maxViewers {
		return nil
	}
	head.History = p.past
	v := &viewer{make(chan []byte, waiting)}
	v.events <- encode("hello", head)
	p.viewers[v] = struct{}{}
	return v
}

func (p *Page) leave(v *viewer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.viewers, v)
}

// end drops all viewers.
func (p *Page) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	for v := range p.viewers {
		delete(p.viewers, v)
		close(v.events)
	}
}

// stream sends events until the viewer leaves or is dropped.
func (p *Page) stream(w http.ResponseWriter, r *http.Request) {
	v := p.enter()
	if v == nil {
		http.Error(w, "too many viewers, or the proxy ends", http.StatusServiceUnavailable)
		return
	}
	defer p.leave(v)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{}) // that of the server is for requests, and would end the stream
	for {
		var data []byte
		var ok bool
		select {
		case data, ok = <-v.events:
		case <-r.Context().Done():
			return
		}
		if !ok || out.SetWriteDeadline(time.Now().Add(writeLimit)) != nil {
			return
		}
		if _, err := w.Write(data); err != nil || out.Flush() != nil {
			return
		}
	}
}
