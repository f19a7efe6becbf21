package outdial_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
)

// tally counts events by kind, and can be restored.
type tally struct {
	mu   sync.Mutex
	n    map[outdial.EventKind]int
	from uint64
}

func (o *tally) Observe(ev *outdial.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.n == nil {
		o.n = map[outdial.EventKind]int{}
	}
	o.n[ev.Kind]++
}

func (o *tally) Resumed() uint64 { return o.from }

func (o *tally) copy() map[outdial.EventKind]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := map[outdial.EventKind]int{}
	for k, n := range o.n {
		out[k] = n
	}
	return out
}

// Snapshots that are taken while calls go on, and the tail of the journal, give what a replay of the whole gives; and what
// was open is ended once.
func TestCheckpointUnderTraffic(t *testing.T) {
	live := new(tally)
	w := newWorld(func(c *outdial.Config) {
		c.Observers = []outdial.Observer{live}
		c.Failover, c.CLIs, c.Trunks = nil, nil, nil
	})
	var wg sync.WaitGroup
	var left sync.Map // sessions that are never ended
	for g := range 4 {
		wg.Go(func() {
			for i := range 200 {
				s := w.engine.NewSession()
				if s.Begin(start, aCall) != nil {
					t.Error("begin")
					return
				}
				step, err := s.Next(start)
				if err != nil {
					t.Error(err)
					return
				}
				if i%50 == g {
					left.Store(step.Attempt.ID, true)
					continue
				}
				_ = s.End(start, step.Attempt.ID, carrier(486))
			}
		})
	}
	var mark outdial.Waterline
	var snapshot map[outdial.EventKind]int
	for range 50 {
		w.engine.Checkpoint(func(m outdial.Waterline) { mark, snapshot = m, live.copy() })
		total := 0
		for _, n := range snapshot {
			total += n
		}
		require.EqualValues(t, mark.Seq, total, "all that is in the journal was observed, and nothing else")
	}
	wg.Wait()

	restored := &tally{n: snapshot, from: mark.Seq}
	after := newWorld(func(c *outdial.Config) {
		c.Observers, c.Journal = []outdial.Observer{restored}, w.journal
		c.Failover, c.CLIs, c.Trunks = nil, nil, nil
	})
	r, err := after.engine.RecoverFrom(start.Add(-time.Hour), mark)
	require.NoError(t, err)
	require.EqualValues(t, 16, r.Unknown)
	require.LessOrEqual(t, uint64(r.Events), 1600-mark.Since)
	require.Equal(t, 800, restored.n[outdial.EventStarted])
	require.Equal(t, 800, restored.n[outdial.EventEnded])
	s := after.engine.NewSession()
	require.NoError(t, s.Begin(start, aCall))
	require.Greater(t, s.Call().ID, mark.LastCall, "ids go on, though the clock was set back")
}

// An observer without a snapshot is told everything, one with a snapshot the rest.
func TestRecoverTellsEachWhatItNeeds(t *testing.T) {
	w := newWorld(nil)
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(start, aCall))
	a := dial(t, s, start)
	var mark outdial.Waterline
	w.engine.Checkpoint(func(m outdial.Waterline) { mark = m })
	require.Equal(t, outdial.Waterline{Seq: 1, Since: 0, LastCall: a.ID.Call}, mark)
	require.NoError(t, s.End(start, a.ID, carrier(486)))
	w.engine.Checkpoint(func(m outdial.Waterline) { mark = m })
	require.Equal(t, outdial.Waterline{Seq: 2, Since: 2, LastCall: a.ID.Call}, mark, "nothing is open any more")
	require.NoError(t, s.Begin(start, aCall))
	dial(t, s, start)

	restored, fresh := &tally{from: mark.Seq}, new(tally)
	after := newWorld(func(c *outdial.Config) { c.Observers, c.Journal = []outdial.Observer{restored, fresh}, w.journal })
	r, err := after.engine.RecoverFrom(start, mark)
	require.NoError(t, err)
	require.Equal(t, outdial.Recovery{Events: 3, LastSeq: 3, Unknown: 1}, r)
	require.Equal(t, 1, restored.n[outdial.EventStarted])
	require.Equal(t, 2, fresh.n[outdial.EventStarted])

	// A journal that is shorter than the snapshots is not gone on from.
	w.journal.events = w.journal.events[:1]
	short := newWorld(func(c *outdial.Config) { c.Journal = w.journal })
	_, err = short.engine.RecoverFrom(start, mark)
	require.ErrorContains(t, err, "ends with 1")
}
