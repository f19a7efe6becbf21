package trunk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

func queued(l trunk.Limits) trunk.Limits {
	if l.Queue.Length == 0 {
		l.Queue.Length = 100
	}
	return l
}

func TestQueueKeepsPlaces(t *testing.T) {
	f := newFixture(t, queued(trunk.Limits{Channels: 1}))
	up, _, err := f.set.Acquire(start, &outdial.Call{ID: 1}, f.c)
	require.NoError(t, err)
	var waiting []*outdial.Call
	for i := range 4 {
		c := &outdial.Call{ID: outdial.CallID(10 + i)}
		_, again, err := f.set.Acquire(start, c, f.c)
		require.ErrorIs(t, err, trunk.ErrChannels)
		require.Equal(t, at(100*time.Millisecond), again)
		waiting = append(waiting, c)
	}
	urgent := &outdial.Call{ID: 20, Priority: outdial.PriorityUrgent}
	require.ErrorIs(t, f.ask(start, urgent), trunk.ErrChannels)
	require.Equal(t, trunk.Waiting{Now: 5, Longest: 5, Entered: 5}, f.status(start).Waiting)
	require.Zero(t, f.status(start).Blocked.Channels, "who waits is not refused")

	f.set.Release(at(50*time.Millisecond), up)
	now := at(100 * time.Millisecond)
	require.Error(t, f.ask(now, waiting[0]), "the urgent call comes first")
	require.Error(t, f.ask(now, &outdial.Call{ID: 30}), "a newcomer does not pass")
	l, _, err := f.set.Acquire(now, urgent, f.c)
	require.NoError(t, err)
	_, err = f.set.Seize(now, urgent, f.c, l)
	require.NoError(t, err)
	f.set.Release(now, l)
	f.set.Leave(now, waiting[0], f.c)
	require.Error(t, f.ask(now, waiting[2]))
	require.NoError(t, f.ask(now, waiting[1]), "first come, first served, but for those that left")
	w := f.status(now).Waiting
	require.Equal(t, uint64(1), w.Served)
	require.Equal(t, uint64(1), w.Left)
}

func TestQueueEnds(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 1, Queue: trunk.Queue{Length: 2, Wait: 300 * time.Millisecond}})
	f.acquire(start)
	ask := func(d time.Duration, c *outdial.Call) time.Time {
		_, again, err := f.set.Acquire(at(d), c, f.c)
		require.Error(t, err)
		return again
	}
	bulk, short := &outdial.Call{ID: 1}, &outdial.Call{ID: 2, Deadline: at(150 * time.Millisecond)}
	ask(0, bulk)
	require.Equal(t, at(100*time.Millisecond), ask(0, short))
	require.Equal(t, at(150*time.Millisecond), ask(100*time.Millisecond, short), "its last chance")
	require.Zero(t, ask(150*time.Millisecond, short))
	require.Equal(t, uint64(1), f.status(at(0)).Waiting.TimedOut)
	require.Equal(t, uint64(1), f.status(at(0)).Blocked.Channels, "and then it is refused for what it waited for")

	ask(160*time.Millisecond, &outdial.Call{ID: 3})
	require.Zero(t, ask(160*time.Millisecond, &outdial.Call{ID: 4}), "full")
	require.NotZero(t, ask(160*time.Millisecond, &outdial.Call{ID: 5, Priority: outdial.PriorityNormal}), "sheds a bulk call")
	w := f.status(at(160 * time.Millisecond)).Waiting
	require.Equal(t, uint64(1), w.Shed)
	require.Equal(t, uint64(1), w.Full)
	require.Equal(t, 2, w.Now)

	f.set.Advance(at(3 * time.Second))
	w = f.status(at(3 * time.Second)).Waiting
	require.Zero(t, w.Now, "who does not ask again has left")
	require.Equal(t, uint64(2), w.Left)
}

// TestQueueTurns: calls that wait for the calls per second are told the moment of their turn, and get it.
func TestQueueTurns(t *testing.T) {
	f := newFixture(t, queued(trunk.Limits{Channels: 50, CPS: 2, Queue: trunk.Queue{Length: 20, Wait: 5 * time.Second}}))
	type turn struct {
		call *outdial.Call
		at   time.Time
	}
	var turns []turn
	for i := range 7 {
		c := &outdial.Call{ID: outdial.CallID(i + 1)}
		now := at(time.Duration(i) * 10 * time.Millisecond)
		l, _, err := f.set.Acquire(now, c, f.c)
		require.NoError(t, err)
		again, err := f.set.Seize(now, c, f.c, l)
		if err != nil {
			require.ErrorIs(t, err, trunk.ErrCPS)
			f.set.Undo(now, l)
			turns = append(turns, turn{c, again})
		}
	}
	require.Len(t, turns, 5)
	for i, x := range turns {
		want := at(time.Duration(i/2+1)*time.Second + time.Duration(i%2)*10*time.Millisecond)
		require.Equal(t, want, x.at, "%d", i)
	}
	for _, x := range turns {
		newcomer := &outdial.Call{ID: 100 + x.call.ID}
		l, _, err := f.set.Acquire(x.at, newcomer, f.c)
		if err == nil {
			_, err = f.set.Seize(x.at, newcomer, f.c, l)
			f.set.Undo(x.at, l)
		}
		if x.call.ID < 7 {
			require.Error(t, err, "a newcomer does not take somebody's turn")
		}
		f.set.Leave(x.at, newcomer, f.c)
		l, _, err = f.set.Acquire(x.at, x.call, f.c)
		require.NoError(t, err)
		_, err = f.set.Seize(x.at, x.call, f.c, l)
		require.NoError(t, err, "%d", x.call.ID)
	}
	require.Equal(t, uint64(5), f.status(at(0)).Waiting.Served)
}

