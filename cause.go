package outdial

import "strconv"

// Cause is an ITU-T Q.850 release cause with the place in the network that gave it. The zero value means that no
// cause came.
type Cause struct {
	Value    uint8 // Q.850 cause value, 1 to 127; 0 = none
	Location Location
}

// Location is where in the network a cause was generated: Q.850 §2.2.3 in the form of RFC 8606.
type Location uint8

// Locations.
const (
	LocationUnknown       Location = iota
	LocationUser                   // U: the user
	LocationLocalPrivate           // LPN: private network serving the local user
	LocationLocalPublic            // LN: public network serving the local user
	LocationTransit                // TN: transit network
	LocationRemotePublic           // RLN: public network serving the remote user
	LocationRemotePrivate          // RPN: private network serving the remote user
	LocationInternational          // INTL: international network
	LocationBeyond                 // BI: network beyond an interworking point
)

var locationNames = [...]string{"", "U", "LPN", "LN", "TN", "RLN", "RPN", "INTL", "BI"}

// String returns the RFC 8606 token ("U", "LN" …), or "" when the location is unknown.
func (l Location) String() string { return nameOf(l, locationNames[:]...) }

// ParseLocation reads an RFC 8606 token, in any case; anything else is LocationUnknown.
func ParseLocation(s string) Location {
	for i, name := range locationNames {
		if i > 0 && equalFoldASCII(s, name) {
			return Location(i)
		}
	}
	return LocationUnknown
}

func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i]|0x20 != b[i]|0x20 {
			return false
		}
	}
	return true
}

// String returns the value, and the location behind a slash where it is known: "17", "21/U". The zero value is "".
func (c Cause) String() string {
	if c.Value == 0 {
		return ""
	}
	s := strconv.Itoa(int(c.Value))
	if c.Location != LocationUnknown {
		s += "/" + c.Location.String()
	}
	return s
}

// Name returns what Q.850 calls the cause, or "" for a value that has no name.
func (c Cause) Name() string { return causeNames[c.Value] }

// SIPCode returns the SIP status that RFC 3398 §7.2.4.1 maps a cause to, and whether it maps it at all. Cause 21
// gives 603 when the user is its location and 403 otherwise; cause 22 gives 410, for want of a new number.
// Causes that the RFC does not list give 500 there "if the cause is not specified"; here they give false, and the
// caller decides.
func (c Cause) SIPCode() (code int, ok bool) {
	switch c.Value {
	case 1, 2, 3, 26:
		return 404, true
	case 17:
		return 486, true
	case 18:
		return 408, true
	case 19, 20, 31:
		return 480, true
	case 21:
		if c.Location == LocationUser {
			return 603, true
		}
		return 403, true
	case 22, 23:
		return 410, true
	case 27:
		return 502, true
	case 28:
		return 484, true
	case 29, 79:
		return 501, true
	case 34, 38, 41, 42, 47, 58, 88:
		return 503, true
	case 55, 57, 87:
		return 403, true
	case 65, 70:
		return 488, true
	case 102:
		return 504, true
	case 111, 127:
		return 500, true
	}
	return 0, false
}

// CauseOf returns the Q.850 cause that RFC 3398 §8.2.6.1 maps a final SIP status to, and whether it maps it. 487
// has none: the cancelling side knows better. 4xx and 5xx come from the network, 6xx from the user. Any other
// code of 400 or above gives 31, normal unspecified.
func CauseOf(code int) (c Cause, ok bool) {
	if code < 400 || code > 699 || code == 487 {
		return Cause{}, false
	}
	c.Value = 31
	if v, ok := sipCauses[code]; ok {
		c.Value = v
	}
	c.Location = LocationLocalPublic
	if code >= 600 {
		c.Location = LocationUser
	}
	return c, true
}

// The maps below are tables of constants; nothing writes to them.
var sipCauses = map[int]uint8{
	400: 41, 401: 21, 402: 21, 403: 21, 404: 1, 405: 63, 406: 79, 407: 21, 408: 102, 410: 22, 413: 127, 414: 127,
	415: 79, 416: 127, 420: 127, 421: 127, 423: 127, 480: 18, 481: 41, 482: 25, 483: 25, 484: 28, 485: 1, 486: 17,
	500: 41, 501: 79, 502: 38, 503: 41, 504: 102, 505: 127, 513: 127, 600: 17, 603: 21, 604: 1,
}

var causeNames = map[uint8]string{
	1: "unallocated number", 2: "no route to specified transit network", 3: "no route to destination",
	4: "send special information tone", 5: "misdialled trunk prefix", 6: "channel unacceptable",
	8: "preemption", 16: "normal call clearing", 17: "user busy", 18: "no user responding",
	19: "no answer from user", 20: "subscriber absent", 21: "call rejected", 22: "number changed",
	23: "redirection to new destination", 25: "exchange routing error", 26: "non-selected user clearing",
	27: "destination out of order", 28: "invalid number format", 29: "facility rejected",
	30: "response to status enquiry", 31: "normal, unspecified", 34: "no circuit available",
	38: "network out of order", 41: "temporary failure", 42: "switching equipment congestion",
	43: "access information discarded", 44: "requested channel not available", 46: "precedence call blocked",
	47: "resource unavailable, unspecified", 49: "quality of service not available",
	50: "requested facility not subscribed", 53: "outgoing calls barred within CUG",
	55: "incoming calls barred within CUG", 57: "bearer capability not authorized",
	58: "bearer capability not presently available", 63: "service or option not available, unspecified",
	65: "bearer capability not implemented", 66: "channel type not implemented",
	69: "requested facility not implemented", 70: "only restricted digital information bearer capability is available",
	79: "service or option not implemented, unspecified", 81: "invalid call reference value",
	87: "user not member of CUG", 88: "incompatible destination", 91: "invalid transit network selection",
	95: "invalid message, unspecified", 96: "mandatory information element is missing",
	97: "message type non-existent or not implemented", 98: "message not compatible with call state",
	99: "information element non-existent or not implemented", 100: "invalid information element contents",
	101: "message not compatible with call state", 102: "recovery on timer expiry",
	103: "parameter non-existent or not implemented, passed on", 110: "message with unrecognized parameter, discarded",
	111: "protocol error, unspecified", 127: "interworking, unspecified",
}
