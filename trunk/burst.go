package trunk

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// burst is what is used above the base, and whether that may go on.
type burst struct {
	over   int            // channels above the base
	mark   window.Instant // spent and total are summed until here
	spent  time.Duration  // channel time above the base, of the day
	total  time.Duration  // ever
	dayEnd window.Instant // when the next day's budget begins
	told   bool           // that the day's budget is spent

	open   bool           // a burst window is open
	opened window.Instant // since when
	closed window.Instant // none may be opened before
}

func (b *burst) add(to window.Instant) {
	if to > b.mark {
		used := time.Duration(to-b.mark) * time.Duration(b.over)
		b.spent += used
		b.total += used
		b.mark = to
	}
}

// bill sums what was used above the base until at, and goes on with what is used now.
func (t *line) bill(at window.Instant) {
	b, terms := &t.burst, &t.terms.limits.Burst
	if !t.begun {
		return
	}
	for at >= b.dayEnd {
		day := at
		if b.over > 0 && b.dayEnd > b.mark {
			day = b.dayEnd
			b.add(day)
		}
		b.mark = max(b.mark, day)
		b.spent, b.told, b.dayEnd = 0, false, t.midnight(day)
	}
	b.add(at)
	b.over = t.above()
	if b.open && terms.Window > 0 && at-b.opened >= window.Instant(terms.Window) {
		b.open, b.closed = false, b.opened+window.Instant(terms.Window+max(terms.Rest, 0))
	}
	if terms.Budget > 0 && b.spent >= terms.Budget && !b.told {
		b.told = true
		t.alert(at, AlertBurstSpent, b.spent.Minutes(), terms.Budget.Minutes())
	}
}

// above is how many channels are used above those that are paid for.
func (t *line) above() int { return max(t.slots.used()+t.replayed-t.paid, 0) }

// mayBurst reports whether a call of this priority may take a channel above the base. The caller has billed until at.
func (t *line) mayBurst(at window.Instant, p outdial.Priority) bool {
	b, terms := &t.burst, &t.terms.limits.Burst
	if t.top <= t.base || p < terms.From || terms.Budget >= 0 && b.spent >= terms.Budget {
		return false
	}
	return terms.Window <= 0 || b.open || at >= b.closed && b.over == 0
}

// midnight returns the first beginning of a day after at.
func (t *line) midnight(at window.Instant) window.Instant {
	y, m, d := t.time(at).In(t.terms.zone).Date()
	next := t.shift + t.epoch.Instant(time.Date(y, m, d+1, 0, 0, 0, 0, t.terms.zone))
	return max(next, at+1)
}
