package outdial_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
)

// scriptDialer plays one script per trunk: reports after delays, in a goroutine per leg.
type scriptDialer struct {
	scripts map[outdial.TrunkID][]scriptStep
	refuse  map[outdial.TrunkID]error
	rings   map[outdial.TrunkID]time.Duration                                         // how long after it was hung up a leg rings once
	revived map[outdial.TrunkID]func(id outdial.AttemptID, sink func(outdial.Report)) // what legs do then; nil = they cannot
	mu      sync.Mutex
	hungUp  map[outdial.TrunkID]int
}

type scriptStep struct {
	after  time.Duration
	report outdial.Report // Attempt and Time are filled in
}

type scriptLeg struct {
	d     *scriptDialer
	trunk outdial.TrunkID
	once  sync.Once
	stop  chan struct{}
}

func (l *scriptLeg) Hangup() {
	l.once.Do(func() {
		l.d.mu.Lock()
		l.d.hungUp[l.trunk]++
		l.d.mu.Unlock()
		close(l.stop)
	})
}

// revivable is a leg that goes on with another script when it is taken up again.
type revivable struct {
	*scriptLeg
	revive func()
}

func (l *revivable) Revive() { l.revive() }

func (d *scriptDialer) Dial(_ context.Context, a *outdial.Attempt, sink func(outdial.Report)) (outdial.Leg, error) {
	trunk := a.Candidate.Trunk
	if err := d.refuse[trunk]; err != nil {
		return nil, err
	}
	leg := &scriptLeg{d: d, trunk: trunk, stop: make(chan struct{})}
	id := a.ID
	go func() {
		for _, step := range d.scripts[trunk] {
			select {
			case <-time.After(step.after):
				step.report.Attempt, step.report.Time = id, time.Now()
				sink(step.report)
				if step.report.Kind == outdial.ReportEnd {
					return
				}
			case <-leg.stop:
				time.Sleep(50 * time.Millisecond)
				sink(outdial.Report{Attempt: id, Kind: outdial.ReportEnd, Time: time.Now(), Result: outdial.Result{Origin: outdial.OriginCallerHangup}})
				return
			}
		}
		<-leg.stop
		if after := d.rings[trunk]; after > 0 {
			time.Sleep(after)
			sink(outdial.Report{Attempt: id, Kind: outdial.ReportProgress, Time: time.Now(), Marks: outdial.ProgressOf(180, false)})
		}
		sink(outdial.Report{Attempt: id, Kind: outdial.ReportEnd, Time: time.Now(), Result: outdial.Result{Origin: outdial.OriginHost}})
	}()
	if later := d.revived[trunk]; later != nil {
		return &revivable{leg, func() { go later(id, sink) }}, nil
	}
	return leg, nil
}

func placeWorld(change func(*outdial.Config)) (*world, *scriptDialer) {
	w := newWorld(func(c *outdial.Config) {
		c.Now = time.Now
		if change != nil {
			change(c)
		}
	})
	return w, &scriptDialer{
		scripts: map[outdial.TrunkID][]scriptStep{}, refuse: map[outdial.TrunkID]error{}, hungUp: map[outdial.TrunkID]int{},
		rings: map[outdial.TrunkID]time.Duration{}, revived: map[outdial.TrunkID]func(outdial.AttemptID, func(outdial.Report)){},
	}
}

func ends(after time.Duration, code uint16) scriptStep {
	return scriptStep{after, outdial.Report{Kind: outdial.ReportEnd, Result: carrier(code)}}
}

func answers(after time.Duration) scriptStep {
	return scriptStep{after, outdial.Report{Kind: outdial.ReportAnswer}}
}

func TestPlaceFailsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := placeWorld(nil)
		d.scripts[w.trunk("a")] = []scriptStep{ends(100*time.Millisecond, 503)}
		d.scripts[w.trunk("b")] = []scriptStep{answers(2 * time.Second)}
		begun := time.Now()
		p, err := w.engine.Place(t.Context(), aCall, d)
		require.NoError(t, err)
		require.Equal(t, 2100*time.Millisecond, time.Since(begun))
		a, ok := p.Answered()
		require.True(t, ok)
		require.Equal(t, w.trunk("b"), a.Candidate.Trunk)
		select {
		case <-p.Done():
			t.Fatal("the call is over before it was hung up")
		default:
		}
		p.Hangup()
		require.NoError(t, p.Wait(t.Context()))
		require.Len(t, p.Attempts(), 2)
		require.Equal(t, outdial.StopAnswered, p.Stopped())
		require.True(t, w.clean())
	})
}

func TestPlaceEndsALateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := placeWorld(nil)
		d.scripts[w.trunk("a")] = []scriptStep{
			{time.Second, outdial.Report{Kind: outdial.ReportAbandon, Result: outdial.Result{Origin: outdial.OriginNoTrying}}},
			answers(5 * time.Second),
		}
		d.scripts[w.trunk("b")] = []scriptStep{answers(time.Second)}
		p, err := w.engine.Place(t.Context(), aCall, d)
		require.NoError(t, err)
		a, ok := p.Answered()
		require.True(t, ok)
		require.Equal(t, w.trunk("b"), a.Candidate.Trunk)
		time.Sleep(10 * time.Second)
		require.Equal(t, map[outdial.TrunkID]int{w.trunk("a"): 1}, d.hungUp)
		p.Hangup()
		require.NoError(t, p.Wait(t.Context()))
		require.True(t, w.clean())
	})
}

// TestPlaceRevives: a leg that was given up at T100 is waited for when the rest turns out to be full, where its Dialer can;
// where it cannot, the call has failed.
func TestPlaceRevives(t *testing.T) {
	silent := scriptStep{time.Second, outdial.Report{Kind: outdial.ReportAbandon, Result: outdial.Result{Origin: outdial.OriginNoTrying}}}
	for name, can := range map[string]bool{"can": true, "cannot": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, d := placeWorld(nil)
				w.trunks.full[w.trunk("b")] = time.Time{}
				d.scripts[w.trunk("a")] = []scriptStep{silent}
				if can {
					d.revived[w.trunk("a")] = func(id outdial.AttemptID, sink func(outdial.Report)) {
						time.Sleep(500 * time.Millisecond)
						sink(outdial.Report{Attempt: id, Kind: outdial.ReportAnswer, Time: time.Now()})
					}
				}
				p, err := w.engine.Place(t.Context(), aCall, d)
				require.NoError(t, err)
				a, ok := p.Answered()
				require.Equal(t, can, ok)
				if can {
					require.False(t, a.Late)
					require.Empty(t, d.hungUp)
					p.Hangup()
				}
				require.NoError(t, p.Wait(t.Context()))
				require.Equal(t, map[outdial.TrunkID]int{w.trunk("a"): 1}, d.hungUp)
				require.True(t, w.clean())
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // where hunting goes on after all, it is hung up when that is over
		w, d := placeWorld(nil)
		d.scripts[w.trunk("a")] = []scriptStep{silent}
		d.revived[w.trunk("a")] = func(outdial.AttemptID, func(outdial.Report)) { t.Error("it was taken up") }
		d.scripts[w.trunk("b")] = []scriptStep{answers(time.Second)}
		p, err := w.engine.Place(t.Context(), aCall, d)
		require.NoError(t, err)
		require.Equal(t, map[outdial.TrunkID]int{w.trunk("a"): 1}, d.hungUp)
		p.Hangup()
		require.NoError(t, p.Wait(t.Context()))
		require.True(t, w.clean())
	})
}

func TestPlaceNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := placeWorld(nil)
		d.scripts[w.trunk("a")] = []scriptStep{ends(time.Second, 486)}
		p, err := w.engine.Place(t.Context(), aCall, d)
		require.NoError(t, err)
		_, ok := p.Answered()
		require.False(t, ok)
		require.Equal(t, outdial.StopVerdict, p.Stopped())
		require.NoError(t, p.Wait(t.Context()))
	})
}

func TestPlaceNothingCanBeSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := placeWorld(nil)
		d.refuse[w.trunk("a")] = errors.New("no such host")
		d.refuse[w.trunk("b")] = errors.New("no such host")
		p, err := w.engine.Place(t.Context(), aCall, d)
		require.NoError(t, err)
		require.Equal(t, outdial.StopExhausted, p.Stopped())
		require.NoError(t, p.Wait(t.Context()))
		require.Equal(t, outdial.OriginNeverSent, p.Attempts()[1].Result.Origin)
		require.True(t, w.clean())
	})
}

func TestPlaceCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := placeWorld(nil)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		p, err := w.engine.Place(ctx, aCall, d)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, p.Wait(t.Context()))
		require.Equal(t, outdial.StopCancelled, p.Stopped())
		require.Equal(t, outdial.OriginCaller, p.Attempts()[0].Abandoned.Origin)
		require.True(t, w.clean())
	})
}

func TestPlaceWaitsAndSpaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := placeWorld(func(c *outdial.Config) { c.MaxWait = time.Minute })
		w.router.plan = w.router.plan[:1]
		w.trunks.full[w.trunk("a")] = time.Now().Add(7 * time.Second)
		w.trunks.spacing = time.Second
		d.scripts[w.trunk("a")] = []scriptStep{answers(time.Second)}
		begun := time.Now()
		p, err := w.engine.Place(t.Context(), aCall, d)
		require.NoError(t, err)
		require.Equal(t, 9*time.Second, time.Since(begun))
		p.Hangup()
		require.NoError(t, p.Wait(t.Context()))
	})
}

