package admin

import (
	_ "embed"
	"net/http"
	"time"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
)

//go:embed openapi.yaml
var openapi []byte

func (s *Server) document(http.ResponseWriter, *http.Request) (reply, *door.Problem) {
	return ok(openapi)
}

// healthz says that the process is there.
func (s *Server) healthz(http.ResponseWriter, *http.Request) (reply, *door.Problem) {
	return ok(map[string]string{"status": "ok"})
}

// readyz says whether calls are taken: not while draining.
func (s *Server) readyz(http.ResponseWriter, *http.Request) (reply, *door.Problem) {
	if s.p.Draining() {
		return reply{}, door.Refuse(http.StatusServiceUnavailable, "draining", "no new calls are taken")
	}
	return ok(map[string]string{"status": "ready"})
}

// statusView is the proxy as a whole.
type statusView struct {
	Time     time.Time              `json:"time"`
	Began    time.Time              `json:"began"`
	Draining bool                   `json:"draining"`
	Policy   b2bua.Loaded           `json:"policy"`
	Stats    map[string]uint64      `json:"stats"`
	Freezes  []auditFreeze          `json:"freezes"`
	Controls map[string]uint64      `json:"controls"` // changes by action, since the process began
	Latency  map[string]latencyView `json:"change_latency"`
}

type auditFreeze struct {
	Trunk   string     `json:"trunk"` // "" = everything
	Actor   string     `json:"actor"`
	Reason  string     `json:"reason"`
	Expires *time.Time `json:"expires"`
}

// latencyView is how long changes of one action took from the request to their effect, in milliseconds.
type latencyView struct {
	N   uint64  `json:"n"`
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
}

func (s *Server) status(http.ResponseWriter, *http.Request) (reply, *door.Problem) {
	return ok(s.statusView())
}

func (s *Server) statusView() statusView {
	policy, _ := s.p.Loaded()
	st := s.p.Stats()
	v := statusView{
		Time: s.p.Now().UTC(), Began: s.began.UTC(), Draining: s.p.Draining(), Policy: policy, Freezes: []auditFreeze{},
		Controls: s.p.Controls(), Latency: map[string]latencyView{}, Stats: map[string]uint64{
			"calls": st.Calls, "live": uint64(st.Live), "answered": st.Answered, "failed": st.Failed, "refused": st.Refused,
			"cancelled": st.Cancelled, "lost": st.Lost, "expired": st.Expired, "redirected": st.Redirected, "challenged": st.Challenged,
			"rejected": st.Rejected, "strangers": st.Strangers, "malformed": st.Malformed, "journal_errors": st.JournalErrors,
		},
	}
	for _, f := range s.p.Freezes() {
		v.Freezes = append(v.Freezes, auditFreeze{f.Target, f.Actor, f.Reason, known(f.Expires)})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for action, sketch := range s.latency {
		p50, _ := sketch.Quantile(0.5)
		p99, _ := sketch.Quantile(0.99)
		v.Latency[action] = latencyView{sketch.Count(), float64(p50.Microseconds()) / 1000, float64(p99.Microseconds()) / 1000}
	}
	return v
}
