package siptrunk

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
)

// Parts of the seeds. $VIA, $FROM, $TO, $CID and $CSEQ stand for what fits the leg.
const (
	fuzzTail     = "From: $FROM\r\nTo: $TO\r\nCall-ID: $CID\r\nCSeq: $CSEQ\r\n"
	fuzzAnswer   = "SIP/2.0 200 OK\r\nVia: $VIA\r\n" + fuzzTail + "Contact: <sip:far@10.0.0.1:5060>\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n"
	fuzzRequest  = " sip:10.0.0.2:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKf\r\nFrom: $TO\r\nTo: $FROM\r\nCall-ID: $CID\r\n"
	fuzzRejected = "SIP/2.0 486 Busy Here\r\nVia: $VIA\r\n" + fuzzTail + "Reason: Q.850;cause=17\r\nRetry-After: 5 (soon)\r\nContent-Length: 0\r\n\r\n"
)

// FuzzDatagrams gives one leg two datagrams of its carrier, one after the other. Nothing panics; the leg ends, once, and
// is forgotten; and every request that leaves is SIP, with the headers that it is to have and no more.
func FuzzDatagrams(f *testing.F) {
	f.Add(fuzzAnswer, "BYE"+fuzzRequest+"CSeq: 1 BYE\r\nReason: Q.850;cause=16\r\nContent-Length: 0\r\n\r\n")
	f.Add("SIP/2.0 180 Ringing\r\nVia: $VIA\r\n"+fuzzTail+"Content-Length: 0\r\n\r\n", fuzzRejected)
	f.Add("SIP/2.0 407 Proxy Authentication Required\r\nVia: $VIA\r\n"+fuzzTail+
		"Proxy-Authenticate: Digest realm=\"x\", nonce=\"\\\"1\", qop=\"auth\"\r\nContent-Length: 0\r\n\r\n", fuzzRejected)
	f.Add(strings.Replace(fuzzAnswer, "Contact", "Record-Route: <sip:10.0.0.1>, <sip:p2;lr>\r\nContact", 1), strings.Replace(fuzzAnswer, "$TO", "$TOx", 1))
	f.Add(fuzzAnswer, "UPDATE"+fuzzRequest+"CSeq: 0 UPDATE\r\nContact: <sip:moved@10.0.0.1:5070>\r\nContent-Length: 0\r\n\r\n")
	f.Add(fuzzAnswer, "INVITE"+fuzzRequest+"CSeq: 4294967295 INVITE\r\nContact: *\r\nContent-Length: 0\r\n\r\n")
	f.Add(strings.Replace(fuzzAnswer, "To: $TO", "To: <sip:x@y>\nX-Injected: 1;tag=2", 1), "CANCEL"+fuzzRequest+"CSeq: 1 CANCEL\r\n\r\n")
	f.Add(strings.Replace(fuzzAnswer, "far@10.0.0.1:5060", "far@10.0.0.1:5060> SIP/2.0\nX: <", 1), "SIP/2.0 100 \r\n\r\n")
	f.Fuzz(func(t *testing.T, first, second string) {
		synctest.Test(t, func(t *testing.T) { feed(t, first, second) })
	})
}

// feed runs a leg in a bubble.
func feed(t *testing.T, datagrams ...string) {
	network, err := siptest.NewNetwork(siptest.NetworkConfig{})
	require.NoError(t, err)
	carrier, err := network.Listen("10.0.0.1:5060")
	require.NoError(t, err)
	conn, err := network.Listen("10.0.0.2:5060")
	require.NoError(t, err)
	d, err := New(Config{Conn: conn, Trunks: map[outdial.TrunkID]Trunk{1: {Addr: "10.0.0.1", Username: "u", Password: "p"}}})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- d.Run(ctx) }()

	var mu sync.Mutex
	var sent []string
	network.SetFilter(func(from, _ netip.AddrPort, payload []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		if from == d.LocalAddr() {
			sent = append(sent, string(payload))
		}
		return false
	})
	var ends, after int
	a := &outdial.Attempt{Call: outdial.Call{To: outdial.MustNumber("+12125550123")}, Candidate: outdial.Candidate{Trunk: 1}}
	l, err := d.Invite(ctx, a, InviteOptions{Offer: []byte("v=0\r\n")}, func(ev Event) {
		after += ends // what is reported behind the end
		if ev.Kind == outdial.ReportEnd {
			ends++
		}
	})
	require.NoError(t, err)
	synctest.Wait()
	for _, text := range datagrams {
		text = strings.NewReplacer("$VIA", "SIP/2.0/UDP 10.0.0.2:5060;branch="+l.branch, "$FROM", l.from, "$TO", l.to+";tag=far",
			"$CID", l.callID, "$CSEQ", "1 INVITE").Replace(text)
		_, err := carrier.WriteToUDPAddrPort([]byte(text), d.LocalAddr())
		if err != nil { // larger than a datagram
			continue
		}
		synctest.Wait()
	}
	time.Sleep(100 * time.Millisecond)
	l.Hangup()
	time.Sleep(10 * time.Minute)
	synctest.Wait()
	require.Equal(t, 1, ends)
	require.Zero(t, after)
	require.Zero(t, d.Stats().Live)
	require.Zero(t, d.Stats().Parties)
	stop()
	require.NoError(t, <-ran)
	require.NoError(t, carrier.Close())
	mu.Lock()
	defer mu.Unlock()
	for _, msg := range sent {
		switch method, _, _ := strings.Cut(msg, " "); method {
		case "INVITE", "ACK", "CANCEL", "BYE", "PRACK", "UPDATE":
			requireClean(t, msg)
		default: // answers are sipgo's, and repeat what their request says, be it the version
		}
	}
}

// requireClean holds a request of ours to what this package writes.
func requireClean(t *testing.T, msg string) {
	t.Helper()
	_, err := sip.ParseMessage([]byte(msg))
	require.NoError(t, err, msg)
	head, _, ok := strings.Cut(msg, "\r\n\r\n")
	require.True(t, ok, msg)
	for i, line := range strings.Split(head, "\r\n") {
		require.True(t, validValue(line), "%q", line)
		name, _, _ := strings.Cut(line, ":")
		if i == 0 {
			require.Len(t, strings.Fields(line), 3, line)
			continue
		}
		require.Contains(t, "|Via|Route|Max-Forwards|From|To|Call-ID|CSeq|Contact|Allow|User-Agent|Authorization|Proxy-Authorization|"+
			"Reason|Supported|Session-Expires|Min-SE|RAck|Content-Type|Content-Length|", "|"+name+"|", line)
	}
}
