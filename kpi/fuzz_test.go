package kpi_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// anyEvent is an event as a journal that somebody made may have it: nothing in it needs to fit together.
func anyEvent(b []byte) outdial.Event {
	number := func() uint64 {
		var n [8]byte
		b = b[copy(n[:], b):]
		return binary.LittleEndian.Uint64(n[:])
	}
	small := func() uint64 { return number() & 0xff }
	at := func() time.Time {
		if small()%4 == 0 {
			return time.Unix(int64(number()), int64(number()))
		}
		return t0.Add(time.Duration(int32(number())) * time.Millisecond)
	}
	a := outdial.Attempt{ID: outdial.AttemptID{Call: outdial.CallID(small()), Leg: uint8(small())}, Start: at()}
	a.Candidate.Trunk, a.Candidate.Carrier = outdial.TrunkID(number()), outdial.CarrierID(small())
	a.Candidate.Cost = outdial.Micros(number())
	a.Call.To, a.Call.Mode = outdial.Number(small()), outdial.Mode(small())
	a.Call.Dest.Group, a.Call.Dest.Country = outdial.GroupID(number()), [2]byte{byte(small()), byte(small())}
	a.CLI, a.Pool, a.Late = outdial.Number(small()), outdial.PoolID(small()), small()&1 == 1
	for came, i := number(), 0; i < len(a.Timeline); i++ {
		if came&(1<<i) != 0 {
			a.Timeline[i] = time.Duration(number())
		}
	}
	a.Result = outdial.Result{
		Origin: outdial.Origin(small()), Code: uint16(number()), SIPCause: uint16(number()), Bye: time.Duration(number()), ByeCode: uint16(number()),
		Cause: outdial.Cause{Value: uint8(small()), Location: outdial.Location(small())},
	}
	ev := outdial.Event{
		Kind: outdial.EventKind(small() % 12), Time: at(), Attempt: &a, RefusalStage: outdial.Stage(small()), Refusal: string(byte(small())),
		Replay: small()&1 == 1,
	}
	if small()&1 == 1 {
		ev.Disposition = &outdial.Disposition{
			AnsweredBy: outdial.AnsweredBy(small()), Contact: small()&1 == 1, AgentTime: time.Duration(number()), Code: ev.Refusal,
		}
	}
	if small()&1 == 1 {
		ev.Label = &outdial.Label{
			Number: a.CLI, Engine: ev.Refusal, Status: outdial.LabelStatus(small()), TTL: time.Duration(number()),
		}
	}
	if small()%8 == 0 {
		ev.Attempt = nil
	}
	return ev
}

// FuzzObserve: no events make a panic, neither of what counts them nor of what reads; and what was saved in between tells the same.
func FuzzObserve(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x00\x00 an event, and another one \xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		cfg := kpi.Config{
			IDs: new(outdial.Registry), MaxCells: 50, RecentCalls: 64, RecentAnswers: 64, Cohorts: true, Spans: kpi.StandardSpans(),
			Number:  func(n outdial.Number) string { return n.String() },
			Views:   append(kpi.DefaultViews(), kpi.ByTrunk|kpi.ByCountry, kpi.ByCLI),
			Archive: kpi.ArchiveConfig{Views: []kpi.View{kpi.Total, kpi.ByTrunk}, MaxCells: 10, Keep: 10 * time.Hour},
		}
		m, restored := newMeter(t, cfg), newMeter(t, cfg)
		c, err := kpi.NewCallees(kpi.CalleesConfig{Max: 10, RecentAnswers: 64})
		require.NoError(t, err)
		n, err := kpi.NewNumbers(kpi.NumbersConfig{Max: 10})
		require.NoError(t, err)
		var agents kpi.Agents
		agents.Set(t0, 1, 1)
		const size, most = 200, 60
		for i := range min(len(b)/size+1, most) {
			ev := anyEvent(b[min(i*size, len(b)):])
			for _, o := range []outdial.Observer{m, c, n, &agents} {
				o.Observe(&ev)
			}
			if ev.Attempt != nil && i%8 == 0 {
				m.Measure(ev.Time, outdial.Metric(i%9), &ev.Attempt.Candidate, ev.Attempt.Call.Dest.Group)
				c.Report(ev.Time)
				n.Report(ev.Time)
				agents.Report(ev.Time)
			}
		}
		saved, err := m.Save(1)
		require.NoError(t, err)
		require.NoError(t, restored.Restore(saved))
		now := t0.Add(time.Minute)
		require.Equal(t, m.Report(now), restored.Report(now))
		for key := range m.Archived() {
			want, got := m.Total(now.Add(-9*time.Hour), now, key), restored.Total(now.Add(-9*time.Hour), now, key)
			require.Equal(t, want, got)
		}
	})
}
