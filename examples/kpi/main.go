// Kpi turns a file of call detail records into answer rates with their certainty.
//
//	go run ./examples/kpi examples/kpi/calls.csv
package main

import (
	"fmt"
	"log"
	"os"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/kpi/cdr"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: kpi FILE.csv")
	}
	file, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	ids := new(outdial.Registry)
	meter, err := kpi.New(kpi.Config{IDs: ids, Window: 31 * 24 * time.Hour, Buckets: 744})
	if err != nil {
		log.Fatal(err)
	}
	var last time.Time
	for ev, err := range cdr.ReadCSV(file, ids) {
		if err != nil {
			log.Fatal(err) // names the line and the column
		}
		// A line is a whole attempt: it tells when the attempt started, whether it was answered, and how it ended.
		for _, kind := range []outdial.EventKind{outdial.EventStarted, outdial.EventAnswered, outdial.EventEnded} {
			if kind != outdial.EventAnswered || ev.Attempt.Answered() {
				meter.Observe(&outdial.Event{Kind: kind, Time: ev.Time, Attempt: ev.Attempt, Replay: true})
			}
		}
		last = ev.Time
	}
	for cell := range meter.Snapshot(last) {
		if cell.Key.View != kpi.ByTrunk {
			continue
		}
		asr, _ := cell.ASR().Value()
		low, high, _ := cell.ASR().Interval(0.95)
		ner, _ := cell.NER().Value()
		acd, _ := cell.ACD()
		p95, _ := cell.PDD.Quantile(0.95)
		fmt.Printf("%-8s %5d legs  ASR %4.1f %% (%.1f to %.1f)  NER %5.1f %%  PDD p95 %5.2fs  ACD %v\n", ids.Trunks.Name(cell.Key.Trunk),
			cell.Known(), 100*asr, 100*low, 100*high, 100*ner, p95.Seconds(), acd.Round(time.Second))
	}
}
