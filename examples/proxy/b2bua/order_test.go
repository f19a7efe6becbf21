package b2bua_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// What the dialer says of a call is in the journal of events, and none of it reaches a carrier.
func TestCallerHeaders(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), nil, func(t *testing.T, w *world) {
		r := w.call(siptest.CallerCall{
			From: "+19995550000", PAI: "+18885550000",
			Headers: []siptest.Header{
				{Name: "X-Outdial-Campaign", Value: "spring"},
				{Name: "X-Outdial-Mode", Value: "predictive"},
				{Name: "X-Outdial-Priority", Value: "urgent"},
				{Name: "X-Secret", Value: "1"},
			},
		})
		require.Equal(t, 200, r.Code())
		_, known := w.proxy.IDs().Campaigns.Lookup("spring")
		require.True(t, known)
		for _, h := range w.first.Records()[0].Headers {
			require.NotContains(t, h.Name, "X-")
			require.NotContains(t, h.Value, "10.0.0.2")
		}
		w.settled()
		for _, h := range []siptest.Header{
			{Name: "X-Outdial-Program", Value: "unheard of"}, {Name: "X-Outdial-Mode", Value: "wild"}, {Name: "X-Outdial-Priority", Value: "9"},
		} {
			r = w.call(siptest.CallerCall{Headers: []siptest.Header{h}})
			require.Equal(t, 400, r.Code(), h.Name)
		}
		r = w.call(siptest.CallerCall{To: "911"})
		require.Equal(t, 484, r.Code())
		w.settled()
		require.Equal(t, 1, w.first.Stats().Invites)
	})
}

// Without an inventory, what the dialer asks for is presented.
func TestCallersOwnNumber(t *testing.T) {
	change := func(c *b2bua.Config) { c.CLI = nil }
	bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), change, func(t *testing.T, w *world) {
		w.call(siptest.CallerCall{From: "+19995550000", PAI: "+18885550000"})
		w.call(siptest.CallerCall{From: "19995550000"})
		w.settled()
		require.Equal(t, "+18885550000", w.first.Records()[0].From)
		require.Equal(t, "+19995550000", w.first.Records()[1].PAI)
	})
}

// Every call presents a number: one that is to be anonymous is refused, with an inventory and without.
func TestPrivacy(t *testing.T) {
	for _, tt := range []struct {
		privacy string
		want    int
	}{
		{"id", 433},
		{"none", 200},
		{"header; ID;critical", 433},
		{"user", 433},
		{"header;session", 200},
	} {
		for _, own := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, inventory %t", tt.privacy, !own), func(t *testing.T) {
				change := func(c *b2bua.Config) {
					if own {
						c.CLI = nil
					}
				}
				bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), change, func(t *testing.T, w *world) {
					r := w.call(siptest.CallerCall{
						From: "anonymous", PAI: "+18885550000", Headers: []siptest.Header{{Name: "Privacy", Value: tt.privacy}},
					})
					require.Equal(t, tt.want, r.Code())
					w.settled()
					require.Equal(t, tt.want == 200, w.first.Stats().Invites == 1)
				})
			})
		}
	}
}
