package b2bua_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/routing"
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

// TestTags: a rule goes by the tags of an INVITE, or by the dialer's own where it has none; carriers see nothing of them.
func TestTags(t *testing.T) {
	change := func(c *b2bua.Config) {
		c.Dialers[0].Tags = []string{"usual"}
		other := c.Routing.Rules[0]
		other.Tiers = []routing.Tier{{Trunks: []routing.Target{{Trunk: "second"}}}}
		other.Tags = []string{"callback"}
		none := routing.Rule{Tags: []string{"usual", "never"}, AllTags: true, Block: true}
		c.Routing.Rules = append(c.Routing.Rules, other, none)
	}
	bubble(t, siptest.Answer(0, 0, time.Second), siptest.Answer(0, 0, time.Second), change, func(t *testing.T, w *world) {
		tags := func(values ...string) (hs []siptest.Header) {
			for _, v := range values {
				hs = append(hs, siptest.Header{Name: "X-Outdial-Tags", Value: v})
			}
			return hs
		}
		for _, tt := range []struct {
			headers       []siptest.Header
			code          int
			first, second int
		}{
			{nil, 200, 1, 0},
			{tags("vip, callback"), 200, 1, 1},
			{tags("vip", "callback"), 200, 1, 2},
			{tags(""), 200, 2, 2},
			{tags("never"), 200, 3, 2},
			{tags("usual,never"), 403, 3, 2},
			{tags("1,2,3,4,5,6,7,8"), 200, 4, 2},
			{tags("1,2,3,4,5,6,7,8,9"), 400, 4, 2},
			{tags(strings.Repeat("x", 65)), 400, 4, 2},
		} {
			r := w.call(siptest.CallerCall{Headers: tt.headers})
			w.settled()
			require.Equal(t, tt.code, r.Code(), "%v", tt.headers)
			require.Equal(t, []int{tt.first, tt.second}, []int{w.first.Stats().Invites, w.second.Stats().Invites}, "%v", tt.headers)
		}
		for _, r := range slices.Concat(w.first.Records(), w.second.Records()) {
			for _, h := range r.Headers {
				require.NotContains(t, h.Name, "X-")
			}
		}
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
