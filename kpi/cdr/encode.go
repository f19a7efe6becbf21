package cdr

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"time"
	"unicode/utf8"

	"github.com/outdial/outdial"
)

// maxText is the longest text of a record, in bytes.
const maxText = 255

// Groups of an event's body; the numbers are part of the format.
const (
	groupAttempt     = 1
	groupMarks       = 2
	groupRefusal     = 3
	groupDisposition = 4
	groupLabel       = 5
	groupControl     = 6
)

// maxEvent is more than the record of any event can have: sixteen texts and less than 150 numbers.
const maxEvent = 8192

// encoder writes the record of one event. It needs no lock: ids stand in the body as the writer's own numbers.
type encoder struct {
	buf   [maxEvent]byte // recordHead bytes of room, then the body
	n     int            // bytes used
	at    int64          // the event's time, as it is written
	ids   [24]ref        // the ids used: ten, and those of the tags
	nrefs int
}

func (e *encoder) record() []byte { return e.buf[:e.n] }

func (e *encoder) refs() []ref { return e.ids[:e.nrefs] }

func (e *encoder) encode(ev *outdial.Event) error {
	if !validKind(ev.Kind) {
		return fmt.Errorf("cdr: an event of kind %d cannot be journalled", ev.Kind)
	}
	e.n, e.nrefs = recordHead, 0
	e.at = nanos(ev.Time)
	e.fixed(uint64(e.at))
	if ev.Attempt != nil {
		g := e.begin(groupAttempt)
		e.attempt(ev.Attempt)
		e.end(g)
	}
	if ev.Marks != 0 {
		g := e.begin(groupMarks)
		e.uint(uint64(ev.Marks))
		e.end(g)
	}
	if ev.Refusal != "" || ev.RefusalStage != 0 {
		g := e.begin(groupRefusal)
		e.byte(byte(ev.RefusalStage))
		e.text(ev.Refusal)
		e.end(g)
	}
	if d := ev.Disposition; d != nil {
		g := e.begin(groupDisposition)
		e.byte(byte(d.AnsweredBy))
		e.bool(d.Contact)
		e.int(int64(d.AgentTime))
		e.text(d.Code)
		e.end(g)
	}
	if l := ev.Label; l != nil {
		g := e.begin(groupLabel)
		e.uint(uint64(l.Number))
		e.text(l.Engine)
		e.byte(byte(l.Status))
		e.text(l.Category)
		e.int(int64(l.TTL))
		e.end(g)
	}
	if c := ev.Control; c != nil {
		g := e.begin(groupControl)
		e.text(c.Actor)
		e.text(c.Action)
		e.text(c.Target)
		e.text(c.Value)
		e.text(c.Reason)
		e.time(c.Expires)
		e.end(g)
	}
	return nil
}

func (e *encoder) attempt(a *outdial.Attempt) {
	e.attemptID(a.ID)
	in := e.enter()
	e.call(&a.Call, a.ID.Call)
	e.leave(in)
	in = e.enter()
	e.candidate(&a.Candidate)
	e.leave(in)
	e.byte(byte(a.Choice.Why))
	e.float(a.Choice.Probability)
	e.uint(uint64(a.CLI))
	e.id(idPool, uint32(a.Pool))
	e.time(a.Start)
	e.timeline(&a.Timeline)
	e.byte(byte(a.State))
	e.bool(a.Late)
	e.result(&a.Result)
	e.result(&a.Abandoned)
}

// result writes a sub-group, an empty one for the zero Result: what did not end and what was not abandoned.
func (e *encoder) result(r *outdial.Result) {
	in := e.enter()
	if *r != (outdial.Result{}) {
		e.byte(byte(r.Origin))
		e.uint(uint64(r.Code))
		e.byte(r.Cause.Value)
		e.byte(byte(r.Cause.Location))
		e.text(r.Phrase)
		e.uint(uint64(r.SIPCause))
		e.text(r.Text)
		e.int(int64(r.RetryAfter))
		e.text(string(r.Headers))
		e.int(int64(r.Bye))
		e.uint(uint64(r.ByeCode))
	}
	e.leave(in)
}

