package b2bua

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/outdial/outdial/kpi"
)

var errNoSpan = errors.New("the meter does not look back over it: kpi.window or one of kpi.spans")

// feedEvery is how often the feed tells what there is.
const feedEvery = 500 * time.Millisecond

// Pace is what a dialer paces by.
type Pace struct {
	Now       time.Time        `json:"now"`
	Open      uint64           `json:"open"` // legs without an outcome yet, of those started in the meter's window
	Attempts  uint64           `json:"attempts"`
	ASR       kpi.Ratio        `json:"asr"`
	Contact   kpi.Ratio        `json:"contact"`
	Abandoned kpi.Ratio        `json:"abandoned"`
	Agents    kpi.AgentReport  `json:"agents"`
	Budgets   []BudgetStanding `json:"budgets"`
	Signal    kpi.Signal       `json:"signal"` // the worst of the budgets
}

// Pace returns it, over the shortest of the meter's spans.
func (p *Proxy) Pace(now time.Time) (Pace, error) {
	w, _ := p.meter.Over(p.cfg.KPI.shortest())
	c, _ := w.Cell(now, kpi.Key{})
	budgets, err := p.Budgets(now)
	out := Pace{
		Now: now.UTC(), Open: c.Open(), Attempts: c.Started, ASR: c.ASR(), Contact: c.Contact(), Abandoned: c.AbandonedRate(),
		Agents: p.counted.agents.Report(now), Budgets: budgets,
	}
	for _, b := range budgets {
		out.Signal = max(out.Signal, b.Signal)
	}
	return out, err
}

// feed writes it as server-sent events until whoever listens goes.
func (p *Proxy) feed(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	_ = out.SetWriteDeadline(time.Time{}) // it goes on; one that cannot be set is none
	tick := time.NewTicker(feedEvery)
	defer tick.Stop()
	for {
		pace, err := p.Pace(time.Now())
		if err == nil {
			var text []byte
			if text, err = json.Marshal(pace); err == nil {
				_, err = fmt.Fprintf(w, "event: pace\ndata: %s\n\n", text)
			}
		}
		if errors.Join(err, out.Flush()) != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}
