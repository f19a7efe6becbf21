package page

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/failover"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/trunk"
)

// How many of each a snapshot has at most.
const (
	maxCalls     = 40
	maxItems     = 30
	maxFailovers = 20
	maxInWords   = 1 // destination groups of a trunk that are named
)

// source makes snapshots of a proxy. One goroutine uses it, but for hello.
type source struct {
	p      *b2bua.Proxy
	window kpi.Window
	began  []begun // the oldest first: of the last rateSpan, and one before

	pools     []Pool // looking through a large inventory is dear: that takes a fiftieth of the time at most
	poolsNext time.Time
}

// begun is how many calls had begun at one time.
type begun struct {
	at    time.Time
	calls uint64
}

// rateSpan is what calls a second are counted over: a single second jumps about.
const rateSpan = 5 * time.Second

// rate takes a count, and returns calls a second.
func (s *source) rate(now time.Time, calls uint64) float64 {
	s.began = append(s.began, begun{now, calls})
	n := 0
	for n+1 < len(s.began) && now.Sub(s.began[n+1].at) >= rateSpan {
		n++
	}
	s.began = slices.Delete(s.began, 0, n)
	d := now.Sub(s.began[0].at).Seconds()
	if d <= 0 {
		return 0
	}
	return float64(calls-s.began[0].calls) / d
}

// shortWindow is what a wallboard looks back over: of the meter's spans the shortest that is not shorter, or else the longest.
const shortWindow = 5 * time.Minute

func newSource(p *b2bua.Proxy) source {
	s := source{p: p}
	cfg := p.Config().KPI
	best := cmp.Or(cfg.Window, time.Hour) // kpi's default
	for _, span := range cfg.Spans {
		if closer(span.Window, best) {
			best = span.Window
		}
	}
	s.window, _ = p.Meter().Over(best)
	return s
}

// closer reports whether a window of d is better for a wallboard than one of best.
func closer(d, best time.Duration) bool {
	if long := d >= shortWindow; long != (best >= shortWindow) {
		return long
	}
	return d < best == (d >= shortWindow)
}

func (s *source) hello() hello {
	current, _ := s.p.Loaded()
	return hello{Policy: current.Version, Window: inWords(s.window.Span().Window)}
}

// inWords is a window as people say it.
func inWords(d time.Duration) string {
	switch {
	case d%time.Hour == 0 && d > time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d == time.Hour:
		return "hour"
	case d%time.Minute == 0 && d > time.Minute:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	}
	return d.String()
}

// take makes a snapshot. One that nobody sees has only what the plots need.
func (s *source) take(ctx context.Context, now time.Time, watched bool) *Snapshot {
	st := s.p.Stats()
	out := &Snapshot{T: now.UnixMilli(), Draining: s.p.Draining(), Live: st.Live, Answered: st.Answered, Refused: st.Refused + st.Rejected}
	out.CPS = s.rate(now, st.Calls)
	out.KPI = s.kpi(now, kpi.Key{View: kpi.Total})
	out.Trunks = s.trunks(now)
	if !watched {
		return out
	}
	out.Pools = s.somePools(now)
	out.Incidents = s.items(now)
	out.Failovers = []Failover{}
	for _, f := range s.p.Hunts(now, maxFailovers) {
		out.Failovers = append(out.Failovers, Failover{f.Latest.UnixMilli(), f.From, f.To, f.Why, f.Calls})
	}
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	live, _ := s.p.LiveCalls(ctx, 0, maxCalls)
	out.Calls, out.Recent = calls(live), calls(s.p.EndedCalls(maxCalls))
	return out
}

func (s *source) kpi(now time.Time, key kpi.Key) *KPI {
	c, ok := s.window.Cell(now, key)
	if !ok {
		return nil
	}
	k := &KPI{ASR: ratio(c.ASR()), NER: ratio(c.NER())}
	if d, ok := c.PDD.Quantile(0.5); ok {
		v := round(d.Seconds())
		k.P50 = &v
	}
	if d, ok := c.PDD.Quantile(0.95); ok {
		v := round(d.Seconds())
		k.P95 = &v
	}
	return k
}

func ratio(r kpi.Ratio) Ratio {
	out := Ratio{N: r.N}
	if v, ok := r.Value(); ok {
		low, high, _ := r.Interval(0.95)
		v = round(v)
		out.V, out.Lo, out.Hi = &v, round(low), round(high)
	}
	return out
}

// round keeps snapshots short: four digits behind the point.
func round(v float64) float64 { return float64(int64(v*1e4+0.5)) / 1e4 }

func (s *source) trunks(now time.Time) []Trunk {
	carriers, targets := map[string]string{}, map[outdial.TrunkID][]failover.Target{}
	for _, t := range s.p.Config().Trunks {
		carriers[t.Name] = t.Carrier
	}
	for _, t := range s.p.Failover().Snapshot(now) {
		targets[t.Trunk] = append(targets[t.Trunk], t)
	}
	list := []Trunk{}
	for _, st := range s.p.Trunks().Snapshot(now) {
		t := Trunk{
			Name: st.Name, Carrier: carriers[st.Name], State: st.State.String(), Health: failover.Up.String(), Groups: []string{}, Orders: []Order{},
			KPI: s.kpi(now, kpi.Key{View: kpi.ByTrunk, Trunk: st.Trunk}),
			Use: st.InUse, Ceiling: st.Ceiling, Peak: st.Peak, CPS: st.LastSecond, Limit: st.CPS, Blocked: st.Blocked.Room(),
		}
		if st.State == trunk.Draining {
			t.Why = st.Change.Reason
		}
		t.healthOf(targets[st.Trunk])
		list = append(list, t)
	}
	s.orders(now, list)
	return list
}

