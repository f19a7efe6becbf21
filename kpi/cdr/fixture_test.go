package cdr_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 123456789, time.UTC)

// registry has two names of every kind, so that ids 1 and 2 can be journalled.
func registry(prefix string) *outdial.Registry {
	r := &outdial.Registry{}
	r.Trunks.Add(prefix+"trunk-a", prefix+"trunk-b")
	r.Carriers.Add(prefix+"carrier-a", prefix+"carrier-b")
	r.Pools.Add(prefix+"pool-a", prefix+"pool-b")
	r.Programs.Add(prefix+"program-a", prefix+"program-b")
	r.Campaigns.Add(prefix+"campaign-a", prefix+"campaign-b")
	r.Tenants.Add(prefix+"tenant-a", prefix+"tenant-b")
	r.Groups.Add(prefix+"group-a", prefix+"group-b")
	r.DayParts.Add(prefix+"daypart-a", prefix+"daypart-b")
	r.Networks.Add(prefix+"network-a", prefix+"network-b")
	for i := range outdial.MaxTags {
		r.Tags.Add(prefix + "tag-" + string(rune('a'+i)))
	}
	return r
}

func open(t testing.TB, cfg cdr.Config) (*cdr.Journal, cdr.Recovery) {
	t.Helper()
	if cfg.IDs == nil {
		cfg.IDs = registry("")
	}
	j, rec, err := cdr.Open(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j, rec
}

// copyOf returns a deep copy of ev, so that it outlives the replay that showed it.
func copyOf(ev *outdial.Event) outdial.Event {
	out := *ev
	if ev.Attempt != nil {
		a := *ev.Attempt
		out.Attempt = &a
	}
	if ev.Disposition != nil {
		d := *ev.Disposition
		out.Disposition = &d
	}
	if ev.Label != nil {
		l := *ev.Label
		out.Label = &l
	}
	if ev.Control != nil {
		c := *ev.Control
		out.Control = &c
	}
	return out
}

func replay(t testing.TB, j *cdr.Journal, after uint64) []outdial.Event {
	t.Helper()
	var out []outdial.Event
	require.NoError(t, j.Replay(after, func(ev *outdial.Event) error {
		out = append(out, copyOf(ev))
		return nil
	}))
	return out
}

func read(t testing.TB, cfg cdr.ReaderConfig) ([]outdial.Event, cdr.ReadReport, error) {
	t.Helper()
	r, err := cdr.NewReader(cfg)
	require.NoError(t, err)
	var out []outdial.Event
	for ev, err := range r.All() {
		if err != nil {
			return out, r.Report(), err
		}
		out = append(out, copyOf(ev))
	}
	return out, r.Report(), nil
}

// stripped is what a replay of ev must show.
func stripped(ev outdial.Event) outdial.Event {
	out := copyOf(&ev)
	out.Replay = true
	if out.Attempt != nil {
		out.Attempt.Channel, out.Attempt.Use, out.Attempt.Last = 0, 0, false
		out.Attempt.Call.SetRecord(nil)
		out.Attempt.Choice.Among = 0           // it goes with a choice that may still be returned
		out.Attempt.Choice.Again = time.Time{} // it goes with a choice that was not made; an attempt has one that was
	}
	return out
}

// ended is a usual event: a short answered attempt.
func ended(leg uint8) *outdial.Event {
	a := &outdial.Attempt{
		ID: outdial.AttemptID{Call: 0x6417f2c9a0001000, Leg: leg},
		Call: outdial.Call{
			Ref: "6a3d1f0e-lead-4711@dialer.example", To: 12125550123, From: 13125550100, Tenant: 1, Program: 1, Campaign: 1,
			Mode: outdial.ModePredictive, ID: 0x6417f2c9a0001000, Begun: noon.Add(-time.Millisecond),
			Dest: outdial.Destination{Country: [2]byte{'U', 'S'}, Area: 1212, Group: 1, Zones: 3, DayPart: 1},
		},
		Candidate: outdial.Candidate{Trunk: 1, Carrier: 1, Tier: 1, Weight: 60, Cost: 4_500, Matched: 1212},
		Choice:    outdial.Choice{Why: outdial.WhyWeight, Probability: 0.6},
		CLI:       12125559876, Pool: 1, Start: noon, State: outdial.AttemptEnded,
		Result: outdial.Result{Origin: outdial.OriginCalleeHangup, Code: 200, Cause: outdial.Cause{Value: 16}, Phrase: "OK"},
	}
	a.Timeline.Set(outdial.MarkInvite, 1)
	a.Timeline.Set(outdial.MarkTrying, 31*time.Millisecond)
	a.Timeline.Set(outdial.MarkProvisional, 1240*time.Millisecond)
	a.Timeline.Set(outdial.MarkRinging, 1240*time.Millisecond)
	a.Timeline.Set(outdial.MarkAnswer, 9*time.Second)
	a.Timeline.Set(outdial.MarkEnd, 42*time.Second)
	return &outdial.Event{Kind: outdial.EventEnded, Time: noon.Add(42 * time.Second), Attempt: a}
}

// control is a small event, told from others by its value.
func control(value string) *outdial.Event {
	return &outdial.Event{Kind: outdial.EventControl, Time: noon, Control: &outdial.Control{
		Actor: "ops", Action: "trunk.drain", Target: "trunk-a", Value: value, Reason: "maintenance",
	}}
}

// segmentFiles lists the segments in dir in order.
func segmentFiles(t testing.TB, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.cdr"))
	require.NoError(t, err)
	return files
}

func copyDir(t testing.TB, from string) string {
	t.Helper()
	to := t.TempDir()
	for _, f := range segmentFiles(t, from) {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(to, filepath.Base(f)), b, 0o600))
	}
	return to
}

