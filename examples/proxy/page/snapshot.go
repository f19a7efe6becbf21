package page

// Snapshot is how the proxy stands at one moment, as the page gets it once a second. Times are milliseconds since 1970, shares and ratios 0
// to 1, durations seconds. Callees stand masked.
type Snapshot struct {
	T        int64   `json:"t"`
	Sample   bool    `json:"sample"` // it is a point of the plots
	Draining bool    `json:"draining"`
	Live     int     `json:"live"`
	CPS      float64 `json:"cps"` // calls that began, a second, over the last five
	Answered uint64  `json:"answered"`
	Refused  uint64  `json:"refused"`
	KPI      *KPI    `json:"kpi,omitempty"`

	Trunks    []Trunk    `json:"trunks"`
	Pools     []Pool     `json:"pools"`
	Incidents []Item     `json:"incidents"` // the latest first
	Failovers []Failover `json:"failovers"`
	Calls     []Call     `json:"calls"`  // live ones, the latest first
	Recent    []Call     `json:"recent"` // that are over
}

// KPI is what came of legs; nil where the meter does not keep the view.
type KPI struct {
	ASR Ratio    `json:"asr"`
	NER Ratio    `json:"ner"`
	P50 *float64 `json:"p50"` // post-dial delay
	P95 *float64 `json:"p95"`
}

// Ratio is a ratio of N legs with its 95 % interval; V is nil where N is 0.
type Ratio struct {
	V  *float64 `json:"v"`
	Lo float64  `json:"lo"`
	Hi float64  `json:"hi"`
	N  uint64   `json:"n"`
}

// Trunk is how a trunk stands.
type Trunk struct {
	Name    string   `json:"name"`
	Carrier string   `json:"carrier"`
	State   string   `json:"state"`  // live, canary, staged, draining, out
	Health  string   `json:"health"` // of the trunk as a whole: up, suspect, out …
	Why     string   `json:"why"`
	Since   int64    `json:"since,omitempty"`
	Groups  []string `json:"groups"` // destination groups that are not up, in words
	Orders  []Order  `json:"orders"` // that stand
	KPI     *KPI     `json:"kpi,omitempty"`
	Use     int      `json:"use"`
	Ceiling int      `json:"ceiling"` // -1 = none
	Peak    int      `json:"peak"`
	CPS     int      `json:"cps"`   // in the last second
	Limit   int      `json:"limit"` // of CPS; -1 = none
	Blocked uint64   `json:"blocked"`
}

// Order is an order of an operator that stands.
type Order struct {
	What  string `json:"what"`
	Drill bool   `json:"drill,omitempty"`
	Until int64  `json:"until,omitempty"`
}

// Pool is how a pool of caller IDs stands.
type Pool struct {
	Name    string         `json:"name"`
	Program string         `json:"program"`
	States  map[string]int `json:"states"`
	Ready   int            `json:"ready"`
	Waiting int            `json:"waiting"`
	Resting int            `json:"resting"`
	Risk    float64        `json:"risk"`
	KPI     *KPI           `json:"kpi,omitempty"`
}

// Item is an incident or an alert.
type Item struct {
	Key   string `json:"key"`
	T     int64  `json:"t"`
	Level string `json:"level"` // bad, warn, ok
	Head  string `json:"head"`
	Body  string `json:"body"`
}

// Failover is how often calls went from one trunk to another for one reason; To is "" where nobody was left.
type Failover struct {
	T    int64  `json:"t"`
	From string `json:"from"`
	To   string `json:"to"`
	Why  string `json:"why"`
	N    uint64 `json:"n"`
}

// Call is a call, live or over.
type Call struct {
	ID       string `json:"id"`
	To       string `json:"to"`
	Trunk    string `json:"trunk"`
	State    string `json:"state"`
	Began    int64  `json:"began"`
	Ended    int64  `json:"ended,omitempty"`
	Code     int    `json:"code,omitempty"` // that the dialer was told
	Attempts int    `json:"attempts"`
}

// hello is what a viewer begins with.
type hello struct {
	Policy  string  `json:"policy"`
	Window  string  `json:"window"` // that ratios and delays are over
	History history `json:"history"`
}

// history is what the plots show of the past: ten minutes, a point every other second.
type history struct {
	T      []float64         `json:"t"` // seconds since 1970
	Trunks map[string]*lines `json:"trunks"`
}

type lines struct {
	ASR []*float64 `json:"asr"`
	Lo  []*float64 `json:"lo"`
	Hi  []*float64 `json:"hi"`
	Use []*int     `json:"use"`
	CPS []*int     `json:"cps"`
}

// maxPoints is how many points are kept.
const maxPoints = 300

func newHistory() history { return history{T: []float64{}, Trunks: map[string]*lines{}} }

// add keeps a snapshot. A trunk that is new has no past, one that is gone no present.
func (h *history) add(s *Snapshot) {
	before := len(h.T)
	h.T = append(h.T, float64(s.T)/1000)
	for i := range s.Trunks {
		t := &s.Trunks[i]
		l := h.Trunks[t.Name]
		if l == nil {
			l = &lines{make([]*float64, before), make([]*float64, before), make([]*float64, before), make([]*int, before), make([]*int, before)}
			h.Trunks[t.Name] = l
		}
		var v, lo, hi *float64
		if t.KPI != nil && t.KPI.ASR.V != nil {
			v, lo, hi = t.KPI.ASR.V, &t.KPI.ASR.Lo, &t.KPI.ASR.Hi
		}
		use, cps := t.Use, t.CPS
		l.ASR, l.Lo, l.Hi, l.Use, l.CPS = append(l.ASR, v), append(l.Lo, lo), append(l.Hi, hi), append(l.Use, &use), append(l.CPS, &cps)
	}
	for name, l := range h.Trunks {
		if len(l.ASR) == before {
			l.ASR, l.Lo, l.Hi, l.Use, l.CPS = append(l.ASR, nil), append(l.Lo, nil), append(l.Hi, nil), append(l.Use, nil), append(l.CPS, nil)
		}
		if len(h.T) > maxPoints {
			l.ASR, l.Lo, l.Hi, l.Use, l.CPS = l.ASR[1:], l.Lo[1:], l.Hi[1:], l.Use[1:], l.CPS[1:]
		}
		if gone(l.Use) {
			delete(h.Trunks, name)
		}
	}
	if len(h.T) > maxPoints {
		h.T = h.T[1:]
	}
}

// gone reports whether nothing is left of a trunk's past.
func gone(use []*int) bool {
	for _, v := range use {
		if v != nil {
			return false
		}
	}
	return true
}
