package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/outdial/outdial/internal/window"
)

// Cap is the most uses in any window of time of the given length: a sliding window, never a calendar day. As text, in
// JSON and in files it is "100/24h". The zero value is not a valid cap. A Cap is a plain value.
type Cap struct {
	Max    int           // 1 to MaxUses
	Window time.Duration // positive, at most MaxWindow
}

// Bounds of a configuration.
const (
	MaxUses   = 10_000               // of a Cap
	MaxWindow = 366 * 24 * time.Hour // of a Cap, a spacing and a Sticky.TTL
)

// ParseCap reads "100/24h": a number, a slash and a duration as time.ParseDuration takes it.
func ParseCap(s string) (Cap, error) {
	most, span, ok := strings.Cut(strings.TrimSpace(s), "/")
	n, err1 := strconv.Atoi(most)
	d, err2 := time.ParseDuration(span)
	if !ok || err1 != nil || err2 != nil {
		return Cap{}, fmt.Errorf("cli: cap %q: want uses, a slash and a duration, as in 100/24h", s)
	}
	c := Cap{Max: n, Window: d}
	if err := c.check(); err != nil {
		return Cap{}, fmt.Errorf("cli: cap %q: %w", s, err)
	}
	return c, nil
}

// String returns the form that ParseCap reads.
func (c Cap) String() string {
	d := c.Window.String()
	if strings.HasSuffix(d, "m0s") {
		d = d[:len(d)-2]
	}
	if strings.HasSuffix(d, "h0m") {
		d = d[:len(d)-2]
	}
	return strconv.Itoa(c.Max) + "/" + d
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (c Cap) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler with ParseCap.
func (c *Cap) UnmarshalText(text []byte) error {
	v, err := ParseCap(string(text))
	if err != nil {
		return err
	}
	*c = v
	return nil
}

func (c Cap) check() error {
	if c.Max < 1 || c.Max > MaxUses {
		return fmt.Errorf("%d uses are not between 1 and %d", c.Max, MaxUses)
	}
	if c.Window <= 0 || c.Window > MaxWindow {
		return fmt.Errorf("window %v is not within (0, %v]", c.Window, MaxWindow)
	}
	return nil
}

// Limits is how much one number may be used. The zero value of a field is the default, for a pool's Limits that of the
// Config, negative means none.
type Limits struct {
	// Caps hold all at once. nil = DefaultCaps; an empty list that is not nil means none.
	Caps []Cap `json:",omitzero"`

	// Spacing is the least time between two calls from a number. The attempts of one call are not spaced, but they
	// count against Caps like any other. 0 = DefaultSpacing, negative = none.
	Spacing time.Duration `json:",omitempty"`

	// Concurrent is the most calls at one time from a number. 0 or negative = none.
	Concurrent int `json:",omitempty"`
}

// DefaultSpacing is the least time between two calls from a number where a configuration says nothing else.
const DefaultSpacing = 30 * time.Second

// DefaultCaps returns the caps of a number where a configuration says nothing else: 5 a minute, 20 an hour and 100 in
// 24 hours, the middle of what analytics engines are reported to tolerate.
func DefaultCaps() []Cap {
	return []Cap{{5, time.Minute}, {20, time.Hour}, {100, 24 * time.Hour}}
}

// DefaultCalleeCaps returns how often a program may call one callee where a configuration says nothing else: three
// times in 24 hours, the strictest rule in force in the United States (Florida, Oklahoma).
func DefaultCalleeCaps() []Cap { return []Cap{{3, 24 * time.Hour}} }

// over returns l with its zero fields taken from base.
func (l Limits) over(base Limits) Limits {
	if l.Caps == nil {
		l.Caps = base.Caps
	}
	if l.Spacing == 0 {
		l.Spacing = base.Spacing
	}
	if l.Concurrent == 0 {
		l.Concurrent = base.Concurrent
	}
	return l
}

func (l Limits) withDefaults() Limits {
	return l.over(Limits{Caps: DefaultCaps(), Spacing: DefaultSpacing, Concurrent: -1})
}

func (l Limits) check(report func(field string, err error)) {
	checkCaps("Caps", l.Caps, report)
	if l.Spacing > MaxWindow {
		report("Spacing", fmt.Errorf("%v is more than %v", l.Spacing, MaxWindow))
	}
}

func checkCaps(field string, caps []Cap, report func(string, error)) {
	for i, c := range caps {
		if err := c.check(); err != nil {
			report(fmt.Sprintf("%s[%d]", field, i), err)
		}
	}
}

// rules are Limits made ready for use; immutable.
type rules struct {
	list       []Cap
	most       int            // greatest Cap.Max, at least 1
	step       uint8          // the unit of the uses of a number
	spacing    window.Instant // 0 = none
	concurrent int32          // 0 = none
}

// rules requires checked limits without zeros.
func (l Limits) rules() rules {
	r := rules{
		list: slices.Clone(l.Caps), most: 1,
		spacing: window.Instant(max(l.Spacing, 0)), concurrent: int32(min(max(l.Concurrent, 0), 1<<30)),
	}
	longest := window.Instant(0)
	for _, c := range l.Caps {
		r.most = max(r.most, c.Max)
		longest = max(longest, window.Instant(c.Window))
	}
	r.step = stepFor(max(longest, day))
	return r
}
