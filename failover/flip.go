package failover

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// Capacity says what could be admitted on a trunk now; math.MaxInt32 = no limit. *trunk.Set does.
type Capacity interface {
	Headroom(now time.Time, t outdial.TrunkID) (channels, cps int)
}

// Flip is an operator's order to send a share of the calls to certain trunks, wherever they are candidates and
// healthy: the first of To that can take the call, the others where it cannot, then whoever is next. It is data, in the
// form that ActionFlip and ActionDrill carry it.
type Flip struct {
	To    []string // names of the receiving trunks, in the order in which they spill
	Share float64  // of the calls, above 0 and up to 1
	Group string   // the destination group; "" = all

	// Over is how long the share takes to grow from nothing to Share; 0 = it is Share at once. To be ordered, it must not be
	// negative.
	Over time.Duration
}

// Control returns the order as a Control of an action, ActionFlip or ActionDrill: Target has the names with commas
// between them, Value the share in percent, how long it grows and the group.
func (f Flip) Control(action, actor, reason string, expires time.Time) outdial.Control {
	value := strconv.FormatFloat(100*f.Share, 'f', -1, 64) + "%"
	if f.Over != 0 {
		value += " over=" + f.Over.String()
	}
	if f.Group != "" {
		value += " group=" + f.Group
	}
	return outdial.Control{
		Actor: actor, Action: action, Target: strings.Join(f.To, ","), Value: value, Reason: reason, Expires: expires,
	}
}

// ParseFlip reads what Flip.Control has written: a Target such as "beta" or "beta,gamma", a Value such as "80%" or
// "12.5% over=10m group=NANP". The error names the field.
func ParseFlip(c *outdial.Control) (Flip, error) {
	var f Flip
	for name := range strings.SplitSeq(c.Target, ",") {
		name = strings.TrimSpace(name)
		if name == "" || slices.Contains(f.To, name) {
			return Flip{}, fmt.Errorf("failover: %s: Target %q: want names of trunks, each once, with commas between them", c.Action, c.Target)
		}
		f.To = append(f.To, name)
	}
	share, group, _ := strings.Cut(strings.TrimSpace(c.Value), " ")
	percent, ok := strings.CutSuffix(share, "%")
	x, err := strconv.ParseFloat(percent, 64)
	if !ok || err != nil || !(x > 0 && x <= 100) {
		return Flip{}, fmt.Errorf(`failover: %s: Value %q: want a share such as "80%%", above 0 and up to 100`, c.Action, c.Value)
	}
	f.Share = x / 100
	if over, rest, _ := strings.Cut(strings.TrimSpace(group), " "); strings.HasPrefix(over, "over=") {
		if f.Over, err = time.ParseDuration(over[len("over="):]); err != nil || f.Over < 0 {
			return Flip{}, fmt.Errorf(`failover: %s: Value %q: after "over=" want a duration such as "10m"`, c.Action, c.Value)
		}
		group = rest
	}
	if group = strings.TrimSpace(group); group != "" {
		if f.Group, ok = strings.CutPrefix(group, "group="); !ok || f.Group == "" {
			return Flip{}, fmt.Errorf(`failover: %s: Value %q: after the share want "over=" and a duration, "group=" and a name`, c.Action, c.Value)
		}
	}
	return f, nil
}

// flip is an order in force, or a drill that is over and has its report.
type flip struct {
	order   Flip
	to      []outdial.TrunkID
	group   outdial.GroupID // 0 = all
	drill   bool
	from    time.Time
	expires time.Time // zero = until it is reverted
	ended   time.Time // zero = it is in force, unless it has expired
	turns   spreader
	report  *drillBook // of a drill
}

// inForce reports whether calls are sent by the order.
func (f *flip) inForce(now time.Time) bool {
	return f.ended.IsZero() && !now.Before(f.from) && (f.expires.IsZero() || now.Before(f.expires))
}

// share is what the order sends away at a time.
func (f *flip) share(now time.Time) float64 {
	grown := now.Sub(f.from)
	if grown >= f.order.Over {
		return f.order.Share
	}
	return f.order.Share * float64(max(grown, 0)) / float64(f.order.Over)
}

