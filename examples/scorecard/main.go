// Scorecard turns a file of call detail records into a carrier scorecard with its certainty.
//
//	go run ./examples/scorecard examples/kpi/calls.csv
//	go run ./examples/scorecard -from asterisk -csv Master.csv
//	go run ./examples/scorecard -weekly examples/kpi/calls.csv
//	go run ./examples/scorecard -from start=started,to=callee,trunk=route,status=code,billed=seconds FILE.csv
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"log"
	"os"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/kpi/cdr"
)

func main() {
	from := flag.String("from", "outdial", "what wrote the file: outdial, asterisk, freeswitch, kamailio, or columns as what=name,…")
	plan := flag.String("country", "", "country code of numbers that are dialled without one: 1 = North America")
	asCSV := flag.Bool("csv", false, "write the scorecard as CSV")
	weekly := flag.Bool("weekly", false, "write the file's last week beside the week before, as CSV")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	file, err := os.Open(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	if err := scorecard(os.Stdout, file, *from, *plan, form{csv: *asCSV, weekly: *weekly}); err != nil {
		log.Fatal(err) // names the line and the column
	}
}

// form is how a scorecard is written; the zero value is for people.
type form struct{ csv, weekly bool }

// scorecard counts the attempts of a file and writes what they say about each trunk.
func scorecard(w io.Writer, file io.Reader, from, country string, as form) error {
	ids := new(outdial.Registry)
	meter, err := kpi.New(kpi.Config{
		IDs: ids, Window: 366 * 24 * time.Hour, Buckets: 366,
		Spans: []kpi.Span{{Window: 24 * time.Hour, Buckets: 24}}, Archive: kpi.ArchiveConfig{Views: []kpi.View{kpi.ByTrunk}},
	})
	if err != nil {
		return err
	}
	events, err := read(file, from, country, ids)
	if err != nil {
		return err
	}
	var last time.Time
	for ev, err := range events {
		if err != nil {
			return err
		}
		meter.Observe(ev)
		if ev.Time.After(last) {
			last = ev.Time
		}
	}
	switch {
	case as.weekly:
		report, err := meter.Weekly(last.Add(time.Hour), kpi.ByTrunk)
		if err != nil {
			return err
		}
		return report.WriteCSV(w)
	case as.csv:
		report := meter.Report(last)
		return report.WriteCSV(w, kpi.ByTrunk)
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
		fmt.Fprintf(w, "%-8s %5d legs  ASR %4.1f %% (%.1f to %.1f)  NER %5.1f %%  PDD p95 %5.2fs  ACD %v\n", ids.Trunks.Name(cell.Key.Trunk),
			cell.Known(), 100*asr, 100*low, 100*high, 100*ner, p95.Seconds(), acd.Round(time.Second))
	}
	return nil
}

// read gives the events of a file.
func read(file io.Reader, from, country string, ids *outdial.Registry) (iter.Seq2[*outdial.Event, error], error) {
	if from == "outdial" {
		return cdr.Lives(cdr.ReadCSV(file, ids)), nil
	}
	mapping, err := cdr.MappingOf(from)
	if strings.Contains(from, "=") {
		mapping, err = columns(from)
	}
	if err != nil {
		return nil, err
	}
	if country != "" {
		mapping.Dial = outdial.DialPlan{CountryCode: 1, International: "011", National: "1", Subscriber: 10}
		if country != "1" {
			return nil, errors.New("only the plan of North America is built into this example: set Mapping.Dial for others")
		}
	}
	return cdr.Import(file, mapping, ids), nil
}

// columns reads a mapping of one's own: the columns of a file with a header, by what they mean.
func columns(list string) (cdr.Mapping, error) {
	m := cdr.Mapping{Header: true}
	fields := map[string]*string{
		"start": &m.Start, "answer": &m.Answer, "end": &m.End, "ring": &m.Ring, "total": &m.Total, "billed": &m.Billed,
		"pdd": &m.PDD, "to": &m.To, "from": &m.From, "ref": &m.Ref, "trunk": &m.Trunk, "carrier": &m.Carrier,
		"campaign": &m.Campaign, "pool": &m.Pool, "cost": &m.Cost, "status": &m.Status, "cause": &m.Cause, "result": &m.Result,
		"phrase": &m.Phrase,
	}
	for pair := range strings.SplitSeq(list, ",") {
		what, name, _ := strings.Cut(pair, "=")
		field, ok := fields[what]
		if !ok || name == "" {
			return m, fmt.Errorf("-from: %q: want what=column, what being one of start, answer, end, to, trunk, status …", pair)
		}
		*field = name
	}
	return m, nil
}
