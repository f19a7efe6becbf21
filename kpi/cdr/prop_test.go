package cdr_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

// text draws texts that fit into a record.
var text = rapid.StringN(0, 60, 255)

// at draws times that a record can hold, the zero time among them.
func at(t *rapid.T, label string) time.Time {
	if rapid.Bool().Draw(t, label+" zero") {
		return time.Time{}
	}
	return time.Unix(0, rapid.Int64Range(-1<<62, 1<<62).Draw(t, label)).UTC()
}

func small[T ~uint8](t *rapid.T, label string) T { return T(rapid.Uint8().Draw(t, label)) }

func id[T ~uint32](t *rapid.T, label string) T { return T(rapid.Uint32Range(0, 2).Draw(t, label)) }

func drawAttempt(t *rapid.T) *outdial.Attempt {
	a := &outdial.Attempt{
		ID: outdial.AttemptID{Call: outdial.CallID(rapid.Uint64().Draw(t, "call")), Leg: small[uint8](t, "leg")},
		Call: outdial.Call{
			Ref: text.Draw(t, "ref"), To: outdial.Number(rapid.Uint64().Draw(t, "to")),
			From:   outdial.Number(rapid.Uint64().Draw(t, "from")),
			Tenant: id[outdial.TenantID](t, "tenant"), Program: id[outdial.ProgramID](t, "program"),
			Campaign: id[outdial.CampaignID](t, "campaign"), Mode: small[outdial.Mode](t, "mode"),
			Priority: small[outdial.Priority](t, "priority"), Deadline: at(t, "deadline"), Begun: at(t, "begun"), ID: outdial.CallID(rapid.Uint64().Draw(t, "call id")),
			Dest: outdial.Destination{
				Country: [2]byte{small[byte](t, "c0"), small[byte](t, "c1")}, Area: outdial.Prefix(rapid.Uint64().Draw(t, "area")),
				Group: id[outdial.GroupID](t, "group"), Zones: outdial.ZoneSet(rapid.Uint16().Draw(t, "zones")),
				DayPart: id[outdial.DayPartID](t, "daypart"), TollFree: rapid.Bool().Draw(t, "free"),
				Premium: rapid.Bool().Draw(t, "premium"), Unassigned: rapid.Bool().Draw(t, "unassigned"),
			},
		},
		Candidate: outdial.Candidate{
			Trunk: id[outdial.TrunkID](t, "trunk"), Carrier: id[outdial.CarrierID](t, "carrier"), Tier: small[uint8](t, "tier"),
			Weight: rapid.Uint32().Draw(t, "weight"), Pool: id[outdial.PoolID](t, "pool"),
			Cost: outdial.Micros(rapid.Int64().Draw(t, "cost")), Matched: outdial.Prefix(rapid.Uint64().Draw(t, "matched")),
			Propensity: rapid.Float64().Draw(t, "propensity"),
		},
		Choice: outdial.Choice{Why: small[outdial.Why](t, "why"), Probability: rapid.Float64().Draw(t, "probability")},
		CLI:    outdial.Number(rapid.Uint64().Draw(t, "cli")), Pool: id[outdial.PoolID](t, "cli pool"), Start: at(t, "start"),
		State: small[outdial.AttemptState](t, "state"), Late: rapid.Bool().Draw(t, "late"),
		Result: drawResult(t), Abandoned: drawResult(t),
	}
	for range rapid.IntRange(0, 3).Draw(t, "tags") {
		a.Call.Tags.Add(id[outdial.TagID](t, "tag"))
	}
	for m := range a.Timeline {
		if rapid.Bool().Draw(t, "came") {
			a.Timeline[m] = time.Duration(rapid.Int64().Draw(t, "mark"))
		}
	}
	return a
}

