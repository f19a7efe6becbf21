package cli

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// Planning is what an inventory is planned by. A zero field is its default.
type Planning struct {
	Daily       int           `json:",omitempty"` // uses of a number in 24 h. 0 = 100
	Hourly      int           `json:",omitempty"` // uses of a number in an hour. 0 = 20
	Utilisation float64       `json:",omitempty"` // share of the caps to plan with. 0 = 0.8
	Least       int           `json:",omitempty"` // numbers of a region at least. 0 = 2
	Loss        float64       `json:",omitempty"` // quarantines per number and day. 0 = 0.005
	Retire      float64       `json:",omitempty"` // share of them that ends in retirement. 0 = 0.3
	Rest        time.Duration `json:",omitempty"` // 0 = 21 days
	Warm        time.Duration `json:",omitempty"` // 0 = 14 days
	Callback    time.Duration `json:",omitempty"` // 0 = 30 days
	Lead        time.Duration `json:",omitempty"` // from an order to the first call. 0 = 14 days
}

// Demand is a volume in one place: an area code, a rate centre, a region, in the user's own words.
type Demand struct {
	Place    string
	Daily    float64 // calls in 24 hours
	PeakHour float64 // calls in the busiest hour; 0 = not known
}

// Need is the numbers that a demand takes: by Little's law, as many rest as come to rest in a day times the days that they
// rest, and so on.
type Need struct {
	Place   string
	Active  int // in use
	Resting int // in quarantine
	Warming int // on their way
	Holding int // retired, and still called back
}

// Total is the size of the inventory.
func (n Need) Total() int { return n.Active + n.Resting + n.Warming + n.Holding }

func (p Planning) withDefaults() Planning {
	def(&p.Daily, 100)
	def(&p.Hourly, 20)
	def(&p.Utilisation, .8)
	def(&p.Least, 2)
	def(&p.Loss, .005)
	def(&p.Retire, .3)
	def(&p.Rest, 21*24*time.Hour)
	def(&p.Warm, 14*24*time.Hour)
	def(&p.Callback, 30*24*time.Hour)
	def(&p.Lead, 14*24*time.Hour)
	return p
}

func (p Planning) check() error {
	var errs []error
	bad := func(field string, v any) {
		errs = append(errs, fmt.Errorf("cli: Planning.%s: %v is out of range", field, v))
	}
	if p.Daily < 1 {
		bad("Daily", p.Daily)
	}
	if p.Hourly < 1 {
		bad("Hourly", p.Hourly)
	}
	if !(p.Utilisation > 0 && p.Utilisation <= 1) {
		bad("Utilisation", p.Utilisation)
	}
	if p.Least < 0 {
		bad("Least", p.Least)
	}
	if !(p.Loss >= 0 && p.Loss <= 1) {
		bad("Loss", p.Loss)
	}
	if !(p.Retire >= 0 && p.Retire <= 1) {
		bad("Retire", p.Retire)
	}
	for field, d := range map[string]time.Duration{"Rest": p.Rest, "Warm": p.Warm, "Callback": p.Callback, "Lead": p.Lead} {
		if d < 0 {
			bad(field, d)
		}
	}
	return errors.Join(errs...)
}

// Plan returns the numbers that demands take. The error names every field that is out of range.
func (p Planning) Plan(demands ...Demand) ([]Need, error) {
	p = p.withDefaults()
	err := p.check()
	for i, d := range demands {
		if !(d.Daily >= 0 && d.PeakHour >= 0) || math.IsInf(d.Daily+d.PeakHour, 0) {
			err = errors.Join(err, fmt.Errorf("cli: demand %d %q: %v a day, %v an hour: out of range", i, d.Place, d.Daily, d.PeakHour))
		}
	}
	if err != nil {
		return nil, err
	}
	needs := make([]Need, len(demands))
	for i, d := range demands {
		active := math.Max(math.Ceil(d.Daily/(float64(p.Daily)*p.Utilisation)), math.Ceil(d.PeakHour/(float64(p.Hourly)*p.Utilisation)))
		active = max(active, float64(p.Least))
		lost := p.Loss * active // a day
		needs[i] = Need{
			Place: d.Place, Active: int(active), Resting: littles(lost, p.Rest), Warming: littles(lost, p.Warm),
			Holding: littles(lost*p.Retire, p.Callback),
		}
	}
	return needs, nil
}

