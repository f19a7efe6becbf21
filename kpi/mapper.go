package kpi

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/outdial/outdial"
)

// Outcome is what one of a dialer's disposition codes says.
type Outcome struct {
	AnsweredBy outdial.AnsweredBy
	Contact    bool // the right person was reached
}

// Mapper turns the words by which a dialer or a CRM calls outcomes into dispositions. Upper and lower case, and space around a word,
// make no difference. It is safe for concurrent use; NewMapper makes one.
type Mapper struct {
	codes map[string]Outcome

	mu      sync.Mutex
	unknown map[string]uint64
	beyond  uint64
}

// NewMapper returns a Mapper for a table of codes; the error names every bad one.
func NewMapper(codes map[string]Outcome) (*Mapper, error) {
	m := &Mapper{codes: make(map[string]Outcome, len(codes)), unknown: map[string]uint64{}}
	var errs []error
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		o := codes[code]
		word := folded(code)
		_, twice := m.codes[word]
		switch {
		case word == "" || len(word) > outdial.MaxText:
			errs = append(errs, fmt.Errorf("kpi: disposition code %q: want 1 to %d bytes", code, outdial.MaxText))
		case twice:
			errs = append(errs, fmt.Errorf("kpi: disposition code %q: given twice", code))
		case o.AnsweredBy > outdial.AnsweredByScreening:
			errs = append(errs, fmt.Errorf("kpi: disposition code %q: AnsweredBy: %d", code, o.AnsweredBy))
		case o.Contact && o.AnsweredBy != outdial.AnsweredByHuman:
			errs = append(errs, fmt.Errorf("kpi: disposition code %q: a contact is a human's", code))
		}
		m.codes[word] = o
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return m, nil
}

func folded(code string) string { return strings.ToLower(strings.TrimSpace(code)) }

// Map returns the disposition for a code, with the agent time that was spent, for Engine.Dispose. A code that is not in the table gives
// a disposition that says nothing but the code, and false; it is counted.
func (m *Mapper) Map(code string, agent time.Duration) (outdial.Disposition, bool) {
	word := folded(code)
	o, ok := m.codes[word]
	if !ok {
		m.miss(word)
	}
	return outdial.Disposition{AnsweredBy: o.AnsweredBy, Contact: o.Contact, AgentTime: agent, Code: code}, ok
}

// miss counts a code that is not in the table.
func (m *Mapper) miss(word string) {
	const most = 100 // words that are told apart
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.unknown[word]; !ok && (len(m.unknown) >= most || len(word) > outdial.MaxText) {
		m.beyond++
		return
	}
	m.unknown[word]++
}

// Unknown returns the codes that were not in the table, in lower case, with how often each came; the first hundred are told
// apart, and the others counted together.
func (m *Mapper) Unknown() (by map[string]uint64, others uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.unknown), m.beyond
}