func (e *encoder) call(c *outdial.Call, attempt outdial.CallID) {
	e.uint(uint64(c.ID ^ attempt)) // as a rule they are equal
	e.text(c.Ref)
	e.uint(uint64(c.To))
	e.uint(uint64(c.From))
	e.id(idTenant, uint32(c.Tenant))
	e.id(idProgram, uint32(c.Program))
	e.id(idCampaign, uint32(c.Campaign))
	e.byte(byte(c.Mode))
	e.byte(byte(c.Priority))
	e.time(c.Deadline)
	e.time(c.Begun)
	d := &c.Dest
	e.byte(d.Country[0])
	e.byte(d.Country[1])
	e.uint(uint64(d.Area))
	e.id(idGroup, uint32(d.Group))
	e.uint(uint64(d.Zones))
	e.id(idDayPart, uint32(d.DayPart))
	e.byte(bit(d.TollFree, 0) | bit(d.Premium, 1) | bit(d.Unassigned, 2))
	e.id(idNetwork, uint32(d.Network))
	e.tags(&c.Tags)
}

// tags writes how many there are, and then each.
func (e *encoder) tags(t *outdial.Tags) {
	count := e.n
	e.byte(0)
	for tag := range t.All() {
		e.buf[count]++
		e.id(idTag, uint32(tag))
	}
}

func (e *encoder) candidate(c *outdial.Candidate) {
	e.id(idTrunk, uint32(c.Trunk))
	e.id(idCarrier, uint32(c.Carrier))
	e.byte(c.Tier)
	e.uint(uint64(c.Weight))
	e.id(idPool, uint32(c.Pool))
	e.int(int64(c.Cost))
	e.uint(uint64(c.Matched))
	e.float(c.Propensity)
	e.byte(bit(c.Explore, 0))
}

// timeline writes which moments came, and then when each of them did.
func (e *encoder) timeline(t *outdial.Timeline) {
	var came uint64
	for i, d := range t {
		if d != 0 {
			came |= 1 << i
		}
	}
	e.uint(came)
	for _, d := range t {
		if d != 0 {
			e.int(int64(d))
		}
	}
}

// begin opens a group and returns where it begins; end fills its length in.
func (e *encoder) begin(tag byte) int {
	e.buf[e.n] = tag
	e.n += 3
	return e.n
}

func (e *encoder) end(start int) {
	binary.LittleEndian.PutUint16(e.buf[start-2:], uint16(e.n-start))
}

// enter opens a sub-group and returns where it begins; leave fills its length in, as the uint that it is. Nearly all
// are shorter than 128 bytes; the others move on by one to make room, and none comes near the 16 KiB that need more.
func (e *encoder) enter() int {
	e.n++
	return e.n
}

func (e *encoder) leave(start int) {
	size := e.n - start
	if size < 0x80 {
		e.buf[start-1] = byte(size)
		return
	}
	copy(e.buf[start+1:], e.buf[start:e.n])
	e.n++
	e.buf[start-1], e.buf[start] = byte(size)|0x80, byte(size>>7)
}

func (e *encoder) attemptID(id outdial.AttemptID) {
	e.fixed(uint64(id.Call))
	e.byte(id.Leg)
}

func (e *encoder) id(k idKind, id uint32) {
	e.uint(uint64(id))
	if id != 0 {
		e.ids[e.nrefs] = ref{k, id}
		e.nrefs++
	}
}

func (e *encoder) byte(b byte) {
	e.buf[e.n] = b
	e.n++
}

func (e *encoder) bool(b bool) { e.byte(bit(b, 0)) }

func (e *encoder) uint(v uint64) {
	n := e.n
	for v >= 0x80 {
		e.buf[n] = byte(v) | 0x80
		v >>= 7
		n++
	}
	e.buf[n] = byte(v)
	e.n = n + 1
}

func (e *encoder) int(v int64) { e.uint(uint64(v<<1) ^ uint64(v>>63)) }

// float writes the bits in reverse order of bytes, so that 0, 1 and short fractions take one to three bytes.
func (e *encoder) float(f float64) { e.uint(bits.ReverseBytes64(math.Float64bits(f))) }

func (e *encoder) time(t time.Time) { e.fixed(uint64(nanos(t))) }

func (e *encoder) fixed(v uint64) {
	binary.LittleEndian.PutUint64(e.buf[e.n:], v)
	e.n += 8
}

func (e *encoder) text(s string) {
	if len(s) > maxText {
		s = cut(s)
	}
	e.buf[e.n] = byte(len(s))
	e.n += 1 + copy(e.buf[e.n+1:], s)
}

// cut shortens s, which is longer, to maxText bytes without splitting a character.
func cut(s string) string {
	for n := maxText; n > maxText-utf8.UTFMax; n-- {
		if utf8.RuneStart(s[n]) {
			return s[:n]
		}
	}
	return s[:maxText]
}

func bit(b bool, n uint) byte {
	if b {
		return 1 << n
	}
	return 0
}
