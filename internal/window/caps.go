package window

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// MaxWindow is the longest window of a [Cap]: 100 years of 365 days.
const MaxWindow = 100 * 365 * 24 * time.Hour

// Cap allows at most Limit events (1 or more) in any half-open window of length
// Window (positive, at most [MaxWindow]): with an event at t, the next window begins at t+Window exactly.
// A Cap of 1 is a spacing.
type Cap struct {
	Limit  int
	Window time.Duration
}

// Caps is a set of caps that all hold at once. It is immutable, so that any number of gates can share it.
// The zero value caps nothing.
type Caps struct {
	list []Cap
	most int
}

// NewCaps copies and checks caps. The error names every bad one.
func NewCaps(caps ...Cap) (Caps, error) {
	c := Caps{list: slices.Clone(caps)}
	var errs []error
	for i, p := range caps {
		if p.Limit < 1 {
			errs = append(errs, fmt.Errorf("window: cap %d: limit %d is less than 1", i, p.Limit))
		}
		if p.Window <= 0 || p.Window > MaxWindow {
			errs = append(errs, fmt.Errorf("window: cap %d: window %v is not within (0, %v]", i, p.Window, MaxWindow))
		}
		c.most = max(c.most, p.Limit)
	}
	if err := errors.Join(errs...); err != nil {
		return Caps{}, err
	}
	return c, nil
}

// Most returns the greatest limit, 0 if there is no cap.
func (c Caps) Most() int { return c.most }
