package kpi

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/outdial/outdial"
)

// Arm is one way of doing things beside another one: what came of it, and what it cost.
type Arm struct {
	Name string
	Cell *Cell
	Fees Fees
}

// ArmReport is an arm with what it is for, answers and contacts, beside the first arm. What is undefined is null in JSON.
type ArmReport struct {
	Name           string          `json:"name"`
	Seizures       uint64          `json:"seizures"`
	ASR            Change          `json:"asr"` // Before is the first arm's
	Human          Change          `json:"human"`
	Contact        Change          `json:"contact"`
	CostPerContact *outdial.Micros `json:"cost_per_contact_micros"`
	AgentSeconds   *float64        `json:"agent_seconds_per_contact"`
}

// CompareArms puts arms side by side, each beside the first. least is how many trials an arm must have to be judged. The intervals
// are for arms to which calls were given at random, and for one look at the end.
func CompareArms(least uint64, arms ...Arm) []ArmReport {
	out := make([]ArmReport, 0, len(arms))
	for i := range arms {
		first, c := arms[0].Cell, arms[i].Cell
		r := ArmReport{
			Name: arms[i].Name, Seizures: c.Seizures(), ASR: changeOf(first.ASR(), c.ASR(), least),
			Human:   changeOf(first.AnswerTypes().Human, c.AnswerTypes().Human, least),
			Contact: changeOf(first.Contact(), c.Contact(), least),
		}
		if cost, ok := c.CostPerContact(arms[i].Fees); ok {
			r.CostPerContact = &cost
		}
		time, ok := c.AgentTimePerContact()
		setSeconds(&r.AgentSeconds, time, ok)
		out = append(out, r)
	}
	return out
}

// WriteArmsCSV writes a line for each arm, after a line of column names.
func WriteArmsCSV(w io.Writer, arms []ArmReport) error {
	header := []string{"arm", "seizures"}
	for _, name := range []string{"asr", "human", "contact"} {
		header = append(header, changeHeader(name)...)
	}
	rows := [][]string{append(header, "cost_per_contact_micros", "agent_seconds_per_contact")}
	for i := range arms {
		a := &arms[i]
		row := []string{a.Name, strconv.FormatUint(a.Seizures, 10)}
		for _, c := range []*Change{&a.ASR, &a.Human, &a.Contact} {
			row = append(row, c.csv()...)
		}
		cost := ""
		if a.CostPerContact != nil {
			cost = strconv.FormatInt(int64(*a.CostPerContact), 10)
		}
		rows = append(rows, append(row, cost, decimal(a.AgentSeconds)))
	}
	if err := csv.NewWriter(w).WriteAll(rows); err != nil {
		return fmt.Errorf("kpi: %w", err)
	}
	return nil
}
