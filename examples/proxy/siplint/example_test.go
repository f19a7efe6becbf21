package siplint_test

import (
	"fmt"
	"net/netip"
	"os"

	"github.com/emiago/sipgo/sip"

	"github.com/outdial/outdial/examples/proxy/siplint"
)

// A dialer behind an address translation describes its media by an address that no carrier can reach.
func ExampleMessage() {
	data, err := os.ReadFile("testdata/media-private.sip")
	if err != nil {
		fmt.Println(err)
		return
	}
	found, err := siplint.Message(data, netip.MustParseAddrPort("203.0.113.9:5060"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, x := range found {
		fmt.Println(x)
		fmt.Println("fix:", x.Code.Fix())
	}
	// Output:
	// media-private: c=: 192.168.1.4, of a sender on the public network
	// fix: tell the sender its public address (external media address, ICE or STUN), or put a media relay before it
}

func ExampleCode() {
	fmt.Println(siplint.NoRport, siplint.Rewritten)
	// Output: no-rport rewritten
}

func ExampleFinding() {
	fmt.Println(siplint.Finding{Code: siplint.ContactMissing, Where: "Contact", What: "missing"})
	// Output: contact-missing: Contact: missing
}

// Signal is what both kinds of messages are.
func ExampleSignal() {
	var s siplint.Signal = sip.NewRequest(sip.INVITE, sip.Uri{Scheme: "sip", User: "+12125550123", Host: "198.51.100.1"})
	fmt.Println(s.Contact() == nil)
	// Output: true
}
