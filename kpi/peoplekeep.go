package kpi

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/outdial/outdial"
)

const (
	calleesKind = "OUTDCAL1"
	numbersKind = "OUTDNUM1"
)

// keptCallees is the form of a snapshot of Callees. It holds telephone numbers in clear, as the journal does.
type keptCallees struct {
	Seq     uint64
	Period  time.Duration
	Started bool
	Now     keptPeriod
	Before  keptPeriod
	Answers []keptAnswer
}

type keptPeriod struct {
	Number int64
	Any    bool
	By     map[outdial.Number]keptCallee
	Rest   CalleeReport
}

type keptCallee struct {
	Attempts uint32
	CLIs     []outdial.Number
	Last     time.Time
}

var (
	_ outdial.Resumer = (*Callees)(nil)
	_ outdial.Resumer = (*Numbers)(nil)
	_ outdial.Resumer = (*Agents)(nil)
)

// Save writes all that is known, as of an event of the journal, as Meter.Save does. It holds telephone numbers in clear.
func (c *Callees) Save(seq uint64) ([]byte, error) {
	c.mu.Lock()
	k := keptCallees{Seq: seq, Period: c.cfg.Period, Started: c.started, Now: c.now.keep(), Before: c.before.keep()}
	c.mu.Unlock()
	for i := range c.answers.list {
		if a := c.answers.list[i].copy(); a.call != 0 {
			k.Answers = append(k.Answers, keptAnswer{Call: a.call, State: a.state})
		}
	}
	return sealed(calleesKind, &k)
}

func (p *calleePeriod) keep() keptPeriod {
	k := keptPeriod{Number: p.number, Any: p.by != nil, By: make(map[outdial.Number]keptCallee, len(p.by)), Rest: p.rest}
	for to, who := range p.by {
		k.By[to] = keptCallee{who.attempts, append([]outdial.Number(nil), who.clis...), who.last}
	}
	return k
}

// Restore makes a new Callees know what Save wrote, with the same Period. An error (ErrSnapshot) leaves it as it is.
func (c *Callees) Restore(b []byte) error {
	var k keptCallees
	if err := unsealed(calleesKind, b, &k); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.started:
		return errors.New("kpi: restore: callees have been counted already")
	case k.Period != c.cfg.Period || k.Started != k.Now.Any:
		return fmt.Errorf("%w: another period, or none", ErrSnapshot)
	}
	c.now, c.before, c.started = k.Now.back(), k.Before.back(), k.Started
	for _, a := range k.Answers {
		if len(c.answers.list) > 0 && a.Call != 0 {
			c.answers.place(a.Call).put(a.Call, nil, a.State)
		}
	}
	c.resumed.Store(k.Seq)
	return nil
}

func (k *keptPeriod) back() calleePeriod {
	if !k.Any {
		return calleePeriod{number: math.MinInt64}
	}
	p := calleePeriod{number: k.Number, rest: k.Rest}
	p.by = make(map[outdial.Number]*callee, len(k.By))
	for to, who := range k.By {
		if who.Attempts > 0 && len(who.CLIs) > 0 {
			p.by[to] = &callee{who.Attempts, who.CLIs, who.Last}
		}
	}
	return p
}

// Resumed implements outdial.Resumer.
func (c *Callees) Resumed() uint64 { return c.resumed.Load() }

// keptNumbers is the form of a snapshot of Numbers. Pools stand by their names where there is a registry.
type keptNumbers struct {
	Seq    uint64
	By     map[outdial.Number]keptPresented
	Labels map[outdial.Number][]keptLabel
	Untold uint64
}

type keptPresented struct {
	Pool outdial.PoolID
	Name string // of the pool
	At   time.Time
}

// Save writes all that is known, as of an event of the journal, as Meter.Save does. It holds telephone numbers in clear.
func (n *Numbers) Save(seq uint64) ([]byte, error) {
	n.mu.Lock()
	k := keptNumbers{Seq: seq, By: make(map[outdial.Number]keptPresented, len(n.by)), Untold: n.untold}
	for number, p := range n.by {
		kept := keptPresented{Pool: p.pool, At: p.at}
		if n.cfg.IDs != nil {
			kept.Name = n.cfg.IDs.Pools.Name(p.pool)
		}
		k.By[number] = kept
	}
	n.mu.Unlock()
	k.Labels = n.labels.keep()
	return sealed(numbersKind, &k)
}

// Restore makes a new Numbers know what Save wrote. An error (ErrSnapshot) leaves it as it is.
func (n *Numbers) Restore(b []byte) error {
	var k keptNumbers
	if err := unsealed(numbersKind, b, &k); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.by) > 0 {
		return errors.New("kpi: restore: numbers have been counted already")
	}
	for number, p := range k.By {
		if p.Name != "" && n.cfg.IDs != nil {
			p.Pool = n.cfg.IDs.Pools.ID(p.Name)
		}
		n.by[number] = presented{p.Pool, p.At}
	}
	n.untold = k.Untold
	n.labels.restore(k.Labels)
	n.resumed.Store(k.Seq)
	return nil
}

// Resumed implements outdial.Resumer.
func (n *Numbers) Resumed() uint64 { return n.resumed.Load() }

// Resumed implements outdial.Resumer: agents wait for calls of now, and nothing of the past is asked for.
func (a *Agents) Resumed() uint64 { return math.MaxUint64 }
