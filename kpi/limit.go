package kpi

import (
	"errors"
	"fmt"
	"math"
)

// Limit is a share that must not be exceeded, and where to stop before it is: short calls by a carrier's contract, abandoned
// calls by law. The zero value limits nothing.
type Limit struct {
	Most  float64 // the limit, within (0, 1); 0 = none
	Stop  float64 // from here on no call should be made that may count; at most Most; 0 = Most
	Warn  float64 // from here on somebody should know; at most Stop; 0 = 80 % of Stop
	Least uint64  // trials below which nothing is signalled; 0 = 30
}

// Signal is what a Limit says of a ratio. It is a value: nothing is throttled, and nobody is told, but by the host.
type Signal uint8

// Signals, from nothing to worst.
const (
	SignalNone Signal = iota // no limit, or too few trials
	SignalFine
	SignalWarn // the limit is near
	SignalStop // no more calls that may count
)

// String returns "none", "fine", "warn" or "stop".
func (s Signal) String() string { return name(int(s), []string{"none", "fine", "warn", "stop"}) }

// MarshalText implements encoding.TextMarshaler with the form of String.
func (s Signal) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Validate names every field that is out of range.
func (l Limit) Validate() error {
	var errs []error
	bad := func(field string, v, most float64) {
		if !(v >= 0 && v <= most) {
			errs = append(errs, fmt.Errorf("%s: %v: want 0 to %v", field, v, most))
		}
	}
	if !(l.Most >= 0 && l.Most < 1) {
		errs = append(errs, fmt.Errorf("Most: %v: want 0 or more, and less than 1", l.Most))
	}
	bad("Stop", l.Stop, l.Most)
	bad("Warn", l.Warn, orDefault(l.Stop, l.Most))
	return errors.Join(errs...)
}

// Signal says how a ratio stands to the limit.
func (l Limit) Signal(r Ratio) Signal {
	v, ok := r.Value()
	stop := orDefault(l.Stop, l.Most)
	switch {
	case !ok || l.Most <= 0 || r.N < orDefault(l.Least, 30):
		return SignalNone
	case v >= stop:
		return SignalStop
	case v >= orDefault(l.Warn, 0.8*stop):
		return SignalWarn
	}
	return SignalFine
}

// Room is how many trials in a row may yet fail before the limit is exceeded: 0 when it is reached. Without a limit it is the
// largest number there is.
func (l Limit) Room(r Ratio) uint64 {
	if l.Most <= 0 {
		return math.MaxUint64
	}
	room := (l.Most*float64(r.N) - float64(min(r.K, r.N))) / (1 - l.Most)
	return uint64(max(math.Floor(room+1e-9+1e-12*room), 0)) // a whole number that rounding made less
}

// Breach is how likely the limit is exceeded when more further trials have come, if they go on as they did: the beta-binomial
// with the posterior of Jeffreys. Trials that are correlated make it less certain than it says (DesignEffect). 0 without a limit.
func (l Limit) Breach(r Ratio, more uint64) float64 {
	if l.Most <= 0 {
		return 0
	}
	k := float64(min(r.K, r.N))
	// The limit is kept with up to so many further failures.
	kept := math.Floor(l.Most*float64(r.N+more) - k + 1e-9)
	switch {
	case kept < 0:
		return 1
	case kept >= float64(more):
		return 0
	}
	a, b, m := k+0.5, float64(r.N)-k+0.5, float64(more)
	const exact = 1 << 14
	if more > exact { // the share of so many is as good as the rate itself
		return 1 - betaInc((kept+0.5)/m, a, b)
	}
	var sum float64
	for x := kept + 1; x <= m; x++ {
		p := math.Exp(logChoose(m, x) + logBeta(a+x, b+m-x) - logBeta(a, b))
		sum += p
		if p < 1e-12*sum && x > m*a/(a+b) {
			break
		}
	}
	return min(sum, 1)
}

func logBeta(a, b float64) float64 {
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	return la + lb - lab
}

func logChoose(n, k float64) float64 { return -math.Log(n+1) - logBeta(k+1, n-k+1) }
