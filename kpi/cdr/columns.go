package cdr

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// column is one value of an ended attempt in a line of text. get returns "" for what is absent; set is the way
// back, nil for what is computed.
type column struct {
	name string
	bare bool // a JSON number or boolean as it stands
	get  func(x *Export, ev *outdial.Event) string
	set  func(ids *outdial.Registry, ev *outdial.Event, s string) error
}

// columns is a table of constants, in the order of the file. Nothing writes to it.
var columns = []column{
	{
		"seq", true, func(_ *Export, ev *outdial.Event) string { return unsigned(ev.Seq) },
		func(_ *outdial.Registry, ev *outdial.Event, s string) error { return parseUint(s, &ev.Seq) },
	},
	{
		"time", false, func(_ *Export, ev *outdial.Event) string { return stamp(ev.Time) },
		func(_ *outdial.Registry, ev *outdial.Event, s string) error { return parseTime(s, &ev.Time) },
	},
	{
		"attempt", false, func(_ *Export, ev *outdial.Event) string { return ev.Attempt.ID.String() },
		func(_ *outdial.Registry, ev *outdial.Event, s string) error {
			err := ev.Attempt.ID.UnmarshalText([]byte(s))
			ev.Attempt.Call.ID = ev.Attempt.ID.Call
			return err
		},
	},
	textColumn("ref", func(a *outdial.Attempt) *string { return &a.Call.Ref }),
	idColumn("tenant", idTenant, func(a *outdial.Attempt) *outdial.TenantID { return &a.Call.Tenant }),
	idColumn("program", idProgram, func(a *outdial.Attempt) *outdial.ProgramID { return &a.Call.Program }),
	idColumn("campaign", idCampaign, func(a *outdial.Attempt) *outdial.CampaignID { return &a.Call.Campaign }),
	tagsColumn(),
	enumColumn("mode", func(a *outdial.Attempt) *outdial.Mode { return &a.Call.Mode }),
	enumColumn("priority", func(a *outdial.Attempt) *outdial.Priority { return &a.Call.Priority }),
	numberColumn("to", func(a *outdial.Attempt) *outdial.Number { return &a.Call.To }),
	numberColumn("from", func(a *outdial.Attempt) *outdial.Number { return &a.Call.From }),
	numberColumn("cli", func(a *outdial.Attempt) *outdial.Number { return &a.CLI }),
	idColumn("pool", idPool, func(a *outdial.Attempt) *outdial.PoolID { return &a.Pool }),
	{
		"country", false, func(_ *Export, ev *outdial.Event) string {
			return strings.TrimRight(string(ev.Attempt.Call.Dest.Country[:]), "\x00")
		},
		func(_ *outdial.Registry, ev *outdial.Event, s string) error {
			if len(s) != 2 {
				return errors.New("not two letters")
			}
			copy(ev.Attempt.Call.Dest.Country[:], s)
			return nil
		},
	},
	prefixColumn("area", func(a *outdial.Attempt) *outdial.Prefix { return &a.Call.Dest.Area }),
	idColumn("group", idGroup, func(a *outdial.Attempt) *outdial.GroupID { return &a.Call.Dest.Group }),
	idColumn("daypart", idDayPart, func(a *outdial.Attempt) *outdial.DayPartID { return &a.Call.Dest.DayPart }),
	idColumn("network", idNetwork, func(a *outdial.Attempt) *outdial.NetworkID { return &a.Call.Dest.Network }),
	boolColumn("toll_free", func(a *outdial.Attempt) *bool { return &a.Call.Dest.TollFree }),
	boolColumn("premium", func(a *outdial.Attempt) *bool { return &a.Call.Dest.Premium }),
	boolColumn("unassigned", func(a *outdial.Attempt) *bool { return &a.Call.Dest.Unassigned }),
	idColumn("trunk", idTrunk, func(a *outdial.Attempt) *outdial.TrunkID { return &a.Candidate.Trunk }),
	idColumn("carrier", idCarrier, func(a *outdial.Attempt) *outdial.CarrierID { return &a.Candidate.Carrier }),
	uintColumn("tier", func(a *outdial.Attempt) *uint8 { return &a.Candidate.Tier }),
	uintColumn("weight", func(a *outdial.Attempt) *uint32 { return &a.Candidate.Weight }),
	idColumn("candidate_pool", idPool, func(a *outdial.Attempt) *outdial.PoolID { return &a.Candidate.Pool }),
	{
		"cost", true, func(_ *Export, ev *outdial.Event) string { return signed(int64(ev.Attempt.Candidate.Cost)) },
		func(_ *outdial.Registry, ev *outdial.Event, s string) error {
			v, err := strconv.ParseInt(s, 10, 64)
			ev.Attempt.Candidate.Cost = outdial.Micros(v)
			return err
		},
	},
	prefixColumn("matched", func(a *outdial.Attempt) *outdial.Prefix { return &a.Candidate.Matched }),
	ratioColumn("propensity", func(a *outdial.Attempt) *float64 { return &a.Candidate.Propensity }),
	boolColumn("explore", func(a *outdial.Attempt) *bool { return &a.Candidate.Explore }),
	enumColumn("why", func(a *outdial.Attempt) *outdial.Why { return &a.Choice.Why }),
	ratioColumn("probability", func(a *outdial.Attempt) *float64 { return &a.Choice.Probability }),
	timeColumn("begun", func(a *outdial.Attempt) *time.Time { return &a.Call.Begun }),
	timeColumn("start", func(a *outdial.Attempt) *time.Time { return &a.Start }),
	markColumn(outdial.MarkInvite),
	markColumn(outdial.MarkTrying),
	markColumn(outdial.MarkProvisional),
	markColumn(outdial.MarkRinging),
	markColumn(outdial.MarkEarlySDP),
	markColumn(outdial.MarkMedia),
	markColumn(outdial.MarkAnswer),
	markColumn(outdial.MarkEnd),
	markColumn(outdial.MarkAbandon),
	markColumn(outdial.MarkEarlyMedia),
	markColumn(outdial.MarkBye),
	{"pdd", true, func(_ *Export, ev *outdial.Event) string { return spanOf(ev.Attempt.Timeline.PDD()) }, nil},
	{"duration", true, func(_ *Export, ev *outdial.Event) string { return spanOf(ev.Attempt.Timeline.Duration()) }, nil},
	enumColumn("state", func(a *outdial.Attempt) *outdial.AttemptState { return &a.State }),
	boolColumn("late", func(a *outdial.Attempt) *bool { return &a.Late }),
	enumColumn("origin", func(a *outdial.Attempt) *outdial.Origin { return &a.Result.Origin }),
	uintColumn("code", func(a *outdial.Attempt) *uint16 { return &a.Result.Code }),
	{
		"cause", false, func(_ *Export, ev *outdial.Event) string { return ev.Attempt.Result.Cause.String() },
		func(_ *outdial.Registry, ev *outdial.Event, s string) error {
			return parseCause(s, &ev.Attempt.Result.Cause)
		},
	},
	textColumn("phrase", func(a *outdial.Attempt) *string { return &a.Result.Phrase }),
	uintColumn("sip_cause", func(a *outdial.Attempt) *uint16 { return &a.Result.SIPCause }),
	textColumn("text", func(a *outdial.Attempt) *string { return &a.Result.Text }),
	{
		"retry_after", true, func(_ *Export, ev *outdial.Event) string { return seconds(ev.Attempt.Result.RetryAfter) },
		func(_ *outdial.Registry, ev *outdial.Event, s string) error {
			return parseSeconds(s, &ev.Attempt.Result.RetryAfter)
		},
	},
	textColumn("headers", func(a *outdial.Attempt) *string { return (*string)(&a.Result.Headers) }),
	{
		"bye_delay", true, func(_ *Export, ev *outdial.Event) string { return seconds(ev.Attempt.Result.Bye) },
		func(_ *outdial.Registry, ev *outdial.Event, s string) error {
			return parseSeconds(s, &ev.Attempt.Result.Bye)
		},
	},
	uintColumn("bye_code", func(a *outdial.Attempt) *uint16 { return &a.Result.ByeCode }),
	abandonedColumn(),
}

