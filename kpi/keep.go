package kpi

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/seal"
)

// ErrSnapshot says that what was given to Restore is no snapshot of a meter like this one, or of a Callees or Numbers like it.
var ErrSnapshot = errors.New("kpi: not a snapshot of a meter with this configuration")

const keptKind = "OUTDKPI3"

// kept is the form of a snapshot. Ids stand beside their names, because another process issues other ids.
type kept struct {
	Seq       uint64
	Spans     []Span
	Views     []View
	Shorts    []time.Duration
	CodeTable int
	Kinds     []uint32
	Refusals  []RefusalCount
	Names     [keptNames]map[uint32]string
	Regions   []string // by RegionID, from 1
	Cells     []keptCell
	Archive   []keptHours
	Calls     []keptCall
	CallSets  int
	Answers   []keptAnswer
	Labels    map[outdial.Number][]keptLabel
	Countries []uint64
	Late      uint64
	Folded    uint64
	Unjoined  uint64
}

const keptNames = 9 // kinds of ids in a Key that have names, in the order of the dimensions

type keptCell struct {
	Key    Key
	Log    []byte
	First  int64
	Last   int64
	Newest int64
	Rings  [][]keptBucket
}

type keptHours struct {
	Key Key
	Log []byte
}

type keptBucket struct {
	Epoch  int64
	Counts []uint32
	Slots  []uint32 // of a tally
	Delays [distCount]time.Duration
	Sums   [sumKinds]int64
}

type keptCall struct {
	Set  uint32
	Word uint64
}

type keptAnswer struct {
	Call  outdial.CallID
	Key   Key
	State uint64
}

type keptLabel struct {
	Engine    string
	Status    outdial.LabelStatus
	At, Until time.Time
}

// Save writes all that the meter knows, as of an event of the journal: call it in Engine.Checkpoint, with the Waterline's
// Seq. A meter that is restored from it and told the events behind seq is as one that was told all of them.
func (m *Meter) Save(seq uint64) ([]byte, error) {
	k := kept{
		Seq: seq, Views: m.cfg.Views, Shorts: m.cfg.ShortCalls, CodeTable: CodeTable, Late: m.late.Load(), Folded: m.folded.Load(),
		Unjoined: m.answers.unjoined.Load(),
	}
	for _, s := range m.spans {
		k.Spans = append(k.Spans, s.Span)
	}
	for i := range m.kinds.n.Load() {
		k.Kinds = append(k.Kinds, uint32(m.kinds.kinds[i]))
	}
	k.Refusals, k.Regions = m.codes.Load().list, m.regions.names
	k.Countries = *m.countries.Load()
	for i := range k.Names {
		k.Names[i] = map[uint32]string{}
	}
	for _, s := range m.sorted() {
		c := keptCell{Key: s.key.key()}
		if s.keep(m, &c) {
			m.nameKey(&k, &c.Key)
			k.Cells = append(k.Cells, c)
		}
	}
	if m.archive != nil {
		for _, c := range m.archive.all() {
			if c.any() {
				h := keptHours{Key: c.key.key(), Log: c.all()}
				m.nameKey(&k, &h.Key)
				k.Archive = append(k.Archive, h)
			}
		}
	}
	k.Calls, k.CallSets = m.calls.keep(), len(m.calls.sets)
	for i := range m.answers.list {
		if a := m.answers.list[i].copy(); a.call != 0 {
			key := packed{ids: a.ids}.key()
			m.nameKey(&k, &key)
			k.Answers = append(k.Answers, keptAnswer{Call: a.call, Key: key, State: a.state})
		}
	}
	k.Labels = m.labels.keep()
	return sealed(keptKind, &k)
}

func sealed(kind string, v any) ([]byte, error) {
	out := bytes.NewBuffer(seal.Begin(kind))
	if err := gob.NewEncoder(out).Encode(v); err != nil {
		return nil, fmt.Errorf("kpi: save: %w", err)
	}
	return seal.Close(kind, out.Bytes()), nil
}

// unsealed is the way back; an error is an ErrSnapshot.
func unsealed(kind string, b []byte, v any) error {
	content, err := seal.Open(kind, b)
	if err == nil {
		err = gob.NewDecoder(bytes.NewReader(content)).Decode(v)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	return nil
}

// Restore makes a new meter know what Save wrote; Resumed tells the engine from where on to tell it more. Only a meter that
// has counted nothing takes it, and only from a meter with the same spans, views and thresholds. An error (ErrSnapshot) leaves
// the meter as it is.
func (m *Meter) Restore(b []byte) error {
	var k kept
	if err := unsealed(keptKind, b, &k); err != nil {
		return err
	}
	if m.kinds.n.Load() > 0 {
		return errors.New("kpi: restore: the meter has counted already")
	}
	if err := m.fitsKept(&k); err != nil {
		return err
	}
	return m.take(&k)
}

// Resumed implements outdial.Resumer: the sequence up to which a restored snapshot goes, 0 without one.
func (m *Meter) Resumed() uint64 { return m.resumed.Load() }

var _ outdial.Resumer = (*Meter)(nil)
