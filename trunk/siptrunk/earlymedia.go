package siptrunk

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// earlyMedia reports whether a provisional response lets the far side send media before its answer: a direction "sendrecv" or
// "sendonly" in P-Early-Media, which has one for each media line (RFC 5009 §8). Without the header, or with "inactive", "recvonly",
// "supported" or "gated" alone, it says nothing.
func earlyMedia(res *sip.Response) bool {
	for _, h := range res.GetHeaders("P-Early-Media") {
		for param := range strings.SplitSeq(h.Value(), ",") {
			param, _, _ = strings.Cut(param, ";")
			if d := strings.TrimSpace(param); strings.EqualFold(d, "sendrecv") || strings.EqualFold(d, "sendonly") {
				return true
			}
		}
	}
	return false
}
