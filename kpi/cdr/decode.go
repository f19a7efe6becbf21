package cdr

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"math/bits"
	"time"

	"github.com/outdial/outdial"
)

// decoder reads the body of events into one Event that it reuses. Fields that end before the group does belong to
// a newer minor version and are passed over; fields that the group does not have are zero.
type decoder struct {
	names   glossary
	seed    maphash.Seed
	texts   [512]string // texts seen, by hash: phrases, codes and references repeat from event to event
	b       []byte      // the group or sub-group being read, and what stands before it
	i       int         // the next byte of it
	problem string

	event       outdial.Event
	attempt     outdial.Attempt
	disposition outdial.Disposition
	label       outdial.Label
	control     outdial.Control
}

func newDecoder(ids *outdial.Registry) *decoder {
	return &decoder{names: glossary{ids: ids}, seed: maphash.MakeSeed()}
}

// decode returns the event of rec, valid until the next call, or what is wrong with it.
func (d *decoder) decode(rec record) (*outdial.Event, string) {
	body := rec.body
	d.problem = ""
	d.event = outdial.Event{Kind: outdial.EventKind(rec.kind), Seq: rec.seq, Replay: true}
	d.b, d.i = body[:8], 0
	d.event.Time = d.time()
	for body = body[8:]; len(body) > 0; {
		if len(body) < 3 {
			return nil, "the event's body ends within a group"
		}
		tag, size := body[0], int(binary.LittleEndian.Uint16(body[1:]))
		if size > len(body)-3 {
			return nil, "the event's body ends within a group"
		}
		d.b, d.i, body = body[3:3+size], 0, body[3+size:]
		d.group(tag)
		if d.problem != "" {
			return nil, d.problem
		}
	}
	return &d.event, ""
}

func (d *decoder) group(tag byte) {
	switch tag {
	case groupAttempt:
		d.event.Attempt = &d.attempt
		d.readAttempt(&d.attempt)
	case groupMarks:
		d.event.Marks = outdial.Marks(d.uint())
	case groupRefusal:
		d.event.RefusalStage = outdial.Stage(d.byte())
		d.event.Refusal = d.text()
	case groupDisposition:
		d.event.Disposition = &d.disposition
		d.disposition = outdial.Disposition{
			AnsweredBy: outdial.AnsweredBy(d.byte()), Contact: d.bool(),
			AgentTime: time.Duration(d.int()), Code: d.text(),
		}
	case groupLabel:
		d.event.Label = &d.label
		d.label = outdial.Label{
			Number: outdial.Number(d.uint()), Engine: d.text(), Status: outdial.LabelStatus(d.byte()),
			Category: d.text(), TTL: time.Duration(d.int()),
		}
	case groupControl:
		d.event.Control = &d.control
		d.control = outdial.Control{
			Actor: d.text(), Action: d.text(), Target: d.text(), Value: d.text(), Reason: d.text(), Expires: d.time(),
		}
	}
}

func (d *decoder) readAttempt(a *outdial.Attempt) {
	*a = outdial.Attempt{ID: d.attemptID()}
	outer := d.enter()
	d.readCall(&a.Call, a.ID.Call)
	d.leave(outer)
	outer = d.enter()
	d.readCandidate(&a.Candidate)
	d.leave(outer)
	a.Choice.Why = outdial.Why(d.byte())
	a.Choice.Probability = d.float()
	a.CLI = outdial.Number(d.uint())
	a.Pool = outdial.PoolID(d.id(idPool))
	a.Start = d.time()
	d.readTimeline(&a.Timeline)
	a.State = outdial.AttemptState(d.byte())
	a.Late = d.bool()
	d.readResult(&a.Result)
	d.readResult(&a.Abandoned)
}

func (d *decoder) readResult(r *outdial.Result) {
	outer := d.enter()
	r.Origin = outdial.Origin(d.byte())
	r.Code = uint16(d.uint())
	r.Cause.Value = d.byte()
	r.Cause.Location = outdial.Location(d.byte())
	r.Phrase = d.text()
	r.SIPCause = uint16(d.uint())
	r.Text = d.text()
	r.RetryAfter = time.Duration(d.int())
	r.Headers = outdial.Headers(d.text())
	r.Bye = time.Duration(d.int())
	r.ByeCode = uint16(d.uint())
	d.leave(outer)
}

