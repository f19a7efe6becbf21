package b2bua_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
)

// telling are header fields that name where a message comes from, with a host in place of %s.
var telling = []string{
	"Alert-Info: <http://%s/ring>", "Authorization: Digest username=\"u\", realm=\"%s\"", "Call-Info: <http://%s/icon>;purpose=icon",
	"Diversion: <sip:1@%s>;reason=unknown", "Error-Info: <sip:busy@%s>", "Geolocation: <sip:here@%s>", "History-Info: <sip:1@%s>;index=1",
	"In-Reply-To: 1@%s", "Organization: %s", "P-Access-Network-Info: IEEE-802.11;node=%s", "P-Asserted-Identity: <sip:+18885550000@%s>",
	"P-Called-Party-ID: <sip:1@%s>", "P-Charging-Vector: icid-value=1;orig-ioi=%s", "P-Preferred-Identity: <sip:1@%s>",
	"P-Visited-Network-ID: %s", "Path: <sip:%s;lr>", "Referred-By: <sip:1@%s>", "Remote-Party-ID: <sip:1@%s>;party=calling", "Reply-To: <sip:1@%s>",
	"Server: %s", "Service-Route: <sip:%s;lr>", "Session-ID: %s", "Subject: %s", "Target-Dialog: 1@%s;local-tag=1;remote-tag=2", "User-Agent: pbx at %s",
	"User-to-User: %s", "Via: SIP/2.0/UDP %s;branch=z9hG4bKfirst", "Warning: 399 %s \"x\"", "X-Forwarded-For: %s", "X-Outdial-Campaign: %s",
}

func told(host string) (lines []string) {
	for _, l := range telling {
		lines = append(lines, strings.Replace(l, "%s", host, 1))
	}
	return lines
}

