package b2bua

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"time"

	"github.com/outdial/outdial"
)

// takeKPIs takes the dialer's word, from this machine alone: there is no password. What a page in a browser can send without asking is
// refused too, by its type.
//
//	POST /kpi/agents        {"idle": 3, "busy": 17}
//	POST /kpi/dispositions  {"attempt": "6417f2c9a0001000-1", "code": "SALE", "agent_seconds": 90}
//	POST /kpi/outcomes      {"token": "…", "answered": "2026-03-02T15:04:05Z", "ended": "2026-03-02T15:06:05Z", "ended_by": "callee"}
func (p *Proxy) takeKPIs(mux *http.ServeMux) {
	mux.HandleFunc("POST /kpi/agents", taking(func(in struct{ Idle, Busy *int }) error {
		if in.Idle == nil || in.Busy == nil || *in.Idle < 0 || *in.Busy < 0 {
			return errors.New("idle and busy: want two numbers of agents")
		}
		p.SetAgents(time.Now(), *in.Idle, *in.Busy)
		return nil
	}))
	type disposition struct {
		Attempt outdial.AttemptID
		Code    string
		Seconds float64 `json:"agent_seconds"`
	}
	mux.HandleFunc("POST /kpi/dispositions", taking(func(in disposition) error {
		if in.Code == "" || len(in.Code) > outdial.MaxText || !(in.Seconds >= 0 && in.Seconds < 1e6) {
			return fmt.Errorf("code: 1 to %d bytes, agent_seconds: less than 1000000", outdial.MaxText)
		}
		return p.Dispose(time.Now(), in.Attempt, in.Code, time.Duration(in.Seconds*float64(time.Second)))
	}))
	mux.HandleFunc("POST /kpi/outcomes", taking(func(in told) error {
		o, err := in.outcome()
		if err != nil {
			return err
		}
		return p.Report(in.Token, o)
	}))
}

// taking is a handler for one JSON object without unknown keys: 204 where it was taken.
func taking[T any](take func(T) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			http.Error(w, "only from this machine", http.StatusForbidden)
			return
		}
		if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
			http.Error(w, "want Content-Type: application/json", http.StatusUnsupportedMediaType)
			return
		}
		var in T
		const most = 4096
		body := json.NewDecoder(http.MaxBytesReader(w, r.Body, most))
		body.DisallowUnknownFields()
		err := body.Decode(&in)
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &large):
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		case err == nil && body.More():
			err = errors.New("more than one object")
		case err == nil:
			err = take(in)
		case errors.Is(err, io.EOF):
			err = errors.New("want a JSON object")
		}
		if errors.Is(err, ErrUnknownToken) {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}
