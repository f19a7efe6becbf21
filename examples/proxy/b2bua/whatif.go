package b2bua

import (
	"context"
	"errors"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/kpi/cdr"
	"github.com/outdial/outdial/routing"
)

// maxReplayed bounds how many events WhatIf reads.
const maxReplayed = 5_000_000

// ErrNoJournal says that there is no journal to read the past from.
var ErrNoJournal = errors.New("proxy: there is no journal")

// Replayed is what two configurations would have done with calls that have been made.
type Replayed struct {
	From   time.Time      `json:"from"`
	Events int            `json:"events"` // that were read
	Cut    bool           `json:"cut"`    // there were more than are read at once
	Live   ReplayedPolicy `json:"live"`
	Next   ReplayedPolicy `json:"next"`
}

// ReplayedPolicy is what one of them would have done: see routing.WhatIfPolicy.
type ReplayedPolicy struct {
	Calls   int64  `json:"calls"`
	Moved   int64  `json:"moved"`   // would have gone to another trunk first than they did
	Refused int64  `json:"refused"` // would have been refused
	Cost    int64  `json:"cost_micros"`
	Unrated int64  `json:"unrated"`
	Moves   []Move `json:"moves"`
}

// Move is how many calls would have gone to another trunk first.
type Move struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Calls int64  `json:"calls"`
}

// WhatIf reads the calls of the journal since a time and tells how another configuration would have routed them, beside the one in force.
// Nothing is changed. It reads for as long as ctx lasts.
func (p *Proxy) WhatIf(ctx context.Context, cfg Config, from time.Time) (*Replayed, error) {
	if p.journal == nil {
		return nil, ErrNoJournal
	}
	ids := new(outdial.Registry)
	next := cfg.withDefaults()
	numbering, err := next.numbering(ids)
	if err != nil {
		return nil, &FieldError{"day_parts", err}
	}
	meter, err := kpi.New(next.KPI.build(ids))
	if err != nil {
		return nil, &FieldError{"kpi", err}
	}
	reads := routing.CompileConfig{IDs: ids, Numbering: numbering, Quality: meter, Measures: meter}
	var tables []*routing.Table
	for _, c := range []Config{p.set().Config, next} {
		t, err := routing.Compile(c.policy(), reads)
		if err != nil {
			return nil, &FieldError{"routing", err}
		}
		tables = append(tables, t)
	}
	w, err := routing.NewWhatIf(tables...)
	if err != nil {
		return nil, err
	}
	r, err := cdr.NewReader(cdr.ReaderConfig{Dir: p.cfg.Journal.Dir, IDs: ids, From: from, SkipDamaged: true})
	if err != nil {
		return nil, err
	}
	out := &Replayed{From: from}
	for ev, err := range r.All() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if out.Cut = out.Events == maxReplayed; out.Cut {
			break
		}
		out.Events++
		meter.Observe(ev)
		w.Observe(ev)
	}
	for i, policy := range w.Policies() {
		side := []*ReplayedPolicy{&out.Live, &out.Next}[i]
		*side = ReplayedPolicy{
			Calls: policy.Calls, Moved: policy.Moved, Refused: policy.Refused, Cost: int64(policy.Cost), Unrated: policy.Unrated, Moves: []Move{},
		}
		for a, from := range ids.Trunks.All() {
			for b, to := range ids.Trunks.All() {
				if n := policy.Moves[[2]outdial.TrunkID{a, b}]; n > 0 {
					side.Moves = append(side.Moves, Move{from, to, n})
				}
			}
		}
	}
	return out, nil
}
