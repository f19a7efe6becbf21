package kpi

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
)

// NumbersConfig configures Numbers. The zero value is usable.
type NumbersConfig struct {
	Place  func(outdial.Number) string // where a caller ID belongs: its country, state or area; nil = one place, ""
	Window time.Duration               // a number is in use for so long after it was presented; 0 = 7 days
	IDs    *outdial.Registry           // names pools in snapshots; nil = they stand as numbers there
	Max    int                         // numbers that are told apart; 0 = 1,000,000 (some 100 bytes each)
}

// Numbers counts how many caller IDs are labelled, by pool and place: numbers, where Cell.LabelledCalls counts calls. A number
// belongs to the pool that it was presented from last, and stands as the worst that any analytics engine said of it and that
// still holds. It is an observer; give it to an engine beside a Meter. A report has counts alone. Safe for concurrent use;
// NewNumbers makes one.
type Numbers struct {
	cfg     NumbersConfig
	labels  labels
	resumed atomic.Uint64 // sequence of the snapshot that was restored

	mu     sync.Mutex
	by     map[outdial.Number]presented
	oldest time.Time // none was presented last before
	untold uint64
}

type presented struct {
	pool outdial.PoolID
	at   time.Time
}

// NewNumbers returns a Numbers; the error names every bad field.
func NewNumbers(cfg NumbersConfig) (*Numbers, error) {
	cfg.Window, cfg.Max = orDefault(cfg.Window, 7*24*time.Hour), orDefault(cfg.Max, 1_000_000)
	var errs []error
	if cfg.Window < 0 {
		errs = append(errs, errors.New("kpi: NumbersConfig.Window: negative"))
	}
	if cfg.Max < 0 {
		errs = append(errs, errors.New("kpi: NumbersConfig.Max: negative"))
	}
	if cfg.Place == nil {
		cfg.Place = func(outdial.Number) string { return "" }
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Numbers{cfg: cfg, by: map[outdial.Number]presented{}}, nil
}

// NumberLabels is how the numbers of one pool and place stand.
type NumberLabels struct {
	Pool  outdial.PoolID
	Place string
	By    [LabelStatuses]uint64 // by outdial.LabelStatus
}

// Numbers is how many are in use.
func (n *NumberLabels) Numbers() (all uint64) {
	for _, k := range n.By {
		all += k
	}
	return all
}

// Labelled is the share of numbers that are labelled or blocked, of those whose standing is known, and beside it the share
// whose standing is not known, of all.
func (n *NumberLabels) Labelled() (labelled, unknown Ratio) { return labelShares(&n.By) }

// Observe implements outdial.Observer.
func (n *Numbers) Observe(ev *outdial.Event) {
	switch {
	case ev.Kind == outdial.EventLabelled && ev.Label != nil:
		n.labels.observe(ev.Time, ev.Label)
	case ev.Kind == outdial.EventStarted && ev.Attempt != nil && ev.Attempt.CLI != 0:
		n.present(ev.Attempt)
	}
}

func (n *Numbers) present(a *outdial.Attempt) {
	n.mu.Lock()
	defer n.mu.Unlock()
	have, ok := n.by[a.CLI]
	if ok && have.at.After(a.Start) {
		return
	}
	if !ok && len(n.by) >= n.cfg.Max && !n.room(a.Start) {
		n.untold++
		return
	}
	n.by[a.CLI] = presented{cmp.Or(a.Pool, a.Candidate.Pool), a.Start}
}

// room drops the numbers that are not in use any more, and reports whether any was. It goes through all of them, and so only when
// one may be found.
func (n *Numbers) room(now time.Time) bool {
	if now.Sub(n.oldest) <= n.cfg.Window {
		return false
	}
	n.oldest = now
	for number, p := range n.by {
		switch {
		case now.Sub(p.at) > n.cfg.Window:
			delete(n.by, number)
		case p.at.Before(n.oldest):
			n.oldest = p.at
		}
	}
	return len(n.by) < n.cfg.Max
}

// Untold is how often a number was presented that there was no room for.
func (n *Numbers) Untold() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.untold
}

// Report returns how the numbers in use stand at now, by pool and place, ascending.
func (n *Numbers) Report(now time.Time) []NumberLabels {
	type key struct {
		pool  outdial.PoolID
		place string
	}
	n.mu.Lock()
	pools := make(map[outdial.Number]outdial.PoolID, len(n.by))
	for number, p := range n.by {
		if !p.at.After(now) && now.Sub(p.at) <= n.cfg.Window {
			pools[number] = p.pool
		}
	}
	n.mu.Unlock()
	sum := map[key]*NumberLabels{}
	for number, pool := range pools {
		k := key{pool, n.cfg.Place(number)}
		if sum[k] == nil {
			sum[k] = &NumberLabels{Pool: k.pool, Place: k.place}
		}
		sum[k].By[n.labels.status(number, now)]++
	}
	list := make([]NumberLabels, 0, len(sum))
	for _, row := range sum {
		list = append(list, *row)
	}
	slices.SortFunc(list, func(a, b NumberLabels) int {
		return cmp.Or(cmp.Compare(a.Pool, b.Pool), cmp.Compare(a.Place, b.Place))
	})
	return list
}
