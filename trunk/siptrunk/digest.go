package siptrunk

import (
	"context"
	"strings"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// credentials are the answers to challenges so far: of the far server (401) and of proxies on the way (407).
type credentials struct {
	server, proxy string // header lines with CRLF
	rounds        int
}

// maxRounds bounds the challenges that one request answers: one of each kind, and one stale nonce of each.
const maxRounds = 4

// lines appends the header lines to a copy of base.
func (c *credentials) lines(base []string) []string {
	base = base[:len(base):len(base)]
	for _, l := range [...]string{c.server, c.proxy} {
		if l != "" {
			base = append(base, l)
		}
	}
	return base
}

// authorization returns the lines of credentials among the lines of a request: the ACK of a 2xx has them too (RFC 3261
// §13.2.2.4), and nothing else of the INVITE.
func authorization(lines []string) (some []string) {
	for _, l := range lines {
		if strings.HasPrefix(l, "Authorization: ") || strings.HasPrefix(l, "Proxy-Authorization: ") {
			some = append(some, l)
		}
	}
	return some
}

// authorize answers the challenge of a 401 or 407 (RFC 3261 §22, RFC 8760), by sipgo's digest. It returns false
// when there is nothing to answer, no way to, or the same credentials were refused.
func (l *Leg) authorize(c *credentials, method sip.RequestMethod, uri string, res *sip.Response) bool {
	ask, answer, line := "www-authenticate", "Authorization", &c.server
	switch res.StatusCode {
	case 401:
	case 407:
		ask, answer, line = "proxy-authenticate", "Proxy-Authorization", &c.proxy
	default:
		return false
	}
	scheme, rest, ok := strings.Cut(uri, ":")
	if l.route.Username == "" || c.rounds >= maxRounds || !ok {
		return false
	}
	for _, h := range res.GetHeaders(ask) {
		stale := strings.Contains(strings.ReplaceAll(strings.ToLower(h.Value()), `"`, ""), "stale=true")
		if *line != "" && !stale {
			continue
		}
		// sipgo reads one challenge of a response, and writes the digest's URI from the parts of the request's:
		// so the response holds this challenge alone, and the URI is one part.
		one := sip.NewResponse(res.StatusCode, "")
		one.AppendHeader(h)
		req := sip.NewRequest(method, sip.Uri{Scheme: scheme, Host: rest})
		req.AppendHeader(&sip.CSeqHeader{MethodName: method})
		auth := sipgo.DigestAuth{Username: l.route.Username, Password: l.route.Password}
		if _, err := l.d.digest.TransactionDigestAuth(context.Background(), req, one, auth); err != nil {
			continue // another algorithm may be offered beside this one
		}
		if v := req.GetHeader(answer); v != nil && validValue(v.Value()) {
			*line = answer + ": " + v.Value() + "\r\n"
			c.rounds++
			return true
		}
	}
	return false
}

// notSent is the requester of a client that only computes digests: legs send their requests themselves.
type notSent struct{}

func (notSent) Request(context.Context, *sip.Request) (sip.ClientTransaction, error) { return nil, nil }
