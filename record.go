package outdial

import "slices"

// Reading is one value that a stage read, drew or decided while it handled a call.
type Reading struct {
	Turn  int // the Next in which it was read, from 1; 0 = in Begin
	Stage Stage
	Trunk TrunkID // the candidate's trunk; 0 = about the call as a whole
	Name  string  // what was read: "in_use", "weight", "health" …; a constant of the stage
	Value float64
	Text  string // for what is not a number
}

// LeftOut is a candidate that the router considered and did not put into the plan, and why. What it read about its trunk
// stands among the readings.
type LeftOut struct {
	Candidate Candidate
	Code      string // stable, as of a Refusal
	Text      string // for people
}

// Record takes the readings of one call, in the order in which they were made: what a decision was based on. All
// methods of a nil *Record do nothing, which is how recording is off. A Record is not safe for concurrent use.
type Record struct {
	readings []Reading
	leftOut  []LeftOut
	turn     int
}

// Num records a number.
func (r *Record) Num(s Stage, t TrunkID, name string, value float64) {
	if r != nil {
		r.readings = append(r.readings, Reading{Turn: r.turn, Stage: s, Trunk: t, Name: name, Value: value})
	}
}

// Text records a text.
func (r *Record) Text(s Stage, t TrunkID, name, text string) {
	if r != nil {
		r.readings = append(r.readings, Reading{Turn: r.turn, Stage: s, Trunk: t, Name: name, Text: text})
	}
}

// LeaveOut records a candidate that is not in the plan.
func (r *Record) LeaveOut(c Candidate, code, text string) {
	if r != nil {
		r.leftOut = append(r.leftOut, LeftOut{c, code, text})
	}
}

// On reports whether readings are kept. A stage asks before it computes something only for the record.
func (r *Record) On() bool { return r != nil }

// Readings returns a copy of what was recorded.
func (r *Record) Readings() []Reading {
	if r == nil {
		return nil
	}
	return slices.Clone(r.readings)
}

// LeftOut returns a copy of what LeaveOut recorded.
func (r *Record) LeftOut() []LeftOut {
	if r == nil {
		return nil
	}
	return slices.Clone(r.leftOut)
}

// Reset forgets what was recorded and keeps the memory.
func (r *Record) Reset() {
	if r != nil {
		r.readings, r.leftOut, r.turn = r.readings[:0], r.leftOut[:0], 0
	}
}
