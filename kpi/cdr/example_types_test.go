package cdr_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

func ExampleConfig() {
	_, _, err := cdr.Open(cdr.Config{})
	fmt.Println(err)
	// Output:
	// cdr: Config.Dir: required
	// cdr: Config.IDs: required
}

func ExampleSync() {
	fmt.Println(cdr.SyncNone, cdr.SyncGroup)
	// Output: none group
}

func ExampleStats() {
	j, done := dayJournal()
	defer done()
	err := j.Append(&outdial.Event{Kind: outdial.EventControl, Time: time.Now(), Control: &outdial.Control{Actor: "kim", Action: "trunk.drain", Target: "acme-1"}})
	s := j.Stats()
	fmt.Println(s.Events, s.Failures, s.Bytes > 0, err)
	// Output: 1 0 true <nil>
}

// tear cuts the last event in two, as a crash in the middle of a write does.
func tear(dir string) {
	segments, err := filepath.Glob(filepath.Join(dir, "*.cdr"))
	if err != nil || len(segments) == 0 {
		panic("no segment")
	}
	last := segments[len(segments)-1]
	b, err := os.ReadFile(last)
	if err != nil {
		panic(err)
	}
	if err := os.Truncate(last, int64(strings.LastIndex(string(b), "No circuit"))); err != nil {
		panic(err)
	}
}

func ExampleRecovery() {
	dir, ids := day()
	defer os.RemoveAll(dir)
	tear(dir)
	j, rec, err := cdr.Open(cdr.Config{Dir: dir, IDs: ids})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer j.Close()
	fmt.Println("last whole event:", rec.LastSeq, "torn tail cut off:", rec.Cut > 0)
	// Output: last whole event: 1 torn tail cut off: true
}

func ExampleReaderConfig() {
	_, err := cdr.NewReader(cdr.ReaderConfig{Dir: "journal"})
	fmt.Println(err)
	// Output: cdr: ReaderConfig.IDs: required
}

func ExampleReadReport() {
	dir, ids := day()
	defer os.RemoveAll(dir)
	tear(dir)
	r, err := cdr.NewReader(cdr.ReaderConfig{Dir: dir, IDs: ids})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, err := range r.All() {
		if err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(r.Report().Events, r.Report().Torn > 0)
	// Output: 1 true
}

// Somebody has overwritten the middle of a segment. A reader that is told to go on counts what it passes over.
func ExampleDamage() {
	dir, ids := day()
	defer os.RemoveAll(dir)
	segments, _ := filepath.Glob(filepath.Join(dir, "*.cdr"))
	b, err := os.ReadFile(segments[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	i := strings.Index(string(b), "No circuit")
	copy(b[i:], "XX")
	if err := os.WriteFile(segments[0], b, 0o600); err != nil {
		fmt.Println(err)
		return
	}
	r, err := cdr.NewReader(cdr.ReaderConfig{Dir: dir, IDs: ids, SkipDamaged: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	for ev, err := range r.All() {
		fmt.Println("event", ev.Seq, err)
	}
	fmt.Println("places:", r.Report().Damage.Places, "events lost:", r.Report().Damage.Events)
	// Output:
	// event 2 <nil>
	// places: 1 events lost: 1
}

func ExampleRetention() {
	keep := cdr.Retention{MaxAge: 56 * 24 * time.Hour, MaxBytes: 10 << 30} // eight weeks, and at most 10 GiB
	fmt.Println(keep.MaxAge, keep.MaxSegments)
	// Output: 1344h0m0s 0
}

func ExampleRetained() {
	j, done := dayJournal()
	defer done()
	// A third event begins a segment of its own, and the first one may go.
	if err := j.Append(&outdial.Event{Kind: outdial.EventLabelled, Time: time.Now(), Label: &outdial.Label{Number: 13125550100}}); err != nil {
		fmt.Println(err)
		return
	}
	gone, err := j.Retain(time.Now(), cdr.Retention{MaxSegments: 1})
	fmt.Println(gone.Segments, "through event", gone.Through, err)
	// Output: 1 through event 2 <nil>
}

func ExampleLineError() {
	ids := &outdial.Registry{}
	for _, err := range cdr.ReadCSV(strings.NewReader("trunk,carrier\n"), ids) {
		var line *cdr.LineError
		fmt.Println(errors.As(err, &line) && line.Line == 1)
	}
	// Output: true
}
