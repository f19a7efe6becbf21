package b2bua

import (
	"strings"

	"github.com/emiago/sipgo/sip"
	"github.com/outdial/outdial"
)

// maxName and maxNames bound what dialers may name: names get ids that stay for the life of the process.
const (
	maxName  = 64
	maxNames = 4096
)

// order reads from an INVITE which call the dialer wants. What is wrong with it is answered as problem says.
func (p *Proxy) order(r *request) (call outdial.Call, problem *response) {
	if anonymous(r) && !r.source.private {
		return call, &response{code: 433, phrase: "Anonymity Disallowed"} // RFC 5079
	}
	to, err := p.number(&r.Recipient)
	if err != nil {
		return call, &response{code: 484, phrase: "Address Incomplete"}
	}
	src, names := r.source, &p.set().Headers
	call = outdial.Call{
		Ref: limited(r.CallID().Value()), To: to, From: p.asked(r),
		Tenant: src.tenant, Program: src.program, Campaign: src.campaign, Mode: src.mode, Priority: src.priority, Tags: src.tags,
	}
	known := true
	if v := r.value(names.Program); v != "" {
		call.Program, known = p.ids.Programs.Lookup(v) // a program presents caller IDs: only those that are configured
	}
	if v := r.value(names.Mode); v != "" && known {
		call.Mode, known = parseMode(v)
	}
	if v := r.value(names.Priority); v != "" && known {
		call.Priority, known = parsePriority(v)
	}
	if !known {
		return call, &response{code: 400, phrase: "Unknown Program, Mode Or Priority"}
	}
	if v := r.value(names.Tenant); v != "" {
		call.Tenant = named(&p.ids.Tenants, v)
	}
	if v := r.value(names.Campaign); v != "" {
		call.Campaign = named(&p.ids.Campaigns, v)
	}
	if fields := r.GetHeaders(names.Tags); len(fields) > 0 {
		if call.Tags, known = p.tags(fields); !known {
			return call, &response{code: 400, phrase: "Too Many Tags, Or Too Long"} // one left out may be what a rule goes by
		}
	}
	return call, nil
}

// tags reads the tags in the values of header fields.
func (p *Proxy) tags(fields []sip.Header) (tags outdial.Tags, ok bool) {
	for _, h := range fields {
		for name := range strings.SplitSeq(clean(h.Value()), ",") {
			if name = strings.TrimSpace(name); len(name) > maxName || !tags.Add(named(&p.ids.Tags, name)) {
				return tags, false
			}
		}
	}
	return tags, true
}

// named returns the id of a name that a dialer sent; 0 when there are too many of them.
func named[ID ~uint32](names *outdial.Names[ID], name string) ID {
	if len(name) > maxName {
		return 0
	}
	if id, ok := names.Lookup(name); ok || names.Len() >= maxNames {
		return id
	}
	return names.ID(name)
}

// asked is the caller ID that the dialer asked for: P-Asserted-Identity before From (RFC 3325); 0 = none that can be
// read.
func (p *Proxy) asked(r *request) outdial.Number {
	if v := r.value("p-asserted-identity"); v != "" {
		var u sip.Uri
		if sip.ParseUri(uriIn(v), &u) == nil {
			if n, err := p.number(&u); err == nil {
				return n
			}
		}
	}
	n, err := p.number(&r.From().Address)
	if err != nil {
		return 0
	}
	return n
}

// number reads the number in a sip:, sips: or tel: URI.
func (p *Proxy) number(u *sip.Uri) (outdial.Number, error) {
	user := u.User
	if strings.EqualFold(u.Scheme, "tel") {
		user, _, _ = strings.Cut(u.Raw(), ";")
	} else {
		user, _, _ = strings.Cut(user, ";") // RFC 3966 parameters in the user part
	}
	return p.set().read(user)
}

// uriIn returns the URI of the first name-addr or addr-spec, without a display name: in a quoted one anything may stand
// (RFC 3261 §25.1).
func uriIn(v string) string {
	quoted := false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case !quoted && c == '<':
			uri, _, _ := strings.Cut(v[i+1:], ">")
			return uri
		}
	}
	return strings.TrimSpace(v)
}

// anonymous reports whether a call is to present no number (RFC 3323 §4.2, RFC 3325 §9.3): every call of a dialer that may not hide
// it presents one. That Via, Contact and the like are hidden, and nothing of a history is told, is so with any call.
func anonymous(r *request) bool {
	for _, h := range r.GetHeaders("privacy") {
		for v := range strings.FieldsFuncSeq(h.Value(), func(c rune) bool { return strings.ContainsRune(";, \t", c) }) {
			switch strings.ToLower(v) {
			case "id", "user", "critical":
				return true
			}
		}
	}
	return false
}

// limited is what the journal keeps of a text.
func limited(s string) string { return clean(s[:min(len(s), 255)]) }

func parseMode(s string) (outdial.Mode, bool) {
	for m := outdial.ModeUnknown; m <= outdial.ModePrerecorded; m++ {
		if s == m.String() {
			return m, true
		}
	}
	return 0, false
}

func parsePriority(s string) (outdial.Priority, bool) {
	for p := outdial.PriorityBulk; p <= outdial.PriorityUrgent; p++ {
		if s == p.String() {
			return p, true
		}
	}
	return 0, false
}