func drawResult(t *rapid.T) outdial.Result {
	if rapid.Bool().Draw(t, "no result") {
		return outdial.Result{}
	}
	return outdial.Result{
		Origin: small[outdial.Origin](t, "origin"), Code: rapid.Uint16().Draw(t, "code"),
		Cause:  outdial.Cause{Value: small[uint8](t, "cause"), Location: small[outdial.Location](t, "location")},
		Phrase: text.Draw(t, "phrase"), SIPCause: rapid.Uint16().Draw(t, "sip cause"), Text: text.Draw(t, "text"),
		RetryAfter: time.Duration(rapid.Int64().Draw(t, "retry")), Headers: outdial.Headers(text.Draw(t, "headers")),
		Bye: time.Duration(rapid.Int64().Draw(t, "bye")), ByeCode: rapid.Uint16().Draw(t, "bye code"),
	}
}

func drawEvent(t *rapid.T) outdial.Event {
	ev := outdial.Event{
		Kind: outdial.EventKind(rapid.IntRange(int(outdial.EventRefused), int(outdial.EventControl)).Draw(t, "kind")),
		Time: at(t, "time"), Marks: outdial.Marks(rapid.Uint16().Draw(t, "marks")),
		Refusal: text.Draw(t, "refusal"), RefusalStage: small[outdial.Stage](t, "stage"),
	}
	if rapid.Bool().Draw(t, "attempt") {
		ev.Attempt = drawAttempt(t)
	}
	if rapid.Bool().Draw(t, "disposition") {
		ev.Disposition = &outdial.Disposition{
			AnsweredBy: small[outdial.AnsweredBy](t, "by"), Contact: rapid.Bool().Draw(t, "contact"),
			AgentTime: time.Duration(rapid.Int64().Draw(t, "agent")), Code: text.Draw(t, "disposition"),
		}
	}
	if rapid.Bool().Draw(t, "label") {
		ev.Label = &outdial.Label{
			Number: outdial.Number(rapid.Uint64().Draw(t, "number")), Engine: text.Draw(t, "engine"),
			Status: small[outdial.LabelStatus](t, "status"), Category: text.Draw(t, "category"),
			TTL: time.Duration(rapid.Int64().Draw(t, "ttl")),
		}
	}
	if rapid.Bool().Draw(t, "control") {
		ev.Control = &outdial.Control{
			Actor: text.Draw(t, "actor"), Action: text.Draw(t, "action"), Target: text.Draw(t, "target"),
			Value: text.Draw(t, "value"), Reason: text.Draw(t, "reason"), Expires: at(t, "expires"),
		}
	}
	return ev
}

// Whatever is appended comes back, over rotation and reopening, and a tail torn anywhere costs no more than the
// records that it touches, whatever room there is behind it.
func TestAnyEventsComeBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		require.NoError(rt, err)
		ids := registry("")
		var want []outdial.Event
		for range rapid.IntRange(1, 3).Draw(rt, "processes") {
			j, _, err := cdr.Open(cdr.Config{Dir: dir, IDs: ids, SegmentBytes: 4096, Mapped: rapid.Bool().Draw(rt, "mapped")})
			require.NoError(rt, err)
			for range rapid.IntRange(0, 12).Draw(rt, "events") {
				ev := drawEvent(rt)
				require.NoError(rt, j.Append(&ev))
				want = append(want, stripped(ev))
			}
			require.Equal(rt, want, replay(t, j, 0))
			require.NoError(rt, j.Close())
		}
		files := segmentFiles(t, dir)
		if len(files) == 0 {
			return
		}
		last := files[len(files)-1]
		data, err := os.ReadFile(last)
		require.NoError(rt, err)
		data = data[:rapid.IntRange(0, len(data)).Draw(rt, "size")]
		data = withRoom(data, rapid.SampledFrom([]int{0, 1, 17, 4096, 300_000}).Draw(rt, "room"))
		require.NoError(rt, os.WriteFile(last, data, 0o600))
		j, rec, err := cdr.Open(cdr.Config{Dir: dir, IDs: ids})
		require.NoError(rt, err)
		require.Equal(rt, solid(data[rec.Offset:]), rec.Cut)
		got := replay(t, j, 0)
		require.Equal(rt, int(rec.LastSeq), len(got))
		if len(got) > 0 {
			require.Equal(rt, want[:len(got)], got)
		}
		require.NoError(rt, j.Close())
	})
}
