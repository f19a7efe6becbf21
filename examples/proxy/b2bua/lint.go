package b2bua

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/outdial/outdial/examples/proxy/siplint"
)

const (
	lintEvery = time.Second    // one message of each peer is looked at so often, at most
	lintAgain = 24 * time.Hour // and a fault that goes on is told again after so long
)

// lints are the faults of messages that were told. Its keys come from the configuration, which bounds them. The zero value is ready to use.
type lints struct {
	mu    sync.Mutex
	since map[lintKey]time.Time
}

// lintKey is a peer, and a fault of its messages; code 0 = that one of its messages was looked at.
type lintKey struct {
	dialer, trunk string
	code          siplint.Code
}

// due reports whether what stands under key is so long ago, and notes that it is done now.
func (l *lints) due(key lintKey, now time.Time, every time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last, ok := l.since[key]; ok && now.Sub(last) < every {
		return false
	}
	if l.since == nil {
		l.since = map[lintKey]time.Time{}
	}
	l.since[key] = now
	return true
}

// lintInvite tells what in a dialer's INVITE will break its call.
func (p *Proxy) lintInvite(r *request) {
	now, name := p.now(), r.source.name
	if !p.lints.due(lintKey{dialer: name}, now, lintEvery) {
		return
	}
	found := siplint.Check(r.Request, r.from, !r.at.stream(), true)
	if r.source.nat { // answers and requests go to where it sends from
		found = slices.DeleteFunc(found, func(f siplint.Finding) bool { return f.Code == siplint.NoRport || f.Code == siplint.ContactPrivate })
	}
	p.tellFaults(now, Alert{Dialer: name}, found)
}

// lintAnswer tells the same of a carrier's answer.
func (p *Proxy) lintAnswer(trunk string, res *sip.Response) {
	now := p.now()
	if res == nil || !p.lints.due(lintKey{trunk: trunk}, now, lintEvery) {
		return
	}
	from, err := netip.ParseAddrPort(res.Source())
	if err != nil {
		return
	}
	p.tellFaults(now, Alert{Trunk: trunk}, siplint.Check(res, from, false, true))
}

func (p *Proxy) tellFaults(now time.Time, of Alert, found []siplint.Finding) {
	for _, f := range found {
		if !p.lints.due(lintKey{of.Dialer, of.Trunk, f.Code}, now, lintAgain) {
			continue
		}
		of.Time, of.Source, of.Kind = now, "sip", f.Code.String()
		of.Text = fmt.Sprintf("%s: %s; %s", f.Where, f.What, f.Code.Fix())
		p.alert(of)
	}
}
