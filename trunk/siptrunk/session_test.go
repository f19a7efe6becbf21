package siptrunk_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

func TestParseSessionExpires(t *testing.T) {
	for in, want := range map[string]siptrunk.SessionExpires{
		"1800":                  {Interval: 30 * time.Minute},
		" 90 ; refresher = uas": {Interval: 90 * time.Second, Refresher: siptrunk.RefresherUAS},
		"100;x=1;Refresher=UAC": {Interval: 100 * time.Second, Refresher: siptrunk.RefresherUAC},
		"4294967295":            {Interval: siptrunk.MaxSessionExpires},
		"99999999999":           {}, "0": {}, "": {}, "-1": {}, "x": {}, ";refresher=uac": {},
	} {
		got := siptrunk.ParseSessionExpires(in)
		require.Equal(t, want, got, in)
		require.Equal(t, got, siptrunk.ParseSessionExpires(got.String()))
	}
	s := siptrunk.ParseSessionExpires("90")
	require.Equal(t, []time.Duration{45 * time.Second, 60 * time.Second}, []time.Duration{s.Refresh(), s.Expiry()})
	require.Equal(t, 30*time.Minute-32*time.Second, siptrunk.ParseSessionExpires("1800").Expiry())
}

// answeredWith is a leg whose answer says this about the session.
func answeredWith(t *testing.T, headers []siptest.Header, f func(t *testing.T, w *world, c *call)) {
	t.Helper()
	s := siptest.Play(siptest.Respond(0, 200, headers...))
	bubble(t, s, func(_ *siptrunk.Config, tr *siptrunk.Trunk) { tr.SessionExpires = 2 * time.Minute }, func(t *testing.T, w *world) {
		c := w.invite(siptrunk.InviteOptions{})
		synctest.Wait()
		f(t, w, c)
		w.network.SetFilter(nil)
		c.wait()
	})
}

// We refresh, by UPDATE where the carrier takes it and else by INVITE, for as long as the carrier agrees.
func TestSessionIsRefreshed(t *testing.T) {
	for method, allow := range map[string]string{"UPDATE": "INVITE, UPDATE", "INVITE": "INVITE, BYE"} {
		headers := []siptest.Header{{Name: "Session-Expires", Value: "120;refresher=uac"}, {Name: "Allow", Value: allow}}
		t.Run(method, func(t *testing.T) {
			answeredWith(t, headers, func(t *testing.T, w *world, c *call) {
				sent := w.catch("INVITE", "UPDATE", "ACK")
				seen := 0
				next := func() string {
					w.since(sent, &seen)
					time.Sleep(60*time.Second + ms)
					synctest.Wait()
					return w.since(sent, &seen)[0]
				}
				for range 3 {
					got := next()
					require.True(t, strings.HasPrefix(got, method+" "), got)
					require.Equal(t, "120;refresher=uac", line(got, "Session-Expires"))
					require.Equal(t, method == "INVITE", strings.HasSuffix(got, string(offer)), "the session as it is")
					w.fromCarrier(response(got, "200 OK", "Session-Expires: 120;refresher=uac", "Contact: <sip:"+carrierAddr+">"))
				}
				last := next()
				w.network.SetFilter(nil)
				since := time.Now()
				w.fromCarrier(response(last, "481 Call/Transaction Does Not Exist"))
				r := c.result()
				require.Less(t, time.Since(since), time.Second, "at once: the dialog is over there")
				require.Equal(t, outdial.OriginHost, r.Origin)
				require.EqualValues(t, 102, r.Cause.Value)
			})
		})
	}
}