// TestQueueOrder: whatever comes and goes, calls of one priority are served in the order in which they came, a higher one
// before a lower one that came before it; and nobody waits while there is room for all.
func TestQueueOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := newFixture(t, queued(trunk.Limits{Channels: 3, CPS: -1, Reserve: -1, Queue: trunk.Queue{Length: 50, Wait: time.Hour}}))
		now, next := start, outdial.CallID(1)
		var held []outdial.Lease
		var waiting []*outdial.Call // in the order in which they came
		serve := func() {
			for again := true; again; {
				again = false
				for i, c := range waiting {
					l, _, err := f.set.Acquire(now, c, f.c)
					if err != nil {
						continue
					}
					for _, before := range waiting[:i] {
						require.Less(t, before.Priority, c.Priority, "passed")
					}
					for _, other := range waiting {
						require.LessOrEqual(t, other.Priority, c.Priority, "a higher one waits")
					}
					_, err = f.set.Seize(now, c, f.c, l)
					require.NoError(t, err)
					held, waiting = append(held, l), append(waiting[:i:i], waiting[i+1:]...)
					again = true
					break
				}
			}
			require.True(t, len(waiting) == 0 || len(held) == 3, "%d wait, %d are up", len(waiting), len(held))
			require.Equal(t, len(waiting), f.status(now).Waiting.Now)
		}
		for range 40 {
			now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "ms")) * time.Millisecond)
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0, 1, 2:
				c := &outdial.Call{ID: next, Priority: outdial.Priority(rapid.IntRange(0, 2).Draw(t, "priority"))}
				next++
				l, again, err := f.set.Acquire(now, c, f.c)
				if err != nil {
					require.False(t, again.IsZero())
					waiting = append(waiting, c)
					break
				}
				for _, w := range waiting {
					require.Less(t, w.Priority, c.Priority, "passed those who wait")
				}
				held = append(held, l)
			case 3:
				if len(held) > 0 {
					f.set.Release(now, held[0])
					held = held[1:]
				}
			case 4:
				if len(waiting) > 0 {
					i := rapid.IntRange(0, len(waiting)-1).Draw(t, "leaves")
					f.set.Leave(now, waiting[i], f.c)
					waiting = append(waiting[:i:i], waiting[i+1:]...)
				}
			}
			serve()
		}
	})
}

// TestSessionWaitsInTheQueue: a Session that is told to wait asks again, and nobody passes it.
func TestSessionWaitsInTheQueue(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 1, CPS: -1, Queue: trunk.Queue{Length: 10, Wait: time.Second}})
	e, err := outdial.New(outdial.Config{IDs: f.ids, Router: outdial.Plan{*f.c}, Trunks: f.set, MaxWait: 2 * time.Second})
	require.NoError(t, err)
	begin := func(now time.Time) (*outdial.Session, outdial.Step) {
		s := e.NewSession()
		require.NoError(t, s.Begin(now, outdial.Call{To: callee}))
		step, err := s.Next(now)
		require.NoError(t, err)
		return s, step
	}
	first, step := begin(start)
	require.Equal(t, outdial.StepDial, step.Kind)
	up := step.Attempt.ID
	second, step2 := begin(at(1))
	require.Equal(t, outdial.StepWait, step2.Kind)
	gone, step3 := begin(at(2))
	require.Equal(t, outdial.StepWait, step3.Kind)
	require.NoError(t, gone.Cancel(at(3)))
	require.Equal(t, 1, f.status(at(3)).Waiting.Now, "a cancelled call leaves at once")

	require.NoError(t, first.End(at(50*time.Millisecond), up, outdial.Result{Origin: outdial.OriginCarrier, Code: 486}))
	_, late := begin(at(60 * time.Millisecond))
	require.Equal(t, outdial.StepWait, late.Kind, "the free channel is the second one's")
	step2, err = second.Next(step2.Until)
	require.NoError(t, err)
	require.Equal(t, outdial.StepDial, step2.Kind)
}
