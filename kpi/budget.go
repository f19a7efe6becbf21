package kpi

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Share is a share of calls that is limited by somebody.
type Share uint8

// Shares.
const (
	ShareShort     Share = iota // conversations no longer than Budget.Within, of those that ended (Cell.ShortCalls)
	ShareFailed                 // seizures that were not answered, of those with a known outcome
	ShareGivenUp                // seizures that the caller gave up before an answer, of those with a known outcome
	ShareAbandoned              // calls that a person answered and no agent took (Cell.AbandonedRate)
	ShareBlocked                // seizures refused as unwanted (Cell.BlockRate)
	shares
)

var shareNames = []string{"short", "failed", "given_up", "abandoned", "blocked"}

// String returns "short", "failed", "given_up", "abandoned" or "blocked".
func (s Share) String() string { return name(int(s), shareNames) }

// MarshalText implements encoding.TextMarshaler with the form of String.
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; an unknown name is an error.
func (s *Share) UnmarshalText(text []byte) error {
	i := slices.Index(shareNames, string(text))
	if i < 0 {
		return fmt.Errorf("kpi: no share %q", text)
	}
	*s = Share(i)
	return nil
}

// Budget is a share that is limited over a period, for one key: the short calls of a carrier in a day, by its contract, or the
// abandoned calls of a campaign in thirty days, by law (47 CFR 64.1200(a)(7): 3 %). Meter.Standing says how much of it is used
// up. A plain value.
type Budget struct {
	Key     Key           // of an archived view
	What    Share         //
	Within  time.Duration // of ShareShort: one of Config.ShortCalls; else 0
	Period  time.Duration // whole hours, as much as is kept at most; 0 = 24 h
	Rolling bool          // the last Period up to now; without it, the one that began at a multiple of it since midnight UTC
	Limit   Limit
}

// Standing is how a Budget stands.
type Standing struct {
	From, To time.Time // the period; of a rolling one, To is the end of this hour
	Ratio    Ratio     // as far as its calls are known
	Signal   Signal
	Room     uint64  // further calls that may yet count in a row (Limit.Room)
	Breach   float64 // how likely the limit is exceeded at the period's end, if calls go on as they came; of a rolling one, now
}

// Standing says how a budget stands at now. It is read from the archive, to the hour; nothing is archived without
// Config.Archive. An error names what is wrong with the budget.
func (m *Meter) Standing(now time.Time, b Budget) (Standing, error) {
	short := slices.Index(m.cfg.ShortCalls, b.Within)
	b.Period = orDefault(b.Period, 24*time.Hour)
	if err := m.checkBudget(&b, short); err != nil {
		return Standing{}, err
	}
	hours := int64(b.Period / time.Hour)
	end := floorDiv(nanos(now), int64(time.Hour)) + 1
	first := end - hours
	if !b.Rolling {
		first = floorDiv(end-1, hours) * hours
		end = first + hours
	}
	s := Standing{From: timeOfHour(first), To: timeOfHour(end)}
	c := m.Total(s.From, now, b.Key)
	s.Ratio = b.What.of(&c, short)
	s.Signal, s.Room = b.Limit.Signal(s.Ratio), b.Limit.Room(s.Ratio)
	more := 0.0
	if gone := now.Sub(s.From); !b.Rolling && gone > 0 {
		more = float64(s.Ratio.N) * float64(s.To.Sub(now)) / float64(gone)
	}
	s.Breach = b.Limit.Breach(s.Ratio, uint64(more+0.5))
	return s, nil
}

func (m *Meter) checkBudget(b *Budget, short int) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("kpi: Budget."+format, args...)) }
	if !slices.Contains(m.cfg.Archive.Views, b.Key.View) {
		bad("Key: the view %v is not archived", b.Key.View)
	}
	if b.What >= shares {
		bad("What: %d: no such share", b.What)
	}
	if b.What == ShareShort && short < 0 {
		bad("Within: %v: none of Config.ShortCalls", b.Within)
	}
	if b.What != ShareShort && b.Within != 0 {
		bad("Within: only short calls have one")
	}
	if b.Period < time.Hour || b.Period%time.Hour != 0 || b.Period > m.cfg.Archive.Keep {
		bad("Period: %v: want whole hours, at most %v", b.Period, m.cfg.Archive.Keep)
	}
	if err := b.Limit.Validate(); err != nil {
		bad("Limit: %w", err)
	}
	return errors.Join(errs...)
}

// of is the share in a cell.
func (s Share) of(c *Cell, short int) Ratio {
	switch s {
	case ShareShort:
		return c.ShortCalls(short)
	case ShareFailed:
		asr := c.ASR()
		return Ratio{K: less(asr.N, asr.K), N: asr.N}
	case ShareGivenUp:
		return Ratio{K: c.Classes[ClassAbandonEarly] + c.Classes[ClassAbandonRinging], N: c.Known()}
	case ShareAbandoned:
		return c.AbandonedRate()
	}
	return c.BlockRate()
}

// Total adds up the archived hours of a key that begin at from or later, up to now. Its sketches know sums and means, and no
// quantile.
func (m *Meter) Total(from, now time.Time, key Key) Cell {
	sum := Cell{Key: key}
	for at, hour := range m.Hours(now, key) {
		if !at.Before(from) {
			sum.Merge(&hour)
		}
	}
	return sum
}
