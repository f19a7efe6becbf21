package kpi

import "time"

// quantum is a duration as cells keep it, in two bytes: to half a millisecond up to 8 s, to 10 ms up to 2.7 min, to 0.1 s up
// to 27 min, and to a second up to 4.5 h, which is the longest. Two bits say which unit, the others how many.
type quantum uint16

var quanta = [4]time.Duration{500 * time.Microsecond, 10 * time.Millisecond, 100 * time.Millisecond, time.Second}

const mostQuanta = 1<<14 - 1

func quantumOf(d time.Duration) quantum {
	switch {
	case d < mostQuanta*500*time.Microsecond:
		return quantum((max(d, 0) + 250*time.Microsecond) / (500 * time.Microsecond))
	case d < mostQuanta*10*time.Millisecond:
		return 1<<14 | quantum((d+5*time.Millisecond)/(10*time.Millisecond))
	case d < mostQuanta*100*time.Millisecond:
		return 2<<14 | quantum((d+50*time.Millisecond)/(100*time.Millisecond))
	}
	return 3<<14 | quantum(min((d+500*time.Millisecond)/time.Second, mostQuanta))
}

func (q quantum) duration() time.Duration { return time.Duration(q&mostQuanta) * quanta[q>>14] }
