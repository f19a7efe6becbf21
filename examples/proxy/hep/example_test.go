package hep_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/outdial/outdial/examples/proxy/hep"
)

// A SIP message goes to a collector (Homer listens on UDP 9060) as it was on the wire.
func ExampleSender() {
	collector, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer collector.Close()
	s, err := hep.New(hep.Config{Collector: collector.LocalAddr().String(), Identity: hep.Identity{Agent: 2001, Node: "edge-1"}})
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error)
	go func() { ran <- s.Run(ctx) }()
	s.Send(&hep.Packet{
		Time: time.Now(), From: netip.MustParseAddrPort("192.0.2.1:5060"), To: netip.MustParseAddrPort("198.51.100.7:5060"),
		Payload: []byte("OPTIONS sip:198.51.100.7 SIP/2.0\r\n\r\n"),
	})
	buf := make([]byte, 2000)
	n, _, err := collector.ReadFrom(buf)
	if err != nil {
		panic(err)
	}
	p, id, err := hep.Parse(buf[:n])
	fmt.Println(id.Agent, id.Node, p.From, "to", p.To, err)
	stop()
	<-ran
	// Output: 2001 edge-1 192.0.2.1:5060 to 198.51.100.7:5060 <nil>
}

// A Packet is written as HEPv3, and read back.
func ExamplePacket() {
	p := hep.Packet{
		Time: time.Unix(1_700_000_000, 0), From: netip.MustParseAddrPort("[2001:db8::1]:5060"), To: netip.MustParseAddrPort("[2001:db8::2]:5061"),
		Payload: []byte("SIP/2.0 200 OK\r\n\r\n"),
	}
	b, err := p.Append(nil, &hep.Identity{Agent: 2001})
	if err != nil {
		panic(err)
	}
	back, _, err := hep.Parse(b)
	fmt.Printf("%s %d bytes, %s to %s, %.14q %v\n", b[:4], len(b), back.From, back.To, back.Payload, err)
	// Output: HEP3 141 bytes, [2001:db8::1]:5060 to [2001:db8::2]:5061, "SIP/2.0 200 OK" <nil>
}
