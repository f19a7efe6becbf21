package outdial

import "time"

// Explanation tells, for one call, what became of every candidate and why, and what was read to decide it. Its JSON
// is stable: fields are only ever added, candidates stand in the router's order and behind them those that it left out,
// readings in the order in which they were made. It holds names rather than ids and is independent of the Session that made it.
type Explanation struct {
	Time       time.Time            `json:"time"`
	Call       ExplainedCall        `json:"call"`
	Outcome    string               `json:"outcome"` // a StopReason, or "hunting"; from Engine.Explain also "dial" or "wait"
	Refused    *ExplainedRefusal    `json:"refused,omitempty"`
	Readings   []ExplainedReading   `json:"readings"`
	Candidates []ExplainedCandidate `json:"candidates"`
}

// ExplainedCall is the call as the stages saw it.
type ExplainedCall struct {
	ID       string   `json:"id"`
	Ref      string   `json:"ref,omitempty"`
	To       Number   `json:"to"`
	From     Number   `json:"from,omitempty"`
	Country  string   `json:"country,omitempty"`
	Area     Prefix   `json:"area,omitempty"`
	Group    string   `json:"group,omitempty"`
	DayPart  string   `json:"day_part,omitempty"`
	Network  string   `json:"network,omitempty"`
	Tenant   string   `json:"tenant,omitempty"`
	Program  string   `json:"program,omitempty"`
	Campaign string   `json:"campaign,omitempty"`
	Tags     []string `json:"tags,omitempty"`
	Mode     string   `json:"mode"`
	Priority string   `json:"priority"`
}

// ExplainedCandidate is a candidate and its fate.
type ExplainedCandidate struct {
	Trunk       string             `json:"trunk"`
	Carrier     string             `json:"carrier,omitempty"`
	Tier        int                `json:"tier"`
	Weight      uint32             `json:"weight"`
	CostMicros  Micros             `json:"cost_micros"`
	Matched     Prefix             `json:"matched,omitempty"`
	Fate        string             `json:"fate"`             // "dialled", "refused", "not_reached" or, by the router, "left_out"
	Leg         int                `json:"leg,omitempty"`    // the attempt that it was dialled as
	Chosen      string             `json:"chosen,omitempty"` // a Why
	Probability float64            `json:"probability,omitempty"`
	CLI         Number             `json:"cli,omitempty"` // the caller ID presented
	Refused     *ExplainedRefusal  `json:"refused,omitempty"`
	Result      *ExplainedResult   `json:"result,omitempty"` // of a dialled candidate that has failed or ended
	Readings    []ExplainedReading `json:"readings"`
}

// ExplainedRefusal is who refused, and why.
type ExplainedRefusal struct {
	Stage string    `json:"stage"`
	Code  string    `json:"code"`
	Text  string    `json:"text"`
	Again time.Time `json:"again,omitzero"`
}

// ExplainedResult is how an attempt went.
type ExplainedResult struct {
	State   string `json:"state"`
	Origin  string `json:"origin,omitempty"`
	Code    int    `json:"code,omitempty"`
	Cause   string `json:"cause,omitempty"`
	Phrase  string `json:"phrase,omitempty"`
	Headers string `json:"headers,omitempty"`
}

// ExplainedReading is one value that was read, drawn or decided.
type ExplainedReading struct {
	Turn  int     `json:"turn"` // the Next in which it was read, from 1; 0 = in Begin
	Stage string  `json:"stage"`
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Text  string  `json:"text,omitempty"`
}

// Explain tells what the Session has decided so far. Readings are there when the engine records them
// (Config.Explain). It allocates, and leaves the Session as it is.
func (s *Session) Explain() Explanation {
	if !s.active {
		return Explanation{Outcome: StopNone.String()}
	}
	ids := s.e.cfg.IDs
	x := Explanation{Time: s.call.Begun, Call: explainCall(ids, &s.call), Outcome: "hunting"}
	if s.stop != StopNone {
		x.Outcome = s.stop.String()
	}
	if len(s.plan) == 0 && s.noRoute != nil {
		err := s.noRoute.Skipped[0].Err
		x.Refused = explainRefusal(stageOf(err), err, s.noRoute.Again)
	}
	x.Readings = explainReadings(s.record.readings, 0)
	x.Candidates = make([]ExplainedCandidate, 0, len(s.plan)+len(s.record.leftOut))
	for i := range s.plan {
		x.Candidates = append(x.Candidates, s.explainCandidate(i))
	}
	for i := range s.record.leftOut {
		x.Candidates = append(x.Candidates, s.explainLeftOut(&s.record.leftOut[i]))
	}
	return x
}

