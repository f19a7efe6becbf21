package siptrunk

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/outdial/outdial"
)

// Reason is what the Reason header fields of one message say (RFC 3326).
type Reason struct {
	Cause    outdial.Cause // of the first Q.850 value, with its location (RFC 8606)
	SIPCause uint16        // of the first SIP value; 0 = none came
	Text     string        // of that SIP value
}

// Add reads one Reason header field, which may hold several values, and keeps the first Q.850 and the first SIP
// value that it meets. What cannot be read is skipped: a header that a carrier garbled must not lose the response.
func (r *Reason) Add(field string) {
	for len(field) > 0 {
		var value string
		value, field = cutQuoted(field, ',')
		protocol, params := cutQuoted(value, ';')
		protocol = strings.TrimSpace(protocol)
		q850 := strings.EqualFold(protocol, "Q.850")
		if !q850 && !strings.EqualFold(protocol, "SIP") {
			continue
		}
		var cause uint64
		var location outdial.Location
		var text string
		for len(params) > 0 {
			var p string
			p, params = cutQuoted(params, ';')
			name, v, _ := strings.Cut(p, "=")
			v = unquote(strings.TrimSpace(v))
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "cause":
				cause, _ = strconv.ParseUint(v, 10, 16)
			case "location":
				location = outdial.ParseLocation(v)
			case "text":
				text = v
			}
		}
		switch {
		case q850 && r.Cause.Value == 0 && cause >= 1 && cause <= 127:
			r.Cause = outdial.Cause{Value: uint8(cause), Location: location}
		case !q850 && r.SIPCause == 0 && cause >= 100 && cause <= 699:
			r.SIPCause, r.Text = uint16(cause), text
		}
	}
}

// String returns the value of a Reason header field that says the same, "" for the zero value.
func (r Reason) String() string {
	var b strings.Builder
	if r.SIPCause != 0 {
		b.WriteString("SIP;cause=" + strconv.Itoa(int(r.SIPCause)))
		if r.Text != "" {
			b.WriteString(`;text="`)
			for i := range len(r.Text) {
				switch c := r.Text[i]; {
				case c == '"' || c == '\\':
					b.WriteByte('\\')
					b.WriteByte(c)
				case c < ' ' || c == 0x7f: // would end the line, or worse
					b.WriteByte(' ')
				default:
					b.WriteByte(c)
				}
			}
			b.WriteByte('"')
		}
	}
	if r.Cause.Value != 0 {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString("Q.850;cause=" + strconv.Itoa(int(r.Cause.Value)))
		if l := r.Cause.Location.String(); l != "" {
			b.WriteString(";location=" + l)
		}
	}
	return b.String()
}

// lines returns the Reason header of a CANCEL or BYE.
func (r Reason) lines() []string {
	if v := r.String(); v != "" {
		return []string{"Reason: " + v + "\r\n"}
	}
	return nil
}

// cutQuoted cuts s at the first sep outside quotes; without one, rest is empty.
func cutQuoted(s string, sep byte) (before, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == sep && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// unquote returns the text of a quoted-string (RFC 3261 §25.1), or s itself when it is none.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}

// maxRetryAfter is the longest delay-seconds of RFC 3261 §25.1, 2**32-1, as it fits a time.Duration.
const maxRetryAfter = (1<<32 - 1) * time.Second

// ParseRetryAfter reads the value of a Retry-After header field: seconds, which a comment in parentheses and
// parameters may follow (RFC 3261 §20.33). Anything else, such as the date that HTTP would allow, gives 0.
func ParseRetryAfter(value string) time.Duration {
	value = strings.TrimSpace(value)
	end := 0
	for end < len(value) && value[end] >= '0' && value[end] <= '9' {
		end++
	}
	rest := strings.TrimLeft(value[end:], " \t")
	if end == 0 || rest != "" && rest[0] != '(' && rest[0] != ';' {
		return 0
	}
	n, err := strconv.ParseUint(value[:end], 10, 32)
	if err != nil {
		return maxRetryAfter // only digits, so it is too large
	}
	return time.Duration(n) * time.Second
}

// reasonOf reads the Reason header fields of a message.
func reasonOf(m sip.Message) Reason {
	var r Reason
	for _, h := range m.GetHeaders("reason") {
		r.Add(h.Value())
	}
	return r
}

// resultOf reads what a final response says, and keeps the header fields of these names; the origin is the carrier.
func resultOf(res *sip.Response, keep []string) outdial.Result {
	why := reasonOf(res)
	r := outdial.Result{
		Origin: outdial.OriginCarrier, Code: uint16(res.StatusCode), Phrase: res.Reason,
		Cause: why.Cause, SIPCause: why.SIPCause, Text: why.Text,
	}
	if h := res.GetHeader("retry-after"); h != nil {
		r.RetryAfter = ParseRetryAfter(h.Value())
	}
	if len(keep) == 0 {
		return r
	}
	for _, h := range res.Headers() {
		if slices.ContainsFunc(keep, func(name string) bool { return strings.EqualFold(name, h.Name()) }) {
			r.Headers = r.Headers.With(h.Name(), h.Value())
		}
	}
	return r
}
