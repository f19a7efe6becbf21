package decide

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
)

// buffer is what one request needs and the next one can use again.
type buffer struct {
	in   []byte
	out  []byte
	flat flat

	asked asked
	told  told
}

// asked is the body of a decide.
type asked struct {
	key    string
	demand b2bua.Demand
}

// told is the body of a progress and of an outcome.
type told struct {
	leg, code, cause, retry, ago int64
	phrase, reason, origin       string
	sdp, abandoned               bool
}

// buffer is an empty one, to be given back by done.
func (s *Server) buffer() *buffer {
	b := s.buffers.Get().(*buffer)
	b.asked, b.told = asked{}, told{}
	return b
}

func (s *Server) done(b *buffer) { s.buffers.Put(b) }

// read reads the body of a request, and refuses what is no such body.
func (b *buffer) read(w http.ResponseWriter, r *http.Request, fields []field) bool {
	if !isJSON(r.Header.Get("Content-Type")) {
		door.Refuse(http.StatusUnsupportedMediaType, "media_type", "want Content-Type: application/json").Write(w)
		return false
	}
	b.in = b.in[:0]
	for {
		if len(b.in) > maxBody {
			door.Refuse(http.StatusRequestEntityTooLarge, "too_large", "the body is longer than %d bytes", maxBody).Write(w)
			return false
		}
		if cap(b.in)-len(b.in) < 512 {
			b.in = append(make([]byte, 0, 2*cap(b.in)+1024), b.in...)
		}
		n, err := r.Body.Read(b.in[len(b.in):cap(b.in)])
		b.in = b.in[:len(b.in)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			door.Refuse(http.StatusBadRequest, "body", "the body cannot be read: %v", err).Write(w)
			return false
		}
	}
	if len(b.in) > maxBody {
		door.Refuse(http.StatusRequestEntityTooLarge, "too_large", "the body is longer than %d bytes", maxBody).Write(w)
		return false
	}
	err := b.flat.read(b.in, fields)
	var f *fieldError
	switch {
	case err == nil:
		return true
	case errors.As(err, &f):
		door.Refuse(http.StatusBadRequest, f.code, "the body cannot be read").With(f.field, "%v", f.err).Write(w)
	default:
		door.Refuse(http.StatusBadRequest, "json", "%v", err).Write(w)
	}
	return false
}

func isJSON(kind string) bool {
	const want = "application/json"
	return len(kind) >= len(want) && kind[:len(want)] == want && (len(kind) == len(want) || kind[len(want)] == ';')
}

func invalid(w http.ResponseWriter, field, format string, args ...any) {
	door.Invalid(field, "%s", fmt.Sprintf(format, args...)).Write(w)
}
