package admin_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"
)

// Every state that an operator changes is seen by the API, in the journal as an event, and as a metric; no metric has a telephone number.
func TestStatesAreVisible(t *testing.T) {
	w := newWorld(t)
	reg := prometheus.NewRegistry()
	reg.MustRegister(w.proxy.Metrics()...)
	metrics := func() string {
		rec := httptest.NewRecorder()
		promhttp.HandlerFor(reg, promhttp.HandlerOpts{}).ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
		return rec.Body.String()
	}
	for _, c := range []struct{ change, more, action, read, says, metric string }{
		{"/v1/trunks/first/orders/drain", "", "trunk.drain", "/v1/trunks/first", `"state":"draining"`, `outdial_trunk_state{state="draining",trunk="first"} 1`},
		{"/v1/trunks/first/orders/hold", "", "failover.hold", "/v1/trunks/first", `"state":"held"`, `outdial_trunk_health_state{group="",state="held",trunk="first"} 1`},
		{"/v1/trunks/second/orders/pin", `,"for":"1h"`, "routing.pin", "/v1/trunks/second", `"action":"pin"`, `outdial_orders_standing{action="pin"} 1`},
		{"/v1/trunks/second/orders/flip", `,"share":0.5`, "failover.flip", "/v1/trunks/second", `"action":"flip"`, `outdial_orders_standing{action="flip"} 1`},
		{"/v1/trunks/second/orders/freeze", `,"for":"1h"`, "proxy.freeze", "/v1/trunks/second", `"frozen_until"`, `outdial_orders_standing{action="freeze"} 1`},
		{"/v1/numbers/" + number + "/orders/quarantine", "", "cli.quarantine", "/v1/numbers/" + number, `"state":"quarantined"`, `outdial_pool_numbers{pool="sales",state="quarantined"} 1`},
		{"/v1/campaigns/spring/open", `,"program":"sales","despite":true,"for":"1h"`, "campaign.open", "/v1/campaigns/spring", `"open":true`, `outdial_campaign_open{campaign="spring"} 1`},
	} {
		require.NotContains(t, metrics(), c.metric, c.change)
		w.post(c.change, `{`+by+c.more+`}`).want(200)
		require.Contains(t, string(w.get(c.read).want(200).body), c.says, c.change)
		require.Contains(t, string(w.get("/v1/audit?action="+c.action).want(200).body), `"actor":"ann"`)
		require.Contains(t, metrics(), c.metric, c.change)
		require.Contains(t, metrics(), `outdial_controls_total{action="`+c.action+`"} 1`)
	}
	require.NotContains(t, metrics(), strings.TrimPrefix(number, "+"))
	require.Contains(t, metrics(), "outdial_policy_info")
}