// fieldNames are the names of the header fields of a message.
func fieldNames(msg string) (list []string) {
	head, _, _ := strings.Cut(msg, "\r\n\r\n")
	for _, l := range strings.Split(head, "\r\n")[1:] {
		name, _, _ := strings.Cut(l, ":")
		list = append(list, name)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

var (
	dialersSide = regexp.MustCompile(`10\.0\.0\.2|pbx`)
	carriers    = regexp.MustCompile(`10\.0\.1\.9|switch`)
)

// Nothing of the dialer's addresses reaches a carrier in a header field, and the reverse; the session description does.
func TestTopologyHiding(t *testing.T) {
	lines := append(told("switch.pbx.example"), "Record-Route: <sip:10.0.0.2:7000;lr>")
	flows(t, nil, offerSDP, lines, func(t *testing.T, f *flow) {
		d, c := f.dialer, f.carrier
		hidden := func(msg string, secret *regexp.Regexp) {
			head, _, _ := strings.Cut(msg, "\r\n\r\n")
			require.False(t, secret.MatchString(head), head)
		}
		hide := regexp.MustCompile(dialersSide.String() + "|switch")
		hidden(c.request, hide)
		require.Equal(t, []string{
			"Allow", "CSeq", "Call-ID", "Contact", "Content-Length", "Content-Type", "From", "Max-Forwards", "P-Asserted-Identity",
			"Session-Expires", "Supported", "To", "User-Agent", "Via",
		}, fieldNames(c.request))
		require.NotContains(t, c.request, header(d.request, "Call-ID"))
		require.Contains(t, c.request, "10.0.0.2", "in the session description")

		back := append(told("switch.carrier.example")[1:], "Contact: <sip:"+c.local+">")
		back = slices.DeleteFunc(back, func(l string) bool { return strings.HasPrefix(l, "Via: ") })
		c.respond(c.request, "180 Ringing", "", back...)
		ringing := d.expect("SIP/2.0 180 ")
		f.up(back...)
		for _, res := range []string{ringing, f.answer} {
			head, _, _ := strings.Cut(res, "\r\n\r\n")
			require.False(t, carriers.MatchString(strings.ReplaceAll(head, "switch.pbx", "")), head)
		}
		require.Equal(t, []string{
			"Allow", "CSeq", "Call-ID", "Contact", "Content-Length", "Content-Type", "From", "Record-Route", "Supported", "To", "Via",
		}, fieldNames(f.answer))

		// within the call, both ways
		d.target, d.him = contact(f.answer), header(f.answer, "To")
		d.ask("INVITE", held, told("pbx")[2:20]...)
		d.expect("SIP/2.0 100 ")
		got := c.expect("INVITE ")
		hidden(got, hide)
		c.respond(got, "200 OK", holds, back...)
		hidden(c.expect("ACK "), hide)
		res := d.expect("SIP/2.0 200 ")
		head, _, _ := strings.Cut(strings.ReplaceAll(res, "switch.pbx", ""), "\r\n\r\n")
		require.False(t, carriers.MatchString(head), head)
		d.ask("ACK", "")
		c.ask("INFO", signal, told("switch")[2:20]...)
		got = d.expect("INFO ")
		hidden(got, carriers)
		d.respond(got, "200 OK", "", told("pbx")[2:20]...)
		hidden(c.expect("SIP/2.0 200 "), dialersSide)
		d.ask("BYE", "", told("pbx")[2:20]...)
		hidden(d.expect("SIP/2.0 200 "), carriers)
		bye := c.expect("BYE ")
		hidden(bye, hide)
		c.respond(bye, "200 OK", "")
		f.gone()
	})
}

// A failure is passed on without what it says of the carrier.
func TestTopologyHidingOfFailures(t *testing.T) {
	flows(t, func(c *b2bua.Config) { c.Hunting.MaxAttempts = 1 }, offerSDP, nil, func(t *testing.T, f *flow) {
		back := slices.DeleteFunc(told("switch.carrier.example"), func(l string) bool { return strings.HasPrefix(l, "Via: ") })
		f.carrier.respond(f.carrier.request, "486 Busy Here", "", append(back, "Contact: <sip:"+f.carrier.local+">", "Reason: Q.850;cause=17")...)
		f.carrier.expect("ACK ")
		res := f.dialer.expect("SIP/2.0 486 ")
		require.False(t, carriers.MatchString(res), res)
		require.Equal(t, []string{"CSeq", "Call-ID", "Content-Length", "From", "Reason", "To", "Via"}, fieldNames(res))
		f.dialer.send(strings.Replace(strings.Replace(withBody(strings.Split(f.dialer.request, "Content-")[0], "", nil), "INVITE ", "ACK ", 1), "1 INVITE", "1 ACK", 1))
		f.gone()
	})
}

// What a trunk's rules name passes, and how it wants numbers and identities is how it gets them.
func TestHeaderRulesAndNumbers(t *testing.T) {
	change := func(c *b2bua.Config) {
		t := &c.Trunks[0]
		t.Strip, t.Prefix, t.CallerStrip, t.CallerPrefix, t.Asserted = "1", "0", "1", "00", "rpid"
		t.Headers = b2bua.HeaderRules{
			Set: map[string]string{"P-Charge-Info": "<sip:5550@example.com>", "X-Account": "7"}, Pass: []string{"User-to-User", "X-None"},
			Back: []string{"X-Carrier-Ref"},
		}
	}
	flows(t, change, offerSDP, []string{"User-to-User: 56a390f3;encoding=hex", "User-to-User: 2", "X-Other: 1"}, func(t *testing.T, f *flow) {
		c := f.carrier
		require.True(t, strings.HasPrefix(c.request, "INVITE sip:02125550123@10.0.1.9:5060 SIP/2.0\r\n"), c.request)
		require.Contains(t, header(c.request, "From"), "<sip:003035550100@10.0.0.1>")
		require.Contains(t, header(c.request, "Remote-Party-ID"), "<sip:003035550100@10.0.0.1>;party=calling;screen=yes;privacy=off")
		require.Empty(t, header(c.request, "P-Asserted-Identity"))
		require.Contains(t, c.request, "P-Charge-Info: <sip:5550@example.com>\r\nX-Account: 7\r\nUser-to-User: 56a390f3;encoding=hex\r\nUser-to-User: 2\r\n")
		require.NotContains(t, c.request, "X-Other")
		c.respond(c.request, "180 Ringing", "", "X-Carrier-Ref: a", "X-Other: b")
		ringing := f.dialer.expect("SIP/2.0 180 ")
		require.Equal(t, "a", header(ringing, "X-Carrier-Ref"))
		require.NotContains(t, ringing, "X-Other")
		f.up("X-Carrier-Ref: c")
		require.Equal(t, "c", header(f.answer, "X-Carrier-Ref"))
		f.down()
	})
}

// A dialer that may hide the caller ID: the carrier has it, the callee has not.
func TestPrivacyPasses(t *testing.T) {
	change := func(c *b2bua.Config) { c.Dialers[0].Privacy = "pass" }
	flows(t, change, offerSDP, []string{"Privacy: id"}, func(t *testing.T, f *flow) {
		require.True(t, strings.HasPrefix(header(f.carrier.request, "From"), `"Anonymous" <sip:anonymous@anonymous.invalid>;tag=`))
		require.Equal(t, "<sip:"+cli+"@10.0.0.1>", header(f.carrier.request, "P-Asserted-Identity"))
		require.Equal(t, "id", header(f.carrier.request, "Privacy"))
		f.up()
		time.Sleep(time.Second)
		f.down()
	})
}
