package kpi

import "encoding/binary"

// diary is how a cell of which little is known keeps its counts: one record behind the other, each with its tick, so that
// it serves spans of any width. A record is a byte with the change of the tick and the number of the kind, either of which
// may need further bytes, and then the durations and the sum that the kind brings along. An attempt takes about ten bytes.
type diary struct {
	log   []byte
	first int64 // tick from which the first record is written as a change
	last  int64 // tick of the last record
}

// diaryMost is the length from which on a cell keeps rings instead. A diary takes less memory for up to some eight hundred
// attempts, and an append touches fewer cache lines.
const diaryMost = 8192

const nibble = 15

// append writes a record. It moves the log to a larger place by small steps, because a million of them are to be small.
func (d *diary) append(p *part, does *effects) {
	if len(d.log) == 0 {
		d.first, d.last = p.tick, p.tick
	}
	delta := zigzag(p.tick - d.last)
	if len(d.log)+maxRecord > cap(d.log) {
		d.extend(p, does, delta)
	}
	head := uint8(min(delta, nibble))<<4 | uint8(min(p.kind, nibble))
	b := append(d.log, head)
	if delta >= nibble {
		b = binary.AppendUvarint(b, delta-nibble)
	}
	if p.kind >= nibble {
		b = binary.AppendUvarint(b, uint64(p.kind-nibble))
	}
	for _, q := range p.q[:does.n] {
		b = binary.LittleEndian.AppendUint16(b, uint16(q))
	}
	if does.sum != sumNone {
		b = binary.AppendUvarint(b, uint64(max(p.sum, 0)))
	}
	d.log, d.last = b, p.tick
}

const maxRecord = 1 + 10 + 3 + 2*maxDists + 10

// extend makes room for the record, and no more than some further ones.
func (d *diary) extend(p *part, does *effects, delta uint64) {
	need := len(d.log) + 1 + 2*int(does.n)
	if delta >= nibble {
		need += 10
	}
	if p.kind >= nibble {
		need += 2
	}
	if does.sum != sumNone {
		need += len(binary.AppendUvarint(make([]byte, 0, 10), uint64(max(p.sum, 0))))
	}
	if need <= cap(d.log) {
		return
	}
	next := make([]byte, len(d.log), roomFor(need))
	copy(next, d.log)
	d.log = next
}

// roomFor is a size that the allocator hands out whole: steps of an eighth of the size's power of two.
func roomFor(n int) int {
	step := 16
	for step*16 <= n {
		step *= 2
	}
	return (n/step + 1) * step
}

// records calls fn for every record.
func (d *diary) records(kinds *kindTable, fn func(p *part, does *effects)) {
	p := part{tick: d.first}
	for b := d.log; len(b) > 0; {
		var does *effects
		b, does = p.read(b, kinds)
		fn(&p, does)
	}
}

// read takes a record from b; p.tick is that of the record before.
func (p *part) read(b []byte, kinds *kindTable) ([]byte, *effects) {
	b = p.head(b)
	does := &kinds.does[p.kind]
	for i := range does.n {
		p.q[i], b = quantum(binary.LittleEndian.Uint16(b)), b[2:]
	}
	p.sum = 0
	if does.sum != sumNone {
		sum, n := binary.Uvarint(b)
		p.sum, b = int64(sum), b[n:]
	}
	return b, does
}

// head reads the tick and the kind of a record, and returns what stands behind them.
func (p *part) head(b []byte) []byte {
	delta, number := uint64(b[0]>>4), uint64(b[0]&nibble)
	b = b[1:]
	if delta != nibble && number != nibble {
		p.tick += unzigzag(delta)
		p.kind = uint16(number)
		return b
	}
	return p.longHead(b, delta, number)
}

// longHead reads what did not fit in the first byte.
func (p *part) longHead(b []byte, delta, number uint64) []byte {
	if delta == nibble {
		more, n := binary.Uvarint(b)
		delta, b = delta+more, b[n:]
	}
	if number == nibble {
		more, n := binary.Uvarint(b)
		number, b = number+more, b[n:]
	}
	p.tick += unzigzag(delta)
	p.kind = uint16(number)
	return b
}

// whole reports whether every record can be read: a snapshot that somebody wrote otherwise is not taken.
func (d *diary) whole(kinds *kindTable) bool {
	for b := d.log; len(b) > 0; {
		n := 1
		var number uint64
		for i, v := range [2]uint64{uint64(b[0] >> 4), uint64(b[0] & nibble)} {
			if v == nibble {
				more, size := binary.Uvarint(b[n:])
				if size <= 0 || more > 1<<62 {
					return false
				}
				v, n = v+more, n+size
			}
			if i == 1 {
				number = v
			}
		}
		if number >= uint64(kinds.n.Load()) {
			return false
		}
		does := &kinds.does[number]
		n += 2 * int(does.n)
		if n > len(b) {
			return false
		}
		if does.sum != sumNone {
			_, size := binary.Uvarint(b[n:])
			if size <= 0 {
				return false
			}
			n += size
		}
		b = b[n:]
	}
	return true
}

// trim drops the records at the beginning that are not after a tick. What came out of order stays behind one that is.
func (d *diary) trim(kinds *kindTable, after int64) {
	log, p := d.log, part{tick: d.first}
	for at := 0; at < len(log); {
		from, before := at, p.tick
		at = len(log) - len(p.head(log[at:]))
		if p.tick > after {
			n := copy(log, log[from:])
			d.log, d.first = log[:n], before
			return
		}
		does := &kinds.does[p.kind]
		at += int(does.size)
		if log[at-1] >= 0x80 && does.sum != sumNone { // in this order, nearly always false
			for log[at-1] >= 0x80 { // a varint goes on
				at++
			}
		}
	}
	*d = diary{log: log[:0]}
}

// spare sees to it that a diary of some length is not trimmed at every other record.
func (d *diary) spare() {
	if n := len(d.log) + len(d.log)/8; len(d.log) > 512 && n > cap(d.log) {
		d.log = append(make([]byte, 0, roomFor(n)), d.log...)
	}
}

// keep drops the records for which keep is false.
func (d *diary) keep(kinds *kindTable, keep func(tick int64) bool) {
	old := *d
	*d = diary{}
	old.records(kinds, func(p *part, does *effects) {
		if keep(p.tick) {
			d.append(p, does)
		}
	})
}

func zigzag(v int64) uint64 { return uint64(v<<1) ^ uint64(v>>63) }

func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }
