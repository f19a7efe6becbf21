package cdr

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// attempt turns a line into events.
func (x *importer) attempt(yield func(*outdial.Event, error) bool) error {
	m := &x.mapping
	start, err := x.time(m.Start)
	if err != nil {
		return err
	}
	if start.IsZero() {
		return x.fault(m.Start, errors.New("empty"))
	}
	if method := x.field("method"); method != "" && method != "INVITE" {
		return x.transaction(method, start, yield)
	}
	x.calls++
	a := &outdial.Attempt{ID: outdial.AttemptID{Call: x.calls, Leg: 1}, Start: start, State: outdial.AttemptEnded}
	a.Call.ID, a.Call.Begun, a.Call.Ref = x.calls, start, x.field(m.Ref)
	a.Candidate.Trunk = x.ids.Trunks.ID(trunkName(x.field(m.Trunk)))
	a.Candidate.Carrier = x.ids.Carriers.ID(x.field(m.Carrier))
	a.Call.Campaign = x.ids.Campaigns.ID(x.field(m.Campaign))
	a.Pool = x.ids.Pools.ID(x.field(m.Pool))
	for column, to := range map[string]*outdial.Number{m.To: &a.Call.To, m.From: &a.CLI} {
		if text := x.field(column); text != "" {
			if *to, err = x.number(text); err != nil {
				return x.fault(column, err)
			}
		}
	}
	if text := x.field(m.Cost); text != "" {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || !(v >= 0 && v < 1e6) {
			return x.fault(m.Cost, fmt.Errorf("%q is not a price", text))
		}
		a.Candidate.Cost = outdial.Micros(v*1e6 + 0.5)
	}
	if err := x.moments(a); err != nil {
		return err
	}
	if err := x.ending(a); err != nil {
		return err
	}
	_, transactions := x.at["method"]
	switch _, ended := a.Timeline.At(outdial.MarkEnd); {
	case transactions:
		return x.transacted(a, yield)
	case !ended && a.Answered():
		return tellUnended(a, yield)
	}
	return tellAttempt(a, yield)
}

// moments fills the timeline in.
func (x *importer) moments(a *outdial.Attempt) error {
	m := &x.mapping
	for _, c := range []struct {
		column string
		marks  []outdial.Mark
	}{
		{m.Ring, []outdial.Mark{outdial.MarkProvisional, outdial.MarkRinging}},
		{m.Answer, []outdial.Mark{outdial.MarkAnswer}},
		{m.End, []outdial.Mark{outdial.MarkEnd}},
	} {
		at, err := x.time(c.column)
		if err != nil {
			return err
		}
		if at.IsZero() {
			continue
		}
		d := at.Sub(a.Start)
		if d < 0 {
			return x.fault(c.column, fmt.Errorf("%v before the start", -d))
		}
		for _, mark := range c.marks {
			a.Timeline.Set(mark, d)
		}
	}
	total, err := x.seconds(m.Total, time.Second)
	if err != nil {
		return err
	}
	billed, err := x.seconds(m.Billed, time.Second)
	if err != nil {
		return err
	}
	unit := time.Second
	if m.MillisPD {
		unit = time.Millisecond
	}
	pdd, err := x.seconds(m.PDD, unit)
	if err != nil {
		return err
	}
	if pdd > 0 {
		a.Timeline.Set(outdial.MarkProvisional, pdd)
	}
	if total > 0 || m.End == "" && m.Total != "" {
		a.Timeline.Set(outdial.MarkEnd, total)
	}
	return x.talked(a, billed)
}

// talked fits answer and end to the time that was billed, where one of them is not told.
func (x *importer) talked(a *outdial.Attempt, billed time.Duration) error {
	m := &x.mapping
	answer, answered := a.Timeline.At(outdial.MarkAnswer)
	end, ended := a.Timeline.At(outdial.MarkEnd)
	switch {
	case ended && answered && end < answer:
		return x.fault(m.Answer, fmt.Errorf("%v behind the end", answer-end))
	case billed == 0:
	case answered && !ended:
		a.Timeline.Set(outdial.MarkEnd, answer+billed)
	case m.Answer != "": // it says that there was no answer
	case ended && billed > end:
		return x.fault(m.Billed, fmt.Errorf("%v of a call of %v", billed, end))
	case ended:
		a.Timeline.Set(outdial.MarkAnswer, end-billed)
	default:
		a.Timeline.Set(outdial.MarkAnswer, 0)
		a.Timeline.Set(outdial.MarkEnd, billed)
	}
	return nil
}

