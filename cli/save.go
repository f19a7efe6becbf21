package cli

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/seal"
	"github.com/outdial/outdial/internal/window"
)

// savedKind begins a saved state; the digit is its version.
const savedKind = "outdial cli 5\n"

// Save returns what the Governor knows: uses, conduct and lives of numbers, callees, suppressions, holds, baselines, the audit.
// With an engine and its journal, call it in Engine.Checkpoint, with the Waterline's Seq: a use that was reserved and not yet
// journalled is left out then, because the replay counts it. Elsewhere seq is 0, and everything is contained.
//
// Other verbs wait while it runs, about a microsecond a number at 100 uses.
func (g *Governor) Save(seq uint64) ([]byte, error) {
	g.change.Lock()
	defer g.change.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	e := encoder{b: append(make([]byte, 0, 64+len(g.numbers)*(4*g.cfg.stock.most+96)), seal.Begin(savedKind)...)}
	if seq != 0 {
		e.pending = g.pending()
	}
	g.encode(&e, seq)
	if e.err != nil {
		return nil, fmt.Errorf("cli: save: %w", e.err)
	}
	return seal.Close(savedKind, e.b), nil
}

// fingerprint tells secrets apart without telling them.
func fingerprint(secret []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("outdial cli state"))
	return mac.Sum(nil)[:8]
}

// encoder appends little-endian fields.
type encoder struct {
	b       []byte
	err     error
	pending pending
}

func (e *encoder) u8(v uint8)    { e.b = append(e.b, v) }
func (e *encoder) u32(v uint32)  { e.b = binary.LittleEndian.AppendUint32(e.b, v) }
func (e *encoder) u64(v uint64)  { e.b = binary.LittleEndian.AppendUint64(e.b, v) }
func (e *encoder) i64(v int64)   { e.u64(uint64(v)) }
func (e *encoder) n(v int)       { e.b = binary.AppendUvarint(e.b, uint64(v)) }
func (e *encoder) f32(v float32) { e.u32(math.Float32bits(v)) }
func (e *encoder) f64(v float64) { e.u64(math.Float64bits(v)) }

func (e *encoder) text(s string) {
	e.n(len(s))
	e.b = append(e.b, s...)
}

func (e *encoder) json(v any) {
	data, err := json.Marshal(v)
	e.err = errors.Join(e.err, err)
	e.text(string(data))
}

func (e *encoder) instants(list []window.Instant) {
	e.n(len(list))
	for _, at := range list {
		e.i64(int64(at))
	}
}

// gate writes the events of a gate, but those that are pending.
func (e *encoder) gate(gate *window.Gate) {
	list := slices.Collect(gate.Since(window.Never))
	for _, at := range e.pending.gates[gate] {
		if i := slices.Index(list, at); i >= 0 {
			list = slices.Delete(list, i, i+1)
		}
	}
	e.i64(int64(gate.Lost()))
	e.instants(list)
}

func (g *Governor) encode(e *encoder, seq uint64) {
	e.b = append(e.b, fingerprint(g.secret)...)
	e.u64(seq)
	e.i64(g.clock.epoch.Time(0).UnixNano())
	e.i64(int64(g.clock.held.at))
	e.i64(g.clock.held.unix)
	e.n(len(g.numbers))
	for i := range g.numbers {
		g.encodeNumber(e, int32(i))
	}
	e.n(len(g.holds))
	for n, h := range g.holds {
		e.u64(uint64(n))
		e.json(h)
	}
	e.n(len(g.programs))
	for id, p := range g.programs {
		e.text(g.ids.Programs.Name(id))
		g.encodeProgram(e, p)
	}
	all := *g.watches.Load()
	e.n(len(all))
	for id, w := range all {
		e.text(g.ids.Pools.Name(id))
		g.encodeWatch(e, w)
	}
	e.n(len(g.tenants))
	for id, gate := range g.tenants {
		e.text(g.ids.Tenants.Name(id))
		e.gate(gate)
	}
	e.u64(g.audit.seq)
	e.json(g.audit.after(0))
	g.encodeOpen(e)
}

func (g *Governor) encodeNumber(e *encoder, slot int32) {
	n := &g.numbers[slot]
	e.u64(uint64(n.number))
	e.u8(uint8(n.state))
	e.u8(uint8(n.told))
	flags := uint8(0)
	if n.listed {
		flags |= 1
	}
	if n.life != nil {
		flags |= 2
	}
	e.u8(flags)
	u := e.pending.without(slot, n.uses)
	e.u8(u.step)
	e.i64(int64(u.last))
	e.i64(int64(u.lost))
	e.n(len(u.ring))
	e.n(int(u.n))
	for k := int(u.n); k >= 1; k-- {
		e.u32(u.ring[u.index(k)])
	}
	encodeConduct(e, &n.conduct)
	if n.life != nil {
		g.encodeLife(e, n.life)
	}
}

