package decide

import "time"

// Sweep is what Run does once a second.
func (s *Server) Sweep(now time.Time) { s.sweep(now) }

// Kept is how many calls are remembered that are over.
func (s *Server) Kept() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.past)
}

// ReadFlat reads an object with one field of each type.
func ReadFlat(in []byte) (text string, n int64, truth bool, err error) {
	var f flat
	err = f.read(in, []field{{name: "text", text: &text}, {name: "number", number: &n}, {name: "truth", truth: &truth}})
	return text, n, truth, err
}

// Quoted is a text in quotes.
func Quoted(s string) string { return string(quoted(nil, s)) }