// ending says how the attempt ended.
func (x *importer) ending(a *outdial.Attempt) error {
	m, r := &x.mapping, &a.Result
	if text := x.field(m.Status); text != "" {
		code, err := strconv.ParseUint(text, 10, 16)
		if err != nil || code != 0 && (code < 100 || code > 699) {
			return x.fault(m.Status, fmt.Errorf("%q is not a SIP status", text))
		}
		if r.Code = uint16(code); code >= 200 && code < 300 && m.Answer == "" && m.Billed == "" {
			a.Timeline.Set(outdial.MarkAnswer, 0)
		}
	}
	if text := x.field(m.Cause); text != "" {
		cause, ok := causeOfName(text)
		if !ok {
			return x.fault(m.Cause, fmt.Errorf("%q is not a Q.850 cause", text))
		}
		if r.Cause.Value = cause; strings.EqualFold(text, "ORIGINATOR_CANCEL") {
			r.Origin = outdial.OriginCaller
		}
	}
	r.Phrase = x.field(m.Phrase)
	if a.Answered() {
		r.Origin = outdial.OriginCalleeHangup
		return nil
	}
	switch word := strings.ToUpper(x.field(m.Result)); word {
	case "":
	case "ANSWERED", "ANSWER":
		return x.fault(m.Result, fmt.Errorf("%q, but the line has no answer", word))
	case "BUSY":
		r.Cause.Value = cmp.Or(r.Cause.Value, 17)
	case "NO ANSWER", "NOANSWER":
		r.Cause.Value = cmp.Or(r.Cause.Value, 19)
	case "CANCEL", "CANCELLED":
		r.Origin = outdial.OriginCaller
	case "CONGESTION":
		r.Cause.Value = cmp.Or(r.Cause.Value, 34)
	case "FAILED", "CHANUNAVAIL":
		r.Cause.Value = cmp.Or(r.Cause.Value, 38)
	default:
		return x.fault(m.Result, fmt.Errorf("%q is not a disposition that is known", word))
	}
	if r.Origin == outdial.OriginUnknown && (r.Code != 0 || r.Cause.Value != 0) {
		r.Origin = outdial.OriginCarrier
	}
	return nil
}

// tellAttempt gives the events of an attempt.
func tellAttempt(a *outdial.Attempt, yield func(*outdial.Event, error) bool) error {
	end, ok := a.Timeline.At(outdial.MarkEnd)
	if !ok {
		end, _ = a.Timeline.At(outdial.MarkAnswer)
		a.Timeline.Set(outdial.MarkEnd, end)
	}
	ev := outdial.Event{Replay: true, Attempt: a}
	tell := func(kind outdial.EventKind, at time.Duration) bool {
		ev.Kind, ev.Time = kind, a.Start.Add(at)
		return yield(&ev, nil)
	}
	answer, answered := a.Timeline.At(outdial.MarkAnswer)
	if !tell(outdial.EventStarted, 0) || answered && !tell(outdial.EventAnswered, answer) || !tell(outdial.EventEnded, end) {
		return errStopped
	}
	return nil
}

// number reads a telephone number as the mapping's dial plan has it.
func (x *importer) number(text string) (outdial.Number, error) {
	if x.mapping.Dial == (outdial.DialPlan{}) {
		if text[0] != '+' {
			text = "+" + text
		}
		return outdial.ParseNumber(text)
	}
	return x.mapping.Dial.Parse(text)
}

// seconds reads a duration; "" is 0.
func (x *importer) seconds(column string, unit time.Duration) (time.Duration, error) {
	text := x.field(column)
	if text == "" {
		return 0, nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= 0 && v < 1e9) {
		return 0, x.fault(column, fmt.Errorf("%q is not a duration", text))
	}
	return time.Duration(v * float64(unit)), nil
}

// time reads a time; "", 0 and a date of zeros are the zero time.
func (x *importer) time(column string) (time.Time, error) {
	text := x.field(column)
	if strings.Trim(text, "0-: .TZ") == "" {
		return time.Time{}, nil
	}
	zone := x.mapping.Zone
	if zone == nil {
		zone = time.UTC
	}
	switch layout := x.mapping.Layout; layout {
	case "unix", "unixmicro", "":
		if v, err := strconv.ParseFloat(text, 64); err == nil && v > 0 {
			switch whole := math.Floor(v); {
			case layout == "unixmicro" && v < lastYear*1e6:
				return time.UnixMicro(int64(v)).UTC(), nil
			case layout != "unixmicro" && v < lastYear: // milliseconds, taken for seconds, are beyond it
				return time.Unix(int64(whole), int64((v-whole)*1e9)).UTC(), nil
			}
		}
		if layout == "" {
			for _, l := range []string{time.RFC3339Nano, time.DateTime} {
				if t, err := time.ParseInLocation(l, text, zone); err == nil && t.Unix() < lastYear && t.Unix() > -lastYear {
					return t, nil
				}
			}
		}
	default:
		if t, err := time.ParseInLocation(layout, text, zone); err == nil && t.Unix() < lastYear && t.Unix() > -lastYear {
			return t, nil
		}
	}
	return time.Time{}, x.fault(column, fmt.Errorf("%q is not a time", text))
}

