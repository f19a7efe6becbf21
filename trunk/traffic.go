package trunk

import (
	"time"

	"github.com/outdial/outdial/internal/window"
)

// trafficMinutes is how far Status.Traffic looks back.
const trafficMinutes = 60

// minute is the traffic of one minute, as the events tell.
type minute struct {
	started, refused, ended uint32
	held                    time.Duration
}

func (t *line) minute(at window.Instant) *minute {
	if t.traffic == nil {
		t.traffic, _ = window.NewRing[minute](trafficMinutes, time.Minute)
		t.counted = at
	}
	if m := t.traffic.At(at); m != nil {
		return m
	}
	return new(minute) // older than the last hour
}

// Traffic is what a trunk was offered and carried in the last hour: attempts that ended for the time that they held a
// channel, and bids that were refused for want of room. It is folded from events.
type Traffic struct {
	Window   time.Duration // what it is of: an hour, or less when the first event is younger
	Attempts int           // that started
	Refused  int           // bids that were refused for want of room
	Hold     time.Duration // mean time that an attempt held its channel; 0 = none has ended
}

// Offered is the offered traffic in Erlang: that of all attempts, and of the refused bids as if they had held a
// channel as long. A bid that was carried by another trunk counts as offered to both.
func (t Traffic) Offered() float64 {
	if t.Window <= 0 {
		return 0
	}
	return float64(t.Attempts+t.Refused) * t.Hold.Seconds() / t.Window.Seconds()
}

func (t *line) lastHour(at window.Instant) Traffic {
	if t.traffic == nil {
		return Traffic{}
	}
	var sum minute
	for m := range t.traffic.Live(at, trafficMinutes) {
		sum.started += m.started
		sum.refused += m.refused
		sum.ended += m.ended
		sum.held += m.held
	}
	into := (time.Duration(at)%time.Minute + time.Minute) % time.Minute // the present minute is not over
	tr := Traffic{
		Window: min((trafficMinutes-1)*time.Minute+into, time.Duration(at-t.counted)), Attempts: int(sum.started), Refused: int(sum.refused),
	}
	if sum.ended > 0 {
		tr.Hold = sum.held / time.Duration(sum.ended)
	}
	return tr
}
