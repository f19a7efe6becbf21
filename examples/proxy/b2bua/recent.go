package b2bua

import (
	"cmp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/outdial/outdial"
)

// What is kept of calls that are over.
const (
	maxEnded  = 200
	maxHunts  = 64
	huntsKept = 10 * time.Minute // what happened no more for so long is forgotten
)

// Hunt is how often calls went on from one trunk to another one for one reason, of late.
type Hunt struct {
	From, To string // trunks; To "" = nobody was left
	Why      string // the status code, or the origin where there was none
	Calls    uint64
	Latest   time.Time
}

// ended keeps the latest calls that are over, with why they went where they went, and where calls hunted on. The zero value is ready to
// use.
type ended struct {
	mu    sync.Mutex
	calls []LiveCall // a ring
	next  int
	hunts map[Hunt]*Hunt // by from, to and why
}

// keep takes a call that is over.
func (e *ended) keep(l LiveCall, hunts []Hunt) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.calls) < maxEnded {
		e.calls = append(e.calls, l)
	} else {
		e.calls[e.next] = l
	}
	e.next = (e.next + 1) % maxEnded
	for _, h := range hunts {
		if f := e.hunts[h]; f != nil {
			f.Calls++
			f.Latest = l.Ended
			continue
		}
		if e.hunts == nil {
			e.hunts = map[Hunt]*Hunt{}
		}
		if len(e.hunts) >= maxHunts {
			e.forget()
		}
		f := h
		f.Calls, f.Latest = 1, l.Ended
		e.hunts[h] = &f
	}
}

// forget drops what is longest ago.
func (e *ended) forget() {
	var oldest Hunt
	at := time.Time{}
	for h, f := range e.hunts {
		if at.IsZero() || f.Latest.Before(at) {
			oldest, at = h, f.Latest
		}
	}
	delete(e.hunts, oldest)
}

// EndedCalls returns up to limit of the latest 200 calls that are over, the latest first. They are kept where an admin API is configured.
func (p *Proxy) EndedCalls(limit int) []LiveCall {
	e := &p.ended
	e.mu.Lock()
	defer e.mu.Unlock()
	n := len(e.calls)
	list := make([]LiveCall, 0, min(limit, n))
	for i := 1; i <= min(limit, n); i++ {
		list = append(list, e.calls[(e.next-i+maxEnded)%maxEnded])
	}
	return list
}

// endedCall returns one of them.
func (p *Proxy) endedCall(id outdial.CallID) (LiveCall, bool) {
	e := &p.ended
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.calls {
		if e.calls[i].ID == id {
			return e.calls[i], true
		}
	}
	return LiveCall{}, false
}

// Hunts returns up to limit ways on which calls hunted on within the last ten minutes, the latest first.
func (p *Proxy) Hunts(now time.Time, limit int) []Hunt {
	e := &p.ended
	e.mu.Lock()
	defer e.mu.Unlock()
	var list []Hunt
	for _, f := range e.hunts {
		if now.Sub(f.Latest) < huntsKept {
			list = append(list, *f)
		}
	}
	slices.SortFunc(list, func(a, b Hunt) int {
		return cmp.Or(b.Latest.Compare(a.Latest), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Why, b.Why))
	})
	return list[:min(limit, len(list))]
}

// remember keeps the call, if anybody may ask for it.
func (c *call) remember(now time.Time) {
	if c.session == nil || c.p.cfg.Admin.Listen == "" {
		return
	}
	l := c.describe(true)
	l.State, l.Ended, l.Code = "ended", now, c.outcome.code
	c.p.ended.keep(l, c.hunted())
}

// hunted are the steps from trunk to trunk that the call took.
func (c *call) hunted() (list []Hunt) {
	attempts, names := c.session.Attempts(), &c.p.ids.Trunks
	for i := range attempts {
		a := &attempts[i]
		why := a.Result
		if a.WasAbandoned() {
			why = a.Abandoned
		}
		step := Hunt{From: names.Name(a.Candidate.Trunk), Why: why.Origin.String()}
		if why.Code != 0 {
			step.Why = strconv.Itoa(int(why.Code))
		}
		switch {
		case i+1 < len(attempts):
			step.To = names.Name(attempts[i+1].Candidate.Trunk)
		case c.session.Stopped() != outdial.StopExhausted: // it is not for want of a trunk that it ended
			continue
		}
		list = append(list, step)
	}
	return list
}