// littles is L = λW, rounded up.
func littles(perDay float64, d time.Duration) int {
	return int(math.Ceil(perDay*d.Hours()/24 - 1e-9))
}

// Order is numbers to order on a day, so that they are in use when they are needed.
type Order struct {
	Day     int // from the day of planning, 0 = today
	Numbers int
}

// Orders returns what to order on which day of the next days for a demand that grows by a share each day, when stock
// numbers are in use today and ordered ones are on their way for the days that they still take. What is retired is replaced too.
func (p Planning) Orders(d Demand, growth float64, stock, days int) ([]Order, error) {
	if _, err := p.Plan(d); err != nil {
		return nil, err
	}
	if growth < -1 || growth > 1 || stock < 0 || days < 0 || days > 3660 {
		return nil, fmt.Errorf("cli: orders: growth %v, stock %d, days %d: out of range", growth, stock, days)
	}
	p = p.withDefaults()
	ahead := int(math.Ceil((p.Lead + p.Warm).Hours() / 24))
	var orders []Order
	have := float64(stock)
	for day := range days {
		volume := d
		scale := math.Pow(1+growth, float64(day))
		volume.Daily, volume.PeakHour = d.Daily*scale, d.PeakHour*scale
		need, err := p.Plan(volume)
		if err != nil {
			return nil, err
		}
		want := float64(need[0].Active + need[0].Resting)
		if day > 0 {
			have -= p.Loss * p.Retire * float64(need[0].Active)
		}
		if short := math.Ceil(want - have - 1e-9); short > 0 {
			at := max(day-ahead, 0)
			if n := len(orders); n > 0 && orders[n-1].Day == at {
				orders[n-1].Numbers += int(short)
			} else {
				orders = append(orders, Order{Day: at, Numbers: int(short)})
			}
			have += short
		}
	}
	return orders, nil
}

// Cover is how long a pool's numbers will do.
type Cover struct {
	Pool     string
	Active   int     // in use, on probation and in rehab included; those without a right to use count nowhere
	Warming  int     // on their ramp
	Resting  int     // in quarantine, an operator's included
	Holding  int     // retiring
	Capacity float64 // uses in 24 hours that their shares and the caps allow, times the utilisation
	Used     int     // in the last 24 hours
	PerDay   float64 // mean uses of a number in use in the last 24 hours

	Days    float64   // until losses have eaten the capacity that is not used; +Inf without losses
	Reorder time.Time // when to order: Lead and Warm before the cover ends; in the past = now
}

// Cover tells how long a pool's numbers will do if it goes on like this. A pool that is not configured gives false.
func (g *Governor) Cover(now time.Time, pool outdial.PoolID, by Planning) (Cover, bool) {
	by = by.withDefaults()
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.layout.byID[pool]
	if p == nil {
		return Cover{}, false
	}
	m := g.clock.read(now)
	g.expire(m)
	c := Cover{Pool: p.name}
	daily := p.rules.within(day)
	for _, slot := range p.slots {
		n := &g.numbers[slot]
		status, _ := n.assess(m, false)
		usable := status == StatusReady || status == StatusWaiting || status == StatusBusy
		switch {
		case n.state == StateRetiring:
			c.Holding++
		case status == StatusResting && (n.state == StateQuarantined || n.state.Presentable()):
			c.Resting++
		case usable && n.state == StateWarming:
			c.Warming++
		case usable:
			c.Active++
		}
		if usable {
			c.Capacity += float64(daily) * float64(n.share) / whole * by.Utilisation
		}
		c.Used += n.uses.count(m.at, 24*time.Hour)
	}
	inUse := c.Active + c.Warming
	if inUse > 0 {
		c.PerDay = float64(c.Used) / float64(inUse)
	}
	c.Days = math.Inf(1)
	if lost := by.Loss * float64(inUse) * float64(daily) * by.Utilisation; lost > 0 {
		c.Days = max(c.Capacity-float64(c.Used), 0) / lost
	}
	if days := c.Days - (by.Lead+by.Warm).Hours()/24; days < 365*100 {
		c.Reorder = now.Add(time.Duration(days * 24 * float64(time.Hour)))
	}
	return c, true
}

// Offer answers a request for more than there is.
type Offer struct {
	Asked   int
	Granted int
	Reason  string // why not all of it; "" if it is
}

