package cli

import (
	"time"

	"github.com/outdial/outdial"
)

// Entry is a change of a number or a pool: who or what made it, why, and the figures that it rests on.
type Entry struct {
	Seq     uint64 // from 1, in this process
	Time    time.Time
	Number  outdial.Number `json:",omitzero"` // 0 = about the pool
	Pool    string         `json:",omitempty"`
	From    State          `json:",omitzero"`
	To      State          `json:",omitzero"`
	Actor   string         // "rules" for what the Lifecycle did
	Reason  string
	Figures []Figure `json:",omitempty"`
}

// Figure is a value that a decision used.
type Figure struct {
	Name  string
	Value float64
}

// byRules is the Actor of what the Lifecycle does.
const byRules = "rules"

// AuditLength is how many entries a Governor keeps; older ones are for whoever read them in time.
const AuditLength = 1 << 16

// audit keeps the newest entries.
type audit struct {
	list []Entry
	next int // where the oldest stands once the list is full
	seq  uint64
}

func (a *audit) add(e Entry) {
	a.seq++
	e.Seq = a.seq
	if len(a.list) < AuditLength {
		a.list = append(a.list, e)
		return
	}
	a.list[a.next] = e
	a.next = (a.next + 1) % AuditLength
}

func (a *audit) after(seq uint64) []Entry {
	k := len(a.list)
	for k > 0 && a.list[(a.next+k-1)%len(a.list)].Seq > seq {
		k--
	}
	var list []Entry
	for ; k < len(a.list); k++ {
		list = append(list, a.list[(a.next+k)%len(a.list)])
	}
	return list
}

// AuditSeq is the sequence number of the newest entry, 0 if there is none.
func (g *Governor) AuditSeq() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.audit.seq
}

// Audit returns what was changed after the entry with this sequence number, the oldest first; at most AuditLength entries
// are kept. A replay of the journal writes the entries anew, so they are for reading, not for counting.
func (g *Governor) Audit(after uint64) []Entry {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.audit.after(after)
}
