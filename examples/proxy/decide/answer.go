package decide

import (
	"strconv"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
)

// begin appends what every answer begins with.
func begin(b []byte, action string) []byte {
	return append(append(append(b, `{"action":"`...), action...), '"')
}

func member(b []byte, key, value string) []byte {
	b = append(append(append(b, ',', '"'), key...), `":`...)
	return quoted(b, value)
}

func number(b []byte, key string, n int64) []byte {
	b = append(append(append(b, ',', '"'), key...), `":`...)
	return strconv.AppendInt(b, n, 10)
}

// leg tells the switch to dial, or to wait again for a leg that it had given up.
func (s *Server) leg(b []byte, c *call, action string, a *outdial.Attempt, uri, identity string, delay time.Duration) []byte {
	ids := s.p.IDs()
	b = member(begin(b, action), "token", c.token)
	b = number(b, "leg", int64(a.ID.Leg))
	b = member(b, "attempt", a.ID.String())
	b = member(b, "trunk", ids.Trunks.Name(a.Candidate.Trunk))
	b = member(b, "carrier", ids.Carriers.Name(a.Candidate.Carrier))
	if action == "dial" {
		b = member(b, "uri", uri)
		b = member(b, "identity", identity)
		b = member(b, "cli", a.CLI.String())
		b = number(b, "delay_ms", int64((delay+time.Millisecond-1)/time.Millisecond))
	}
	if a.Last {
		b = append(b, `,"last":true`...)
	}
	return append(b, '}', '\n')
}

func (s *Server) wait(b []byte, c *call, d time.Duration) []byte {
	b = member(begin(b, "wait"), "token", c.token)
	return append(number(b, "delay_ms", int64((max(d, 0)+time.Millisecond-1)/time.Millisecond)), '}', '\n')
}

// refused says that nothing is placed, and how the proxy would say so in SIP.
func (s *Server) refused(b []byte, c *call, now time.Time, err error) []byte {
	code, phrase, refusal, after := b2bua.Refusal(now, err)
	b = member(begin(b, "refuse"), "token", c.token)
	b = member(number(b, "code", int64(code)), "phrase", phrase)
	b = member(b, "refusal", refusal)
	if after > 0 {
		b = number(b, "retry_after", int64((after+time.Second-1)/time.Second))
	}
	return append(b, '}', '\n')
}

// stopped says that hunting is over, and what the caller is to be told where nobody answered.
func (s *Server) stopped(b []byte, c *call, why outdial.StopReason) []byte {
	b = member(begin(b, "stop"), "token", c.token)
	if b = member(b, "why", why.String()); why != outdial.StopAnswered {
		code, phrase := b2bua.Final(c.session.Attempts())
		b = member(number(b, "code", int64(code)), "phrase", phrase)
	}
	return append(b, '}', '\n')
}

// plain is an answer that says no more than its action.
func plain(b []byte, c *call, action string) []byte {
	return append(member(begin(b, action), "token", c.token), '}', '\n')
}
