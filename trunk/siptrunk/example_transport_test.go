package siptrunk_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// A trunk over TCP, and one over UDP that takes TCP for what does not fit into a datagram.
func ExampleTransport() {
	d := must(siptrunk.New(siptrunk.Config{
		ListenAddr: "127.0.0.1:0",
		Trunks: map[outdial.TrunkID]siptrunk.Trunk{
			1: {Addr: "192.0.2.1", Transport: siptrunk.TransportTCP},
			2: {Addr: "192.0.2.2", TCP: true, UDPLimit: 1400},
		},
	}))
	defer d.Close()
	a := &outdial.Attempt{Call: outdial.Call{To: outdial.MustNumber("+12125550123")}, Candidate: outdial.Candidate{Trunk: 1}}
	uri, _, err := d.Route(a)
	fmt.Println(uri, err)
	fmt.Println(siptrunk.TransportAuto, siptrunk.TransportUDP, siptrunk.TransportTLS)
	// Output:
	// sip:+12125550123@192.0.2.1:5060;transport=tcp <nil>
	// auto UDP TLS
}

// Carriers connect to 127.0.0.1 by TCP and TLS too.
func ExampleListener() {
	current := func() *tls.Config { return &tls.Config{} } // with a certificate, which may change
	d := must(siptrunk.New(siptrunk.Config{ListenAddr: "127.0.0.1:0", Listeners: []siptrunk.Listener{
		{Transport: siptrunk.TransportTCP, Addr: "127.0.0.1:0"},
		{Transport: siptrunk.TransportTLS, Addr: "127.0.0.1:0", Advertise: "sip.example.com:5061", TLS: current},
	}}))
	defer d.Close()
	fmt.Println(len(d.ListenAddrs()), d.Names()[2])
	// Output: 2 sip.example.com:5061
}

// A carrier holds ten connections at most, each of which has two seconds for a message.
func ExampleStreams() {
	d := must(siptrunk.New(siptrunk.Config{
		ListenAddr: "127.0.0.1:0", Streams: siptrunk.Streams{MaxPerSource: 10, MessageTimeout: 2 * time.Second},
	}))
	fmt.Println(d.Close())
	// Output: <nil>
}

// Name servers of one's own; what they answer is kept as long as it says.
func ExampleDNS() {
	d := must(siptrunk.New(siptrunk.Config{
		ListenAddr: "127.0.0.1:0", DNS: siptrunk.DNS{Servers: []string{"192.0.2.53", "[2001:db8::53]:5353"}, Timeout: 500 * time.Millisecond},
		Trunks: map[outdial.TrunkID]siptrunk.Trunk{1: {Addr: "carrier.example"}},
	}))
	fmt.Println(d.Close())
	// Output: <nil>
}

// A domain that prefers TLS, by an inventory of the host's own.
func ExampleNAPTR() {
	cfg := siptrunk.Config{ListenAddr: "127.0.0.1:0"}
	cfg.ResolveNAPTR = func(_ context.Context, domain string) ([]siptrunk.NAPTR, error) {
		return []siptrunk.NAPTR{{Order: 10, Preference: 10, Flags: "s", Service: "SIPS+D2T", Replacement: "_sips._tcp." + domain}}, nil
	}
	d := must(siptrunk.New(cfg))
	fmt.Println(d.Close())
	// Output: <nil>
}
