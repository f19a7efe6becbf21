package outdial_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/outdial/outdial"
)

// An Observer folds events; it copies what it keeps.
func ExampleObserver() {
	answers := 0
	count := observerFunc(func(ev *outdial.Event) {
		if ev.Kind == outdial.EventAnswered && !ev.Attempt.Late {
			answers++
		}
	})
	engine, _ := outdial.New(outdial.Config{Router: outdial.Plan{{Trunk: 1}}, Observers: []outdial.Observer{count}})
	s := engine.NewSession()
	_ = s.Begin(noon, outdial.Call{To: 12125550123})
	step, _ := s.Next(noon)
	_, _ = s.Answer(noon.Add(5*time.Second), step.Attempt.ID)
	_ = s.Cancel(noon.Add(time.Minute))
	fmt.Println(answers)
	// Output:
	// 1
}

func ExampleEvent() {
	engine, _ := outdial.New(outdial.Config{
		Router: outdial.Plan{{Trunk: 1}}, Trunks: one{silent, func() *bool { busy := true; return &busy }()},
		Observers: []outdial.Observer{observerFunc(func(ev *outdial.Event) {
			fmt.Println(ev.Kind, ev.RefusalStage, ev.Refusal) // a bid that was not placed is a fact too
		})},
	})
	s := engine.NewSession()
	_ = s.Begin(noon, outdial.Call{To: 12125550123})
	_, err := s.Next(noon)
	fmt.Println(errors.Is(err, errBusy))
	// Output:
	// refused trunk busy
	// true
}

func ExampleEventKind() {
	fmt.Println(outdial.EventStarted, outdial.EventAbandoned, outdial.EventAnswered, outdial.EventEnded)
	// Output:
	// started abandoned answered ended
}

func ExampleDisposition() {
	d := outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman, Contact: true, AgentTime: 95 * time.Second, Code: "SALE"}
	fmt.Println(d.AnsweredBy, d.Contact, d.AgentTime)
	// Output:
	// human true 1m35s
}

func ExampleAnsweredBy() {
	fmt.Println(outdial.AnsweredByHuman, outdial.AnsweredByVoicemail, outdial.AnsweredByScreening)
	// Output:
	// human voicemail screening
}

func ExampleLabel() {
	l := outdial.Label{
		Number: 13125550100, Engine: "analytics-1", Status: outdial.LabelLabelled, Category: "Spam Likely", TTL: 24 * hour,
	}
	fmt.Println(l.Number, l.Status, l.Category)
	// Output:
	// +13125550100 labelled Spam Likely
}

func ExampleLabelStatus() {
	fmt.Println(outdial.LabelBlocked > outdial.LabelLabelled, outdial.LabelUnknown)
	// Output:
	// true unknown
}

// memory is a Journal that survives nothing; what ships is in package kpi/cdr.
type memory struct{ events []outdial.Event }

func (m *memory) Append(ev *outdial.Event) error {
	ev.Seq = uint64(len(m.events) + 1)
	kept := *ev
	if ev.Attempt != nil {
		a := *ev.Attempt
		kept.Attempt = &a
	}
	m.events = append(m.events, kept)
	return nil
}

func (m *memory) Replay(after uint64, fn func(*outdial.Event) error) error {
	for _, ev := range m.events[min(after, uint64(len(m.events))):] {
		ev.Replay = true
		if err := fn(&ev); err != nil {
			return err
		}
	}
	return nil
}

func ExampleJournal() {
	journal := new(memory)
	engine, _ := outdial.New(outdial.Config{Router: outdial.Plan{{Trunk: 1}}, Journal: journal})
	s := engine.NewSession()
	_ = s.Begin(noon, outdial.Call{To: 12125550123})
	_, _ = s.Next(noon)
	for _, ev := range journal.events {
		fmt.Println(ev.Seq, ev.Kind, ev.Attempt.Call.To)
	}
	// Output:
	// 1 started +12125550123
}

