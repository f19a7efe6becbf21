package siptrunk

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
)

// A Dialer that closes throws away what its legs have accepted in the last moment. Nobody waits for that for ever.
func TestWaitersOfAClosedDialer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, err := siptest.NewNetwork(siptest.NetworkConfig{})
		require.NoError(t, err)
		conn, err := network.Listen("10.0.0.2:5060")
		require.NoError(t, err)
		d, err := New(Config{Conn: conn})
		require.NoError(t, err)
		l := &Leg{d: d, callID: "a", phase: ended, gone: make(chan struct{}), timer: time.AfterFunc(time.Hour, func() {})}
		d.parties[l.callID] = l
		l.busy = true // somebody drains the queue, and will not come to what follows
		done, served := make(chan error, 1), make(chan bool, 2)
		go func() {
			_, err := l.Do(context.Background(), sip.INFO, "", nil)
			done <- err
		}()
		req := &sip.Request{Method: sip.INFO}
		go func() { l.serveBye(req, nil); served <- true }()
		go func() { l.serveRequest(req, nil); served <- true }()
		synctest.Wait()
		require.Len(t, l.queue, 3)
		require.Empty(t, done)
		require.Empty(t, served)
		require.NoError(t, d.Close())
		synctest.Wait()
		require.ErrorIs(t, <-done, ErrNoDialog)
		require.Len(t, served, 2)
		require.NoError(t, d.Close(), "and once more")
	})
}

func TestRetarget(t *testing.T) {
	contact := func(uri string) *sip.ContactHeader {
		res := parse(t, answerHead+"Contact: <"+uri+">\r\n"+answerTail+"Content-Length: 0\r\n\r\n")
		return res.Contact()
	}
	l := &Leg{target: target{uri: "sip:a@10.0.0.9", routes: []string{"<sip:10.0.0.8;lr>"}}}
	l.retarget(contact("sip:b@10.0.0.7"))
	require.Equal(t, target{uri: "sip:b@10.0.0.7", routes: []string{"<sip:10.0.0.8;lr>"}}, l.target, "the routes stay, and the next hop")
	before := []string{"<sip:10.0.0.8;lr>", "<sip:a@10.0.0.9>"}
	l.target = target{uri: "sip:10.0.0.9", routes: before, strict: true}
	l.retarget(contact("sip:b@10.0.0.7"))
	require.Equal(t, target{uri: "sip:10.0.0.9", routes: []string{"<sip:10.0.0.8;lr>", "<sip:b@10.0.0.7>"}, strict: true}, l.target)
	require.Equal(t, "<sip:a@10.0.0.9>", before[1], "requests that are under way keep theirs")
	for _, c := range []*sip.ContactHeader{nil, contact("tel:+12125550123")} {
		was := l.target
		l.retarget(c)
		require.Equal(t, was, l.target)
	}
}