// flipTo returns the candidate that an operator's order sends the call to, -1 = none does, and the candidates that orders send a
// share to. Each order takes its share of all calls: a later one what it needs of those that the earlier ones leave.
func (s *Selector) flipTo(now time.Time, call *outdial.Call, plan []outdial.Candidate, up uint64, flips []*flip) (to int, served uint64) {
	to = -1
	left := 1.0
	for _, f := range flips {
		if !f.binds(now, call.Dest.Group) {
			continue
		}
		for _, t := range f.to {
			i := placeOf(plan, t, up)
			if i < 0 {
				continue
			}
			served |= 1 << i
			if share := f.share(now); to < 0 && left > 0 {
				if f.turns.turn(min(share/left, 1), !call.Rehearsal()) {
					to = i
				}
				left -= share
			}
			break
		}
	}
	return to, served
}

// binds reports whether the order sends calls to a destination group somewhere.
func (f *flip) binds(now time.Time, g outdial.GroupID) bool {
	return f.inForce(now) && (f.group == 0 || f.group == g)
}

// placeOf is the first place of the set whose candidate is on the trunk; -1 = none.
func placeOf(plan []outdial.Candidate, t outdial.TrunkID, set uint64) int {
	for i := range plan {
		if plan[i].Trunk == t && set>>i&1 == 1 {
			return i
		}
	}
	return -1
}

// unflip gives a turn back that an order had taken of a call for a trunk.
func (s *Selector) unflip(now time.Time, call *outdial.Call, t outdial.TrunkID) {
	for _, f := range s.flips() {
		if f.binds(now, call.Dest.Group) && slices.Contains(f.to, t) {
			f.turns.give()
			return
		}
	}
}

// Flips returns the orders in force.
func (s *Selector) Flips(now time.Time) []Flip {
	var list []Flip
	for _, f := range s.flips() {
		if f.inForce(now) {
			list = append(list, f.order)
		}
	}
	return list
}

// CheckFlip reports what keeps an order from being carried out: names that are not known, or receiving trunks that have
// no room for what would be sent to them. What they would need is computed from the calls of the last two
// minutes and those that are up, of all destinations.
func (s *Selector) CheckFlip(now time.Time, f Flip) error {
	_, err := s.resolve(f)
	if err != nil {
		return err
	}
	if s.capacity == nil {
		return nil
	}
	var rate, own float64
	var open, ownOpen int
	channels, cps := 0, 0
	for _, b := range s.boards.all() {
		if b == nil {
			continue
		}
		b.mu.Lock()
		r, n := b.whole.tally.rate(now), b.open
		b.mu.Unlock()
		rate, open = rate+r, open+n
		if slices.Contains(f.To, s.ids.Trunks.Name(b.id)) {
			own, ownOpen = own+r, ownOpen+n
		}
	}
	for _, name := range f.To {
		t, _ := s.ids.Trunks.Lookup(name)
		c, p := s.capacity.Headroom(now, t)
		channels, cps = min(channels+c, math.MaxInt32), min(cps+p, math.MaxInt32)
	}
	needChannels := int(math.Ceil(float64(open)*f.Share)) - ownOpen
	needCPS := int(math.Ceil(rate*f.Share - own))
	var errs []error
	if needChannels > channels {
		errs = append(errs, fmt.Errorf("%d channels are needed and %d are free", needChannels, channels))
	}
	if needCPS > cps {
		errs = append(errs, fmt.Errorf("%d calls per second are needed and %d are free", needCPS, cps))
	}
	if len(errs) > 0 {
		return fmt.Errorf("failover: %g %% to %s: %w", 100*f.Share, strings.Join(f.To, ","), errors.Join(errs...))
	}
	return nil
}

// resolve looks the names of an order up.
func (s *Selector) resolve(f Flip) (*flip, error) {
	r := &flip{order: f}
	if s.ids == nil {
		return nil, errors.New("failover: no registry was configured, so that no trunk has a name")
	}
	for _, name := range f.To {
		id, ok := s.ids.Trunks.Lookup(name)
		if !ok || id == 0 || id > maxTrunk {
			return nil, fmt.Errorf("failover: no trunk %q", name)
		}
		r.to = append(r.to, id)
	}
	if f.Group != "" {
		id, ok := s.ids.Groups.Lookup(f.Group)
		if !ok {
			return nil, fmt.Errorf("failover: no destination group %q", f.Group)
		}
		r.group = id
	}
	return r, nil
}
