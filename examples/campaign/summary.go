package main

import (
	"encoding/json"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// summary is what a campaign comes to. Its JSON has times in seconds; talk, ring and agents' times are model time, all
// else is the time of this machine.
type summary struct {
	Seed        uint64  `json:"seed"`
	Scale       float64 `json:"scale"`
	Seats       int     `json:"seats"`
	Fault       string  `json:"fault"`
	Interrupted bool    `json:"interrupted"`
	Seconds     float64 `json:"seconds"` // from the first call to the end of the last
	Kept        string  `json:"kept,omitempty"`

	Calls     calls           `json:"calls"`
	Agents    agents          `json:"agents"`
	Total     measures        `json:"total"`
	Trunks    []trunkLine     `json:"trunks"`
	Phases    []phase         `json:"phases"`
	Incident  *incident       `json:"incident"` // null = the carrier was not broken
	CallerIDs callerIDUse     `json:"caller_ids"`
	Journal   journalUse      `json:"journal"`
	Story     []string        `json:"story"`    // one call that met the fault, in words
	Label     []string        `json:"label"`    // what became of the caller ID that was blocked, in words
	Decision  []string        `json:"decision"` // the explanation, in words
	Explained *explained      `json:"explained"`
	Other     []string        `json:"other_policy"` // what another routing policy would have done, in words
	Verdicts  map[verdict]int `json:"verdicts"`
	Outcomes  map[string]int  `json:"outcomes"` // of the calls that were ended by the callee's side or answered
	Refusals  map[string]int  `json:"refusals"` // of bids, by reason
	Events    []event         `json:"events"`
	Checked   []checked       `json:"invariants"`
}

type calls struct {
	Wanted   int   `json:"wanted"`
	Placed   int   `json:"placed"`
	Answered int   `json:"answered"`
	ABR      ratio `json:"abr"` // calls answered, of calls
	Lost     int   `json:"lost"`
	NoAgent  int   `json:"no_agent"` // answered by a human, and no agent was free
	Attempts int   `json:"attempts"`
	Advances int   `json:"failovers"`
}

type agents struct {
	Talk      float64 `json:"talk_seconds"` // mean conversation with a human, model time
	Occupancy float64 `json:"occupancy"`    // share of their time that agents talk or wrap up
}

// measures are what is measured of one trunk, or of all.
type measures struct {
	Attempts int      `json:"attempts"`
	Answers  int      `json:"answers"`
	ASR      ratio    `json:"asr"`
	NER      ratio    `json:"ner"`
	PDD50    *float64 `json:"pdd_p50"`
	PDD95    *float64 `json:"pdd_p95"`
	ACD      *float64 `json:"acd"` // model time
}

type trunkLine struct {
	Name  string `json:"name"`
	About string `json:"about"`
	measures
	PeakChannels int `json:"peak_channels"` // held here
	CarrierPeak  int `json:"carrier_peak_channels"`
	Channels     int `json:"channels"`
	CarrierCPS   int `json:"carrier_peak_cps"`
	CPS          int `json:"cps"`
	Contract     int `json:"contract_cps"`
	Refused      int `json:"refused"`        // bids for want of room
	Headroom     int `json:"least_headroom"` // channels that were free at the peak

	Blocked map[string]uint64 `json:"blocked"` // bids that were refused, by reason
}

// ratio is a kpi.Ratio with its value and 95 % interval.
type ratio struct {
	kpi.Ratio
	Value *float64 `json:"value"`
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
}

// phase is a part of the campaign: before the fault, broken, repaired but still resting, back again.
type phase struct {
	Name     string             `json:"name"`
	From     float64            `json:"from"`
	To       float64            `json:"to"`
	Attempts int                `json:"attempts"`
	Shares   map[string]float64 `json:"shares"` // of the attempts, by trunk
	Calls    int                `json:"calls"`
	ABR      ratio              `json:"abr"`
}

// incident is the fault of the good carrier, as outdial saw it.
type incident struct {
	Trunk      string   `json:"trunk"`
	At         float64  `json:"at"`
	Detect     *float64 `json:"time_to_detect"` // from the fault; null = it was not noticed
	Met        int      `json:"calls_met"`      // attempts that met the fault in all, probes included
	MetBefore  int      `json:"calls_met_before_noticed"`
	InARow     int      `json:"failures_in_a_row"` // that it took
	Shift      *float64 `json:"time_to_shift"`     // from the fault to the last ordinary attempt before the repair
	Saved      int      `json:"calls_carried_elsewhere"`
	HealedAt   *float64 `json:"healed_at"`
	Recover    *float64 `json:"time_to_recover"` // from the repair until it gets its share
	AddedDelay *float64 `json:"added_delay_p50"` // median that the hunt added to them
}

type callerIDUse struct {
	Numbers int `json:"numbers"`
	Used    int `json:"used"`
	Most    int `json:"most_uses"`
	Cap     int `json:"cap"`
}

type journalUse struct {
	Events   uint64 `json:"events"`
	Attempts int    `json:"attempts"`
	Answered int    `json:"answered"`
	Open     int    `json:"open"`
}

type explained struct {
	At       float64             `json:"at"`
	Decision outdial.Explanation `json:"decision"`
}

type event struct {
	At   float64 `json:"at"`
	Text string  `json:"text"`
}

// newSummary sums the evidence up.
func newSummary(e *evidence, dir string) *summary {
	o := e.Options
	s := &summary{
		Seed: o.Seed, Scale: o.Scale, Seats: o.Seats, Fault: o.Fault, Interrupted: e.Interrupted,
		Seconds: e.Finished.Sub(e.Began).Seconds(), Verdicts: map[verdict]int{}, Outcomes: map[string]int{}, Refusals: map[string]int{},
	}
	if o.Keep {
		s.Kept = dir
	}
	list := e.judged()
	s.calls(e, list)
	s.agents(e, list)
	s.Total = measured(&e.Told.Total, o)
	for _, c := range e.Carriers {
		s.Trunks = append(s.Trunks, e.trunkLine(c))
	}
	s.Phases = e.phases()
	s.Incident = e.incident()
	s.CallerIDs = e.callerIDs()
	s.Journal = journalUse{Events: e.Ledger.Events}
	for _, t := range e.Ledger.Trunks {
		s.Journal.Attempts += t.Started
		s.Journal.Answered += t.Answered
		s.Journal.Open += t.Open
	}
	s.Story = e.tell(list)
	s.Label = e.tellLabel()
	s.Other = e.Other
	if e.Decision.Outcome != "" {
		s.Explained = &explained{At: e.Decided.Seconds(), Decision: e.Decision}
		s.Decision = words(e.Decision)
	}
	for _, n := range e.Notices {
		s.Events = append(s.Events, event{n.At.Seconds(), n.Text})
	}
	s.Checked = e.check()
	return s
}

func (s *summary) calls(e *evidence, list []judged) {
	s.Calls.Wanted, s.Calls.Placed, s.Calls.Advances = e.Options.Calls, len(list), len(e.Ledger.Failovers)
	for _, j := range list {
		s.Verdicts[j.Verdict]++
		switch j.Verdict {
		case wasAnswered:
			s.Calls.Answered++
			s.Outcomes[string(j.Callee.Outcome)]++
		case calleeDecided:
			s.Outcomes[j.Why]++
		case dialerGaveUp:
			s.Outcomes[string(noAnswer)]++
		case wasLost:
			s.Calls.Lost++
		}
		if j.GaveUp == errNoAgent {
			s.Calls.NoAgent++
		}
		if j.story != nil {
			s.Calls.Attempts += len(j.story.Attempts)
			for _, r := range j.story.Refused {
				s.Refusals[r.Stage.String()+": "+r.Code]++
			}
		}
	}
	s.Calls.ABR = ratioOf(kpi.Ratio{K: uint64(s.Calls.Answered), N: uint64(s.Calls.Placed)})
}

func (s *summary) agents(e *evidence, list []judged) {
	var talk time.Duration
	n := 0
	for _, j := range list {
		if j.Agent {
			talk += j.Ended.Sub(j.Answered)
			n++
		}
	}
	if n > 0 {
		s.Agents.Talk = e.Options.model(talk / time.Duration(n)).Seconds()
	}
	if all := e.Finished.Sub(e.Began) * time.Duration(e.Options.Seats); all > 0 {
		s.Agents.Occupancy = min(float64(e.Worked)/float64(all), 1)
	}
}

func (e *evidence) trunkLine(c carrierFacts) trunkLine {
	l, cell := e.Live[c.Name], e.Told.Trunk[c.Name]
	return trunkLine{
		Name: c.Name, About: c.About, measures: measured(&cell, e.Options),
		PeakChannels: l.Status.Peak, CarrierPeak: c.Stats.PeakChannels, Channels: c.Channels,
		CarrierCPS: c.Stats.PeakCPS, CPS: c.CPS, Contract: c.Contract,
		Refused: int(l.Status.Blocked.Room()), Headroom: max(c.Channels-l.Status.Peak, 0), Blocked: maps.Collect(l.Status.Blocked.All()),
	}
}

func measured(c *kpi.Cell, o options) measures {
	l := measures{Attempts: int(c.Started), Answers: int(c.Answers), ASR: ratioOf(asrOf(c)), NER: ratioOf(c.NER())}
	if d, ok := c.PDD.Quantile(0.5); ok {
		l.PDD50 = seconds(d)
	}
	if d, ok := c.PDD.Quantile(0.95); ok {
		l.PDD95 = seconds(d)
	}
	if d, ok := c.ACD(); ok {
		l.ACD = seconds(o.model(d))
	}
	return l
}

// asrOf is the ASR, or none for a trunk on which every outcome so far is a failure of the network: where nobody ever answers,
// no call got so far that a callee could have answered it, and 0 % would look like a judgement on callees.
func asrOf(c *kpi.Cell) kpi.Ratio {
	if c.Known() == c.Classes[kpi.ClassNetworkFailure] {
		return kpi.Ratio{}
	}
	return c.ASR()
}

func ratioOf(r kpi.Ratio) ratio {
	out := ratio{Ratio: r}
	if v, ok := r.Value(); ok {
		low, high, _ := r.Interval(0.95)
		out.Value, out.Low, out.High = &v, &low, &high
	}
	return out
}

func seconds(d time.Duration) *float64 {
	s := d.Seconds()
	return &s
}

func (e *evidence) callerIDs() callerIDUse {
	u := callerIDUse{Numbers: len(e.Callers), Cap: e.cap()}
	for _, n := range e.uses() {
		u.Used++
		u.Most = max(u.Most, n)
	}
	return u
}

// failed counts the invariants that do not hold.
func (s *summary) failed() (n int) {
	for _, c := range s.Checked {
		if !c.OK {
			n++
		}
	}
	return n
}

func (s *summary) writeJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(s)
}

// trunkNames returns the trunks in the order of the configuration.
func (s *summary) trunkNames() []string {
	var names []string
	for _, t := range s.Trunks {
		names = append(names, t.Name)
	}
	return slices.Clip(names)
}

// configFile is where --keep leaves the proxy's configuration.
func (s *summary) configFile() string { return filepath.Join(s.Kept, "outdial.yaml") }
