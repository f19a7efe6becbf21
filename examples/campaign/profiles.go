package main

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/outdial/outdial"

	"github.com/outdial/outdial/internal/siptest"
)

// profile is what a carrier is like and what was agreed with it.
type profile struct {
	Name  string
	About string

	Weight   int            // share of the routing policy
	Price    outdial.Micros // of a minute
	Channels int            // agreed and enforced by the carrier; the proxy is configured with the same
	CPS      int            // what the proxy is configured with
	// Contract is the calls per second that the carrier enforces. It is a little above CPS, as it should be with any
	// real carrier: two meters on two ends of a wire cut the time into other seconds.
	Contract int

	PDD       time.Duration // median post-dial delay: network time, never scaled
	Failure   float64       // share of calls that fail in its network before they ring
	Unreached float64       // share of humans who do not pick up what it brings, for the caller ID it mangles
	Cut       float64       // share of conversations that it cuts short
	Dead      bool          // nothing answers
}

// good names the carrier that breaks half way, dead the one where nothing answers.
const (
	good = "alpha"
	dead = "delta"
)

// profiles scales the agreed capacity with the traffic, so that what is seen does not depend on --cps and --seats.
func profiles(o options) []profile {
	load := max(o.CPS/55, 0.2)
	hold := max(15/o.Scale, 1) // conversations and ringing that last longer need more channels
	size := func(per float64) int { return int(math.Ceil(per * load * hold)) }
	cps := func(per float64) int { return max(int(math.Ceil(per*load)), 4) }
	list := []profile{
		{Name: good, About: "good", Weight: 50, Price: 7000, Channels: size(110), CPS: cps(45), PDD: 350 * time.Millisecond},
		{
			Name: "budget", About: "cheap and bad", Weight: 20, Price: 4000, Channels: size(45), CPS: cps(25), PDD: 700 * time.Millisecond,
			Failure: 0.25, Unreached: 0.4, Cut: 0.3,
		},
		{Name: "coast", About: "good, +800 ms", Weight: 20, Price: 9000, Channels: size(250), CPS: cps(90), PDD: 1150 * time.Millisecond},
		{Name: dead, About: "dead, silent", Weight: 10, Price: 5000, Channels: size(20), CPS: cps(10), Dead: true},
	}
	for i := range list {
		list[i].Contract = list[i].CPS + max(list[i].CPS/4, 3)
	}
	return list
}

// How a carrier's own failures and its fault are named in its records.
const (
	networkFailure = "network failure"
	faultScript    = "fault"
	silenceScript  = "silence"
)

// play returns what the carrier does with a call to c. It is a pure function of its arguments.
func (p profile) play(o options, carrier int, c callee) siptest.Script {
	rng := rand.New(rand.NewPCG(o.Seed^uint64(carrier+1)<<56, uint64(c.Number)))
	pdd := time.Duration(float64(p.PDD) * math.Exp(0.25*rng.NormFloat64()))
	fails, unreached, cut := rng.Float64() < p.Failure, rng.Float64() < p.Unreached, rng.Float64() < p.Cut
	cutAfter := between(rng, 3, 9)
	trying := siptest.Respond(0, 100)
	if fails {
		code, cause := 503, siptest.Reason(38, "Network out of order")
		if rng.Float64() < 0.4 {
			code, cause = 500, siptest.Reason(41, "Temporary failure")
		}
		s := siptest.Play(trying, siptest.Respond(pdd/2, code, cause))
		s.Name = networkFailure
		return s
	}
	end := c.Outcome
	if end == human && unreached {
		end, c.Ring = noAnswer, c.Ring+between(rng, 12, 16)
	}
	ring := siptest.Respond(pdd, 180)
	var s siptest.Script
	switch end {
	case human, voicemail:
		s = siptest.Play(trying, ring, siptest.Respond(o.wall(c.Ring), 200))
		if end == human && c.HangsUp {
			s.Talk = o.wall(c.Talk)
		}
		if end == human && cut && c.Talk > cutAfter {
			s.Talk, s.ByeHeaders = o.wall(cutAfter), []siptest.Header{siptest.Reason(41, "Temporary failure")}
		}
	case busy:
		s = siptest.Play(trying, siptest.Respond(pdd, 486, siptest.Reason(17, "User busy")))
	case noAnswer:
		s = siptest.Play(trying, ring, siptest.Respond(o.wall(c.Ring), 480, siptest.Reason(19, "No answer from user")))
	case declined:
		s = siptest.Play(trying, ring, siptest.Respond(o.wall(c.Ring), 603, siptest.Reason(21, "Call rejected")))
	case absent:
		s = siptest.Play(trying, siptest.Respond(pdd, 480, siptest.Reason(20, "Subscriber absent")))
	default:
		s = siptest.Play(trying, siptest.Respond(pdd, 404, siptest.Reason(1, "Unallocated number")))
	}
	s.Name = string(end)
	return s
}