func (s *Session) explainCandidate(i int) ExplainedCandidate {
	ids, c, f := s.e.cfg.IDs, &s.plan[i], &s.fates[i]
	x := ExplainedCandidate{
		Trunk: ids.Trunks.Name(c.Trunk), Carrier: ids.Carriers.Name(c.Carrier),
		Tier: int(c.Tier), Weight: c.Weight, CostMicros: c.Cost, Matched: c.Matched,
		Fate: "not_reached", Leg: int(f.leg), CLI: f.cli, Readings: explainReadings(s.record.readings, c.Trunk),
	}
	if f.err != nil {
		x.Fate = "refused"
		x.Refused = explainRefusal(f.stage, f.err, f.again)
	}
	if f.leg != 0 {
		x.Fate = "dialled"
	}
	if x.Fate != "not_reached" && f.stage != StageFailover {
		x.Chosen, x.Probability = f.choice.Why.String(), f.choice.Probability
	}
	if f.leg != 0 && !s.dry {
		a := &s.attempts[f.leg-1]
		x.Result = &ExplainedResult{State: a.State.String()}
		if a.State == AttemptAbandoned || a.State == AttemptEnded {
			res := a.Outcome()
			x.Result.Origin, x.Result.Code = res.Origin.String(), int(res.Code)
			x.Result.Cause, x.Result.Phrase, x.Result.Headers = res.Cause.String(), res.Phrase, string(res.Headers)
		}
	}
	return x
}

func (s *Session) explainLeftOut(l *LeftOut) ExplainedCandidate {
	ids, c := s.e.cfg.IDs, &l.Candidate
	return ExplainedCandidate{
		Trunk: ids.Trunks.Name(c.Trunk), Carrier: ids.Carriers.Name(c.Carrier),
		Tier: int(c.Tier), Weight: c.Weight, CostMicros: c.Cost, Matched: c.Matched, Fate: "left_out",
		Refused:  &ExplainedRefusal{Stage: StageRouting.String(), Code: l.Code, Text: l.Text},
		Readings: explainReadings(s.record.readings, c.Trunk),
	}
}

func explainCall(ids *Registry, c *Call) ExplainedCall {
	x := ExplainedCall{
		ID: c.ID.String(), Ref: c.Ref, To: c.To, From: c.From, Area: c.Dest.Area,
		Group: ids.Groups.Name(c.Dest.Group), DayPart: ids.DayParts.Name(c.Dest.DayPart),
		Network: ids.Networks.Name(c.Dest.Network),
		Tenant:  ids.Tenants.Name(c.Tenant), Program: ids.Programs.Name(c.Program),
		Campaign: ids.Campaigns.Name(c.Campaign), Mode: c.Mode.String(), Priority: c.Priority.String(),
	}
	for tag := range c.Tags.All() {
		x.Tags = append(x.Tags, ids.Tags.Name(tag))
	}
	if c.Dest.Country != [2]byte{} {
		x.Country = string(c.Dest.Country[:])
	}
	return x
}

func explainRefusal(stage Stage, err error, again time.Time) *ExplainedRefusal {
	return &ExplainedRefusal{Stage: stage.String(), Code: codeOf(err), Text: err.Error(), Again: again}
}

// explainReadings returns the readings about one trunk; 0 = about the call as a whole.
func explainReadings(rs []Reading, t TrunkID) []ExplainedReading {
	xs := []ExplainedReading{}
	for _, r := range rs {
		if r.Trunk == t {
			xs = append(xs, ExplainedReading{Turn: r.Turn, Stage: r.Stage.String(), Name: r.Name, Value: r.Value, Text: r.Text})
		}
	}
	return xs
}

// Explain tells what the engine would do with a call now: which candidates it would dial, in which order and with
// which caller IDs, if each attempt failed at once, and which would be refused. Nothing is journalled or observed.
// To find out, it asks the stages as a call does, with Call.Rehearsal set, and gives back at once what they take. now must
// be the present: a time ahead of that which calls pass would move the stages' clocks.
func (e *Engine) Explain(now time.Time, call Call) Explanation {
	s := e.NewSession()
	s.dry = true
	if err := s.Begin(now, call); err != nil {
		return s.Explain()
	}
	step, _ := s.Next(now)
	x := s.Explain()
	switch {
	case s.rehearsed > 0:
		x.Outcome = StepDial.String()
	case step.Kind == StepWait:
		x.Outcome = step.Kind.String()
	}
	return x
}
