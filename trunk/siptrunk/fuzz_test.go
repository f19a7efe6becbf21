package siptrunk_test

import (
	"testing"
	"time"

	"github.com/outdial/outdial/trunk/siptrunk"
)

func FuzzReason(f *testing.F) {
	f.Add(`SIP;cause=603;text="v=analytics1;url=https://a,b;tel=+1";location=LN, Q.850;cause=21;location=TN`)
	f.Add(`Q.850;cause=16;text="\"`)
	f.Fuzz(func(t *testing.T, field string) {
		var r siptrunk.Reason
		r.Add(field)
		if r.Cause.Value > 127 || r.SIPCause != 0 && (r.SIPCause < 100 || r.SIPCause > 699) {
			t.Fatalf("%q: out of range: %+v", field, r)
		}
		if r.SIPCause == 0 && r.Text != "" || r.Cause.Value == 0 && r.Cause.Location != 0 {
			t.Fatalf("%q: a part without its cause: %+v", field, r)
		}
		text := r.String()
		for i := range len(text) {
			if text[i] < ' ' || text[i] == 0x7f {
				t.Fatalf("%q: a control character in %q", field, text)
			}
		}
		var again siptrunk.Reason
		again.Add(text)
		if again.Cause != r.Cause || again.SIPCause != r.SIPCause || again.String() != text {
			t.Fatalf("%q: %+v is read back as %+v", field, r, again)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("30 (maintenance);duration=60")
	f.Add("Fri, 07 Nov 2014 23:59:59 GMT")
	f.Fuzz(func(t *testing.T, value string) {
		d := siptrunk.ParseRetryAfter(value)
		if d < 0 || d > (1<<32-1)*time.Second || d%time.Second != 0 {
			t.Fatalf("%q: %v", value, d)
		}
	})
}
