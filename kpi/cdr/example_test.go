package cdr_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

// dayJournal opens the journal of day, as ExampleOpen does; done closes and removes it.
func dayJournal() (j *cdr.Journal, done func()) {
	dir, ids := day()
	j, _, err := cdr.Open(cdr.Config{Dir: dir, IDs: ids})
	if err != nil {
		panic(err)
	}
	return j, func() {
		j.Close()
		os.RemoveAll(dir)
	}
}

// day makes a journal of two attempts in a directory of its own.
func day() (dir string, ids *outdial.Registry) {
	dir, err := os.MkdirTemp("", "cdr")
	if err != nil {
		panic(err)
	}
	ids = &outdial.Registry{}
	j, _, err := cdr.Open(cdr.Config{Dir: dir, IDs: ids})
	if err != nil {
		panic(err)
	}
	defer j.Close()
	start := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for i, carrier := range []string{"acme", "zenith"} {
		a := outdial.Attempt{
			ID:        outdial.AttemptID{Call: 0x6417f2c9a0001000, Leg: uint8(i + 1)},
			Call:      outdial.Call{ID: 0x6417f2c9a0001000, To: outdial.MustNumber("+12125550123")},
			Candidate: outdial.Candidate{Trunk: ids.Trunks.ID(carrier + "-1"), Carrier: ids.Carriers.ID(carrier)},
			Start:     start.Add(time.Duration(i) * time.Minute),
			State:     outdial.AttemptEnded,
			Result:    outdial.Result{Origin: outdial.OriginCarrier, Code: 503, Phrase: "No circuit"},
		}
		a.Timeline.Set(outdial.MarkEnd, 1500*time.Millisecond)
		if err := j.Append(&outdial.Event{Kind: outdial.EventEnded, Time: a.Start.Add(1500 * time.Millisecond), Attempt: &a}); err != nil {
			panic(err)
		}
	}
	return dir, ids
}

func ExampleOpen() {
	dir, ids := day()
	defer os.RemoveAll(dir)
	j, rec, err := cdr.Open(cdr.Config{Dir: dir, IDs: ids})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer j.Close()
	fmt.Println("last event:", rec.LastSeq, "cut:", rec.Cut)
	// Output: last event: 2 cut: 0
}

// A process that starts feeds its folds with what came after their snapshot, here after event 1.
func ExampleJournal() {
	dir, ids := day()
	defer os.RemoveAll(dir)
	j, _, err := cdr.Open(cdr.Config{Dir: dir, IDs: ids})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer j.Close()
	err = j.Replay(1, func(ev *outdial.Event) error {
		fmt.Println(ev.Seq, ev.Kind, ids.Carriers.Name(ev.Attempt.Candidate.Carrier), ev.Attempt.Result.Code)
		return nil
	})
	fmt.Println(err)
	// Output:
	// 2 ended zenith 503
	// <nil>
}

func ExampleReader() {
	dir, _ := day()
	defer os.RemoveAll(dir)
	ids := &outdial.Registry{} // of another process: it learns the names from the journal
	r, err := cdr.NewReader(cdr.ReaderConfig{Dir: dir, IDs: ids, To: time.Date(2026, 3, 4, 12, 1, 0, 0, time.UTC)})
	if err != nil {
		fmt.Println(err)
		return
	}
	for ev, err := range r.All() {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(ev.Time.Format(time.TimeOnly), ids.Trunks.Name(ev.Attempt.Candidate.Trunk), ev.Attempt.Result.Phrase)
	}
	fmt.Println("torn bytes:", r.Report().Torn)
	// Output:
	// 12:00:01 acme-1 No circuit
	// torn bytes: 0
}

func ExampleJournal_Retain() {
	j, done := dayJournal()
	defer done()
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	removed, err := j.Retain(now, cdr.Retention{MaxAge: 30 * 24 * time.Hour})
	fmt.Println(removed.Segments, err) // the newest segment stays, however old
	// Output: 0 <nil>
}

func ExampleExport() {
	dir, ids := day()
	defer os.RemoveAll(dir)
	r, err := cdr.NewReader(cdr.ReaderConfig{Dir: dir, IDs: ids})
	if err != nil {
		fmt.Println(err)
		return
	}
	masked := func(n outdial.Number) string { return n.String()[:5] + "…" }
	if err := (cdr.Export{IDs: ids, Number: masked}).WriteJSONL(os.Stdout, r.All()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"seq":1,"time":"2026-03-04T12:00:01.5Z","attempt":"6417f2c9a0001000-1","mode":"unknown","priority":"bulk","to":"+1212…","trunk":"acme-1","carrier":"acme","why":"order","start":"2026-03-04T12:00:00Z","end":1.5,"state":"ended","origin":"carrier","code":503,"phrase":"No circuit"}
	// {"seq":2,"time":"2026-03-04T12:01:01.5Z","attempt":"6417f2c9a0001000-2","mode":"unknown","priority":"bulk","to":"+1212…","trunk":"zenith-1","carrier":"zenith","why":"order","start":"2026-03-04T12:01:00Z","end":1.5,"state":"ended","origin":"carrier","code":503,"phrase":"No circuit"}
}

func ExampleReadCSV() {
	const file = "attempt,start,carrier,answer,end\n" +
		"1a-1,2026-03-04T12:00:00Z,acme,4.2,64.2\n" +
		"1b-1,2026-03-04T12:00:09Z,acme,soon,70\n"
	ids := &outdial.Registry{}
	for ev, err := range cdr.ReadCSV(strings.NewReader(file), ids) {
		if err != nil {
			fmt.Println(err)
			return
		}
		d, _ := ev.Attempt.Timeline.Duration()
		fmt.Println(ids.Carriers.Name(ev.Attempt.Candidate.Carrier), d)
	}
	// Output:
	// acme 1m0s
	// cdr: line 3: column "answer": not a number of seconds
}

func ExampleDamageError() {
	dir, ids := day()
	defer os.RemoveAll(dir)
	name := dir + "/00000000000000000001.cdr"
	b, _ := os.ReadFile(name)
	b[60] ^= 1
	_ = os.WriteFile(name, b, 0o600)
	_, _, err := cdr.Open(cdr.Config{Dir: dir, IDs: ids})
	var damage *cdr.DamageError
	if errors.As(err, &damage) {
		fmt.Println(damage.Offset, damage.Problem)
	}
	_, rec, err := cdr.Open(cdr.Config{Dir: dir, IDs: ids, SkipDamaged: true})
	fmt.Println(rec.Damage.Places, err)
	// Output:
	// 40 record checksum
	// 1 <nil>
}
