package cli

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

var errShort = errors.New("it ends too early")

// decoder reads what encoder wrote. After an error it returns zeros.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) bytes(n int) []byte {
	if d.err == nil && n > len(d.b) {
		d.err = errShort
	}
	if d.err != nil {
		return make([]byte, min(n, 8))
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) u8() uint8    { return d.bytes(1)[0] }
func (d *decoder) u32() uint32  { return binary.LittleEndian.Uint32(d.bytes(4)) }
func (d *decoder) u64() uint64  { return binary.LittleEndian.Uint64(d.bytes(8)) }
func (d *decoder) i64() int64   { return int64(d.u64()) }
func (d *decoder) f32() float32 { return math.Float32frombits(d.u32()) }
func (d *decoder) f64() float64 { return math.Float64frombits(d.u64()) }

func (d *decoder) instant() window.Instant { return window.Instant(d.i64()) }

// n reads a count of things that take at least size bytes each.
func (d *decoder) n(size int) int {
	if d.err != nil {
		return 0
	}
	v, k := binary.Uvarint(d.b)
	if k <= 0 || v > uint64(len(d.b)-k)/uint64(size) {
		d.err = errShort
		return 0
	}
	d.b = d.b[k:]
	return int(v)
}

func (d *decoder) text() string {
	n := d.n(1)
	if d.err != nil {
		return ""
	}
	return string(d.bytes(n))
}

func (d *decoder) json(v any) {
	if data := d.text(); d.err == nil {
		d.err = json.Unmarshal([]byte(data), v)
	}
}

func (d *decoder) instants() []window.Instant {
	list := make([]window.Instant, d.n(8))
	for i := range list {
		list[i] = d.instant()
	}
	return list
}

func (g *Governor) decode(d *decoder) {
	g.resumed = d.u64()
	nanos := d.i64()
	g.clock = clock{epoch: unixEpoch(nanos), started: true}
	g.clock.held = moment{at: d.instant(), unix: d.i64()}
	count := d.n(12)
	g.numbers, g.places = make([]number, 0, count), make([]int32, 0, count)
	for range count {
		if !g.decodeNumber(d) {
			return
		}
	}
	for range d.n(9) {
		n, h := outdial.Number(d.u64()), Hold{}
		d.json(&h)
		g.holds[n] = h
	}
	for range d.n(1) {
		g.decodeProgram(d, g.program(g.ids.Programs.ID(d.text())))
	}
	all := map[outdial.PoolID]*watch{}
	for range d.n(1) {
		id := g.ids.Pools.ID(d.text())
		all[id] = g.decodeWatch(d)
	}
	g.watches.Store(&all)
	for range d.n(1) {
		id := g.ids.Tenants.ID(d.text())
		g.tenants[id] = d.gate()
	}
	g.audit.seq = d.u64()
	d.json(&g.audit.list)
	if len(g.audit.list) > AuditLength {
		d.err = errors.New("more audit than is kept")
	}
	g.decodeOpen(d)
}

// gate reads events that it holds until Update moves them to the gate of the configuration.
func (d *decoder) gate() *window.Gate {
	lost, stamps := d.instant(), d.instants()
	gate := window.NewGate(window.Caps{}, max(len(stamps), 1))
	if lost != window.Never && d.err == nil {
		gate.Add(lost)
	}
	for _, at := range stamps {
		gate.Add(at)
	}
	return gate
}

func (g *Governor) decodeNumber(d *decoder) bool {
	of := outdial.Number(d.u64())
	if _, ok := g.slots[of]; ok && d.err == nil {
		d.err = fmt.Errorf("number %v stands twice", of)
	}
	if d.err != nil {
		return false
	}
	n := &g.numbers[g.slot(of)]
	n.state, n.told = State(d.u8()), State(d.u8())
	flags := d.u8()
	n.listed = flags&1 != 0
	u := &n.uses
	u.step, u.last, u.lost = d.u8(), d.instant(), d.instant()
	size, count := d.ring()
	if int(u.step) >= len(useUnits) || size > MaxUses || count > size || int(n.state) >= len(stateNames) || int(n.told) >= len(stateNames) {
		d.err = errors.Join(d.err, fmt.Errorf("number %v: out of range", of))
		return false
	}
	if size > 0 {
		u.ring = make([]uint32, size)
		for i := range count {
			u.ring[i] = d.u32()
		}
		u.n, u.next = uint16(count), uint16(count%size)
	}
	decodeConduct(d, &n.conduct)
	if flags&2 != 0 {
		g.decodeLife(d, n.lived())
		n.setHold(n.life.hold)
	}
	return d.err == nil
}

