package trunk

import "math"

// ErlangB returns the blocking of a group of channels that is offered so many Erlang, where blocked calls are lost: the
// share of calls that find all channels busy (ITU-T E.501, E.521; Erlang 1917). It holds for any distribution of the holding
// time. Without channels everything is blocked, without traffic nothing. It takes time in proportion to channels.
func ErlangB(channels int, erlangs float64) float64 {
	if !(erlangs > 0) {
		if channels <= 0 && erlangs == 0 {
			return 1
		}
		return 0
	}
	b := 1.
	for n := 1; n <= channels; n++ {
		b = erlangs * b / (float64(n) + erlangs*b)
	}
	return b
}

// ErlangC returns the share of calls that must wait where calls that find all channels busy wait as long as it takes.
// It is 1 when as much or more is offered than the channels can carry.
func ErlangC(channels int, erlangs float64) float64 {
	switch {
	case !(erlangs > 0):
		return 0
	case float64(channels) <= erlangs:
		return 1
	}
	b := ErlangB(channels, erlangs)
	return b / (1 - erlangs/float64(channels)*(1-b))
}

// ChannelsFor returns the fewest channels that block no more than this share of the calls (0.01 is the grade of service
// P.01), at most MaxChannels.
func ChannelsFor(erlangs, blocking float64) int {
	if !(erlangs > 0) {
		return 0
	}
	b, n := 1., 0
	for b > blocking && n < MaxChannels {
		n++
		b = erlangs * b / (float64(n) + erlangs*b)
	}
	return n
}

// ErlangsFor returns the traffic that so many channels can be offered at this blocking.
func ErlangsFor(channels int, blocking float64) float64 {
	if channels <= 0 || !(blocking > 0) {
		return 0
	}
	low, high := 0., 1.
	for ErlangB(channels, high) < blocking && high < MaxChannels {
		low, high = high, 2*high
	}
	for range 100 {
		if mid := (low + high) / 2; ErlangB(channels, mid) < blocking {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// cpsFor returns the calls per second that are enough in all but a share of the seconds, when calls come at random.
func cpsFor(perSecond, share float64) int {
	if !(perSecond > 0) {
		return 0
	}
	if perSecond > 500 && share < 1 { // the terms below would vanish; by then the distribution is normal
		return max(int(math.Ceil(perSecond+math.Sqrt2*math.Erfinv(1-2*share)*math.Sqrt(perSecond))), 1)
	}
	n, term := 0, math.Exp(-perSecond)
	for sum := term; 1-sum > share && n < MaxCPS; sum += term {
		n++
		term *= perSecond / float64(n)
	}
	return max(n, 1)
}
