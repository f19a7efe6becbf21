package siplint

import "fmt"

// Code says what is wrong. The text form is stable: alerts and scripts may go by it.
type Code uint8

// What can be wrong. Each fault has one code.
const (
	MediaPrivate   Code = iota + 1 // c= is a private address, of a sender on the public network: nobody hears the callee, or the caller
	MediaNull                      // c= is 0.0.0.0 or :: in the first description: there is no media (RFC 3264 §8.4 has it for hold, formerly)
	MediaMissing                   // a stream has no c=, and there is none for all (RFC 8866 §5.7)
	NoRport                        // over UDP the Via names another address or port than the sender's, and rport is missing (RFC 3581)
	ContactPrivate                 // Contact is a private address: ACK, BYE and re-INVITE find nobody
	ContactMissing                 // an INVITE or its 2xx without Contact (RFC 3261 §8.1.1.8, §12.1.1)
	Rewritten                      // Contact and o= are private and c= is not: something on the way has changed one line, a SIP ALG
	BodyLength                     // Content-Length is not the length of the body (RFC 3261 §20.14): rewritten on the way, or cut off
)

var codes = [...]struct{ name, fix string }{
	MediaPrivate: {"media-private", "tell the sender its public address (external media address, ICE or STUN), or put a media relay before it"},
	MediaNull:    {"media-null", "hold is a=sendonly or a=inactive with the real address"},
	MediaMissing: {"media-missing", "a c= line for the session, or in every m= section"},
	NoRport:      {"no-rport", "rport in Via; until then nat: true for this dialer, so that answers go to where requests come from"},
	ContactPrivate: {
		"contact-private", "tell the sender its public address for signalling; nat: true for a dialer makes the proxy answer to where requests come from",
	},
	ContactMissing: {"contact-missing", "a Contact field with the sender's own address"},
	Rewritten:      {"rewritten", "switch the SIP ALG of the router or firewall off, or use TLS, which it cannot read"},
	BodyLength:     {"body-length", "switch the SIP ALG of the router or firewall off; where the message was cut, send it over TCP"},
}

// String returns the name of the code, such as "media-private".
func (c Code) String() string {
	if c > 0 && int(c) < len(codes) {
		return codes[c].name
	}
	return fmt.Sprintf("code %d", uint8(c))
}

// MarshalText is the name, for JSON.
func (c Code) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Fix says what helps, in one sentence for the person who runs the sender.
func (c Code) Fix() string {
	if c > 0 && int(c) < len(codes) {
		return codes[c].fix
	}
	return ""
}

// A Finding is one fault of a message. It is a plain value.
type Finding struct {
	Code  Code   `json:"code"`
	Where string `json:"where"` // header field or line: "Via", "c="
	What  string `json:"what"`  // what stands there, and what was expected
}

// String is the finding as a line: "media-private: c=: 192.168.1.4 …".
func (f Finding) String() string { return f.Code.String() + ": " + f.Where + ": " + f.What }
