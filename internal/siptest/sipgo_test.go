package siptest_test

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
)

// userAgent is the recipe of the package comment.
func userAgent(t *testing.T, conn net.PacketConn, handlers func(*sipgo.Server)) (*sipgo.Client, func()) {
	t.Helper()
	silent := slog.New(slog.DiscardHandler)
	ua, err := sipgo.NewUA(
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(silent)),
		sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(silent)),
	)
	require.NoError(t, err)
	srv, err := sipgo.NewServer(ua, sipgo.WithServerLogger(silent))
	require.NoError(t, err)
	if handlers != nil {
		handlers(srv)
	}
	local := conn.LocalAddr().String()
	ua.TransportLayer().Pool("udp").Add(local, &sip.UDPConnection{PacketConn: conn, PacketAddr: local, Listener: true})
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.ServeUDP(conn) }()
	client, err := sipgo.NewClient(ua, sipgo.WithClientConnectionAddr(local), sipgo.WithClientLogger(silent))
	require.NoError(t, err)
	return client, func() {
		require.NoError(t, ua.Close())
		require.NoError(t, conn.Close())
		<-served
	}
}

// sipgoCall places one call with sipgo and hangs up after the answer.
func sipgoCall(t *testing.T, client *sipgo.Client, target string) (final int, err error) {
	t.Helper()
	var uri sip.Uri
	require.NoError(t, sip.ParseUri("sip:+4930123@"+target, &uri))
	invite := sip.NewRequest(sip.INVITE, uri)
	tx, err := client.TransactionRequest(context.Background(), invite)
	if err != nil {
		return 0, err
	}
	for {
		select {
		case res := <-tx.Responses():
			if res.StatusCode < 200 {
				continue
			}
			if res.StatusCode >= 300 {
				return res.StatusCode, nil
			}
			contact := res.Contact().Address
			ack := sip.NewRequest(sip.ACK, contact)
			bye := sip.NewRequest(sip.BYE, contact)
			for _, r := range []*sip.Request{ack, bye} {
				r.AppendHeader(sip.HeaderClone(invite.From()))
				r.AppendHeader(sip.HeaderClone(res.To()))
				r.AppendHeader(sip.HeaderClone(invite.CallID()))
			}
			ack.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.ACK})
			bye.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo + 1, MethodName: sip.BYE})
			require.NoError(t, client.WriteRequest(ack))
			res, err := client.Do(context.Background(), bye)
			require.NoError(t, err)
			require.Equal(t, 200, res.StatusCode)
			return 200, nil
		case <-tx.Done():
			return 0, tx.Err()
		}
	}
}

func TestSipgoOnInjectedSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, err := siptest.NewNetwork(siptest.NetworkConfig{Link: siptest.Link{Latency: 5 * ms}})
		require.NoError(t, err)
		conn, err := network.Listen(carrierAddr)
		require.NoError(t, err)
		carrier, err := siptest.StartCarrier(siptest.CarrierConfig{Conn: conn, Behaviour: siptest.Behaviour{Script: siptest.Answer(10*ms, 10*ms, 0)}})
		require.NoError(t, err)
		conn, err = network.Listen(callerAddr)
		require.NoError(t, err)
		client, stop := userAgent(t, conn, nil)

		code, err := sipgoCall(t, client, carrierAddr)
		require.NoError(t, err)
		require.Equal(t, 200, code)
		require.NoError(t, carrier.SetBehaviour(siptest.Behaviour{Script: siptest.Busy(0)}))
		code, err = sipgoCall(t, client, carrierAddr)
		require.NoError(t, err)
		require.Equal(t, 486, code)
		require.NoError(t, carrier.SetBehaviour(siptest.Behaviour{}))
		began := time.Now()
		_, err = sipgoCall(t, client, carrierAddr)
		require.ErrorIs(t, err, sip.ErrTransactionTimeout)
		require.Equal(t, 32*time.Second, time.Since(began))

		siptest.Drain()
		for _, r := range carrier.Records() {
			require.Equal(t, callerAddr, r.Source.String(), "requests leave through the injected socket")
		}
		s := carrier.Stats()
		require.Equal(t, 3, s.Invites)
		require.Equal(t, 2, s.Acks)
		require.Equal(t, 1, s.ByesReceived)
		require.Zero(t, s.Channels)
		stop()
		require.NoError(t, carrier.Close())
	})
}

func TestCallerAgainstSipgo(t *testing.T) {
	answer := func(srv *sipgo.Server) {
		srv.OnInvite(func(req *sip.Request, tx sip.ServerTransaction) {
			_ = tx.Respond(sip.NewResponseFromRequest(req, 180, "Ringing", nil))
			res := sip.NewResponseFromRequest(req, 200, "OK", nil)
			res.AppendHeader(&sip.ContactHeader{Address: sip.Uri{Scheme: "sip", Host: "10.0.0.1", Port: 5060}})
			_ = tx.Respond(res)
			select {
			case <-tx.Acks():
			case <-tx.Done():
			}
		})
		srv.OnAck(func(*sip.Request, sip.ServerTransaction) {})
		srv.OnBye(func(req *sip.Request, tx sip.ServerTransaction) {
			_ = tx.Respond(sip.NewResponseFromRequest(req, 200, "OK", nil))
		})
	}
	synctest.Test(t, func(t *testing.T) {
		network, err := siptest.NewNetwork(siptest.NetworkConfig{})
		require.NoError(t, err)
		conn, err := network.Listen(carrierAddr)
		require.NoError(t, err)
		_, stop := userAgent(t, conn, answer)
		conn, err = network.Listen(callerAddr)
		require.NoError(t, err)
		caller, err := siptest.StartCaller(siptest.CallerConfig{Conn: conn})
		require.NoError(t, err)
		r, err := caller.Call(t.Context(), carrierAddr, siptest.CallerCall{HangupAfter: time.Second})
		require.NoError(t, err)
		require.Equal(t, 200, r.Code())
		require.Equal(t, 200, r.ByeCode)
		require.Zero(t, r.FinalRetransmits)
		siptest.Drain()
		stop()
		require.NoError(t, caller.Close())
	})
}