// A session that the carrier should refresh and does not is over, and so is one whose refreshes are never accepted.
func TestSessionExpires(t *testing.T) {
	t.Run("theirs", func(t *testing.T) {
		answeredWith(t, []siptest.Header{{Name: "Session-Expires", Value: "120;refresher=uas"}}, func(t *testing.T, w *world, c *call) {
			update := func(seq int) string {
				return strings.Replace(string(request("UPDATE", c, seq, "")), "Contact: <sip:", "Contact: <sip:carrier@", 1)
			}
			w.fromCarrier([]byte(update(1))) // it says nothing of the session
			sent := w.catch("INVITE", "UPDATE")
			time.Sleep(70 * time.Second)
			synctest.Wait()
			require.Empty(t, *sent, "the carrier refreshes, and not we")
			w.network.SetFilter(nil)
			refresh := strings.Replace(update(2), "Contact:", "Session-Expires: 120;refresher=uac\r\nContact:", 1)
			statuses := w.statuses()
			w.fromCarrier([]byte(refresh))
			require.Equal(t, []string{"200 OK / 2 UPDATE"}, statuses())
			w.network.SetFilter(nil)
			sent = w.catch("INVITE", "UPDATE")
			time.Sleep(80 * time.Second)
			synctest.Wait()
			require.Empty(t, *sent, "the carrier refreshes, and not we")
			w.network.SetFilter(nil)
			c.wait()
			require.Equal(t, 70*time.Second+88*time.Second, time.Since(c.start), "a third before the end, 32 s at most")
			require.Equal(t, outdial.OriginHost, c.result().Origin)
			require.Equal(t, 1, w.carrier.Stats().ByesReceived)
			require.Contains(t, w.carrier.Records()[0].ByeHeaders, siptest.Header{Name: "Reason", Value: "Q.850;cause=102"})
			time.Sleep(siptest.DrainTime)
		})
	})
	t.Run("ours, never accepted", func(t *testing.T) {
		answeredWith(t, []siptest.Header{{Name: "Session-Expires", Value: "120"}, {Name: "Allow", Value: "UPDATE"}}, func(t *testing.T, w *world, c *call) {
			sent := w.catch("UPDATE", "INVITE", "ACK")
			var methods []string
			seen := 0
			for c.Leg != nil && w.dialer.Live() == 1 {
				time.Sleep(100 * ms)
				synctest.Wait()
				for _, m := range w.since(sent, &seen) {
					method, _, _ := strings.Cut(m, " ")
					if method == "ACK" {
						continue
					}
					methods = append(methods, method)
					status := map[string]string{"UPDATE": "405 Method Not Allowed", "INVITE": "488 Not Acceptable Here", "BYE": "200 OK"}[method]
					w.fromCarrier(response(m, status))
				}
			}
			require.Equal(t, []string{"UPDATE", "INVITE", "INVITE"}, methods[:3])
			require.InDelta(t, 120, time.Since(c.start).Seconds(), 2)
			require.EqualValues(t, 102, c.result().Cause.Value)
		})
	})
}

// A carrier that wants longer intervals gets them in the same attempt; one that wants shorter ones than RFC 4028 has does not.
func TestSessionIntervalTooSmall(t *testing.T) {
	bubble(t, siptest.Silence(), func(_ *siptrunk.Config, tr *siptrunk.Trunk) { tr.SessionExpires = 90 * time.Second }, func(t *testing.T, w *world) {
		sent := w.catch("INVITE", "ACK")
		c := w.invite(siptrunk.InviteOptions{})
		synctest.Wait()
		require.Equal(t, "90", line((*sent)[0], "Session-Expires"))
		w.fromCarrier(response((*sent)[0], "422 Session Interval Too Small", "Min-SE: 600"))
		require.Equal(t, "600", line((*sent)[2], "Session-Expires"))
		require.Equal(t, "600", line((*sent)[2], "Min-SE"))
		w.fromCarrier(response((*sent)[2], "422 Session Interval Too Small", "Min-SE: 600"))
		require.EqualValues(t, 422, c.result().Code)
	})
	inDialog(t, siptrunk.InviteOptions{}, func(t *testing.T, w *world, c *call) {
		var refusal string
		statuses := w.statuses()
		w.fromCarrier([]byte(strings.Replace(string(request("UPDATE", c, 1, "")), "Contact:", "Session-Expires: 60\r\nContact:", 1)))
		require.Equal(t, []string{"422 Session Interval Too Small / 1 UPDATE"}, statuses(), refusal)
	})
}

