package b2bua

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/outdial/outdial"
)

// alertsEvery is how often is looked at what came up.
const alertsEvery = time.Second

// maxAlerts is how many alerts are kept at hand.
const maxAlerts = 512

// Alert is something that a person should know of, with whom to call about it. It is told once, in the log and here.
type Alert struct {
	Seq     uint64    `json:"seq"` // from 1, in this process
	Time    time.Time `json:"time"`
	Source  string    `json:"source"` // "trunk", "failover", "cli", "sip"
	Kind    string    `json:"kind"`
	Over    bool      `json:"over,omitempty"` // what was told of before is no longer so
	Dialer  string    `json:"dialer,omitempty"`
	Trunk   string    `json:"trunk,omitempty"`
	Carrier string    `json:"carrier,omitempty"`
	Group   string    `json:"group,omitempty"` // destination group
	Pool    string    `json:"pool,omitempty"`
	Number  string    `json:"number,omitempty"` // one of ours
	Text    string    `json:"text"`
	Value   float64   `json:"value,omitempty"`
	Limit   float64   `json:"limit,omitempty"`
	Redress string    `json:"redress,omitempty"` // where to object to a block
	Contact *Contact  `json:"contact,omitempty"` // of the carrier
}

// alerts are the latest ones. The zero value is ready to use.
type alerts struct {
	mu       sync.Mutex
	seq      uint64
	kept     []Alert
	standing map[string]Alert // alarms of failover that were told and not ended
}

func (a *alerts) add(x Alert) Alert {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seq++
	x.Seq = a.seq
	if a.kept = append(a.kept, x); len(a.kept) >= 2*maxAlerts {
		a.kept = slices.Clone(a.kept[maxAlerts:])
	}
	return x
}

// Alerts returns what came up after the alert with this sequence number, the oldest first; at most the latest 512.
func (p *Proxy) Alerts(after uint64) []Alert {
	p.alerts.mu.Lock()
	defer p.alerts.mu.Unlock()
	kept := p.alerts.kept[max(0, len(p.alerts.kept)-maxAlerts):]
	i, _ := slices.BinarySearchFunc(kept, after+1, func(a Alert, seq uint64) int { return int(a.Seq) - int(seq) })
	return slices.Clone(kept[i:])
}

// watch tells what comes up until ctx is done.
func (p *Proxy) watch(ctx context.Context) {
	since := p.now()
	tick := time.NewTicker(alertsEvery)
	defer tick.Stop()
	for {
		p.look(p.now(), since)
		select {
		case <-ctx.Done():
			p.look(p.now(), since)
			return
		case <-tick.C:
		}
	}
}

func (p *Proxy) look(now, since time.Time) {
	for _, a := range p.trunks.Alerts(nil) {
		p.alert(Alert{
			Time: a.Time, Source: "trunk", Kind: a.Kind.String(), Trunk: a.Name, Value: a.Value, Limit: a.Limit,
			Text: fmt.Sprintf("%g of %g", a.Value, a.Limit),
		})
	}
	p.lookAtHealth(now, since)
	if p.clis == nil {
		return
	}
	for _, n := range p.clis.Notices() {
		x := Alert{Time: n.Time, Source: "cli", Kind: n.Kind.String(), Pool: n.Pool, Text: n.Text}
		if n.Number != 0 {
			x.Number = n.Number.String() // ours, not a callee's: never masked
		}
		if n.Redress != nil {
			x.Redress = strings.TrimSpace(n.Redress.URL + " " + n.Redress.Tel + " " + n.Redress.Email)
		}
		p.alert(x)
	}
}

// lookAtHealth tells which alarms of failover are new, and which are over.
func (p *Proxy) lookAtHealth(now, since time.Time) {
	found := map[string]Alert{}
	for _, f := range p.selector.Alarms(now, since) {
		x := Alert{Time: now, Source: "failover", Kind: string(f.Code), Group: f.Group, Text: f.Text, Trunk: strings.Join(f.Trunks, ", ")}
		found[x.Kind+"\x00"+x.Trunk+"\x00"+x.Group] = x
	}
	p.alerts.mu.Lock()
	before := p.alerts.standing
	p.alerts.standing = found
	p.alerts.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(found)) {
		if _, known := before[key]; !known {
			p.alert(found[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(before)) {
		if _, stands := found[key]; !stands {
			x := before[key]
			x.Time, x.Over = now, true
			p.alert(x)
		}
	}
}

// alert completes an alert with the carrier and whom to call there, keeps and logs it.
func (p *Proxy) alert(x Alert) {
	for _, t := range p.set().Trunks {
		if t.Name == x.Trunk {
			x.Carrier = t.Carrier
		}
	}
	x.Contact = p.Escalation(x.Carrier)
	x = p.alerts.add(x)
	attrs := []slog.Attr{slog.String("kind", x.Kind), slog.String("text", x.Text)}
	for _, a := range []slog.Attr{
		slog.String("dialer", x.Dialer), slog.String("trunk", x.Trunk), slog.String("carrier", x.Carrier), slog.String("group", x.Group), slog.String("pool", x.Pool),
		slog.String("number", x.Number), slog.String("redress", x.Redress),
	} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	if x.Over {
		attrs = append(attrs, slog.Bool("over", true))
	}
	if c := x.Contact; c != nil {
		attrs = append(attrs, slog.Group("contact", slog.String("name", c.Name), slog.String("tel", c.Tel), slog.String("email", c.Email),
			slog.String("hours", c.Hours)))
	}
	p.log.LogAttrs(context.Background(), slog.LevelWarn, "alert: "+x.Source, attrs...)
}

// Orders returns the audit log: the latest 4,096 changes, the oldest first, as the journal has them as Control events. Older ones are
// read from the journal (cdr.Reader).
func (p *Proxy) Orders() []Order { return p.orders.audit() }

// OrderCount is how many changes the proxy has learned of, the replayed ones included.
func (p *Proxy) OrderCount() int {
	p.orders.mu.Lock()
	defer p.orders.mu.Unlock()
	return p.orders.total
}

// Freezes are the freezes in force: ActionFreeze.
func (p *Proxy) Freezes() []outdial.Control { return p.orders.freezes(p.now()) }

// Opened reports how a campaign stands with its gate: whether it has to be opened, whether it is, and until when (zero = until closed).
func (p *Proxy) Opened(campaign string) (gated, open bool, until time.Time) {
	id, _ := p.ids.Campaigns.Lookup(campaign)
	open, until = p.orders.isOpen(p.now(), id)
	return p.orders.gate.Load().gates(campaign), open, until
}

// Controls counts changes by action, since the process began.
func (p *Proxy) Controls() map[string]uint64 {
	p.orders.mu.Lock()
	defer p.orders.mu.Unlock()
	all := map[string]uint64{}
	for action, n := range p.orders.counts {
		all[action] = n
	}
	return all
}
