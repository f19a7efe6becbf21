package outdial

import (
	"errors"
	"fmt"
	"iter"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what an Engine is built from. A nil stage is off, so that one package can be adopted at a time.
type Config struct {
	IDs       *Registry  // the registry that all stages were built with; nil = a new one
	Numbering Numbering  // nil = the built-in numbering plan, without day-parts
	Networks  Networks   // nil = Destination.Network is what Numbering says, 0 with a NumberingPlan
	Router    Router     // required; Plan serves a host that routes itself. Told of every event if it is an Observer
	Failover  Failover   // nil = one attempt, on the first candidate that is not refused
	CLIs      CLIs       // nil = Call.From is presented
	Trunks    Trunks     // nil = capacity is not limited
	Observers []Observer // see every event before Router, CLIs, Failover and Trunks do; kpi stands here
	Journal   Journal    // nil = nothing is kept over a restart

	// JournalFailure is what Next does when the journal cannot be written. OnJournalError, if not nil, is told of
	// every failed write, under either setting; it must not block. An attempt that was placed although it could not be
	// written is forgotten at a restart: its use of a caller ID too.
	JournalFailure JournalFailure
	OnJournalError func(error)

	Now  func() time.Time // the clock that Place and Run read; nil = time.Now
	Node uint16           // tells the call ids of several engines apart, in one process or many; 0 to 4095

	MaxAttempts int // attempts a call may make; 0 = 4, at most MaxAttempts

	// MaxWait is how long Next may tell the host to wait, from Begin, when every candidate that is left was refused
	// for want of room and says when to ask again; 0 or negative = not at all.
	MaxWait time.Duration

	// AdvanceAfterProgress lets hunting go on after an attempt that rang or had early media. It may ring a callee
	// twice; it is meant for carriers that fake ringing.
	AdvanceAfterProgress bool

	// Explain makes every session record what its stages read. It costs an allocation now and then.
	Explain bool
}

// JournalFailure is a policy for a journal that cannot be written.
type JournalFailure uint8

// Policies for a failing journal.
const (
	RefuseCalls JournalFailure = iota // no attempt leaves that is not on record
	PlaceAnyway                       // calls go on; OnJournalError is told each time
)

// String returns "refuse_calls" or "place_anyway".
func (j JournalFailure) String() string { return nameOf(j, "refuse_calls", "place_anyway") }

const defaultAttempts = 4

// Engine puts the stages in order and carries the facts from calls to journal and observers. It holds no call:
// each call lives in a Session. An Engine is safe for concurrent use; its zero value is not usable.
type Engine struct {
	cfg       Config
	observers []Observer // every observer, in the order in which they are told
	queuer    Queuer     // Trunks, where it keeps places; nil = it does not
	ids       callIDs
	gate      sync.RWMutex  // shared from the journal to the last observer; Checkpoint takes it whole
	last      atomic.Uint64 // sequence of the latest event in the journal
	open      openAttempts
	begun     atomic.Bool // calls have begun, or the journal was replayed: Recover comes too late
}

// New builds an Engine. It copies cfg, starts nothing, and returns one error that names every field that does not
// fit.
func New(cfg Config) (*Engine, error) {
	var errs []error
	if cfg.Router == nil {
		errs = append(errs, errors.New("Router: required (Plan serves a host that routes itself)"))
	}
	if cfg.Node > maxNode {
		errs = append(errs, fmt.Errorf("Node: %d is not between 0 and %d", cfg.Node, maxNode))
	}
	if cfg.MaxAttempts < 0 || cfg.MaxAttempts > MaxAttempts {
		errs = append(errs, fmt.Errorf("MaxAttempts: %d is not between 0 and %d", cfg.MaxAttempts, MaxAttempts))
	}
	if cfg.JournalFailure > PlaceAnyway {
		errs = append(errs, fmt.Errorf("JournalFailure: %d is not a policy", cfg.JournalFailure))
	}
	for i, o := range cfg.Observers {
		if o == nil {
			errs = append(errs, fmt.Errorf("Observers[%d]: nil", i))
		} else if same(o, cfg.Router) || same(o, cfg.CLIs) || same(o, cfg.Failover) || same(o, cfg.Trunks) {
			errs = append(errs, fmt.Errorf("Observers[%d]: %T is a stage already, and would count everything twice", i, o))
		}
	}
	if cfg.IDs == nil {
		cfg.IDs = new(Registry)
	}
	if cfg.Numbering == nil {
		plan, err := NewNumberingPlan(NumberingConfig{IDs: cfg.IDs})
		if err != nil {
			errs = append(errs, fmt.Errorf("Numbering: %w", err))
		}
		cfg.Numbering = plan
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("outdial: config: %w", errors.Join(errs...))
	}
	if cfg.MaxAttempts == 0 {
		cfg.MaxAttempts = defaultAttempts
	}
	if cfg.Now == nil {
		cfg.Now = systemClock
	}
	e := &Engine{cfg: cfg, ids: callIDs{node: uint64(cfg.Node)}}
	e.observers = append(e.observers, cfg.Observers...)
	if o, ok := cfg.Router.(Observer); ok {
		e.observers = append(e.observers, o)
	}
	if cfg.CLIs != nil {
		e.observers = append(e.observers, cfg.CLIs)
	}
	if cfg.Failover != nil {
		e.observers = append(e.observers, cfg.Failover)
	}
	if cfg.Trunks != nil {
		e.queuer, _ = cfg.Trunks.(Queuer)
		e.observers = append(e.observers, cfg.Trunks)
	}
	return e, nil
}

// IDs returns the registry of the engine.
func (e *Engine) IDs() *Registry { return e.cfg.IDs }

// NewSession returns a Session for one call at a time. Reused, it allocates nothing.
func (e *Engine) NewSession() *Session { return &Session{e: e} }

// Dispose reports what became of an answered attempt. It may come days later. a is the attempt as the host kept it;
// where that is its ID alone, whoever counts it has to remember the rest. Without one the error says so. d.Code is cut
// after MaxText bytes.
func (e *Engine) Dispose(now time.Time, a *Attempt, d Disposition) error {
	if a == nil || a.ID == (AttemptID{}) {
		return errors.New("outdial: dispose: an attempt with its ID is required")
	}
	d.Code = cutText(d.Code)
	return e.emit(&Event{Kind: EventDisposed, Time: now, Attempt: a, Disposition: &d})
}

// Label reports an observation of how a caller ID is labelled. Its texts are cut after MaxText bytes.
func (e *Engine) Label(now time.Time, l Label) error {
	l.Engine, l.Category = cutText(l.Engine), cutText(l.Category)
	return e.emit(&Event{Kind: EventLabelled, Time: now, Label: &l})
}

// Control makes a change that an operator or a policy wants. Every stage and observer that is a ControlChecker may
// refuse it; then it is journalled; then those that know the action apply it. An error means that nothing has
// changed: a change is a choice, and one that could not be written would be undone by a restart.
func (e *Engine) Control(now time.Time, c Control) error {
	if err := c.validate(); err != nil {
		return err
	}
	for stage := range e.stages() {
		if k, ok := stage.(ControlChecker); ok {
			if err := k.CheckControl(now, &c); err != nil {
				return err
			}
		}
	}
	ev := &Event{Kind: EventControl, Time: now, Control: &c}
	e.gate.RLock()
	defer e.gate.RUnlock()
	if err := e.journal(ev); err != nil {
		return err
	}
	e.tell(ev)
	return nil
}

// emit is the one exit of facts: the journal first, then the observers. A fact has happened whether or not it
// could be written, so the observers learn of it in either case.
func (e *Engine) emit(ev *Event) error {
	e.gate.RLock()
	defer e.gate.RUnlock()
	err := e.journal(ev)
	e.tell(ev)
	return err
}

func (e *Engine) journal(ev *Event) error {
	if e.cfg.Journal == nil {
		return nil
	}
	err := e.cfg.Journal.Append(ev)
	if err == nil {
		e.written(ev)
		return nil
	}
	err = fmt.Errorf("%w: %w", ErrJournal, err)
	if e.cfg.OnJournalError != nil {
		e.cfg.OnJournalError(err)
	}
	return err
}

// stages yields whatever may want to check a control or to be driven by Advance, each once: the stages that observe
// nothing, and the observers.
func (e *Engine) stages() iter.Seq[any] {
	return func(yield func(any) bool) {
		alone := []any{e.cfg.Numbering, e.cfg.Networks, e.cfg.Journal}
		if _, observes := e.cfg.Router.(Observer); !observes {
			alone = append(alone, e.cfg.Router)
		}
		for _, stage := range alone {
			if stage != nil && !yield(stage) {
				return
			}
		}
		for _, o := range e.observers {
			if !yield(o) {
				return
			}
		}
	}
}

func (e *Engine) tell(ev *Event) {
	for _, o := range e.observers {
		o.Observe(ev)
	}
}

// same reports whether two interface values hold the same thing.
func same(a, b any) bool {
	return a != nil && b != nil && reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.TypeOf(a).Comparable() && a == b
}

// callIDs issues call ids: microseconds since 1970 at the first call plus one for every call, above nodeBits of
// node. Ids are unique over restarts as long as a process issues fewer than a million a second on average;
// Recover lifts them above whatever the journal holds, in case the clock was set back.
type callIDs struct {
	node uint64
	last atomic.Uint64 // without the node
}

const (
	nodeBits = 12
	maxNode  = 1<<nodeBits - 1
)

func (c *callIDs) next(now time.Time) CallID {
	if c.last.Load() == 0 {
		c.last.CompareAndSwap(0, uint64(max(now.UnixMicro(), 1)))
	}
	return CallID(c.last.Add(1)<<nodeBits | c.node)
}

// own reports whether id was issued by this node.
func (c *callIDs) own(id CallID) bool { return uint64(id)&maxNode == c.node }

// seen makes every later id greater than id.
func (c *callIDs) seen(id CallID, now time.Time) {
	n := max(uint64(id)>>nodeBits, uint64(max(now.UnixMicro(), 1)))
	for {
		last := c.last.Load()
		if last >= n || c.last.CompareAndSwap(last, n) {
			return
		}
	}
}
