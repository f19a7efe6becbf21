package peerbench

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// pace is how many attempts a second are made in model time.
const pace = 50

// course is what differs between answered attempts.
type course struct {
	trunk     outdial.TrunkID
	group     outdial.GroupID
	pool      outdial.PoolID
	program   outdial.ProgramID
	pdd, talk time.Duration
}

func courses(n, trunks, groups int) []course {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]course, n)
	for i := range out {
		out[i] = course{
			outdial.TrunkID(1 + r.IntN(trunks)), outdial.GroupID(1 + r.IntN(groups)), outdial.PoolID(1 + r.IntN(4)),
			outdial.ProgramID(1 + r.IntN(3)), min(time.Duration(r.ExpFloat64()*2e9), 9*time.Second),
			time.Duration(r.ExpFloat64() * 90e9),
		}
	}
	return out
}

// leg is the life of an attempt: Started, Progressed, Answered, Ended. It is used again for the next attempt, as a
// Session does.
type leg struct {
	call    outdial.CallID
	event   outdial.Event
	attempt outdial.Attempt
}

// run is the whole life of another call; ids are as an engine issues them.
func (l *leg) run(c *course, observe func(*outdial.Event)) {
	const (
		nodeBits = 12
		answer   = 10 * time.Second // after the start
	)
	l.call++
	id, a := l.call<<nodeBits, &l.attempt
	a.ID, a.Call.ID = outdial.AttemptID{Call: id, Leg: 1}, id
	a.Start = monday.Add(time.Duration(l.call) * time.Second / pace)
	a.Candidate.Trunk, a.Call.Dest.Group, a.Pool, a.Call.Program = c.trunk, c.group, c.pool, c.program
	a.State, a.Timeline, a.Result.Origin = outdial.AttemptOpen, outdial.Timeline{}, outdial.OriginUnknown
	at := func(kind outdial.EventKind, after time.Duration) {
		l.event.Kind, l.event.Time, l.event.Attempt = kind, a.Start.Add(after), a
		observe(&l.event)
	}
	at(outdial.EventStarted, 0)
	a.Timeline[outdial.MarkProvisional], a.Timeline[outdial.MarkRinging] = c.pdd, c.pdd
	l.event.Marks = outdial.ProgressOf(180, false)
	at(outdial.EventProgressed, c.pdd)
	a.State, a.Timeline[outdial.MarkAnswer], l.event.Marks = outdial.AttemptAnswered, answer, 0
	at(outdial.EventAnswered, answer)
	a.State, a.Timeline[outdial.MarkEnd], a.Result.Origin = outdial.AttemptEnded, answer+c.talk, outdial.OriginCalleeHangup
	at(outdial.EventEnded, answer+c.talk)
}

// The four keys of an attempt.
var keys = []struct {
	view   kpi.View
	labels []string
}{
	{kpi.ByTrunk | kpi.ByGroup | kpi.ByPool | kpi.ByProgram, []string{"trunk", "group", "pool", "program"}},
	{kpi.ByTrunk | kpi.ByGroup, []string{"trunk", "group"}},
	{kpi.ByTrunk, []string{"trunk"}},
	{kpi.ByProgram, []string{"program"}},
}

func newMeter(t testing.TB) *kpi.Meter {
	var cfg kpi.Config
	for _, k := range keys {
		cfg.Views = append(cfg.Views, k.view)
	}
	m, err := kpi.New(cfg)
	require.NoError(t, err)
	return m
}

// vectors are the metrics of one key from which ASR, NER, PDD and ACD can be had.
type vectors struct {
	attempts, answers, effective *prometheus.CounterVec
	pdd, talk                    *prometheus.HistogramVec
}

func newVectors(labels []string) vectors {
	counter := func(name string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name}, labels)
	}
	histogram := func(name string, buckets ...float64) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Buckets: buckets}, labels)
	}
	return vectors{
		counter("attempts"), counter("answers"), counter("effective"),
		histogram("pdd", .5, 1, 2, 3, 4, 5, 6, 8, 10, 15), histogram("talk", 3, 6, 10, 15, 30, 60, 120, 300, 600, 1800),
	}
}

