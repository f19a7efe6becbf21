package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInviteResponse(t *testing.T) {
	msg := func(lines ...string) []byte { return []byte(strings.Join(append(lines, "", "v=0"), "\r\n")) }
	for name, tc := range map[string]struct {
		msg    []byte
		callID string
		code   int
		ok     bool
	}{
		"ringing":      {msg("SIP/2.0 180 Ringing", "Call-ID: c-1", "CSeq: 1 INVITE"), "c-1", 180, true},
		"short header": {msg("SIP/2.0 200 OK", "i:c-2", "cseq: 7  INVITE"), "c-2", 200, true},
		"bye":          {msg("SIP/2.0 200 OK", "Call-ID: c-1", "CSeq: 2 BYE"), "", 0, false},
		"request":      {msg("BYE sip:a@b SIP/2.0", "Call-ID: c-1", "CSeq: 2 BYE"), "", 0, false},
		"no id":        {msg("SIP/2.0 200 OK", "CSeq: 1 INVITE"), "", 0, false},
		"body":         {msg("SIP/2.0 200 OK", "CSeq: 1 INVITE", "", "Call-ID: in the body"), "", 0, false},
		"garbage":      {[]byte("SIP/2.0 x"), "", 0, false},
		"empty":        {nil, "", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			callID, code, ok := inviteResponse(tc.msg)
			require.Equal(t, tc.ok, ok)
			if ok {
				require.Equal(t, tc.callID, callID)
				require.Equal(t, tc.code, code)
			}
		})
	}
}
