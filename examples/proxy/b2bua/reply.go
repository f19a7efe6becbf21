package b2bua

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// What a dialer is told when it is not known when asking again may help, and while the proxy drains.
const (
	unknownRetry = 5 * time.Second
	drainRetry   = 30 * time.Second
	maxRetry     = time.Hour
)

// byOrigin is the table of what a dialer is told about an attempt that ended without an answer, by the origin of the end.
// The final response of a carrier is passed on as it is, but for byCode.
var byOrigin = map[outdial.Origin]verdict{
	outdial.OriginUnknown:    {500, "Server Internal Error"},
	outdial.OriginNoTrying:   {408, "Request Timeout"},         // §16.8: as if 408 had been received
	outdial.OriginNoProgress: {504, "Server Time-out"},         // somebody was there, but got no further
	outdial.OriginNoAnswer:   {480, "Temporarily Unavailable"}, // RFC 3398 §7.2.4.1: cause 19
	outdial.OriginTransport:  {500, "Server Internal Error"},   // §16.9: as a 503, which is not passed on
	outdial.OriginCaller:     {487, "Request Terminated"},
	outdial.OriginNeverSent:  {500, "Server Internal Error"},
	outdial.OriginHost:       {500, "Server Internal Error"},
}

// byCode is the table of the carrier's responses that are not passed on as they are: they are about the hop between
// the proxy and the carrier, which is none of the dialer's business. Their Reason header is.
var byCode = map[uint16]verdict{
	401: {502, "Bad Gateway"}, // our credentials, not the dialer's
	407: {502, "Bad Gateway"},
	481: {500, "Server Internal Error"},
	482: {500, "Server Internal Error"}, // merged or looped behind us
	483: {500, "Server Internal Error"},
	487: {480, "Temporarily Unavailable"}, // the dialer cancelled nothing
	503: {500, "Server Internal Error"},   // §16.7: only our own lack of capacity is a 503
}

// byClass is the table of what a dialer is told when no attempt could be placed, by the class of the refusal.
var byClass = map[outdial.RefusalClass]verdict{
	outdial.RefusedCapacity: {503, "Service Unavailable"}, // with Retry-After
	outdial.RefusedByFault:  {503, "Service Unavailable"}, // with Retry-After
	outdial.RefusedByPolicy: {403, "Forbidden"},
	outdial.RefusedNoRoute:  {404, "Not Found"},
}

type verdict struct {
	code   int
	phrase string
}

func (v verdict) response() response { return response{code: v.code, phrase: v.phrase} }

// resultOf says what a dialer is told about one attempt.
func resultOf(r *outdial.Result) response {
	v, known := byOrigin[r.Origin]
	if r.Origin == outdial.OriginCarrier {
		v, known = byCode[r.Code]
		switch {
		case r.Code >= 300 && r.Code < 400: // where else to ask is the proxy's business, and it asks nowhere else
			v, known = verdict{502, "Bad Gateway"}, true
		case !known && r.Code >= 400 && r.Code < 700:
			v, known = verdict{int(r.Code), r.Phrase}, true
		}
	}
	if !known {
		v = byOrigin[outdial.OriginUnknown]
	}
	p := v.response()
	why := siptrunk.Reason{Cause: r.Cause, SIPCause: r.SIPCause, Text: r.Text}
	if r.Origin != outdial.OriginCarrier {
		why = siptrunk.Reason{}
	}
	if s := why.String(); s != "" {
		p.headers = append(p.headers, header{"Reason", s})
	}
	// RFC 3261 §20.33: when the callee will be available. That of a 500 or 503 is about the carrier.
	if callee := []int{404, 413, 480, 486, 600, 603}; r.RetryAfter > 0 && slices.Contains(callee, p.code) {
		p.headers = append(p.headers, header{"Retry-After", seconds(r.RetryAfter)})
	}
	return p
}

// bestOf chooses what a dialer is told about all attempts, as a proxy chooses its best response (RFC 3261 §16.7 step 6): a
// 6xx, else the lowest class; within it what a carrier said before what a timer said, and the latest of those.
func bestOf(attempts []outdial.Attempt) response {
	best, bestRank := byOrigin[outdial.OriginUnknown].response(), 1<<30
	for i := range attempts {
		outcome := attempts[i].Outcome()
		if attempts[i].Late && attempts[i].WasAbandoned() { // the dialer never hears of that answer
			outcome = &attempts[i].Abandoned
		}
		p := resultOf(outcome)
		rank := p.code / 100 * 2
		if p.code >= 600 {
			rank = 0
		}
		if outcome.Origin != outdial.OriginCarrier {
			rank++
		}
		if rank <= bestRank {
			best, bestRank = p, rank
		}
	}
	return best
}

// refusalOf says what a dialer is told when no attempt was placed.
func refusalOf(now time.Time, err error) response {
	var none *outdial.NoRouteError
	switch {
	case errors.Is(err, outdial.ErrJournal):
		return unavailable(unknownRetry)
	case !errors.As(err, &none):
		return byOrigin[outdial.OriginUnknown].response()
	}
	p := byClass[none.Class()].response()
	if p.code == 503 {
		p = unavailable(wait(now, none.Again))
	}
	if codes := refusals(none); codes != "" {
		p.headers = append(p.headers, header{"X-Outdial-Refusal", codes})
	}
	return p
}

// refusals lists the codes of the refusals, each once.
func refusals(e *outdial.NoRouteError) string {
	var codes []string
	for _, s := range e.Skipped {
		var r *outdial.Refusal
		if errors.As(s.Err, &r) && !slices.Contains(codes, r.Code()) {
			codes = append(codes, r.Code())
		}
	}
	return strings.Join(codes, ", ")
}

func wait(now, again time.Time) time.Duration {
	if again.IsZero() {
		return unknownRetry
	}
	return min(again.Sub(now), maxRetry)
}

// unavailable is the 503 of our own lack of capacity.
func unavailable(after time.Duration) response {
	p := byClass[outdial.RefusedCapacity].response()
	p.headers = []header{{"Retry-After", seconds(after)}}
	return p
}

// seconds writes a duration for Retry-After: whole seconds, rounded up, at least one.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64(max((d+time.Second-1)/time.Second, 1)), 10)
}

// Refusal is what a dialer is told of a call that was not placed: status, phrase, the codes of the refusals, and when asking again may help
// (0 = that is not known). err is that of Session.Begin or Next.
func Refusal(now time.Time, err error) (code int, phrase, refusal string, after time.Duration) {
	r := refusalOf(now, err)
	refusal = "error"
	if none := (*outdial.NoRouteError)(nil); errors.As(err, &none) {
		refusal, after = refusals(none), max(none.Again.Sub(now), 0)
	}
	if errors.Is(err, outdial.ErrJournal) {
		after = unknownRetry
	}
	return r.code, r.phrase, refusal, after
}

// Final is what a dialer is told of a call that nobody answered: the best of what its attempts met (RFC 3261 §16.7).
func Final(attempts []outdial.Attempt) (code int, phrase string) {
	r := bestOf(attempts)
	return r.code, r.phrase
}
