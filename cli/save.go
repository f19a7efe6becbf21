package cli

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// saveMagic begins a saved state; the digit is its version.
const saveMagic = "outdial cli 1\n"

// Save writes what the Governor knows: uses, conduct and lives of numbers, callees, suppressions, holds, baselines, the
// audit. It returns the sequence of the newest event that it contains: Restore it, then Observe what the journal holds after
// that. What was reserved and not yet journalled when it was saved is in it, and counts again in the replay: an over-count of
// what was in flight.
//
// Other verbs wait while the state is copied (about a microsecond a number at 100 uses), not while it is written.
func (g *Governor) Save(w io.Writer) (seq uint64, err error) {
	g.change.Lock()
	defer g.change.Unlock()
	g.mu.Lock()
	e := encoder{b: make([]byte, 0, 64+len(g.numbers)*(4*g.cfg.stock.most+96))}
	g.encode(&e)
	seq = g.seq
	g.mu.Unlock()
	if e.err != nil {
		return 0, fmt.Errorf("cli: save: %w", e.err)
	}
	sum := binary.LittleEndian.AppendUint32(nil, crc32.Checksum(e.b, castagnoli))
	for _, part := range [][]byte{[]byte(saveMagic), e.b, sum} {
		if _, err := w.Write(part); err != nil {
			return 0, fmt.Errorf("cli: save: %w", err)
		}
	}
	return seq, nil
}

// castagnoli is a table of constants; nothing writes to it.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// fingerprint tells secrets apart without telling them.
func fingerprint(secret []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("outdial cli state"))
	return mac.Sum(nil)[:8]
}

// encoder appends little-endian fields.
type encoder struct {
	b   []byte
	err error
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

func (g *Governor) encode(e *encoder) {
	e.b = append(e.b, fingerprint(g.secret)...)
	e.u64(g.seq)
	e.i64(g.clock.epoch.Time(0).UnixNano())
	e.i64(int64(g.clock.held.at))
	e.i64(g.clock.held.unix)
	e.n(len(g.numbers))
	for i := range g.numbers {
		g.encodeNumber(e, &g.numbers[i])
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
		e.instants(stampsOf(gate))
	}
	e.u64(g.audit.seq)
	e.json(g.audit.after(0))
}

func (g *Governor) encodeNumber(e *encoder, n *number) {
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
	u := &n.uses
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
	e.n(c.depth)
	e.n(int(c.live))
	for i := c.oldest; i != none; i = c.at(i).newer() {
		x := c.at(i)
		e.u64(uint64(x.key()))
		e.u32(x[calleePacked] & hasTalked)
		e.u32(uint32(x.call()))
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
		encodeBaseline(e, b)
	}
	e.instants(w.alarms)
	e.i64(int64(w.told))
	e.i64(int64(w.shut))
	e.i64(w.open.Load())
	e.n(len(w.budgets))
	for region, b := range w.budgets {
		e.text(region)
		e.instants(stampsOf(b.gate))
	}
}

func encodeBaseline(e *encoder, b *baseline) {
	e.i64(int64(b.at))
	for _, v := range []float64{b.calls, b.answers, b.blocks, b.shorts} {
		e.f64(v)
	}
}

// stampsOf returns the events of a gate, the oldest first, and leaves it as it is.
func stampsOf(gate *window.Gate) (stamps []window.Instant) {
	for len(stamps) < MaxUses {
		at := gate.Last()
		if at == window.Never || !gate.Undo(at) {
			break
		}
		stamps = append(stamps, at)
	}
	slices.Reverse(stamps)
	for _, at := range stamps {
		gate.Add(at)
	}
	return stamps
}

// Restore makes a Governor of a configuration and of a state that Save wrote, and returns the sequence of the newest event
// that the state contains. Names may have other ids by now. The configuration counts as a reload: what it changes against the one
// that was in force is changed, and everything else stands. It needs the Secret of the Governor that was saved. The error
// says what is wrong with the configuration, or that the state is not one, is damaged, or was written under another Secret.
func Restore(cfg Config, r io.Reader) (*Governor, uint64, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, 0, fmt.Errorf("cli: restore: %w", err)
	}
	body, ok := cutMagic(data)
	if !ok {
		return nil, 0, errors.New("cli: restore: not a state of a Governor, or damaged")
	}
	complete, err := cfg.complete()
	if err != nil {
		return nil, 0, err
	}
	if len(cfg.Secret) == 0 {
		return nil, 0, errors.New("cli: restore: Secret: required: callees are known by it")
	}
	g := empty()
	d := decoder{b: body}
	if !hmac.Equal(d.bytes(8), fingerprint(cfg.Secret)) && d.err == nil {
		return nil, 0, errors.New("cli: restore: Secret: not the one that the state was written under")
	}
	g.ids = complete.IDs
	// What is not in the layout is set up by these until Update does so.
	g.cfg = calleeConfig{most: complete.MaxCallees, stock: complete.Limits.rules(), rules: calleeRules(&complete, PurposeUnset)}
	g.decode(&d)
	if d.err == nil && len(d.b) > 0 {
		d.err = errors.New("something follows it")
	}
	if d.err != nil {
		return nil, 0, fmt.Errorf("cli: restore: %w", d.err)
	}
	if err := g.Update(cfg); err != nil {
		return nil, 0, err
	}
	return g, g.seq, nil
}

func cutMagic(data []byte) ([]byte, bool) {
	if len(data) < len(saveMagic)+4 || string(data[:len(saveMagic)]) != saveMagic {
		return nil, false
	}
	body, sum := data[len(saveMagic):len(data)-4], data[len(data)-4:]
	return body, binary.LittleEndian.Uint32(sum) == crc32.Checksum(body, castagnoli)
}

// unixEpoch is the epoch of a saved state.
func unixEpoch(nanos int64) window.Epoch { return window.NewEpoch(time.Unix(0, nanos).UTC()) }
