package outdial

import "time"

// Mark is a moment in the life of an attempt.
type Mark uint8

// Moments of an attempt, in the order in which they usually come, but for those from MarkAbandon on.
const (
	MarkInvite      Mark = iota // the INVITE left the host
	MarkTrying                  // 100, or whatever came first
	MarkProvisional             // the first 101–199: RFC 6076 §4.3 SRD, and PDD as the trade uses it, end here
	MarkRinging                 // the first 180
	MarkEarlySDP                // the first 183 (or other 18x) with a session description: early media may flow
	MarkMedia                   // the first media packet from the far side
	MarkAnswer                  // the first 2xx
	MarkEnd                     // the leg is over
	MarkAbandon                 // hunting moved on while the leg still lived
	MarkEarlyMedia              // the far side was allowed to send media before its answer: P-Early-Media (RFC 5009)
	MarkBye                     // the host's BYE left; MarkEnd is when it was answered, or given up
	markCount
)

// String returns "invite", "trying", "provisional", "ringing", "early_sdp", "media", "answer", "end", "abandon",
// "early_media" or "bye".
func (m Mark) String() string {
	return nameOf(m, "invite", "trying", "provisional", "ringing", "early_sdp", "media", "answer", "end",
		"abandon", "early_media", "bye")
}

// beforeAnswer reports whether m is one of the moments that Session.Progress reports.
func (m Mark) beforeAnswer() bool { return m < MarkAnswer || m == MarkEarlyMedia }

// Timeline holds when each moment of an attempt came, as the time since Attempt.Start. Zero means that it did not
// come; a moment in the very instant of the start is kept as one nanosecond. The durations come from monotonic
// readings where the host's clock has them, so a step of the wall clock does not bend them.
//
// Timeline is a plain value; the zero value is an attempt of which nothing is known yet.
type Timeline [markCount]time.Duration

// At returns when m came, relative to the start, and whether it came.
func (t *Timeline) At(m Mark) (time.Duration, bool) { return t[m], t[m] != 0 }

// Set keeps d as the time of m unless m has come before: the first one counts, repetitions (a second 180, a
// retransmitted final) do not.
func (t *Timeline) Set(m Mark, d time.Duration) {
	if t[m] == 0 {
		t[m] = max(d, 1)
	}
}

// Between returns the time from one moment to another, never negative, and whether both came. An attempt whose
// INVITE was not marked is taken to have sent it at its start.
func (t *Timeline) Between(from, to Mark) (time.Duration, bool) {
	if t[to] == 0 || (t[from] == 0 && from != MarkInvite) {
		return 0, false
	}
	return max(t[to]-t[from], 0), true
}

// PDD is the post-dial delay: from the INVITE to the first provisional response beyond 100, as RFC 6076 §4.3
// counts its session request delay. An answer without any such response has none, rather than one of zero.
func (t *Timeline) PDD() (time.Duration, bool) { return t.Between(MarkInvite, MarkProvisional) }

// RingTime is the time from the first 180 to the answer, or to the end of a leg that was not answered.
func (t *Timeline) RingTime() (time.Duration, bool) {
	if t[MarkAnswer] != 0 {
		return t.Between(MarkRinging, MarkAnswer)
	}
	return t.Between(MarkRinging, MarkEnd)
}

// Audible is the time from the INVITE to the first moment at which the caller may have heard something of the far side: a
// 180, from which a telephone makes its own tone, a session description or leave to send before the answer (RFC 5009), or
// media. An answer without any of them has none.
func (t *Timeline) Audible() (time.Duration, bool) {
	first := MarkInvite
	for _, m := range [...]Mark{MarkRinging, MarkEarlySDP, MarkMedia, MarkEarlyMedia} {
		if t[m] != 0 && (first == MarkInvite || t[m] < t[first]) && (t[MarkAnswer] == 0 || t[m] <= t[MarkAnswer]) {
			first = m
		}
	}
	if first == MarkInvite {
		return 0, false
	}
	return t.Between(MarkInvite, first)
}

// Duration is the time from the answer to the BYE, from whichever side it came: RFC 6076 §4.5 SDT, the "D" of ACD.
func (t *Timeline) Duration() (time.Duration, bool) {
	if t[MarkBye] != 0 && t[MarkEnd] != 0 {
		return t.Between(MarkAnswer, MarkBye)
	}
	return t.Between(MarkAnswer, MarkEnd)
}

// Marks is a set of moments that came at the same instant.
type Marks uint16

// Of returns the set that holds m alone.
func (m Mark) Of() Marks { return 1 << m }

// Has reports whether the set holds m.
func (s Marks) Has(m Mark) bool { return s&(1<<m) != 0 }

// ProgressOf returns the moments that a provisional SIP response stands for: 100 is MarkTrying; any other is
// MarkProvisional as well, 180 also MarkRinging, and one with a session description also MarkEarlySDP (only its
// presence matters, RFC 3960 §3.2). A code outside 100–199 gives the empty set.
func ProgressOf(code int, sdp bool) Marks {
	if code < 100 || code > 199 {
		return 0
	}
	s := MarkTrying.Of()
	if code == 100 {
		return s
	}
	s |= MarkProvisional.Of()
	if code == 180 {
		s |= MarkRinging.Of()
	}
	if sdp {
		s |= MarkEarlySDP.Of()
	}
	return s
}
