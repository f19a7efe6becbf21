package siptrunk_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// How a trunk wants numbers, and in which header field the caller ID.
func TestNumbersAndIdentity(t *testing.T) {
	for _, tt := range []struct {
		change       func(*siptrunk.Trunk)
		to, from     string // user parts
		name, suffix string // of the header field that asserts
	}{
		{func(*siptrunk.Trunk) {}, "+12125550123", "+13035550100", "P-Asserted-Identity", ""},
		{func(t *siptrunk.Trunk) { t.Format = siptrunk.FormatDigits }, "12125550123", "13035550100", "P-Asserted-Identity", ""},
		{func(t *siptrunk.Trunk) { t.Strip, t.Prefix = "1", "9#" }, "9%232125550123", "+13035550100", "P-Asserted-Identity", ""},
		{func(t *siptrunk.Trunk) { t.Strip, t.Prefix = "44", "0" }, "0+12125550123", "+13035550100", "P-Asserted-Identity", ""},
		{func(t *siptrunk.Trunk) { t.CallerStrip, t.CallerPrefix = "1303", "x" }, "+12125550123", "x5550100", "P-Asserted-Identity", ""},
		{func(t *siptrunk.Trunk) { t.Asserted = siptrunk.AssertedPPI }, "+12125550123", "+13035550100", "P-Preferred-Identity", ""},
		{func(t *siptrunk.Trunk) { t.Asserted = siptrunk.AssertedRPID }, "+12125550123", "+13035550100", "Remote-Party-ID", ";party=calling;screen=yes;privacy=off"},
		{func(t *siptrunk.Trunk) { t.Asserted = siptrunk.AssertedNone }, "+12125550123", "+13035550100", "", ""},
	} {
		bubble(t, siptest.Busy(0), func(_ *siptrunk.Config, tr *siptrunk.Trunk) { tt.change(tr) }, func(t *testing.T, w *world) {
			sent := w.catch()
			uri, identity, err := w.dialer.Route(attempt())
			require.NoError(t, err)
			w.invite(siptrunk.InviteOptions{}).wait()
			synctest.Wait()
			msg := (*sent)[0]
			require.True(t, strings.HasPrefix(msg, "INVITE sip:"+tt.to+"@10.0.0.1:5060 SIP/2.0\r\n"), msg)
			require.Equal(t, "sip:"+tt.to+"@10.0.0.1:5060", uri)
			from := "<sip:" + tt.from + "@10.0.0.2>"
			require.Equal(t, map[bool]string{false: from, true: ""}[tt.name == ""], identity, "whom to assert")
			require.True(t, strings.HasPrefix(line(msg, "From"), from+";tag="))
			for _, name := range []string{"P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID"} {
				want := ""
				if name == tt.name {
					want = identity + tt.suffix
				}
				require.Equal(t, want, line(msg, name), name)
			}
		})
	}
}

// A private call tells the carrier who calls, and nobody else.
func TestPrivate(t *testing.T) {
	bubble(t, siptest.Busy(0), nil, func(t *testing.T, w *world) {
		sent := w.catch()
		w.invite(siptrunk.InviteOptions{Private: true}).wait()
		msg := (*sent)[0]
		require.True(t, strings.HasPrefix(line(msg, "From"), `"Anonymous" <sip:anonymous@anonymous.invalid>;tag=`))
		require.Equal(t, "<sip:+13035550100@10.0.0.2>", line(msg, "P-Asserted-Identity"))
		require.Equal(t, "id", line(msg, "Privacy"))
	})
}

func TestBadNumberFormats(t *testing.T) {
	for field, tr := range map[string]siptrunk.Trunk{
		"Strip": {Strip: "+1"}, "CallerStrip": {CallerStrip: "x"}, "CallerPrefix": {CallerPrefix: "a b"}, "Asserted": {Asserted: 9},
		"SessionExpires": {SessionExpires: 89e9},
	} {
		tr.Addr = "10.0.0.1"
		_, err := siptrunk.New(siptrunk.Config{ListenAddr: "127.0.0.1:0", Trunks: map[outdial.TrunkID]siptrunk.Trunk{1: tr}})
		require.ErrorContains(t, err, field+":")
	}
}

// A carrier that wants national numbers, and the caller ID in the header field that old switches read.
func ExampleAsserted() {
	d, err := siptrunk.New(siptrunk.Config{ListenAddr: "127.0.0.1:0", Advertise: "sbc.example.com", Trunks: map[outdial.TrunkID]siptrunk.Trunk{
		1: {Addr: "sip.example.net", Strip: "44", Prefix: "0", Asserted: siptrunk.AssertedRPID},
	}})
	if err != nil {
		panic(err)
	}
	defer d.Close()
	uri, identity, err := d.Route(&outdial.Attempt{
		Call: outdial.Call{To: outdial.MustNumber("+442079460123")}, CLI: outdial.MustNumber("+442079460999"), Candidate: outdial.Candidate{Trunk: 1},
	})
	fmt.Println(uri, identity, err)
	// Output: sip:02079460123@sip.example.net <sip:+442079460999@sbc.example.com> <nil>
}
