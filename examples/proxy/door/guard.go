package door

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

type callerKey struct{}

// What every answer says, made once. Nobody changes them: who adds to a field gets a copy.
var nosniff, deny, noReferrer = []string{"nosniff"}, []string{"DENY"}, []string{"no-referrer"}

// CallerOf is who sent a request that a Guard let through.
func CallerOf(r *http.Request) Caller {
	c, _ := r.Context().Value(callerKey{}).(Caller)
	return c
}

// Guard lets requests through to next that have a token (Authorization: Bearer …); what a token that may only look must not do, next
// refuses by CallerOf. Without tokens it takes requests that are meant for this machine alone: a page of a browser that was led here by a
// name of its own is not one (DNS rebinding). What a page of another origin sends is refused in either case. open are paths that need no token.
func Guard(t *Tokens, next http.Handler, open ...string) http.Handler {
	origin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["X-Content-Type-Options"], h["X-Frame-Options"], h["Referrer-Policy"] = nosniff, deny, noReferrer
		if err := origin.Check(r); err != nil {
			Refuse(http.StatusForbidden, "cross_origin", "a page of another origin sent the request").Write(w)
			return
		}
		for _, path := range open {
			if r.URL.Path == path {
				next.ServeHTTP(w, r)
				return
			}
		}
		if t == nil {
			if !local(r.Host) {
				Refuse(http.StatusForbidden, "host", "without a token, only requests to a loopback address are answered").Write(w)
				return
			}
			next.ServeHTTP(w, r)
			return
		}
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		c, known := t.Find(token)
		if !ok || !known {
			h.Set("WWW-Authenticate", `Bearer realm="outdial"`)
			Refuse(http.StatusUnauthorized, "token", "a token is required: Authorization: Bearer …").Write(w)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
	})
}

// local reports whether a Host header field names the loopback interface.
func local(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
