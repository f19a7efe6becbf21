package outdial

import (
	"strconv"
	"time"
)

// CallID names a call within the journal: unique over restarts and over up to 4,096 nodes, ordered by time.
// The Engine issues it in Begin. Zero means "none".
type CallID uint64

// String returns the id in hexadecimal.
func (id CallID) String() string { return strconv.FormatUint(uint64(id), 16) }

// Call is the wish to reach a callee. The host fills the upper part; Begin stamps the rest.
// A Call is a plain value.
type Call struct {
	Ref      string     // the host's own key for the call (lead id, SIP Call-ID …), kept in the journal; at most 255 bytes
	To       Number     // the callee
	From     Number     // the caller ID that the dialer asked for; presented as it is when there is no CLI stage; 0 = none
	Tenant   TenantID   // 0 = none
	Program  ProgramID  // 0 = none
	Campaign CampaignID // 0 = none
	Tags     Tags
	Mode     Mode
	Priority Priority
	Deadline time.Time // no attempt is started at or after this; zero = none

	ID    CallID      // issued by Begin
	Begun time.Time   // the time that Begin was given
	Dest  Destination // looked up by Begin

	record    *Record // takes what the stages read; nil = nobody asked
	rehearsal bool    // Engine.Explain asks what would happen
}

// Record returns the record that takes what the stages read for this call, or nil. Methods of a nil *Record do
// nothing, so a stage writes to it without asking.
func (c *Call) Record() *Record { return c.record }

// SetRecord makes the stages write what they read for this call to r; nil stops it. A Session sets its own
// record; a host that uses one package without an Engine sets it here.
func (c *Call) SetRecord(r *Record) { c.record = r }

// Rehearsal reports whether the call is only asked about (Engine.Explain): whatever a stage takes for it is given back
// at once, and a stage does not count it in peaks or as blocked.
func (c *Call) Rehearsal() bool { return c.rehearsal }

// Destination is what the numbering plan says about a callee's number, and which network serves it. It is looked up
// once per call, and every stage reads it from there.
type Destination struct {
	Country    [2]byte   // ISO 3166-1 alpha-2; zero = unknown
	Area       Prefix    // the area code, or the country code where the plan has no areas
	Group      GroupID   // the destination group that health, quality and KPIs are kept for
	Zones      ZoneSet   // the time zones that the callee plausibly lives in
	DayPart    DayPartID // callee-local; 0 = none defined or zones unknown
	Network    NetworkID // the network that serves the number, number portability included; 0 = unknown
	TollFree   bool      // the class of the number, where the plan is sure of it
	Premium    bool
	Unassigned bool // no such country or area code is in service
}

// ZoneSet names a set of plausible time zones of a Numbering; its Locations lists them. Zero means unknown.
type ZoneSet uint16

// Mode is how a call is dialled. It is recorded with every attempt, because pacing and law differ by it.
type Mode uint8

// Modes of dialling.
const (
	ModeUnknown     Mode = iota
	ModeManual           // an agent dials this number
	ModePredictive       // a machine dials ahead of free agents
	ModePrerecorded      // nobody talks but a recording
)

// String returns "unknown", "manual", "predictive" or "prerecorded".
func (m Mode) String() string { return nameOf(m, "unknown", "manual", "predictive", "prerecorded") }

// Priority is a lane of admission: where capacity is short, the higher lane is served.
type Priority uint8

// Lanes, lowest first. The zero value is bulk.
const (
	PriorityBulk Priority = iota
	PriorityNormal
	PriorityUrgent
)

// String returns "bulk", "normal" or "urgent".
func (p Priority) String() string { return nameOf(p, "bulk", "normal", "urgent") }

// nameOf names the values of a small enumeration; a value out of range is "invalid".
func nameOf[T ~uint8](v T, names ...string) string {
	if int(v) < len(names) {
		return names[v]
	}
	return "invalid"
}
