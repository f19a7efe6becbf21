package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/outdial/outdial/internal/siptest"
)

// How the simulated dialer works, in model time.
const (
	ringLimit    = 22 * time.Second // it gives a call up that rang for so long
	wrapUp       = 10 * time.Second // after-call work of an agent
	hearMachine  = 4 * time.Second  // it takes so long to tell voicemail from a human
	deadAir      = 2 * time.Second  // a human without an agent is kept so long
	overdial     = 6                // calls that may ring for each idle agent
	dialerNumber = "+18005550100"   // what it puts in From; the proxy chooses the caller ID
)

// dialer is the predictive dialer in front of the proxy: it starts calls at random moments at the pace of --cps, more than
// it has agents for, since most are not answered.
type dialer struct {
	opts   options
	list   []callee
	target string // the proxy
	caller *siptest.Caller
	seats  *seats

	mu     sync.Mutex
	lines  map[string]*line
	order  []*line
	starts []time.Time

	tasks sync.WaitGroup
}

func newDialer(o options, target string) (*dialer, error) {
	d := &dialer{
		opts: o, list: callees(o.Seed, o.Calls), target: target, seats: newSeats(o.Seats), lines: make(map[string]*line),
	}
	conn, err := listenWire(d.heard)
	if err != nil {
		return nil, fmt.Errorf("dialer: %w", err)
	}
	if d.caller, err = siptest.StartCaller(siptest.CallerConfig{Conn: conn, Seed: o.Seed}); err != nil {
		conn.Close()
		return nil, fmt.Errorf("dialer: %w", err)
	}
	return d, nil
}

// run places all calls and returns when each is over. When ctx is done, no further call is placed and those that are up
// are ended.
func (d *dialer) run(ctx context.Context) {
	arrivals := rand.New(rand.NewPCG(d.opts.Seed, 0x6172726976616c))
	timer := time.NewTimer(0)
	defer timer.Stop()
	next := time.Now()
	for i := range d.list {
		gap := time.Duration(arrivals.ExpFloat64() / d.opts.CPS * float64(time.Second))
		if next = next.Add(gap); time.Since(next) > time.Second {
			next = time.Now() // the agents were busy: what was not dialled then is not caught up with in a burst
		}
		timer.Reset(time.Until(next))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		for !d.room() && ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-d.seats.freed:
			}
		}
		if ctx.Err() != nil {
			break
		}
		d.place(ctx, i)
	}
	d.tasks.Wait()
}

// room reports whether another call may ring.
func (d *dialer) room() bool {
	idle, _, _ := d.seats.count()
	return d.waiting() < overdial*idle
}

// waiting counts the calls without a final response.
func (d *dialer) waiting() (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.lines {
		l.mu.Lock()
		if l.code == 0 {
			n++
		}
		l.mu.Unlock()
	}
	return n
}

func (d *dialer) place(ctx context.Context, i int) {
	ctx, cancel := context.WithCancelCause(ctx)
	l := &line{
		callee: d.list[i], callID: fmt.Sprintf("campaign-%d-%d", d.opts.Seed, i+1), cancel: cancel,
		final: make(chan struct{}), placed: time.Now(),
	}
	talk := time.Duration(0) // the callee hangs up
	switch c := l.callee; {
	case c.Outcome == voicemail:
		talk = d.opts.wall(hearMachine)
	case !c.HangsUp:
		talk = d.opts.wall(c.Talk)
	}
	d.mu.Lock()
	d.lines[l.callID] = l
	d.order = append(d.order, l)
	d.starts = append(d.starts, l.placed)
	d.mu.Unlock()
	d.tasks.Go(func() {
		defer cancel(nil)
		l.call(ctx, d.caller, d.target, talk)
		d.over(l)
	})
}

// heard takes a response from the wire.
func (d *dialer) heard(callID string, code int) {
	d.mu.Lock()
	l := d.lines[callID]
	d.mu.Unlock()
	if l == nil {
		return
	}
	answered := l.heard(time.Now(), code, func() *time.Timer {
		return time.AfterFunc(d.opts.wall(ringLimit), func() { l.giveUp(errRangLong) })
	})
	switch {
	case answered && l.callee.Outcome != voicemail:
		d.connect(l)
	case code >= 200:
		d.seats.poke()
	}
}

// connect gives an answered call to an agent.
func (d *dialer) connect(l *line) {
	agent := d.seats.take()
	l.mu.Lock()
	l.agent = agent
	l.mu.Unlock()
	if !agent {
		time.AfterFunc(d.opts.wall(deadAir), func() { l.giveUp(errNoAgent) })
	}
}

// over takes a call that is over off the board.
func (d *dialer) over(l *line) {
	f := l.fate()
	if f.Agent {
		d.seats.release(f.Ended.Sub(f.Answered), d.opts.wall(wrapUp))
	}
	d.mu.Lock()
	delete(d.lines, l.callID)
	d.mu.Unlock()
	d.seats.poke()
}

// progress returns how many calls were placed and how many are over, and how many were started in the last second.
func (d *dialer) progress(now time.Time) (placed, over, cps int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := len(d.starts) - 1; i >= 0 && now.Sub(d.starts[i]) < time.Second; i-- {
		cps++
	}
	return len(d.order), len(d.order) - len(d.lines), cps
}

// fates returns what became of every call, in the order in which they were placed.
func (d *dialer) fates() []fate {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := make([]fate, 0, len(d.order))
	for _, l := range d.order {
		list = append(list, l.fate())
	}
	return list
}

// close frees the socket and stops what is left of after-call work.
func (d *dialer) close() time.Duration {
	worked := d.seats.close()
	d.caller.Close()
	return worked
}
