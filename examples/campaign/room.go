package main

import (
	"fmt"
	"time"

	"github.com/outdial/outdial"
)

// How exactly the moments of a refusal and of what took the room are known.
const (
	// raced is by how much two calls may be counted in another order than that of their times in the journal: each reads
	// the clock before it is counted, and the machine may be busy in between.
	raced = 250 * time.Millisecond
	// inFlight is how long the end of a call may be under way from the carrier to the proxy: two retransmissions
	// (RFC 3261, T1 = 500 ms: 0.5 s + 1 s), and some. What holds a channel for longer is a leak, and not room that is taken.
	inFlight = 2 * time.Second
)

// room says whether a trunk was full when outdial said so. It knows what was agreed with each carrier and when its calls
// began and ended, not what outdial was configured with or counts.
type room struct {
	trunks []string
	agreed map[string]profile
	calls  map[string][]passage // by trunk: from the decision to the end at the carrier
	uses   map[outdial.Number][]time.Time
	caps   []numberCap
}

func newRoom(e *evidence) *room {
	r := &room{
		agreed: make(map[string]profile), calls: make(map[string][]passage),
		uses: make(map[outdial.Number][]time.Time), caps: e.Caps,
	}
	for _, n := range e.Callers {
		r.uses[n] = nil
	}
	for _, c := range e.Carriers {
		r.trunks = append(r.trunks, c.Name)
		r.agreed[c.Name] = c.profile
		for _, rec := range c.Records {
			if n, err := calleeOf(rec.From); err == nil {
				r.uses[n] = append(r.uses[n], rec.InvitedAt)
			}
			a := e.Ledger.attempt(rec.To, c.Name)
			if a == nil {
				continue // another invariant finds it
			}
			until := rec.EndedAt
			switch {
			case until.IsZero(): // a call that the carrier never answered; the proxy gave it up
				until = a.Ended
			case a.Ended.After(until):
				until = earlier(a.Ended, until.Add(inFlight))
			}
			r.calls[c.Name] = append(r.calls[c.Name], passage{a.Start, until})
		}
	}
	return r
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// unjust says what the carriers' counts have against a refusal; "" = nothing.
func (r *room) unjust(x refused) string {
	p := r.agreed[x.Trunk]
	switch {
	case x.Stage == outdial.StageTrunk && x.Code == "channels":
		if n := r.inUse(x.Trunk, x.At); n < p.Channels {
			return fmt.Sprintf("%d of the %d channels agreed were in use", n, p.Channels)
		}
	case x.Stage == outdial.StageTrunk && x.Code == "cps":
		if n := r.lastSecond(x.Trunk, x.At); n < p.CPS {
			return fmt.Sprintf("%d of the %d calls in that second were sent", n, p.CPS)
		}
	case x.Stage == outdial.StageCLI && x.Code == "caps":
		if n := r.spare(x.At); n > 0 {
			return fmt.Sprintf("%d caller IDs were below their caps", n)
		}
	default:
		return fmt.Sprintf("nothing here gives %s a reason (%s)", x.Stage, x.Code)
	}
	return ""
}

// inUse counts the channels of a trunk that were in use at a moment.
func (r *room) inUse(trunk string, at time.Time) (n int) {
	for _, c := range r.calls[trunk] {
		if !c.from.After(at.Add(raced)) && !c.to.Before(at.Add(-raced)) {
			n++
		}
	}
	return n
}

// lastSecond counts the INVITEs of a trunk that were decided on within the second before a moment.
func (r *room) lastSecond(trunk string, at time.Time) (n int) {
	for _, c := range r.calls[trunk] {
		if c.from.After(at.Add(-time.Second-raced)) && !c.from.After(at.Add(raced)) {
			n++
		}
	}
	return n
}

// spare counts the caller IDs that could have been presented at a moment: those below all caps.
func (r *room) spare(at time.Time) (n int) {
	for _, uses := range r.uses {
		free := true
		for _, c := range r.caps {
			used := 0
			for _, u := range uses {
				if u.After(at.Add(-c.Window-raced)) && !u.After(at.Add(inFlight)) {
					used++
				}
			}
			free = free && used < c.Max
		}
		if free {
			n++
		}
	}
	return n
}