// TestPlaceHoldsBackNoMore: while an attempt is spaced, the silent leg rings after all: the attempt does not leave.
func TestPlaceHoldsBackNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := placeWorld(nil)
		w.trunks.spacing = 2 * time.Second
		d.scripts[w.trunk("a")] = []scriptStep{
			{time.Second, outdial.Report{Kind: outdial.ReportAbandon, Result: outdial.Result{Origin: outdial.OriginNoTrying}}},
		}
		d.rings[w.trunk("a")] = time.Second
		d.scripts[w.trunk("b")] = []scriptStep{answers(time.Second)}
		p, err := w.engine.Place(t.Context(), aCall, d)
		require.NoError(t, err)
		require.Equal(t, outdial.StopProgress, p.Stopped())
		require.NoError(t, p.Wait(t.Context()))
		require.Equal(t, outdial.OriginNeverSent, p.Attempts()[1].Result.Origin)
		require.True(t, w.clean())
	})
}

func TestPlaceRefused(t *testing.T) {
	w, d := placeWorld(nil)
	w.router.plan = nil
	p, err := w.engine.Place(t.Context(), aCall, d)
	require.ErrorIs(t, err, outdial.ErrNoCandidates)
	require.Nil(t, p)
}

func TestPlaceWhenTheJournalFailsMidway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := placeWorld(nil)
		d.scripts[w.trunk("a")] = []scriptStep{
			{time.Second, outdial.Report{Kind: outdial.ReportAbandon, Result: outdial.Result{Origin: outdial.OriginNoTrying}}},
		}
		go func() {
			time.Sleep(500 * time.Millisecond)
			w.journal.mu.Lock()
			w.journal.broken = true
			w.journal.mu.Unlock()
		}()
		p, err := w.engine.Place(t.Context(), aCall, d)
		require.ErrorIs(t, err, outdial.ErrJournal)
		require.ErrorIs(t, p.Wait(t.Context()), outdial.ErrJournal, "the silent leg is hung up and its end awaited")
		require.True(t, w.clean())
	})
}

type ticker struct {
	watcher
	period time.Duration
	at     []time.Time
}

func (k *ticker) Advance(now time.Time) time.Time {
	k.at = append(k.at, now)
	return now.Add(k.period)
}

func TestRunAdvances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &ticker{period: 250 * time.Millisecond}
		w := newWorld(func(c *outdial.Config) { c.Now, c.Observers = time.Now, []outdial.Observer{k} })
		ctx, cancel := context.WithTimeout(t.Context(), 990*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, w.engine.Run(ctx), context.DeadlineExceeded)
		require.Len(t, k.at, 4)
		k.period, k.at = time.Hour, nil
		next := w.engine.Advance(start)
		require.Equal(t, start.Add(time.Second), next, "no stage is left alone for longer than a second")
	})
}

// TestPlaceWhenItIsTooLate: a call whose ctx is done places nothing, and the error says so, whatever the Dialer makes of ctx.
func TestPlaceWhenItIsTooLate(t *testing.T) {
	t.Run("before the first attempt", func(t *testing.T) {
		w, d := placeWorld(nil)
		d.scripts[w.trunk("a")] = []scriptStep{answers(0)}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p, err := w.engine.Place(ctx, aCall, d)
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, p.Wait(t.Context()))
		require.Empty(t, p.Attempts())
	})
	t.Run("while it dials", func(t *testing.T) {
		w, d := placeWorld(nil)
		ctx, cancel := context.WithCancel(t.Context())
		d.refuse[w.trunk("a")] = context.Canceled
		p, err := w.engine.Place(ctx, aCall, cancelling{d, cancel})
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, p.Wait(t.Context()))
		require.Len(t, p.Attempts(), 1)
		require.Equal(t, outdial.OriginNeverSent, p.Attempts()[0].Result.Origin)
		require.True(t, w.clean())
	})
}

// cancelling ends its caller's ctx before it dials.
type cancelling struct {
	outdial.Dialer
	cancel context.CancelFunc
}

func (d cancelling) Dial(ctx context.Context, a *outdial.Attempt, sink func(outdial.Report)) (outdial.Leg, error) {
	d.cancel()
	return d.Dialer.Dial(ctx, a, sink)
}

// TestPlaceStopsWaiting: a leg that was given up and rings ends the wait for room at once.
func TestPlaceStopsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := placeWorld(func(c *outdial.Config) { c.MaxWait = time.Minute })
		w.trunks.full[w.trunk("b")] = time.Now().Add(30 * time.Second)
		d.scripts[w.trunk("a")] = []scriptStep{{time.Second, outdial.Report{
			Kind: outdial.ReportAbandon, Result: outdial.Result{Origin: outdial.OriginNoTrying},
		}}}
		d.rings[w.trunk("a")] = 500 * time.Millisecond
		begun := time.Now()
		p, err := w.engine.Place(t.Context(), aCall, d)
		require.NoError(t, err)
		require.Equal(t, outdial.StopProgress, p.Stopped())
		require.Equal(t, 1500*time.Millisecond, time.Since(begun))
		require.NoError(t, p.Wait(t.Context()))
		require.True(t, w.clean())
	})
}