// OfferVolume answers how many calls more a pool may make in the next 24 hours. What the caps of its numbers do not carry is
// not granted, whoever asks; the answer stands in the audit.
func (g *Governor) OfferVolume(now time.Time, pool outdial.PoolID, more int, actor, reason string) (Offer, error) {
	if err := checkOffer(more, actor); err != nil {
		return Offer{}, err
	}
	c, ok := g.Cover(now, pool, Planning{Utilisation: 1})
	if !ok {
		return Offer{}, errors.New("cli: offer: no such pool")
	}
	o := Offer{Asked: more, Granted: min(more, max(int(c.Capacity)-c.Used, 0))}
	if o.Granted < more {
		o.Reason = fmt.Sprintf("%d numbers in use carry %.0f calls in 24 hours, and %d were made", c.Active+c.Warming, c.Capacity, c.Used)
	}
	g.offered(now, c.Pool, "more volume", o, actor, reason)
	return o, nil
}

// OfferReplacements answers how many numbers of a pool may be replaced today. Numbers are not swapped out to get around what
// rests them: a replacement needs a reason, and no more than Lifecycle.MaxDaily of the pool is replaced in 24 hours, those that
// joined it counted.
func (g *Governor) OfferReplacements(now time.Time, pool outdial.PoolID, numbers int, actor, reason string) (Offer, error) {
	if err := checkOffer(numbers, actor); err != nil {
		return Offer{}, err
	}
	c, ok := g.Cover(now, pool, Planning{})
	if !ok {
		return Offer{}, errors.New("cli: offer: no such pool")
	}
	size := c.Active + c.Warming + c.Resting
	g.mu.Lock()
	most := max(1, size*g.rules.daily/100)
	since := g.clock.read(now).at - day
	joined := 0
	for _, e := range g.audit.after(0) {
		if e.Pool == c.Pool && e.From == StateUnset && e.Number != 0 && g.clock.epoch.Instant(e.Time) > since {
			joined++
		}
	}
	g.mu.Unlock()
	o := Offer{Asked: numbers, Granted: min(numbers, max(most-joined, 0))}
	switch {
	case reason == "":
		o.Granted, o.Reason = 0, "without evidence nothing is replaced"
	case o.Granted < numbers:
		o.Reason = fmt.Sprintf("%d of %d numbers may be replaced in 24 hours, and %d joined", most, size, joined)
	}
	g.offered(now, c.Pool, "replacements", o, actor, reason)
	return o, nil
}

func checkOffer(asked int, actor string) error {
	switch {
	case actor == "":
		return errors.New("cli: offer: Actor: required")
	case asked < 1:
		return fmt.Errorf("cli: offer: %d is not more than nothing", asked)
	}
	return nil
}

func (g *Governor) offered(now time.Time, pool, what string, o Offer, actor, reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.clock.read(now)
	if o.Reason != "" {
		reason += ": " + o.Reason
	}
	g.audit.add(Entry{
		Time: g.clock.time(m.at), Pool: pool, Actor: actor, Reason: what + ": " + reason,
		Figures: []Figure{{"asked", float64(o.Asked)}, {"granted", float64(o.Granted)}},
	})
}

// underused gives a notice, once a day, for a pool that spreads its calls over too many numbers: the fewer calls a number
// makes, the more it looks as if they were spread to stay below what is noticed.
func (g *Governor) underused(now moment, p *pool) {
	w := p.watch
	if len(p.slots) < snowshoeLeast || now.at < w.counted+day {
		return
	}
	used, inUse := 0, 0
	for _, slot := range p.slots {
		if n := &g.numbers[slot]; n.state == StateActive {
			inUse++
			used += n.uses.count(now.at, 24*time.Hour)
		}
	}
	first := w.counted == window.Never
	w.counted = now.at
	if first || inUse == 0 || used == 0 || used >= snowshoeUses*inUse || g.replaying || len(g.notices) >= maxNotices {
		return
	}
	g.notices = append(g.notices, Notice{
		Kind: NoticeUnderused, Time: g.clock.time(now.at), Pool: p.name, Text: "too many numbers for the calls that are made",
		Figures: []Figure{{"numbers", float64(inUse)}, {"uses_24h", float64(used)}, {"least", float64(snowshoeUses * inUse)}},
	})
}

const (
	snowshoeLeast = 20 // numbers of a pool that this is about
	snowshoeUses  = 10 // uses of a number in 24 hours below which there are too many
)
