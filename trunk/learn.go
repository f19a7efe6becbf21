package trunk

import (
	"fmt"
	"math"
	"time"

	"github.com/outdial/outdial/internal/window"
)

// Learning is what is done with rejections that say that a trunk is full.
type Learning uint8

// Ways of learning. The zero value holds to what was learned.
const (
	LearnAndHold Learning = iota // the learned ceiling is kept, and probed
	LearnOnly                    // it is reported, and not kept
	LearnOff
)

var learningNames = [...]string{"hold", "report", "off"}

// String returns "hold", "report" or "off".
func (l Learning) String() string {
	if int(l) < len(learningNames) {
		return learningNames[l]
	}
	return "invalid"
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (l Learning) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *Learning) UnmarshalText(text []byte) error {
	for i, name := range learningNames {
		if string(text) == name {
			*l = Learning(i)
			return nil
		}
	}
	return fmt.Errorf("trunk: learning %q: want hold, report or off", text)
}

// How a ceiling is learned. The use seen at a rejection is the anchor: so many are let in and one more is not.
const (
	// smallMove is how far one rejection may lower a ceiling; for more a second one must come within corroborated.
	smallMove    = 0.05
	corroborated = 2 * time.Second
	// probeEvery is how often one call more than was learned is let through, to see whether the ceiling has gone up.
	probeEvery = time.Minute
	// confident is how long a rejection counts: the confidence in a ceiling halves with it.
	confident = time.Hour
	maxHits   = 16
)

// Learned is a ceiling that rejections have taught. The zero value is none.
type Learned struct {
	Limit      int       // calls that were let in when one more was not; 0 = nothing was learned
	Confidence float64   // 0 to 1: grows with the rejections behind it, and halves with every hour since the last
	At         time.Time // of the last rejection or probe behind it
	Rejects    uint64    // rejections for want of this, ever
	Probes     uint64    // calls let through above a learned ceiling, ever
}

// ceiling learns one ceiling.
type ceiling struct {
	limit     int // 0 = none
	hits      int
	at        window.Instant
	moved     window.Instant
	pending   int // use at a rejection that would move it far; 0 = none
	pendingAt window.Instant
	probeAt   window.Instant // no probe before
	rejects   uint64
	probes    uint64
}

// reject learns from a rejection at a use, with at most contract allowed, and never less than least. It reports
// whether the ceiling was moved.
func (c *ceiling) reject(at window.Instant, use, contract, least int) bool {
	c.rejects++
	c.probeAt = at + window.Instant(probeEvery)
	now := contract
	if c.limit > 0 {
		now = min(now, c.limit)
	}
	use = max(use, least, 1)
	if use >= now {
		if c.limit > 0 {
			c.confirm(at)
		}
		return false
	}
	if float64(now-use) > smallMove*float64(now) {
		if c.pending == 0 || at-c.pendingAt > window.Instant(corroborated) {
			c.pending, c.pendingAt = use, at
			return false
		}
		use = min(use, c.pending)
	}
	c.limit, c.pending, c.moved = use, 0, at
	c.confirm(at)
	return true
}

// accept learns that a carrier let a call in at a use: a probe has shown that the ceiling is higher. It reports whether
// the ceiling was moved. One that has just been moved is left alone: the answer may be older than the rejection.
func (c *ceiling) accept(at window.Instant, use, contract int) bool {
	if c.limit == 0 || use <= c.limit || at-c.moved < window.Instant(probeEvery/2) {
		return false
	}
	c.limit, c.at, c.moved = c.limit+1, at, at
	c.hits = max(c.hits-1, 1)
	if c.limit >= contract {
		c.limit, c.hits = 0, 0
	}
	return true
}

// probe reports whether a call may go above the ceiling to try it; with take it does.
func (c *ceiling) probe(at window.Instant, take bool) bool {
	if at < c.probeAt {
		return false
	}
	if take {
		c.probeAt = at + window.Instant(probeEvery)
		c.probes++
	}
	return true
}

func (c *ceiling) confirm(at window.Instant) {
	c.at, c.hits = at, min(c.hits+1, maxHits)
}

// forget drops what was learned, for an operator who knows better.
func (c *ceiling) forget() { *c = ceiling{rejects: c.rejects, probes: c.probes} }

func (t *line) learnedOf(c *ceiling, at window.Instant) Learned {
	l := Learned{Limit: c.limit, Rejects: c.rejects, Probes: c.probes}
	if c.limit > 0 {
		age := float64(at-c.at) / float64(confident)
		l.Confidence, l.At = (1-math.Exp2(-float64(c.hits)))*math.Exp2(-age), t.time(c.at)
	}
	return l
}