// exporter counts attempts in vectors, which it looks up by their labels for each event, as instrumented code does.
type exporter struct {
	by    []vectors
	names []string // of ids, trunks, groups, pools and programs alike
}

func newExporter() *exporter {
	e := &exporter{}
	for _, k := range keys {
		e.by = append(e.by, newVectors(k.labels))
	}
	for i := range 512 {
		e.names = append(e.names, fmt.Sprintf("name-%d", i))
	}
	return e
}

// labels returns the values of the labels of all four keys: those of the others are parts of the first.
func (e *exporter) labels(a *outdial.Attempt) (values [4]string) {
	return [4]string{
		e.names[a.Candidate.Trunk], e.names[a.Call.Dest.Group], e.names[a.Pool], e.names[a.Call.Program],
	}
}

func of(key int, values *[4]string) []string {
	switch key {
	case 0:
		return values[:]
	case 1:
		return values[:2]
	case 2:
		return values[:1]
	default:
		return values[3:]
	}
}

func (e *exporter) observe(ev *outdial.Event) {
	values := e.labels(ev.Attempt)
	for k := range e.by {
		v, labels := &e.by[k], of(k, &values)
		switch ev.Kind {
		case outdial.EventStarted:
			v.attempts.WithLabelValues(labels...).Inc()
		case outdial.EventProgressed:
			pdd, _ := ev.Attempt.Timeline.PDD()
			v.pdd.WithLabelValues(labels...).Observe(pdd.Seconds())
		case outdial.EventAnswered:
			v.answers.WithLabelValues(labels...).Inc()
		case outdial.EventEnded:
			v.effective.WithLabelValues(labels...).Inc()
			talk, _ := ev.Attempt.Timeline.Duration()
			v.talk.WithLabelValues(labels...).Observe(talk.Seconds())
		}
	}
}

func TestMetersAgree(t *testing.T) {
	m, e := newMeter(t), newExporter()
	l, list := new(leg), courses(1024, 10, 10)
	trunk3 := 0
	for i := range list {
		l.run(&list[i], func(ev *outdial.Event) {
			m.Observe(ev)
			e.observe(ev)
		})
		if list[i].trunk == 3 {
			trunk3++
		}
	}
	require.NotZero(t, trunk3)
	now := l.event.Time
	cell, ok := m.Cell(now, kpi.ByTrunk.Key(&outdial.Attempt{Candidate: outdial.Candidate{Trunk: 3}}))
	require.True(t, ok)
	require.EqualValues(t, trunk3, cell.Started)
	require.InDelta(t, trunk3, testutil.ToFloat64(e.by[2].attempts.WithLabelValues("name-3")), 0)
	require.EqualValues(t, trunk3, cell.Answers)
	require.InDelta(t, trunk3, testutil.ToFloat64(e.by[2].answers.WithLabelValues("name-3")), 0)
	require.InDelta(t, trunk3, testutil.ToFloat64(e.by[2].effective.WithLabelValues("name-3")), 0)
}

// BenchmarkMeter counts a whole attempt under four keys. In the wide case there are about 8,000 of them.
func BenchmarkMeter(b *testing.B) {
	const n = 4096
	for _, x := range []struct {
		name           string
		trunks, groups int
	}{{"narrow", 10, 10}, {"wide", 300, 40}} {
		b.Run(x.name, func(b *testing.B) {
			// observe makes a side that has counted for so long already.
			observe := func(name string, before time.Duration, count func(*outdial.Event)) side {
				l, list := new(leg), courses(n, x.trunks, x.groups)
				op := func() { l.run(&list[l.call&(n-1)], count) }
				for range before * pace / time.Second {
					op()
				}
				return serial(name, op)
			}
			m, e := newMeter(b), newExporter()
			beside(b,
				observe(ours, 2*time.Hour, m.Observe), // twice the window
				observe("prometheus", n*time.Second/pace, e.observe),
			)
		})
	}
}