// abandonedColumn is why hunting moved on: empty, not "unknown", for an attempt that was not abandoned.
func abandonedColumn() column {
	c := enumColumn("abandoned_origin", func(a *outdial.Attempt) *outdial.Origin { return &a.Abandoned.Origin })
	word := c.get
	c.get = func(x *Export, ev *outdial.Event) string {
		if ev.Attempt.Abandoned.Origin == outdial.OriginUnknown && !ev.Attempt.WasAbandoned() {
			return ""
		}
		return word(x, ev)
	}
	return c
}

// tagsColumn has the names of all tags, with semicolons between them.
func tagsColumn() column {
	return column{
		"tags", false, func(x *Export, ev *outdial.Event) string {
			var names []string
			for tag := range ev.Attempt.Call.Tags.All() {
				names = append(names, shownID(x, idTag, uint32(tag)))
			}
			return strings.Join(names, ";")
		},
		func(ids *outdial.Registry, ev *outdial.Event, s string) error {
			for name := range strings.SplitSeq(s, ";") {
				if !ev.Attempt.Call.Tags.Add(ids.Tags.ID(name)) {
					return fmt.Errorf("more than %d", outdial.MaxTags)
				}
			}
			return nil
		},
	}
}

func timeColumn(name string, at func(*outdial.Attempt) *time.Time) column {
	return column{
		name, false, func(_ *Export, ev *outdial.Event) string { return stamp(*at(ev.Attempt)) },
		func(_ *outdial.Registry, ev *outdial.Event, s string) error { return parseTime(s, at(ev.Attempt)) },
	}
}

