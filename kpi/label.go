package kpi

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
)

// defaultLabelTTL is how long an observation holds that does not say it.
const defaultLabelTTL = 7 * 24 * time.Hour

// labels remembers how each caller ID was labelled last, by engine. Numbers are the host's own caller IDs, so there are
// as many as its inventory has.
type labels struct {
	any atomic.Bool
	mu  sync.RWMutex
	by  map[outdial.Number][]labelled
}

type labelled struct {
	engine string
	status outdial.LabelStatus
	at     time.Time
	until  time.Time
}

// observe keeps an observation, unless a later one of the same engine is there.
func (l *labels) observe(at time.Time, label *outdial.Label) {
	ttl := label.TTL
	if ttl <= 0 {
		ttl = defaultLabelTTL
	}
	next := labelled{engine: label.Engine, status: min(label.Status, outdial.LabelBlocked), at: at, until: at.Add(ttl)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.any.Store(true)
	if l.by == nil {
		l.by = map[outdial.Number][]labelled{}
	}
	list := l.by[label.Number]
	for i := range list {
		if list[i].engine == label.Engine {
			if !list[i].at.After(at) {
				list[i] = next
			}
			return
		}
	}
	l.by[label.Number] = append(list, next)
}

// status is the worst that any engine said of a number and that still holds; LabelUnknown where none does.
func (l *labels) status(n outdial.Number, at time.Time) outdial.LabelStatus {
	if !l.any.Load() || n == 0 {
		return outdial.LabelUnknown
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	worst := outdial.LabelUnknown
	for _, o := range l.by[n] {
		if !o.at.After(at) && at.Before(o.until) {
			worst = max(worst, o.status)
		}
	}
	return worst
}

func (l *labels) keep() map[outdial.Number][]keptLabel {
	l.mu.RLock()
	defer l.mu.RUnlock()
	out := make(map[outdial.Number][]keptLabel, len(l.by))
	for n, list := range l.by {
		for _, o := range list {
			out[n] = append(out[n], keptLabel{o.engine, o.status, o.at, o.until})
		}
	}
	return out
}

func (l *labels) restore(kept map[outdial.Number][]keptLabel) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.by = map[outdial.Number][]labelled{}
	for n, list := range kept {
		for _, k := range list {
			l.by[n] = append(l.by[n], labelled{k.Engine, min(k.Status, outdial.LabelBlocked), k.At, k.Until})
		}
	}
	l.any.Store(len(l.by) > 0)
}