// ring reads the length of a ring and how many uses of it follow.
func (d *decoder) ring() (size, count int) {
	if d.err != nil {
		return 0, 0
	}
	v, k := binary.Uvarint(d.b)
	if k <= 0 || v > MaxUses {
		d.err = errShort
		return 0, 0
	}
	d.b = d.b[k:]
	return int(v), d.n(4)
}

func decodeConduct(d *decoder, c *conduct) {
	for _, v := range []*float32{&c.answer, &c.block, &c.short, &c.complaint, &c.expected, &c.answered} {
		*v = d.f32()
	}
	c.calls = d.u32()
}

func (g *Governor) decodeLife(d *decoder, l *life) {
	l.hold, l.since, l.until, l.stage, l.stageAt, l.trial = d.instant(), d.i64(), d.instant(), d.u8(), d.instant(), d.f32()
	l.rested = make([]int64, d.n(8))
	for i := range l.rested {
		l.rested[i] = d.i64()
	}
	for range d.n(10) {
		l.labels = append(l.labels, label{d.text(), outdial.LabelStatus(d.u8()), d.i64()})
	}
	for range d.n(2) {
		l.reported = append(l.reported, report{g.ids.Carriers.ID(d.text()), Attestation(d.u8())})
	}
	d.json(&l.redress)
	for range d.n(29) {
		id := g.ids.Networks.ID(d.text())
		if l.nets == nil {
			l.nets = map[outdial.NetworkID]*conduct{}
		}
		c := &conduct{}
		decodeConduct(d, c)
		l.nets[id] = c
	}
}

func (g *Governor) decodeProgram(d *decoder, p *program) {
	p.quiet = map[calleeKey]int64{}
	for _, m := range []map[calleeKey]int64{p.suppressed, p.quiet} {
		for range d.n(16) {
			key := calleeKey(d.u64())
			m[key] = d.i64()
		}
	}
	evicted := d.u64()
	depth := d.n(1)
	if d.err == nil && (depth < 1 || depth > 64*MaxCalleeUses) {
		d.err = errors.New("callees: out of range")
		return
	}
	c := newCallees()
	c.calleeChunks, c.evicted, c.most = newCalleeChunks(depth), evicted, math.MaxInt32
	c.caps = []Cap{{Max: depth, Window: MaxWindow}} // all that is remembered counts, until the configuration says what does
	for range d.n(24) {
		key, flags, call, known := calleeKey(d.u64())&calleeKeyMask, d.u32(), d.u32(), outdial.Number(d.u64())
		if c.find(key) != none && d.err == nil {
			d.err = errors.New("callees: one stands twice")
		}
		if d.err != nil {
			return
		}
		i := c.add(key, window.Never)
		x := c.at(i)
		x.setCall(uint16(call))
		if flags&hasTalked != 0 {
			x.talk()
		}
		if slot, ok := g.slots[known]; ok {
			x.setSlot(slot)
		}
		for k := range x.stamps() {
			x.stamps()[k] = d.u32()
		}
	}
	p.callees = c
}

func (g *Governor) decodeWatch(d *decoder) *watch {
	w := newWatch()
	decodeBaseline(d, &w.all)
	for range d.n(44) {
		k := stratum{carrier: g.ids.Carriers.ID(d.text()), network: g.ids.Networks.ID(d.text()), local: d.u8() != 0, attest: Attestation(d.u8())}
		b := &baseline{}
		decodeBaseline(d, b)
		w.strata[k] = b
	}
	w.alarms = d.instants()
	w.told, w.shut = d.instant(), d.instant()
	w.open.Store(d.i64())
	w.labels = labelling{d.f32(), d.u32(), d.u32(), d.instant()}
	for range d.n(2) {
		region := d.text()
		if w.budgets == nil {
			w.budgets = map[string]*budget{}
		}
		w.budgets[region] = &budget{gate: d.gate()}
	}
	return w
}

func decodeBaseline(d *decoder, b *baseline) {
	b.at = d.instant()
	for _, v := range []*float64{&b.calls, &b.answers, &b.blocks, &b.shorts} {
		*v = d.f64()
	}
}
