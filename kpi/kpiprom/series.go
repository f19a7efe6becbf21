package kpiprom

import (
	"slices"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// series is what is counted under one label set since the start.
type series struct {
	started  uint64
	outcomes [kpi.ClassCount]uint64
	refused  map[refusal]uint64
	human    [kpi.AnswerKinds]uint64
	contacts uint64
	pdd      histogram
	duration histogram
}

type refusal struct {
	stage outdial.Stage
	code  string
}

// histogram counts durations by bucket; its bounds are the collector's.
type histogram struct {
	buckets []uint64
	n       uint64
	sum     float64
}

func (h *histogram) add(bounds []float64, d time.Duration) {
	if h.buckets == nil {
		h.buckets = make([]uint64, len(bounds))
	}
	s := d.Seconds()
	h.n++
	h.sum += s
	if i, _ := slices.BinarySearch(bounds, s); i < len(bounds) {
		h.buckets[i]++
	}
}

// merge adds what another histogram counted.
func (h *histogram) merge(o *histogram) {
	if len(h.buckets) < len(o.buckets) {
		h.buckets = make([]uint64, len(o.buckets)) // those of one collector are of one length, or none yet
	}
	for i, n := range o.buckets {
		h.buckets[i] += n
	}
	h.n += o.n
	h.sum += o.sum
}

// cumulative is what Prometheus wants: how many are at most as long as each bound.
func (h *histogram) cumulative(bounds []float64) map[float64]uint64 {
	out := make(map[float64]uint64, len(bounds))
	var sum uint64
	for i, b := range bounds {
		if i < len(h.buckets) {
			sum += h.buckets[i]
		}
		out[b] = sum
	}
	return out
}

// add adds what another series counted.
func (s *series) add(o *series) {
	s.started += o.started
	s.contacts += o.contacts
	for i, n := range o.outcomes {
		s.outcomes[i] += n
	}
	for i, n := range o.human {
		s.human[i] += n
	}
	if s.refused == nil {
		s.refused = make(map[refusal]uint64, len(o.refused))
	}
	for r, n := range o.refused {
		s.refused[r] += n
	}
	s.pdd.merge(&o.pdd)
	s.duration.merge(&o.duration)
}

// count adds an event.
func (s *series) count(c *Config, ev *outdial.Event) {
	a := ev.Attempt
	switch ev.Kind {
	case outdial.EventRefused:
		if s.refused == nil {
			s.refused = map[refusal]uint64{}
		}
		r := refusal{min(ev.RefusalStage, outdial.StageCount), strings.ToValidUTF8(ev.Refusal, "\uFFFD")}
		if _, ok := s.refused[r]; !ok && len(s.refused) >= maxRefusals {
			r.code = other
		}
		s.refused[r]++
	case outdial.EventStarted:
		s.started++
	case outdial.EventAnswered:
		s.outcomes[kpi.ClassAnswer]++
		s.delay(c, a)
	case outdial.EventEnded:
		if !a.Answered() {
			class, _ := kpi.Classify(a)
			s.outcomes[class]++
			s.delay(c, a)
		} else if d, ok := a.Timeline.Duration(); ok && !a.Late && a.Result.Origin != outdial.OriginUnknown {
			s.duration.add(c.Duration, d)
		}
	case outdial.EventDisposed:
		if d := ev.Disposition; d != nil {
			s.human[min(int(d.AnsweredBy), kpi.AnswerKinds-1)]++
			if d.Contact {
				s.contacts++
			}
		}
	}
}

func (s *series) delay(c *Config, a *outdial.Attempt) {
	if d, ok := a.Timeline.PDD(); ok {
		s.pdd.add(c.PDD, d)
	}
}

const (
	other       = "other"
	maxRefusals = 64 // codes of refusal that one label set tells apart
)
