package outdial

import (
	"fmt"
	"strconv"
	"time"
)

// Recall turns an explanation, as it was made or as it was read from its JSON, back into the call that it is about, the time at
// which the call began, and what was read for it: what a router needs to decide it again (routing.Table.Replay). Names get the
// ids of a registry. What the explanation does not hold (deadline, time zones, the class of the number) is zero. An error names
// what is not of an explanation.
func (x *Explanation) Recall(ids *Registry) (now time.Time, call Call, readings []Reading, err error) {
	id, err := strconv.ParseUint(x.Call.ID, 16, 64)
	if err != nil {
		return now, call, nil, fmt.Errorf("outdial: recall: call.id: %.20q is not an id", x.Call.ID)
	}
	call = Call{
		ID: CallID(id), Ref: x.Call.Ref, To: x.Call.To, From: x.Call.From, Begun: x.Time,
		Tenant: ids.Tenants.ID(x.Call.Tenant), Program: ids.Programs.ID(x.Call.Program), Campaign: ids.Campaigns.ID(x.Call.Campaign),
		Dest: Destination{
			Area: x.Call.Area, Group: ids.Groups.ID(x.Call.Group), DayPart: ids.DayParts.ID(x.Call.DayPart),
			Network: ids.Networks.ID(x.Call.Network),
		},
	}
	var known [4]bool
	call.Mode, known[0] = named[Mode](x.Call.Mode)
	call.Priority, known[1] = named[Priority](x.Call.Priority)
	known[2] = x.Call.Country == "" || len(x.Call.Country) == 2
	copy(call.Dest.Country[:], x.Call.Country)
	known[3] = true
	for _, tag := range x.Call.Tags {
		known[3] = known[3] && tag != "" && call.Tags.Add(ids.Tags.ID(tag))
	}
	for i, name := range [...]string{"mode", "priority", "country", "tags"} {
		if !known[i] {
			return now, call, nil, fmt.Errorf("outdial: recall: call.%s: not one that there is", name)
		}
	}
	take := func(trunk TrunkID, rs []ExplainedReading) {
		for _, r := range rs {
			s, ok := named[Stage](r.Stage)
			if !ok {
				err = fmt.Errorf("outdial: recall: reading %.40q: there is no stage %.20q", r.Name, r.Stage)
			}
			readings = append(readings, Reading{Turn: r.Turn, Stage: s, Trunk: trunk, Name: r.Name, Value: r.Value, Text: r.Text})
		}
	}
	take(0, x.Readings)
	for i := range x.Candidates {
		take(ids.Trunks.ID(x.Candidates[i].Trunk), x.Candidates[i].Readings)
	}
	if err != nil {
		return now, call, nil, err
	}
	return x.Time, call, readings, nil
}

// named is the reverse of a small enumeration's String.
func named[T interface {
	~uint8
	String() string
}](name string) (v T, ok bool) {
	for ; v.String() != "invalid"; v++ {
		if v.String() == name {
			return v, true
		}
	}
	return 0, false
}