func textColumn(name string, at func(*outdial.Attempt) *string) column {
	return column{
		name, false, func(_ *Export, ev *outdial.Event) string { return *at(ev.Attempt) },
		func(_ *outdial.Registry, ev *outdial.Event, s string) error { *at(ev.Attempt) = s; return nil },
	}
}

func idColumn[ID ~uint32](name string, kind idKind, at func(*outdial.Attempt) *ID) column {
	return column{
		name, false, func(x *Export, ev *outdial.Event) string {
			return shownID(x, kind, uint32(*at(ev.Attempt)))
		},
		func(ids *outdial.Registry, ev *outdial.Event, s string) error {
			*at(ev.Attempt) = ID(idOf(ids, kind, s))
			return nil
		},
	}
}

func shownID(x *Export, kind idKind, id uint32) string {
	if s := nameOf(x.IDs, kind, id); s != "" || id == 0 {
		return s
	}
	return "#" + unsigned(uint64(id))
}

func numberColumn(name string, at func(*outdial.Attempt) *outdial.Number) column {
	return column{
		name, false, func(x *Export, ev *outdial.Event) string { return x.number(*at(ev.Attempt)) },
		func(_ *outdial.Registry, ev *outdial.Event, s string) error {
			return at(ev.Attempt).UnmarshalText([]byte(s))
		},
	}
}

func prefixColumn(name string, at func(*outdial.Attempt) *outdial.Prefix) column {
	return column{
		name, false, func(_ *Export, ev *outdial.Event) string { return at(ev.Attempt).String() },
		func(_ *outdial.Registry, ev *outdial.Event, s string) error {
			return at(ev.Attempt).UnmarshalText([]byte(s))
		},
	}
}

func boolColumn(name string, at func(*outdial.Attempt) *bool) column {
	return column{
		name, true, func(_ *Export, ev *outdial.Event) string {
			if *at(ev.Attempt) {
				return "true"
			}
			return ""
		},
		func(_ *outdial.Registry, ev *outdial.Event, s string) (err error) {
			*at(ev.Attempt), err = strconv.ParseBool(s)
			return err
		},
	}
}

func uintColumn[T ~uint8 | ~uint16 | ~uint32](name string, at func(*outdial.Attempt) *T) column {
	return column{
		name, true, func(_ *Export, ev *outdial.Event) string { return unsigned(uint64(*at(ev.Attempt))) },
		func(_ *outdial.Registry, ev *outdial.Event, s string) error {
			var v uint64
			if err := parseUint(s, &v); err != nil {
				return err
			}
			if v > uint64(^T(0)) {
				return fmt.Errorf("%d is more than %d", v, ^T(0))
			}
			*at(ev.Attempt) = T(v)
			return nil
		},
	}
}

func ratioColumn(name string, at func(*outdial.Attempt) *float64) column {
	return column{
		name, true, func(_ *Export, ev *outdial.Event) string {
			v := *at(ev.Attempt)
			if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
				return ""
			}
			return strconv.FormatFloat(v, 'g', -1, 64)
		},
		func(_ *outdial.Registry, ev *outdial.Event, s string) error {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				return errors.New("not a number")
			}
			*at(ev.Attempt) = v
			return nil
		},
	}
}

func enumColumn[T interface {
	~uint8
	String() string
}](name string, at func(*outdial.Attempt) *T) column {
	return column{
		name, false, func(_ *Export, ev *outdial.Event) string { return (*at(ev.Attempt)).String() },
		func(_ *outdial.Registry, ev *outdial.Event, s string) error {
			for v := T(0); v.String() != "invalid"; v++ {
				if v.String() == s {
					*at(ev.Attempt) = v
					return nil
				}
			}
			return errors.New("not one of its values")
		},
	}
}

func markColumn(m outdial.Mark) column {
	return column{
		m.String(), true, func(_ *Export, ev *outdial.Event) string { return seconds(ev.Attempt.Timeline[m]) },
		func(_ *outdial.Registry, ev *outdial.Event, s string) error {
			return parseSeconds(s, &ev.Attempt.Timeline[m])
		},
	}
}
