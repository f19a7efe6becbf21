package peerbench

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

// hangup is a usual event: the end of a short answered attempt.
func hangup(ids *outdial.Registry) *outdial.Event {
	a := &outdial.Attempt{
		ID: outdial.AttemptID{Call: 0x6417f2c9a0001000, Leg: 1},
		Call: outdial.Call{
			Ref: "6a3d1f0e-lead-4711@dialer.example", To: 12125550123, From: 13125550100,
			Tenant: ids.Tenants.ID("tenant"), Program: ids.Programs.ID("program"), Campaign: ids.Campaigns.ID("campaign"),
			Mode: outdial.ModePredictive, ID: 0x6417f2c9a0001000,
			Dest: outdial.Destination{
				Country: [2]byte{'U', 'S'}, Area: 1212, Group: ids.Groups.ID("group"), Zones: 3, DayPart: ids.DayParts.ID("day"),
			},
		},
		Candidate: outdial.Candidate{
			Trunk: ids.Trunks.ID("trunk"), Carrier: ids.Carriers.ID("carrier"), Tier: 1, Weight: 60, Cost: 4_500, Matched: 1212,
		},
		Choice: outdial.Choice{Why: outdial.WhyWeight, Probability: 0.6},
		CLI:    12125559876, Pool: ids.Pools.ID("pool"), Start: monday, State: outdial.AttemptEnded,
		Result: outdial.Result{Origin: outdial.OriginCalleeHangup, Code: 200, Cause: outdial.Cause{Value: 16}, Phrase: "OK"},
	}
	a.Timeline.Set(outdial.MarkInvite, time.Millisecond)
	a.Timeline.Set(outdial.MarkTrying, 31*time.Millisecond)
	a.Timeline.Set(outdial.MarkProvisional, 1240*time.Millisecond)
	a.Timeline.Set(outdial.MarkRinging, 1240*time.Millisecond)
	a.Timeline.Set(outdial.MarkAnswer, 9*time.Second)
	a.Timeline.Set(outdial.MarkEnd, 42*time.Second)
	return &outdial.Event{Kind: outdial.EventEnded, Time: monday.Add(42 * time.Second), Attempt: a}
}

// BenchmarkJournal appends a record, written or stored in a mapping, beside one write(2) of as many bytes to the same file system.
func BenchmarkJournal(b *testing.B) {
	b.Run("append", func(b *testing.B) { benchJournal(b, cdr.Config{}) })
	b.Run("mapped", func(b *testing.B) { benchJournal(b, cdr.Config{Mapped: true}) })
}

func benchJournal(b *testing.B, cfg cdr.Config) {
	dir := b.TempDir()
	ids := new(outdial.Registry)
	ids.Tenants.Add("tenant")
	ids.Programs.Add("program")
	ids.Campaigns.Add("campaign")
	ids.Groups.Add("group")
	ids.DayParts.Add("day")
	ids.Trunks.Add("trunk")
	ids.Carriers.Add("carrier")
	ids.Pools.Add("pool")
	ev := hangup(ids)
	cfg.Dir, cfg.IDs, cfg.SegmentBytes = filepath.Join(dir, "journal"), ids, 1<<30
	j, _, err := cdr.Open(cfg)
	require.NoError(b, err)
	defer j.Close()
	require.NoError(b, j.Append(ev))
	before := j.Stats().Bytes
	require.NoError(b, j.Append(ev))
	record := make([]byte, j.Stats().Bytes-before)
	bare, err := os.OpenFile(filepath.Join(dir, "bare"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	require.NoError(b, err)
	defer bare.Close()
	beside(b,
		side{ours, func(b *testing.B) {
			for b.Loop() {
				if err := j.Append(ev); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(record)), "B/record")
		}},
		side{"write", func(b *testing.B) {
			for b.Loop() {
				if _, err := bare.Write(record); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(record)), "B/record")
		}},
	)
}
