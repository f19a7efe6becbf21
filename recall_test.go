package outdial_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
)

// noting is a router that notes what it reads, and leaves its second trunk out.
type noting struct{ outdial.Plan }

func (n noting) Route(_ time.Time, c *outdial.Call, dst []outdial.Candidate) ([]outdial.Candidate, error) {
	c.Record().Num(outdial.StageRouting, n.Plan[1].Trunk, "cost", 4000)
	c.Record().Text(outdial.StageRouting, 0, "rule", "all")
	c.Record().LeaveOut(n.Plan[1], "avoided", "ops said so")
	return append(dst, n.Plan[0]), nil
}

// TestLeftOutAndRecalled: an explanation tells of candidates that the router left out, and its JSON gives the call and the
// readings back, in another process too.
func TestLeftOutAndRecalled(t *testing.T) {
	ids := new(outdial.Registry)
	router := noting{outdial.Plan{{Trunk: ids.Trunks.ID("east")}, {Trunk: ids.Trunks.ID("west"), Carrier: ids.Carriers.ID("W"), Cost: 4000}}}
	engine, err := outdial.New(outdial.Config{IDs: ids, Router: router})
	require.NoError(t, err)
	call := outdial.Call{
		Ref: "lead 4", To: 12125550123, From: 13125550100, Program: ids.Programs.ID("sales"),
		Tags: outdial.Tags{ids.Tags.ID("callback"), ids.Tags.ID("vip")}, Mode: outdial.ModePredictive,
		Priority: outdial.PriorityUrgent,
	}
	x := engine.Explain(start, call)
	require.Len(t, x.Candidates, 2)
	require.Equal(t, "dialled", x.Candidates[0].Fate)
	west := x.Candidates[1]
	require.Equal(t, "left_out", west.Fate)
	require.Equal(t, "W", west.Carrier)
	require.Equal(t, outdial.ExplainedRefusal{Stage: "routing", Code: "avoided", Text: "ops said so"}, *west.Refused)
	require.Equal(t, []outdial.ExplainedReading{{Stage: "routing", Name: "cost", Value: 4000}}, west.Readings)

	text, err := json.Marshal(x)
	require.NoError(t, err)
	var read outdial.Explanation
	require.NoError(t, json.Unmarshal(text, &read))
	other := new(outdial.Registry)
	other.Trunks.Add("north", "west")
	other.Tags.Add("vip")
	now, again, readings, err := read.Recall(other)
	require.NoError(t, err)
	require.True(t, now.Equal(start))
	require.Equal(t, x.Call.ID, again.ID.String())
	for _, field := range [][2]any{
		{call.Ref, again.Ref},
		{call.To, again.To},
		{call.From, again.From},
		{call.Mode, again.Mode},
		{call.Priority, again.Priority},
		{"sales", other.Programs.Name(again.Program)},
		{outdial.Tags{other.Tags.ID("callback"), other.Tags.ID("vip")}, again.Tags},
		{"US", string(again.Dest.Country[:])},
		{outdial.Prefix(1212), again.Dest.Area},
	} {
		require.Equal(t, field[0], field[1])
	}
	require.Contains(t, readings, outdial.Reading{Stage: outdial.StageRouting, Trunk: other.Trunks.ID("west"), Name: "cost", Value: 4000})
	require.Contains(t, readings, outdial.Reading{Stage: outdial.StageRouting, Name: "rule", Text: "all"})
}

func TestRecallNamesWhatIsWrong(t *testing.T) {
	good := outdial.ExplainedCall{ID: "1f", Mode: "manual", Priority: "bulk"}
	for want, change := range map[string]func(*outdial.Explanation){
		"call.id":            func(x *outdial.Explanation) { x.Call.ID = "zz" },
		"call.mode":          func(x *outdial.Explanation) { x.Call.Mode = "shouting" },
		"call.priority":      func(x *outdial.Explanation) { x.Call.Priority = "" },
		"call.tags":          func(x *outdial.Explanation) { x.Call.Tags = []string{"a", ""} },
		"call.country":       func(x *outdial.Explanation) { x.Call.Country = "USA" },
		`no stage "kitchen"`: func(x *outdial.Explanation) { x.Readings = []outdial.ExplainedReading{{Stage: "kitchen"}} },
		`reading "fire"`: func(x *outdial.Explanation) {
			x.Candidates = []outdial.ExplainedCandidate{{Readings: []outdial.ExplainedReading{{Name: "fire"}}}}
		},
	} {
		x := outdial.Explanation{Call: good}
		_, _, _, err := x.Recall(new(outdial.Registry))
		require.NoError(t, err)
		change(&x)
		_, _, _, err = x.Recall(new(outdial.Registry))
		require.ErrorContains(t, err, want)
	}
}

func ExampleLeftOut() {
	var r outdial.Record
	r.LeaveOut(outdial.Candidate{Trunk: 7}, "avoided", "an operator keeps the call from the trunk")
	for _, l := range r.LeftOut() {
		fmt.Println(l.Candidate.Trunk, l.Code)
	}
	// Output:
	// 7 avoided
}