// A process dies with an attempt open. The next one finds it in the journal, and ends it as unknown.
func ExampleRecovery() {
	journal := new(memory)
	cfg := outdial.Config{Router: outdial.Plan{{Trunk: 1}}, Journal: journal}
	before, _ := outdial.New(cfg)
	s := before.NewSession()
	_ = s.Begin(noon, outdial.Call{To: 12125550123})
	_, _ = s.Next(noon)

	after, _ := outdial.New(cfg)
	found, err := after.Recover(noon.Add(time.Minute))
	last := journal.events[len(journal.events)-1]
	fmt.Println(found.Events, found.Unknown, err)
	fmt.Println(last.Kind, last.Attempt.Result.Origin)
	// Output:
	// 1 1 <nil>
	// ended unknown
}

// full is a Journal on a full disk.
type full struct{ memory }

func (*full) Append(*outdial.Event) error { return errors.New("no space left on device") }

// Nothing leaves that is not on record, unless the host would rather go on.
func ExampleJournalFailure() {
	for _, policy := range []outdial.JournalFailure{outdial.RefuseCalls, outdial.PlaceAnyway} {
		engine, _ := outdial.New(outdial.Config{Router: outdial.Plan{{Trunk: 1}}, Journal: new(full), JournalFailure: policy})
		s := engine.NewSession()
		_ = s.Begin(noon, outdial.Call{To: 12125550123})
		step, err := s.Next(noon)
		fmt.Println(policy, step.Kind, errors.Is(err, outdial.ErrJournal))
	}
	// Output:
	// refuse_calls none true
	// place_anyway dial false
}

// readings prints what an explanation holds of the stage.
func readings(xs []outdial.ExplainedReading) {
	for _, x := range xs {
		fmt.Println(x.Stage, x.Name, x.Value, x.Text)
	}
}

// explained is a decision about a call on two trunks, the second of which has no room.
func explained() outdial.Explanation {
	ids := new(outdial.Registry)
	busy := false
	engine, _ := outdial.New(outdial.Config{
		IDs: ids, Router: outdial.Plan{{Trunk: ids.Trunks.ID("east")}, {Trunk: ids.Trunks.ID("west")}},
		Trunks: one{silent, &busy}, Failover: advanceOn5xx{}, Explain: true,
	})
	s := engine.NewSession()
	_ = s.Begin(noon, outdial.Call{Ref: "lead-7", To: 12125550123, From: 13125550100})
	step, _ := s.Next(noon)
	_ = s.Abandon(noon.Add(time.Second), step.Attempt.ID, outdial.Result{Origin: outdial.OriginNoTrying})
	_ = s.Progress(noon.Add(time.Second), step.Attempt.ID, outdial.ProgressOf(100, false)) // late, and cancelled
	_, _ = s.Next(noon.Add(time.Second))                                                   // the abandoned leg still holds the only channel
	return s.Explain()
}

func ExampleExplanation() {
	x := explained()
	fmt.Println(x.Call.Ref, x.Outcome)
	for _, c := range x.Candidates {
		fmt.Println(c.Trunk, c.Fate)
	}
	// Output:
	// lead-7 exhausted
	// east dialled
	// west refused
}

func ExampleExplainedCall() {
	call := explained().Call
	call.ID = "" // differs from call to call
	_ = json.NewEncoder(os.Stdout).Encode(call)
	// Output:
	// {"id":"","ref":"lead-7","to":"+12125550123","from":"+13125550100","country":"US","area":"+1212","group":"US/212","mode":"unknown","priority":"bulk"}
}

func ExampleExplainedCandidate() {
	c := explained().Candidates[0]
	fmt.Println(c.Trunk, c.Fate, "as leg", c.Leg, "by", c.Chosen, "with", c.CLI)
	// Output:
	// east dialled as leg 1 by order with +13125550100
}

func ExampleExplainedRefusal() {
	r := explained().Candidates[1].Refused
	fmt.Println(r.Stage, r.Code, r.Text)
	// Output:
	// trunk busy trunk: the one channel is taken
}

func ExampleExplainedResult() {
	r := explained().Candidates[0].Result
	fmt.Println(r.State, r.Origin)
	// Output:
	// abandoned no_trying
}

func ExampleExplainedReading() {
	readings(explained().Readings[1:2])
	// Output:
	// numbering group 0 US/212
}

func ExampleReading() {
	var r outdial.Record
	r.Text(outdial.StageFailover, 1, "health", "up")
	for _, x := range r.Readings() {
		fmt.Println(x.Stage, x.Trunk, x.Name, x.Text)
	}
	// Output:
	// failover 1 health up
}
