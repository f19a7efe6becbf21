package kpi

import (
	"maps"
	"strings"

	"github.com/outdial/outdial"
)

// maxCodes is how many refusals a meter tells apart; the rest is number 0, otherCode.
const (
	maxCodes  = 255
	otherCode = "other"
)

// codeTable numbers refusals by stage and code. It is immutable; adding makes a new one that begins alike.
type codeTable struct {
	ids  map[refusalKey]uint16
	list []RefusalCount // list[i] is number i, with N 0
}

type refusalKey struct {
	stage outdial.Stage
	code  string
}

// code returns the number of a refusal.
func (m *Meter) code(stage outdial.Stage, code string) uint16 {
	key := refusalKey{stage, code}
	if id, ok := m.codes.Load().ids[key]; ok {
		return id
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.codes.Load()
	if id, ok := old.ids[key]; ok {
		return id
	}
	if len(old.list) > maxCodes {
		return 0
	}
	key.code = strings.Clone(code) // the event's text is its sender's
	next := &codeTable{ids: maps.Clone(old.ids), list: old.list[:len(old.list):len(old.list)]}
	id := uint16(len(next.list))
	next.ids[key] = id
	next.list = append(next.list, RefusalCount{Stage: stage, Code: key.code})
	m.codes.Store(next)
	return id
}

func newCodeTable() *codeTable {
	return &codeTable{ids: map[refusalKey]uint16{}, list: []RefusalCount{{Code: otherCode}}}
}
