package trunk

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/outdial/outdial"
)

// DefaultBlocking is the share of attempts that may find no channel: grade of service P.01.
const DefaultBlocking = 0.01

// Staffing is a predictive dialer: its agents, and the calls that keep them busy.
type Staffing struct {
	Seats     int           // agents; required
	ASR       float64       // share of the attempts that are answered and reach an agent, above 0; required
	Ring      time.Duration // mean time that an attempt holds its channel before the answer, or without one
	Talk      time.Duration // mean conversation; required
	Wrap      time.Duration // mean after-call work, in which the agent is busy and the channel is not
	Occupancy float64       // share of their time that agents talk or wrap up; 0 = 0.85
	Blocking  float64       // share of the attempts that may find no channel; 0 = DefaultBlocking

	Base  int            // channels that are paid for; the others are burst. 0 = all
	Price outdial.Micros // of a minute of one channel above Base
}

// Sizing is what a Staffing needs.
type Sizing struct {
	Answers  float64 // per second that reach agents
	Attempts float64 // per second
	Erlangs  float64 // offered
	Channels int     // for the blocking asked for, by ErlangB
	Blocking float64 // that they have
	CPS      int     // calls per second that are enough in all but that share of the seconds

	Burst     float64        // Erlang carried above Base
	BurstCost outdial.Micros // of it in an hour
}

// Size returns what a predictive dialer needs: answers keep the agents as busy as asked for, attempts bring the answers, and
// every attempt holds a channel while it rings, every answered one while people talk. Where blocked attempts are
// made again soon, somewhat more is offered. The error names every bad field.
func Size(s Staffing) (Sizing, error) {
	if s.Occupancy == 0 {
		s.Occupancy = 0.85
	}
	if s.Blocking == 0 {
		s.Blocking = DefaultBlocking
	}
	if err := s.validate(); err != nil {
		return Sizing{}, err
	}
	z := Sizing{Answers: float64(s.Seats) * s.Occupancy / (s.Talk + s.Wrap).Seconds()}
	z.Attempts = z.Answers / s.ASR
	z.Erlangs = z.Attempts * (s.Ring.Seconds() + s.ASR*s.Talk.Seconds())
	z.Channels = ChannelsFor(z.Erlangs, s.Blocking)
	z.Blocking = ErlangB(z.Channels, z.Erlangs)
	z.CPS = cpsFor(z.Attempts, s.Blocking)
	if s.Base > 0 {
		z.Burst = BurstErlangs(s.Base, z.Channels, z.Erlangs)
		z.BurstCost = outdial.Micros(math.Round(z.Burst * 60 * float64(s.Price)))
	}
	return z, nil
}

// BurstErlangs returns the traffic above the first base of so many channels: the mean of what is in use beyond base.
func BurstErlangs(base, channels int, erlangs float64) float64 {
	if !(erlangs > 0) || channels <= base {
		return 0
	}
	// How often n channels are in use goes as Aⁿ/n!. It is summed from where that is greatest, so that what vanishes is small.
	peak := min(int(erlangs), channels)
	var sum, above float64
	count := func(n int, p float64) {
		sum += p
		above += float64(max(n-base, 0)) * p
	}
	for n, p := peak, 1.; n >= 0; n-- {
		count(n, p)
		p *= float64(n) / erlangs
	}
	for n, p := peak+1, erlangs/float64(peak+1); n <= channels; n++ {
		count(n, p)
		p *= erlangs / float64(n+1)
	}
	return above / sum
}

func (s *Staffing) validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("trunk: staffing: "+format, args...)) }
	share := func(x float64) bool { return x > 0 && x <= 1 }
	if s.Seats < 1 {
		bad("Seats: %d is less than 1", s.Seats)
	}
	if !share(s.ASR) {
		bad("ASR: %v is not above 0 and at most 1", s.ASR)
	}
	if s.Ring < 0 {
		bad("Ring: %v is negative", s.Ring)
	}
	if s.Talk <= 0 {
		bad("Talk: %v is not positive", s.Talk)
	}
	if s.Wrap < 0 {
		bad("Wrap: %v is negative", s.Wrap)
	}
	if !share(s.Occupancy) {
		bad("Occupancy: %v is not above 0 and at most 1", s.Occupancy)
	}
	if !share(s.Blocking) {
		bad("Blocking: %v is not above 0 and at most 1", s.Blocking)
	}
	if s.Base < 0 {
		bad("Base: %d is negative", s.Base)
	}
	if s.Price < 0 {
		bad("Price: %d is negative", s.Price)
	}
	return errors.Join(errs...)
}

// Advice is what the traffic of the last hour asks for.
type Advice struct {
	Offered  float64 // Erlang
	Target   float64 // blocking asked for
	Need     int     // channels for it
	Have     int     // channels that are held by contract; -1 = no limit
	Blocking float64 // that Have has at this traffic
}

// WhatIf returns what the traffic that st tells of needs for a blocking. Without any, it needs nothing.
func (st *Status) WhatIf(blocking float64) Advice {
	a := Advice{Offered: st.Traffic.Offered(), Target: blocking, Have: st.Contracted}
	a.Need = ChannelsFor(a.Offered, blocking)
	if a.Have >= 0 {
		a.Blocking = ErlangB(a.Have, a.Offered)
	}
	return a
}

// String says it in a sentence: "the last hour (132.4 E) needs 148 channels for 1 %; you hold 120, which block 12.1 %".
func (a Advice) String() string {
	text := fmt.Sprintf("the last hour (%.1f E) needs %d channels for %.3g %%; you hold ", a.Offered, a.Need, 100*a.Target)
	if a.Have < 0 {
		return text + "as many as you like"
	}
	return text + fmt.Sprintf("%d, which block %.2g %%", a.Have, 100*a.Blocking)
}