// An INVITE of ours without an offer asks for one: the ACK brings the answer.
func TestDelayedReoffer(t *testing.T) {
	inDialog(t, siptrunk.InviteOptions{}, func(t *testing.T, w *world, c *call) {
		sent := w.catch("INVITE", "ACK")
		done := make(chan *sip.Response, 1)
		go func() {
			res, err := c.Do(t.Context(), sip.INVITE, "", nil)
			require.NoError(t, err)
			done <- res
		}()
		synctest.Wait()
		invite := (*sent)[0]
		for range 2 {
			w.fromCarrier(response(invite, "200 OK", "Contact: <sip:"+carrierAddr+">"))
		}
		require.Equal(t, 200, (<-done).StatusCode)
		require.Len(t, *sent, 1, "no ACK yet")
		_, err := c.Do(t.Context(), sip.INVITE, "", offer)
		require.ErrorIs(t, err, siptrunk.ErrPending)
		c.Ack("", []byte("v=0\r\n"))
		synctest.Wait()
		ack := (*sent)[1]
		require.True(t, strings.HasPrefix(ack, "ACK ") && strings.HasSuffix(ack, "\r\n\r\nv=0\r\n"), ack)
		require.Empty(t, line(ack, "Session-Expires"))
		w.fromCarrier(response(invite, "200 OK", "Contact: <sip:"+carrierAddr+">"))
		require.Equal(t, ack, (*sent)[2], "for every copy")
	})
	inDialog(t, siptrunk.InviteOptions{}, func(t *testing.T, w *world, c *call) { // whose answer never comes
		sent := w.catch("INVITE", "ACK")
		go func() { _, _ = c.Do(t.Context(), sip.INVITE, "", nil) }()
		synctest.Wait()
		w.fromCarrier(response((*sent)[0], "200 OK"))
		seen := 0
		w.since(sent, &seen)
		time.Sleep(29 * time.Second)
		synctest.Wait()
		late := w.since(sent, &seen)
		require.True(t, strings.HasPrefix(late[0], "ACK "))
		require.True(t, strings.HasPrefix(late[1], "BYE "))
	})
}

// A refresh waits for an INVITE of either side that is under way: it may be one by itself.
func TestRefreshWaits(t *testing.T) {
	headers := []siptest.Header{{Name: "Session-Expires", Value: "120;refresher=uac"}, {Name: "Allow", Value: "UPDATE"}}
	answeredWith(t, headers, func(t *testing.T, w *world, c *call) {
		sent := w.catch("INVITE", "UPDATE", "ACK")
		time.Sleep(59 * time.Second)
		go func() { _, _ = c.Do(t.Context(), sip.INVITE, "", offer) }()
		synctest.Wait()
		invite := (*sent)[0]
		w.fromCarrier(response(invite, "100 Trying"))
		time.Sleep(20 * time.Second)
		synctest.Wait()
		require.Len(t, *sent, 1, "no UPDATE meanwhile")
		w.fromCarrier(response(invite, "488 Not Acceptable Here"))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		require.GreaterOrEqual(t, len(*sent), 3)
		require.True(t, strings.HasPrefix((*sent)[2], "UPDATE "), (*sent)[2])
		w.network.SetFilter(nil)
		c.Hangup()
	})
}

func ExampleSessionExpires() {
	s := siptrunk.ParseSessionExpires("1800;refresher=uas")
	fmt.Println(s.Refresher == siptrunk.RefresherUAS, s.Refresh(), s.Expiry(), s)
	// Output: true 15m0s 29m28s 1800;refresher=uas
}

// What the answer of a carrier means for who placed the call.
func ExampleRefresher() {
	for _, answer := range []string{"1800;refresher=uac", "1800;refresher=uas"} {
		switch siptrunk.ParseSessionExpires(answer).Refresher {
		case siptrunk.RefresherUAC:
			fmt.Println("we refresh")
		case siptrunk.RefresherUAS:
			fmt.Println("the carrier refreshes")
		}
	}
	// Output:
	// we refresh
	// the carrier refreshes
}
