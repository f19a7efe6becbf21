package outdial

import (
	"strings"
	"time"
)

// Origin says who or what ended an attempt.
type Origin uint8

// Origins of an end. The first group ends an attempt before an answer, the second after it.
const (
	OriginUnknown    Origin = iota // nobody can say: the process died with the attempt open
	OriginCarrier                  // a final response: Code says which
	OriginNoTrying                 // nothing at all came within T100
	OriginNoProgress               // 100 came, nothing beyond it within the PDD timer
	OriginNoAnswer                 // it rang until the ring timer
	OriginTransport                // it left, and was refused or unreachable, or its connection broke
	OriginCaller                   // the caller gave up
	OriginNeverSent                // nothing left the host: no carrier is to blame

	OriginCallerHangup // the caller ended the conversation
	OriginCalleeHangup // the callee, or the carrier for it, ended the conversation
	OriginMediaLoss    // the conversation was ended because media stopped
	OriginHost         // the host ended it: maximum length, shutdown, a late answer
)

// String returns the origin in lower case with underscores, for example "no_trying".
func (o Origin) String() string {
	return nameOf(o, "unknown", "carrier", "no_trying", "no_progress", "no_answer", "transport", "caller", "never_sent",
		"caller_hangup", "callee_hangup", "media_loss", "host")
}

// Result is how an attempt ended: facts only, nothing judged. What it means is for failover (advance or stop) and
// kpi (outcome class). A Result is a plain value.
type Result struct {
	Origin Origin
	Code   uint16 // SIP status of the final response; 0 = none came
	Cause  Cause  // Q.850, from a Reason header (RFC 3326, RFC 6432); the zero Cause = none came

	// Phrase is the reason phrase of the final response: carriers say "limit exceeded" only there. SIPCause and
	// Text are the cause and text of a "Reason: SIP" header: an analytics block ("603+") names its redress there.
	// The journal keeps at most 255 bytes of each text.
	Phrase   string
	SIPCause uint16
	Text     string

	RetryAfter time.Duration // Retry-After of the final response; 0 = none
	Headers    Headers       // of the final response, those that the host keeps; "" = none

	// Bye is how long the far side took for its final response to the host's BYE, and ByeCode that response's status (RFC 6076
	// §4.4, session disconnect delay). ByeCode 0 = no BYE left the host, or it was given up after Bye.
	Bye     time.Duration
	ByeCode uint16
}

// Blocked reports whether the callee, or an analytics engine on its side, does not want the call: 607 Unwanted
// (RFC 8197), 608 Rejected (RFC 8688), or 603 with the signature of an analytics block ("603+", ATIS-1000099): the
// phrase "Network Blocked", or a Reason text that begins with "v=analytics". A status that was rewritten on the way
// counts by its Reason header. Such a call is never tried again around the block.
func (r *Result) Blocked() bool {
	switch {
	case r.Code == 607, r.Code == 608, r.SIPCause == 607, r.SIPCause == 608:
		return true
	case r.Code == 603, r.SIPCause == 603:
		const signature = "v=analytics"
		return strings.EqualFold(r.Phrase, "Network Blocked") ||
			len(r.Text) >= len(signature) && strings.EqualFold(r.Text[:len(signature)], signature)
	}
	return false
}
