package siptrunk

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// early is an early dialog in which the carrier sends reliable provisional responses (RFC 3262).
type early struct {
	tag  string // To tag of the carrier
	rseq uint32 // of the last response that was acknowledged
}

// maxEarly bounds the early dialogs whose responses are acknowledged: a carrier forks to a few callees.
const maxEarly = 16

// acknowledges sends PRACK for a reliable provisional response. It reports whether the response is to be told of: a repetition,
// and one that overtook another one, are not (§4).
func (l *Leg) acknowledges(res *sip.Response, at time.Time) bool {
	tag := toTagOf(res)
	if res.StatusCode == 100 || tag == "" || !lists(res.GetHeaders("require"), "100rel") {
		return true
	}
	h := res.GetHeader("rseq")
	if h == nil {
		return true
	}
	rseq, err := strconv.ParseUint(strings.TrimSpace(h.Value()), 10, 32)
	if err != nil || rseq == 0 {
		return true
	}
	i := slices.IndexFunc(l.early, func(e early) bool { return e.tag == tag })
	switch {
	case i < 0 && len(l.early) >= maxEarly:
		return false
	case i < 0:
		l.early = append(l.early, early{tag, uint32(rseq)})
	case uint32(rseq) != l.early[i].rseq+1:
		return false
	default:
		l.early[i].rseq = uint32(rseq)
	}
	t := targetOf(res, target{uri: l.uri, dst: l.base})
	l.meet(t.dst)
	rack := "RAck: " + strconv.FormatUint(rseq, 10) + " " + strconv.FormatUint(uint64(l.seq), 10) + " INVITE\r\n"
	var creds credentials
	l.transactAt(at, sip.PRACK, res.To().Value(), t, []string{rack}, nil, &creds, func(*sip.Response, time.Time) {})
	return true
}

// require takes a 421 (RFC 3261 §21.4.15): the INVITE is sent again, once, with what the carrier wants supported. An INVITE
// without an offer cannot be: the carrier's offer would come in a provisional response, and its answer with the PRACK.
func (l *Leg) require(res *sip.Response, at time.Time) bool {
	if res.StatusCode != 421 || l.gaveUp != 0 || l.reliable || len(l.initial.body) == 0 || !lists(res.GetHeaders("require"), "100rel") {
		return false
	}
	l.reliable = true
	return l.resendInvite(at)
}

// lists reports whether one of the header fields, each a list of tokens, has this one.
func lists(hs []sip.Header, token string) bool {
	for _, h := range hs {
		for v := range strings.SplitSeq(h.Value(), ",") {
			if strings.EqualFold(strings.TrimSpace(v), token) {
				return true
			}
		}
	}
	return false
}