func (d *decoder) readCall(c *outdial.Call, attempt outdial.CallID) {
	c.ID = outdial.CallID(d.uint()) ^ attempt
	c.Ref = d.text()
	c.To = outdial.Number(d.uint())
	c.From = outdial.Number(d.uint())
	c.Tenant = outdial.TenantID(d.id(idTenant))
	c.Program = outdial.ProgramID(d.id(idProgram))
	c.Campaign = outdial.CampaignID(d.id(idCampaign))
	c.Mode = outdial.Mode(d.byte())
	c.Priority = outdial.Priority(d.byte())
	c.Deadline = d.time()
	c.Begun = d.time()
	t := &c.Dest
	t.Country[0] = d.byte()
	t.Country[1] = d.byte()
	t.Area = outdial.Prefix(d.uint())
	t.Group = outdial.GroupID(d.id(idGroup))
	t.Zones = outdial.ZoneSet(d.uint())
	t.DayPart = outdial.DayPartID(d.id(idDayPart))
	class := d.byte()
	t.TollFree, t.Premium, t.Unassigned = class&1 != 0, class&2 != 0, class&4 != 0
	t.Network = outdial.NetworkID(d.id(idNetwork))
	for n := d.byte(); n > 0 && d.problem == ""; n-- {
		c.Tags.Add(outdial.TagID(d.id(idTag)))
	}
}

func (d *decoder) readCandidate(c *outdial.Candidate) {
	c.Trunk = outdial.TrunkID(d.id(idTrunk))
	c.Carrier = outdial.CarrierID(d.id(idCarrier))
	c.Tier = d.byte()
	c.Weight = uint32(d.uint())
	c.Pool = outdial.PoolID(d.id(idPool))
	c.Cost = outdial.Micros(d.int())
	c.Matched = outdial.Prefix(d.uint())
	c.Propensity = d.float()
	c.Explore = d.bool()
}

func (d *decoder) readTimeline(t *outdial.Timeline) {
	for came := d.uint(); came != 0; came &= came - 1 {
		v := time.Duration(d.int())
		if i := bits.TrailingZeros64(came); i < len(t) {
			t[i] = v
		}
	}
}

// enter narrows the group to the sub-group that begins here; leave goes on behind it.
func (d *decoder) enter() (outer []byte) {
	size := d.uint()
	if left := uint64(len(d.b) - d.i); size > left {
		d.problem = "a sub-group is longer than its group"
		size = left
	}
	outer, d.b = d.b, d.b[:d.i+int(size)]
	return outer
}

func (d *decoder) leave(outer []byte) { d.i, d.b = len(d.b), outer }

func (d *decoder) attemptID() outdial.AttemptID {
	return outdial.AttemptID{Call: outdial.CallID(d.fixed()), Leg: d.byte()}
}

func (d *decoder) id(k idKind) uint32 {
	v := d.uint()
	id, ok := d.names.lookup(k, v)
	if !ok {
		d.problem = "a " + k.String() + " id that the segment does not name"
	}
	return id
}

func (d *decoder) byte() byte {
	if d.i >= len(d.b) {
		return 0
	}
	v := d.b[d.i]
	d.i++
	return v
}

func (d *decoder) bool() bool { return d.byte() != 0 }

func (d *decoder) uint() uint64 {
	if i := d.i; i < len(d.b) && d.b[i] < 0x80 {
		d.i = i + 1
		return uint64(d.b[i])
	}
	return d.long()
}

// long reads a varint of more than one byte.
func (d *decoder) long() uint64 {
	var v uint64
	b := d.b[d.i:]
	for n := 0; n < len(b) && n < binary.MaxVarintLen64; n++ {
		v |= uint64(b[n]&0x7f) << (7 * n)
		if b[n] < 0x80 {
			d.i += n + 1
			return v
		}
	}
	d.short()
	return 0
}

func (d *decoder) int() int64 {
	u := d.uint()
	return int64(u>>1) ^ -int64(u&1)
}

func (d *decoder) float() float64 { return math.Float64frombits(bits.ReverseBytes64(d.uint())) }

func (d *decoder) time() time.Time {
	if d.i == len(d.b) {
		return time.Time{}
	}
	return timeOf(int64(d.fixed()))
}

func (d *decoder) fixed() uint64 {
	if len(d.b)-d.i < 8 {
		d.short()
		return 0
	}
	v := binary.LittleEndian.Uint64(d.b[d.i:])
	d.i += 8
	return v
}

func (d *decoder) text() string {
	n := int(d.byte())
	if n == 0 {
		return ""
	}
	if n > len(d.b)-d.i {
		d.short()
		return ""
	}
	b := d.b[d.i : d.i+n]
	d.i += n
	slot := &d.texts[maphash.Bytes(d.seed, b)%uint64(len(d.texts))]
	if *slot != string(b) {
		*slot = string(b)
	}
	return *slot
}

// short notes a group or sub-group that ends within a field. One that ends before a field was written by an older version.
func (d *decoder) short() {
	if d.i < len(d.b) {
		d.problem = "the event's body ends within a field"
	}
	d.i = len(d.b)
}
