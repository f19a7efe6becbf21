package siptrunk

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Header is one header field that a caller of Invite adds.
type Header struct {
	Name, Value string
}

// ownHeaders are written by this package alone.
const ownHeaders = "|via|v|from|f|to|t|call-id|i|cseq|contact|m|max-forwards|content-length|l|content-type|c|route|" +
	"record-route|supported|k|session-expires|x|min-se|rack|rseq|require|p-asserted-identity|p-preferred-identity|remote-party-id|privacy|authorization|proxy-authorization|allow|user-agent|"

// CheckHeaders returns an error that names every header field which Invite and Do would refuse. It guards against header injection:
// names are tokens that are not ours, values hold no control characters, so neither can end a line.
func CheckHeaders(hs []Header) error {
	var errs []error
	for _, h := range hs {
		switch {
		case !validToken(h.Name):
			errs = append(errs, fmt.Errorf("header name %q is no token", h.Name))
		case strings.Contains(ownHeaders, "|"+strings.ToLower(h.Name)+"|"):
			errs = append(errs, fmt.Errorf("header %s is written by siptrunk itself", h.Name))
		case !validValue(h.Value):
			errs = append(errs, fmt.Errorf("the value of header %s has a control character", h.Name))
		}
	}
	return errors.Join(errs...)
}

// validToken reports whether s is a token of RFC 3261 §25.1.
func validToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && strings.IndexByte("-.!%*_+`'~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// validValue reports whether s holds no control character.
func validValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// validHost reports whether s is an IP address without brackets or zone, or a host name.
func validHost(s string) bool {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Zone() == ""
	}
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 253
}

func validPrefix(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && strings.IndexByte("*#+-._", c) < 0 {
			return false
		}
	}
	return true
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}