// healthOf says how the trunk as a whole stands, and names destination groups that stand otherwise.
func (t *Trunk) healthOf(targets []failover.Target) {
	more := 0
	for _, x := range targets {
		switch {
		case x.Group == 0:
			t.Health = x.State.String()
			if x.Why != "" {
				t.Why = x.Why
			}
			if !x.Since.IsZero() {
				t.Since = x.Since.UnixMilli()
			}
		case x.State == failover.Up:
		case len(t.Groups) < maxInWords:
			t.Groups = append(t.Groups, strings.TrimSuffix(x.GroupName+" "+x.State.String()+": "+x.Why, ": "))
		default:
			more++
		}
	}
	switch {
	case more == 1:
		t.Groups = append(t.Groups, "one more group")
	case more > 1:
		t.Groups = append(t.Groups, fmt.Sprintf("%d more groups", more))
	}
}

// orders tells which orders stand about which trunk.
func (s *source) orders(now time.Time, list []Trunk) {
	add := func(name string, o Order) {
		for i := range list {
			if list[i].Name == name {
				list[i].Orders = append(list[i].Orders, o)
			}
		}
	}
	drilled := map[string]bool{}
	for _, d := range s.p.Failover().Drills(now) {
		if d.Over || len(d.Order.To) == 0 {
			continue
		}
		name := d.Order.To[0]
		drilled[name] = true
		add(name, Order{What: fmt.Sprintf("drill: %.0f %%", 100*d.Order.Share), Drill: true, Until: d.Until.UnixMilli()})
	}
	for _, f := range s.p.Failover().Flips(now) {
		if len(f.To) > 0 && !drilled[f.To[0]] {
			add(f.To[0], Order{What: fmt.Sprintf("flip: %.0f %%", 100*f.Share)})
		}
	}
	for _, o := range s.p.Router().Overrides(now) {
		order := Order{What: string(o.Action)}
		if o.Expires != 0 {
			order.Until = o.Expires.Time().UnixMilli()
		}
		add(o.Trunk, order)
	}
}

// somePools are the pools as they stand, or stood a moment ago.
func (s *source) somePools(now time.Time) []Pool {
	g := s.p.CLIs()
	if g == nil {
		return []Pool{}
	}
	if now.Before(s.poolsNext) {
		return s.pools
	}
	began := time.Now()
	s.pools = []Pool{}
	for _, p := range g.Snapshot(now).Pools {
		states := map[string]int{}
		for state, n := range p.States {
			states[state.String()] = n
		}
		s.pools = append(s.pools, Pool{
			Name: p.Name, Program: p.Program, States: states, Ready: p.Ready, Waiting: p.Waiting + p.Busy, Resting: p.Resting,
			Risk: round(g.Risk(now, p.ID).Mean), KPI: s.kpi(now, kpi.Key{View: kpi.ByPool, Pool: p.ID}),
		})
	}
	s.poolsNext = now.Add(50 * time.Since(began))
	return s.pools
}

// items are incidents and alerts, the latest first.
func (s *source) items(now time.Time) []Item {
	list := []Item{}
	for _, i := range s.p.Failover().Incidents(now) {
		what := i.Name
		if i.GroupName != "" {
			what += " to " + i.GroupName
		}
		x := Item{Key: fmt.Sprintf("i %s %d", what, i.Began.UnixNano()), T: i.Isolated.UnixMilli(), Level: "bad", Head: what + " is out", Body: i.Learned()}
		if i.Isolated.IsZero() {
			x.T, x.Level, x.Head = i.Began.UnixMilli(), "warn", what+" is suspect"
		}
		switch {
		case !i.Recovered.IsZero():
			x.Level, x.Head = "ok", fmt.Sprintf("%s is back, after %s", what, i.Recovered.Sub(i.Began).Round(time.Second))
		case !i.Returned.IsZero():
			x.Level, x.Head = "warn", what+" returns"
		}
		list = append(list, x)
	}
	for _, a := range s.p.Alerts(0) {
		x := Item{Key: fmt.Sprintf("a %d", a.Seq), T: a.Time.UnixMilli(), Level: "warn", Body: a.Text}
		about := []string{}
		for _, part := range []string{a.Trunk, a.Group, a.Pool, a.Number} {
			if part != "" {
				about = append(about, part)
			}
		}
		x.Head = strings.Join(append(about, strings.ReplaceAll(a.Kind, "_", " ")), " · ")
		if a.Over {
			x.Level, x.Head = "ok", x.Head+": over"
		}
		if c := a.Contact; c != nil {
			x.Body = strings.Join(slices.DeleteFunc([]string{a.Text, "call " + c.Name, c.Tel, c.Email}, func(s string) bool { return s == "" || s == "call " }), " · ")
		}
		list = append(list, x)
	}
	slices.SortStableFunc(list, func(a, b Item) int { return cmp.Compare(b.T, a.T) })
	return list[:min(len(list), maxItems)]
}

func calls(list []b2bua.LiveCall) []Call {
	out := make([]Call, 0, len(list))
	for i := range list {
		l := &list[i]
		c := Call{ID: l.ID.String(), To: l.To, Trunk: l.Trunk, State: l.State, Began: l.Began.UnixMilli(), Code: l.Code, Attempts: l.Attempts}
		if !l.Ended.IsZero() {
			c.Ended = l.Ended.UnixMilli()
		}
		out = append(out, c)
	}
	return out
}
