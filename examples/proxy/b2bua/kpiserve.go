package b2bua

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"github.com/outdial/outdial/kpi"
)

// serveKPIs answers, beside the metrics and as they do to whoever asks:
//
//	GET /kpi                          the meter's report as JSON; ?span=24h looks back over another of its spans
//	GET /kpi/scorecard.csv?view=trunk one view of it
//	GET /kpi/weekly.csv?view=trunk    the last seven days beside the seven before; also weekly.json
//	GET /kpi/counts                   agents, callees, caller IDs and budgets as JSON
//	GET /kpi/feed                     what a dialer paces by, twice a second, as server-sent events
//
// Caller IDs stand hashed, callees not at all.
func (p *Proxy) serveKPIs(mux *http.ServeMux) {
	handle := func(path, kind string, write func(*http.Request, *bytes.Buffer) error) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			var out bytes.Buffer
			if err := write(r, &out); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write(out.Bytes()) // who asked has gone
		})
	}
	const asJSON, asCSV = "application/json", "text/csv; charset=utf-8"
	handle("/kpi", asJSON, func(r *http.Request, out *bytes.Buffer) error {
		report, err := p.kpiReport(r)
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(report)
	})
	handle("/kpi/scorecard.csv", asCSV, func(r *http.Request, out *bytes.Buffer) error {
		report, err := p.kpiReport(r)
		if err != nil {
			return err
		}
		view, err := viewOf(r)
		if err != nil {
			return err
		}
		return report.WriteCSV(out, view)
	})
	weekly := func(write func(*kpi.Weekly, *bytes.Buffer) error) func(*http.Request, *bytes.Buffer) error {
		return func(r *http.Request, out *bytes.Buffer) error {
			view, err := viewOf(r)
			if err != nil {
				return err
			}
			w, err := p.meter.Weekly(time.Now(), view)
			if err != nil {
				return err
			}
			return write(&w, out)
		}
	}
	handle("/kpi/weekly.csv", asCSV, weekly(func(w *kpi.Weekly, out *bytes.Buffer) error { return w.WriteCSV(out) }))
	handle("/kpi/weekly.json", asJSON, weekly(func(w *kpi.Weekly, out *bytes.Buffer) error { return json.NewEncoder(out).Encode(w) }))
	handle("/kpi/counts", asJSON, func(_ *http.Request, out *bytes.Buffer) error {
		counts, err := p.Counts(time.Now())
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(counts)
	})
	mux.HandleFunc("GET /kpi/feed", p.feed)
}

// kpiReport is the report that a request asks for.
func (p *Proxy) kpiReport(r *http.Request) (kpi.Report, error) {
	now := time.Now()
	span := r.URL.Query().Get("span")
	if span == "" {
		return p.meter.Report(now), nil
	}
	d, err := time.ParseDuration(span)
	if err != nil {
		return kpi.Report{}, &FieldError{"span", err}
	}
	w, ok := p.meter.Over(d)
	if !ok {
		return kpi.Report{}, &FieldError{"span", errNoSpan}
	}
	return w.Report(now), nil
}

// viewOf is the view that a request asks for: trunk where it does not say.
func viewOf(r *http.Request) (view kpi.View, err error) {
	text := r.URL.Query().Get("view")
	if text == "" {
		text = "trunk"
	}
	if err := view.UnmarshalText([]byte(text)); err != nil {
		return 0, &FieldError{"view", err}
	}
	return view, nil
}