// lastYear is where times end that fit in nanoseconds since 1970, in seconds: in 2262.
const lastYear = math.MaxInt64 / 1_000_000_000

// trunkName takes the name of a trunk out of the name of a channel: "SIP/gold-0000a1", "PJSIP/gold-…", "sofia/gateway/gold/+1…".
func trunkName(s string) string {
	if rest, ok := strings.CutPrefix(s, "sofia/gateway/"); ok {
		name, _, _ := strings.Cut(rest, "/")
		return name
	}
	for _, technology := range []string{"SIP/", "PJSIP/", "IAX2/"} {
		if rest, ok := strings.CutPrefix(s, technology); ok {
			if i := strings.LastIndexByte(rest, '-'); i > 0 {
				return rest[:i]
			}
			return rest
		}
	}
	return s
}

// causeOfName reads a Q.850 cause by its number or by the name that FreeSWITCH gives it.
func causeOfName(s string) (uint8, bool) {
	if v, err := strconv.ParseUint(s, 10, 8); err == nil {
		return uint8(v), v <= 127
	}
	v, ok := causesByName[strings.ToUpper(strings.ReplaceAll(s, " ", "_"))]
	return v, ok
}

// causesByName is a table of constants; nothing writes to it.
var causesByName = map[string]uint8{
	"NONE": 0, "UNSPECIFIED": 0, "UNALLOCATED_NUMBER": 1, "NO_ROUTE_TRANSIT_NET": 2, "NO_ROUTE_DESTINATION": 3,
	"CHANNEL_UNACCEPTABLE": 6, "NORMAL_CLEARING": 16, "USER_BUSY": 17, "NO_USER_RESPONSE": 18, "NO_ANSWER": 19,
	"SUBSCRIBER_ABSENT": 20, "CALL_REJECTED": 21, "NUMBER_CHANGED": 22, "REDIRECTION_TO_NEW_DESTINATION": 23,
	"EXCHANGE_ROUTING_ERROR": 25, "DESTINATION_OUT_OF_ORDER": 27, "INVALID_NUMBER_FORMAT": 28, "FACILITY_REJECTED": 29,
	"RESPONSE_TO_STATUS_ENQUIRY": 30, "NORMAL_UNSPECIFIED": 31, "NORMAL_CIRCUIT_CONGESTION": 34, "NETWORK_OUT_OF_ORDER": 38,
	"NORMAL_TEMPORARY_FAILURE": 41, "SWITCH_CONGESTION": 42, "ACCESS_INFO_DISCARDED": 43, "REQUESTED_CHAN_UNAVAIL": 44,
	"FACILITY_NOT_SUBSCRIBED": 50, "OUTGOING_CALL_BARRED": 52, "INCOMING_CALL_BARRED": 54, "BEARERCAPABILITY_NOTAUTH": 57,
	"BEARERCAPABILITY_NOTAVAIL": 58, "SERVICE_UNAVAILABLE": 63, "BEARERCAPABILITY_NOTIMPL": 65, "CHAN_NOT_IMPLEMENTED": 66,
	"FACILITY_NOT_IMPLEMENTED": 69, "SERVICE_NOT_IMPLEMENTED": 79, "INCOMPATIBLE_DESTINATION": 88,
	"MANDATORY_IE_MISSING": 96, "RECOVERY_ON_TIMER_EXPIRE": 102, "PROTOCOL_ERROR": 111, "INTERWORKING": 127,
	"ORIGINATOR_CANCEL": 0, "ALLOTTED_TIMEOUT": 102, "MEDIA_TIMEOUT": 38, "GATEWAY_DOWN": 38, "LOSE_RACE": 26, "PICKED_OFF": 26,
	"USER_NOT_REGISTERED": 20, "PROGRESS_TIMEOUT": 102, "CRASH": 41, "MANAGER_REQUEST": 16, "ATTENDED_TRANSFER": 16,
	"BLIND_TRANSFER": 16,
}
