package trunk

import "github.com/outdial/outdial"

// Shortages says what a rejection tells about the capacity of a trunk. failover's compiled verdict rules are one.
type Shortages interface {
	Shortage(carrier outdial.CarrierID, r *outdial.Result) outdial.Shortage
}

// DefaultShortage is the table that is used where Config.Shortages is nil. It goes by what carriers are known to say, in the
// reason phrase or in the text of a Reason header, with a status of 403, 480, 486, 500, 503 or 603, and by the Q.850
// causes of a network that is full:
//
//   - "CPS", "calls per second", "rate limit", "too many requests": calls per second; so does status 429;
//   - "channel limit", "concurrent", "simultaneous", "session limit", "call limit", "capacity": channels;
//   - causes 34 (no circuit available) and 44 (requested channel not available): channels;
//   - causes 42 (switching equipment congestion) and 47 (resource unavailable): full, of what is not said.
//
// 486 with cause 17, a busy callee, says nothing about capacity, and neither does a plain 503.
func DefaultShortage(r *outdial.Result) outdial.Shortage {
	if r.Origin != outdial.OriginCarrier {
		return outdial.ShortageNone
	}
	switch r.Code {
	case 429:
		return outdial.ShortageCPS
	case 403, 480, 486, 500, 503, 603:
	default:
		return outdial.ShortageNone
	}
	for _, text := range [...]string{r.Phrase, r.Text} {
		if containsAny(text, "cps", "calls per second", "rate limit", "too many requests") {
			return outdial.ShortageCPS
		}
		if containsAny(text, "channel limit", "concurrent", "simultaneous", "session limit", "call limit", "capacity") {
			return outdial.ShortageChannels
		}
	}
	switch r.Cause.Value {
	case 34, 44:
		return outdial.ShortageChannels
	case 42, 47:
		return outdial.ShortageUnknown
	}
	return outdial.ShortageNone
}

// containsAny reports whether text contains one of words, which are in lower case, whatever the case of its ASCII letters.
func containsAny(text string, words ...string) bool {
	for _, w := range words {
		for i := 0; i+len(w) <= len(text); i++ {
			if equalFold(text[i:i+len(w)], w) {
				return true
			}
		}
	}
	return false
}

func equalFold(s, lower string) bool {
	for i := range len(lower) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
