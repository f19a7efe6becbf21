package kpi

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/outdial/outdial"
)

// Weekly is a week beside the week before, from the archive, for each key of a view. It marshals to stable JSON.
type Weekly struct {
	CodeTable int         `json:"code_table"`
	From      time.Time   `json:"from"` // of the week before
	Mid       time.Time   `json:"mid"`
	To        time.Time   `json:"to"`
	View      View        `json:"view"`
	Rows      []WeeklyRow `json:"rows"`
}

// WeeklyRow is one key of a Weekly. Pairs are of the week before and of the week; what is undefined is null.
type WeeklyRow struct {
	Key        map[string]string  `json:"key,omitempty"`
	Seizures   [2]uint64          `json:"seizures"`
	Contacts   [2]uint64          `json:"contacts"`
	Cost       [2]outdial.Micros  `json:"cost_micros"`
	PDD        [2]*float64        `json:"pdd"` // means, in seconds
	ACD        [2]*float64        `json:"acd"`
	PerContact [2]*outdial.Micros `json:"cost_per_contact_micros"` // minutes and surcharges alone
	ASR        Change             `json:"asr"`
	NER        Change             `json:"ner"`
	Human      Change             `json:"human"`
	Contact    Change             `json:"contact"`
	Short      Change             `json:"short"` // by the first threshold
	Abandoned  Change             `json:"abandoned"`
	Block      Change             `json:"block"`
}

const week = 7 * 24 * time.Hour

// Weekly compares the week of whole hours that ended before now with the one before. It is an error if the view is not archived, or
// less than two weeks are kept.
func (m *Meter) Weekly(now time.Time, view View) (Weekly, error) {
	if !slices.Contains(m.cfg.Archive.Views, view) || m.cfg.Archive.Keep < 2*week {
		return Weekly{}, fmt.Errorf("kpi: weekly: the view %v is not archived for two weeks", view)
	}
	to := timeOfHour(floorDiv(nanos(now), int64(time.Hour)))
	w := Weekly{CodeTable: CodeTable, From: to.Add(-2 * week), Mid: to.Add(-week), To: to, View: view, Rows: []WeeklyRow{}}
	for key := range m.Archived() {
		if key.View != view {
			continue
		}
		var two [2]Cell
		for at, hour := range m.Hours(to.Add(-1), key) {
			switch {
			case at.Before(w.From):
			case at.Before(w.Mid):
				two[0].Merge(&hour)
			default:
				two[1].Merge(&hour)
			}
		}
		if two[0].Bids()+two[1].Bids() > 0 {
			w.Rows = append(w.Rows, m.weeklyRow(key, &two))
		}
	}
	return w, nil
}

func timeOfHour(h int64) time.Time { return time.Unix(h*3600, 0).UTC() }

func (m *Meter) weeklyRow(key Key, two *[2]Cell) WeeklyRow {
	change := func(of func(*Cell) Ratio) Change {
		return changeOf(of(&two[0]), of(&two[1]), uint64(m.cfg.MinEvidence))
	}
	row := WeeklyRow{
		Key: m.names(key), ASR: change((*Cell).ASR), NER: change((*Cell).NER), Contact: change((*Cell).Contact),
		Human: change(func(c *Cell) Ratio { return c.AnswerTypes().Human }), Short: change(func(c *Cell) Ratio { return c.ShortCalls(0) }),
		Abandoned: change((*Cell).AbandonedRate), Block: change((*Cell).BlockRate),
	}
	for i := range two {
		c := &two[i]
		row.Seizures[i], row.Contacts[i], row.Cost[i] = c.Seizures(), c.Contacts, c.Cost
		pdd, ok := c.PDD.Mean()
		setSeconds(&row.PDD[i], pdd, ok)
		acd, ok := c.ACD()
		setSeconds(&row.ACD[i], acd, ok)
		if cost, ok := c.CostPerContact(Fees{}); ok {
			row.PerContact[i] = &cost
		}
	}
	return row
}

// WriteCSV writes a line for each key, after a line of column names: ratios as in the scorecard, "_before" and "_after", and their
// difference with the ends of its 95 % interval and a verdict.
func (w *Weekly) WriteCSV(to io.Writer) error {
	var header []string
	for i, name := range dimensionNames {
		if w.View&(1<<i) != 0 {
			header = append(header, name)
		}
	}
	dims := len(header)
	for _, name := range []string{"seizures", "contacts", "cost_micros", "cost_per_contact_micros", "pdd", "acd"} {
		header = append(header, name+"_before", name+"_after")
	}
	for _, name := range []string{"asr", "ner", "human", "contact", "short", "abandoned", "block"} {
		header = append(header, changeHeader(name)...)
	}
	rows := [][]string{append(header, "code_table")}
	for i := range w.Rows {
		rows = append(rows, append(w.Rows[i].csv(header[:dims]), strconv.Itoa(w.CodeTable)))
	}
	if err := csv.NewWriter(to).WriteAll(rows); err != nil {
		return fmt.Errorf("kpi: %w", err)
	}
	return nil
}

func (r *WeeklyRow) csv(dims []string) []string {
	row := make([]string, 0, 64)
	for _, d := range dims {
		if r.Key["other"] != "" {
			row = append(row, otherCode)
		} else {
			row = append(row, r.Key[d])
		}
	}
	micros := func(v *outdial.Micros) string {
		if v == nil {
			return ""
		}
		return strconv.FormatInt(int64(*v), 10)
	}
	for i := range 2 {
		row = append(row, strconv.FormatUint(r.Seizures[i], 10))
	}
	for i := range 2 {
		row = append(row, strconv.FormatUint(r.Contacts[i], 10))
	}
	for i := range 2 {
		row = append(row, micros(&r.Cost[i]))
	}
	for i := range 2 {
		row = append(row, micros(r.PerContact[i]))
	}
	row = append(row, decimal(r.PDD[0]), decimal(r.PDD[1]), decimal(r.ACD[0]), decimal(r.ACD[1]))
	for _, c := range []*Change{&r.ASR, &r.NER, &r.Human, &r.Contact, &r.Short, &r.Abandoned, &r.Block} {
		row = append(row, c.csv()...)
	}
	return row
}