func encodeConduct(e *encoder, c *conduct) {
	for _, v := range []float32{c.answer, c.block, c.short, c.complaint, c.expected, c.answered} {
		e.f32(v)
	}
	e.u32(c.calls)
}

func (g *Governor) encodeLife(e *encoder, l *life) {
	e.i64(int64(l.hold))
	e.i64(l.since)
	e.i64(int64(l.until))
	e.u8(l.stage)
	e.i64(int64(l.stageAt))
	e.f32(l.trial)
	e.n(len(l.rested))
	for _, at := range l.rested {
		e.i64(at)
	}
	e.n(len(l.labels))
	for _, x := range l.labels {
		e.text(x.engine)
		e.u8(uint8(x.status))
		e.i64(x.until)
	}
	e.n(len(l.reported))
	for _, x := range l.reported {
		e.text(g.ids.Carriers.Name(x.carrier))
		e.u8(uint8(x.level))
	}
	e.json(l.redress)
	e.n(len(l.nets))
	for id, c := range l.nets {
		e.text(g.ids.Networks.Name(id))
		encodeConduct(e, c)
	}
}

func (g *Governor) encodeProgram(e *encoder, p *program) {
	for _, m := range []map[calleeKey]int64{p.suppressed, p.quiet} {
		e.n(len(m))
		for key, until := range m {
			e.u64(uint64(key))
			e.i64(until)
		}
	}
	c := &p.callees
	e.u64(c.evicted)
	e.n(c.depth())
	e.n(int(c.live))
	for i := c.oldest; i != none; i = c.at(i).newer() {
		x := e.pending.forget(p, c.at(i))
		e.u64(uint64(x.key()))
		e.u32(x[calleePacked] & hasTalked)
		e.u32(uint32(x.callWord()))
		known := outdial.Number(0)
		if slot := x.slot(); slot != none {
			known = g.numbers[slot].number
		}
		e.u64(uint64(known))
		for _, s := range x.stamps() {
			e.u32(s)
		}
	}
}

func (g *Governor) encodeWatch(e *encoder, w *watch) {
	encodeBaseline(e, &w.all)
	e.n(len(w.strata))
	for k, b := range w.strata {
		e.text(g.ids.Carriers.Name(k.carrier))
		e.text(g.ids.Networks.Name(k.network))
		local := uint8(0)
		if k.local {
			local = 1
		}
		e.u8(local)
		e.u8(uint8(k.attest))
		encodeBaseline(e, b)
	}
	e.instants(w.alarms)
	e.i64(int64(w.told))
	e.i64(int64(w.shut))
	e.i64(w.open.Load())
	e.f32(w.labels.sum)
	e.u32(w.labels.seen)
	e.u32(w.labels.labelled)
	e.i64(int64(w.labels.told))
	e.n(len(w.budgets))
	for region, b := range w.budgets {
		e.text(region)
		e.gate(b.gate)
	}
}

func encodeBaseline(e *encoder, b *baseline) {
	e.i64(int64(b.at))
	for _, v := range []float64{b.calls, b.answers, b.blocks, b.shorts} {
		e.f64(v)
	}
}

// Restore makes a Governor of a configuration and of what Save returned. Names may have other ids by now. The configuration
// counts as a reload: what it changes against the one that was in force is changed, and everything else stands. It needs the
// Secret of the Governor that was saved. The error says what is wrong with the configuration, or that the state is not one, is
// damaged, or was written under another Secret. Engine.RecoverFrom tells the Governor what came after (see Resumed).
func Restore(cfg Config, saved []byte) (*Governor, error) {
	body, err := seal.Open(savedKind, saved)
	if err != nil {
		return nil, fmt.Errorf("cli: restore: not a state of a Governor: %w", err)
	}
	complete, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	if len(cfg.Secret) == 0 {
		return nil, errors.New("cli: restore: Secret: required: callees are known by it")
	}
	g := empty()
	d := decoder{b: body}
	if !hmac.Equal(d.bytes(8), fingerprint(cfg.Secret)) && d.err == nil {
		return nil, errors.New("cli: restore: Secret: not the one that the state was written under")
	}
	g.ids = complete.IDs
	// What is not in the layout is set up by these until Update does so.
	g.cfg = calleeConfig{most: complete.MaxCallees, stock: complete.Limits.rules(), rules: calleeRules(&complete, PurposeUnset), codes: complete.codes()}
	g.decode(&d)
	if d.err == nil && len(d.b) > 0 {
		d.err = errors.New("something follows it")
	}
	if d.err != nil {
		return nil, fmt.Errorf("cli: restore: %w", d.err)
	}
	if err := g.Update(cfg); err != nil {
		return nil, err
	}
	return g, nil
}

// Resumed implements outdial.Resumer: the sequence that Save was called with, 0 if nothing was restored.
func (g *Governor) Resumed() uint64 { return g.resumed }

// unixEpoch is the epoch of a saved state.
func unixEpoch(nanos int64) window.Epoch { return window.NewEpoch(time.Unix(0, nanos).UTC()) }
