package siptrunk_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// A whole call over loopback sockets, carrier included: INVITE 100 180 200 ACK BYE 200.
func BenchmarkCall(b *testing.B) {
	carrier, err := siptest.StartCarrier(siptest.CarrierConfig{
		Behaviour: siptest.Behaviour{Script: siptest.Answer(0, 0, 0)}, MaxRecords: -1,
	})
	require.NoError(b, err)
	defer carrier.Close()
	d, err := siptrunk.New(siptrunk.Config{
		ListenAddr: "127.0.0.1:0", Trunks: map[outdial.TrunkID]siptrunk.Trunk{1: {Addr: carrier.Addr().String()}},
	})
	require.NoError(b, err)
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	ran := make(chan error, 1)
	go func() { ran <- d.Run(ctx) }()
	a := attempt()
	over := make(chan struct{})
	answered := make(chan struct{})
	b.ReportAllocs()
	for b.Loop() {
		leg, err := d.Invite(ctx, a, siptrunk.InviteOptions{Offer: offer}, func(ev siptrunk.Event) {
			switch ev.Kind {
			case outdial.ReportAnswer:
				answered <- struct{}{}
			case outdial.ReportEnd:
				over <- struct{}{}
			}
		})
		if err != nil {
			b.Fatal(err)
		}
		<-answered
		leg.Hangup()
		<-over
	}
	stop()
	require.NoError(b, <-ran)
}
