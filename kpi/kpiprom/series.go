package kpiprom

import (
	"slices"
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

// cumulative is what Prometheus wants: how many are at most as long as each bound.
func (h *histogram) cumulative(bounds []float64) map[float64]uint64 {
	out := make(map[float64]uint64, len(bounds))
	var sum uint64
	for i, b := range bounds {
		if h.buckets != nil {
			sum += h.buckets[i]
		}
		out[b] = sum
	}
	return out
}

// count adds an event.
func (s *series) count(c *Config, ev *outdial.Event) {
	a := ev.Attempt
	switch ev.Kind {
	case outdial.EventRefused:
		if s.refused == nil {
			s.refused = map[refusal]uint64{}
		}
		r := refusal{ev.RefusalStage, ev.Refusal}
		if _, ok := s.refused[r]; !ok && len(s.refused) >= maxRefusals {
			r = refusal{ev.RefusalStage, other}
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
