package siptest

import (
	"time"

	"github.com/emiago/sipgo/sip"
)

// CallerCall says how a [Caller] behaves in one call. The zero value calls "callee" as "caller", and waits for the far end to hang up.
type CallerCall struct {
	// From and To are the user parts of the From header and of the request URI; empty means "caller", "callee".
	From, To string
	// PAI is the user part of a P-Asserted-Identity; empty means no such header.
	PAI string
	// CallID overrides the random Call-ID. It must not be that of a call in progress.
	CallID string
	// Headers are added to the INVITE.
	Headers []Header
	// RecordRoute are the values of Record-Route in the INVITE, as of proxies in front of the caller. They must lead to the
	// caller itself: what comes within the dialog is to name them in Route.
	RecordRoute []string
	// SDP is the offer; nil means a generated one, an empty non-nil slice none.
	SDP []byte
	// CancelAfter cancels so long after the INVITE, unless it was answered; but not before a provisional
	// response (RFC 3261 §9.1). Zero means never.
	CancelAfter time.Duration
	// CancelOnRing cancels at the first 18x.
	CancelOnRing bool
	// HangupAfter sends BYE so long after the answer; zero means to wait for the far end.
	HangupAfter time.Duration
	// Linger keeps the call open for so long after its end, to collect late and repeated responses.
	Linger time.Duration
	// Auth answers a challenge, once; nil takes it as the final response.
	Auth *Auth
	// NoAck leaves a 2xx without ACK, NoPrack a reliable provisional response without PRACK.
	NoAck, NoPrack bool
	// Reliable offers 100rel (RFC 3262).
	Reliable bool
	// Media is the RTP stream towards the far end; nil means none.
	Media *Media
	// CountRTP opens a media socket to count what arrives, also without Media.
	CountRTP bool
}

// A Response is one SIP response as the caller saw it.
type Response struct {
	Code    int
	Phrase  string
	At      time.Duration // since the INVITE was first sent
	ToTag   string
	SDP     bool // has a body
	Body    []byte
	Headers []Header
}

// Header returns the value of the first header of that name, as the parser spells it; empty if there is none.
func (r *Response) Header(name string) string {
	for _, h := range r.Headers {
		if sip.HeaderToLower(h.Name) == sip.HeaderToLower(name) {
			return h.Value
		}
	}
	return ""
}

// Values returns the values of all headers of that name.
func (r *Response) Values(name string) []string {
	var v []string
	for _, h := range r.Headers {
		if sip.HeaderToLower(h.Name) == sip.HeaderToLower(name) {
			v = append(v, h.Value)
		}
	}
	return v
}

func newResponse(res *sip.Response, at time.Duration) *Response {
	return &Response{
		Code: res.StatusCode, Phrase: res.Reason, At: at, ToTag: toTag(res),
		SDP: len(res.Body()) > 0, Body: res.Body(), Headers: allHeaders(res),
	}
}

// A CallResult is what a [Caller] saw of one call. Times count from the first INVITE.
type CallResult struct {
	CallID       string
	StartedAt    time.Time
	Provisionals []Response // all that came, 100 and retransmissions included, in the order of arrival
	// Final is the final response, nil when there was none: the transaction timed out.
	Final *Response
	// Challenges are the 401 and 407 that were answered with credentials.
	Challenges []Response

	PDD        time.Duration // to the first 18x; zero if there was none
	AnsweredAt time.Duration // to the 2xx; zero if there was none
	EndedAt    time.Duration // to the failure, BYE or time-out
	EndedBy    Side          // who sent the BYE
	ByeCode    int           // the answer to our BYE; zero while none came
	ByeHeaders []Header      // of the far end's BYE
	Cancelled  bool          // a CANCEL was sent
	CancelCode int           // the answer to it
	TimedOut   bool          // Timer B, or no final response after the CANCEL

	InviteRetransmits int // our INVITEs sent again
	FinalRetransmits  int // the same final response received again
	LateProvisionals  int // provisional responses that came after the final one
	OtherAnswers      int // 2xx of other dialogs: acknowledged and hung up
	Pracks            int // provisional responses acknowledged

	// Faults are what the far end did wrong, which a lenient caller gets over: responses without rport, received or the
	// INVITE's Record-Route (RFC 3581 §4, RFC 3261 §12.1.1), requests within the dialog that do not fit (§12.2.1.1).
	Faults []string

	RTPSent     int
	RTPReceived int
	RTPLost     int           // gaps in what was received
	FirstRTP    time.Duration // to the first packet; zero if there was none
}

// Code returns the status of the final response, zero if there was none.
func (r *CallResult) Code() int {
	if r.Final == nil {
		return 0
	}
	return r.Final.Code
}

// Codes returns the statuses of all provisional responses and of the final one, in the order of arrival.
func (r *CallResult) Codes() []int {
	var codes []int
	for _, p := range r.Provisionals {
		codes = append(codes, p.Code)
	}
	if r.Final != nil {
		codes = append(codes, r.Final.Code)
	}
	return codes
}