// fill sets every field that v has, however deep, to a value that is neither zero nor equal to its neighbours
// where the type has room for it. It fails on a kind of field that it does not know, so that nothing is forgotten.
func fill(t testing.TB, v reflect.Value, n *uint64) {
	t.Helper()
	*n++
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(noon.Add(time.Duration(*n) * time.Hour)))
		return
	case reflect.TypeFor[outdial.EventKind]():
		return
	case reflect.TypeFor[outdial.TrunkID](), reflect.TypeFor[outdial.CarrierID](), reflect.TypeFor[outdial.PoolID](),
		reflect.TypeFor[outdial.ProgramID](), reflect.TypeFor[outdial.CampaignID](), reflect.TypeFor[outdial.TenantID](),
		reflect.TypeFor[outdial.GroupID](), reflect.TypeFor[outdial.DayPartID](),
		reflect.TypeFor[outdial.NetworkID]():
		v.SetUint(1 + *n%2)
		return
	case reflect.TypeFor[outdial.TagID]():
		v.SetUint(1 + *n%outdial.MaxTags)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				fill(t, v.Field(i), n)
			} else {
				require.Contains(t, []string{"record", "rehearsal"}, f.Name, "%s has a new unexported field", v.Type())
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), n)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(1 + *n%127)
	case reflect.Uint16:
		v.SetUint(0x8000 + *n)
	case reflect.Uint32:
		v.SetUint(0x8000_0000 + *n)
	case reflect.Uint64:
		v.SetUint(1<<50 + *n)
	case reflect.Int64:
		v.SetInt(-1<<50 - int64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) / 3)
	case reflect.String:
		v.SetString("text " + v.Type().Name() + string(rune('a'+*n%26)) + string(rune('a'+*n/26%26)))
	default:
		t.Fatalf("fill: %s is new here: journal it, and teach fill its kind", v.Type())
	}
}

// full is an event of the given kind with every field set.
func full(t testing.TB, kind outdial.EventKind) outdial.Event {
	ev := outdial.Event{}
	n := uint64(kind) * 1000
	fill(t, reflect.ValueOf(&ev).Elem(), &n)
	ev.Kind = kind
	ev.Time = noon
	return ev
}
