package cdr

import (
	"errors"
	"iter"
	"time"

	"github.com/outdial/outdial"
)

// ReaderConfig says what to read.
type ReaderConfig struct {
	Dir string            // the journal's directory, or a copy of it. Required
	IDs *outdial.Registry // takes the names in the journal; events come with its ids. Required

	After    uint64    // only events with a greater Seq
	From, To time.Time // only events with From ≤ Time < To; the zero time = no bound

	// SkipDamaged makes the reader go on behind damage and count it, instead of ending with an error.
	SkipDamaged bool
}

// Reader reads a journal without a lock and without changing anything: a copy of a directory, or one that another
// process is writing. A Reader is not safe for concurrent use; use one for each goroutine. The zero value is not
// usable.
type Reader struct {
	cfg    ReaderConfig
	report ReadReport
}

// ReadReport is what the last pass of a Reader met.
type ReadReport struct {
	Events uint64 // given out
	Damage Damage // passed over because of SkipDamaged
	Torn   int64  // bytes behind the last whole record of the last segment, but for zeros at their end: a torn tail, or a record just being written
}

// NewReader checks cfg and returns a Reader. Errors are returned joined; the directory is first looked at by All.
func NewReader(cfg ReaderConfig) (*Reader, error) {
	var errs []error
	if cfg.Dir == "" {
		errs = append(errs, errors.New("cdr: ReaderConfig.Dir: required"))
	}
	if cfg.IDs == nil {
		errs = append(errs, errors.New("cdr: ReaderConfig.IDs: required"))
	}
	if !cfg.From.IsZero() && !cfg.To.IsZero() && !cfg.From.Before(cfg.To) {
		errs = append(errs, errors.New("cdr: ReaderConfig.To: not after From"))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Reader{cfg: cfg}, nil
}

// All iterates over the events in order, with Replay set, as they are when the loop comes to them. An event and
// what it points to are valid until the loop goes on; texts may be kept. An error comes once, with a nil event, and
// is the end. Every loop is a new pass.
//
// Whole segments that lie outside the bounds are not read, so damage in them is not noticed.
func (r *Reader) All() iter.Seq2[*outdial.Event, error] {
	return func(yield func(*outdial.Event, error) bool) {
		r.report = ReadReport{}
		list, err := segments(r.cfg.Dir)
		if err != nil {
			yield(nil, err)
			return
		}
		w := walk{
			segs: list, skip: r.cfg.SkipDamaged, tail: true, limit: -1, after: r.cfg.After,
			from: earliest, to: latest, decoder: newDecoder(r.cfg.IDs),
		}
		if !r.cfg.From.IsZero() {
			w.from = nanos(r.cfg.From)
		}
		if !r.cfg.To.IsZero() {
			w.to = nanos(r.cfg.To)
		}
		stopped := false
		err = w.events(func(ev *outdial.Event) bool {
			r.report.Events++
			stopped = !yield(ev, nil)
			return !stopped
		})
		r.report.Damage, r.report.Torn = w.damage, w.torn
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

// Report returns what the last pass met; it is complete when its loop has ended.
func (r *Reader) Report() ReadReport { return r.report }
