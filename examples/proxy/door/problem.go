package door

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// Problem is a refusal as RFC 9457 has it. Its type is always "about:blank": title and status say what kind it is, Code tells problems apart
// for programs and is stable, Errors name the fields. It is an error.
type Problem struct {
	Type   string  `json:"type"`
	Title  string  `json:"title"`
	Status int     `json:"status"`
	Code   string  `json:"code"`
	Detail string  `json:"detail,omitempty"`
	Errors []Field `json:"errors,omitempty"`

	// Findings say what stands against what was asked for, in the form of whoever found it.
	Findings any `json:"findings,omitempty"`
}

// Field is what is wrong with one field of a request.
type Field struct {
	Field  string `json:"field"` // "expires", "config:12:3" …
	Detail string `json:"detail"`
}

// Error returns the detail, or the title where there is none.
func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	for _, f := range p.Errors {
		text += fmt.Sprintf("; %s: %s", f.Field, f.Detail)
	}
	return text
}

// Refuse makes a Problem of a status and what is to be said about it.
func Refuse(status int, code, format string, args ...any) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Invalid is a Problem with one field: 422.
func Invalid(field, format string, args ...any) *Problem {
	p := Refuse(http.StatusUnprocessableEntity, "invalid", "the request is understood, and what it says does not fit")
	p.Errors = []Field{{field, fmt.Sprintf(format, args...)}}
	return p
}

// With adds a field.
func (p *Problem) With(field, format string, args ...any) *Problem {
	p.Errors = append(p.Errors, Field{field, fmt.Sprintf(format, args...)})
	return p
}

// Write sends the problem.
func (p *Problem) Write(w http.ResponseWriter) {
	b, err := json.Marshal(p)
	if err != nil {
		b = []byte(`{"type":"about:blank","title":"Internal Server Error","status":500,"code":"internal"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(b, '\n'))
}
