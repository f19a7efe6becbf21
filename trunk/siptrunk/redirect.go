package siptrunk

import (
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// maxRedirects is how many redirections one attempt follows.
const maxRedirects = 3

// redirect sends the INVITE again to the first contact of a 3xx that the trunk allows (RFC 3261 §8.1.3.4); false = there is
// none, and the 3xx ends the attempt. The credentials of the trunk are not sent along: the contact may ask for them.
func (l *Leg) redirect(res *sip.Response, at time.Time) bool {
	if res.StatusCode/100 != 3 || l.gaveUp != 0 || l.redirects >= maxRedirects || l.route.redirects == nil {
		return false
	}
	for _, h := range res.GetHeaders("Contact") {
		uri, _, _ := strings.Cut(uriIn(h.Value()), "?") // what follows would be headers of the carrier's choice
		dst, ok := hopOf(uri, l.base)
		if !ok || !validURI(uri) || !l.route.redirects.admits(dst.addr) {
			continue
		}
		l.redirects++
		l.uri, l.initial.uri, l.base = uri, uri, dst
		return l.resendInvite(at)
	}
	return false
}
