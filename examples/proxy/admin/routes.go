package admin

import (
	"net/http"

	"github.com/outdial/outdial/examples/proxy/door"
)

// route is one operation. Contract tests hold every one against openapi.yaml.
type route struct {
	method, path string
	changes      bool // a token that may only look is not enough
	handle       func(*Server, http.ResponseWriter, *http.Request) (reply, *door.Problem)
}

func routes() []route {
	get := func(path string, h func(*Server, http.ResponseWriter, *http.Request) (reply, *door.Problem)) route {
		return route{http.MethodGet, path, false, h}
	}
	post := func(path string, h func(*Server, http.ResponseWriter, *http.Request) (reply, *door.Problem)) route {
		return route{http.MethodPost, path, true, h}
	}
	return []route{
		get("/healthz", (*Server).healthz),
		get("/readyz", (*Server).readyz),
		get("/v1/openapi.yaml", (*Server).document),
		get("/v1/status", (*Server).status),

		get("/v1/trunks", (*Server).trunks),
		get("/v1/trunks/{trunk}", (*Server).trunk),
		{http.MethodPatch, "/v1/trunks/{trunk}/limits", true, (*Server).patchLimits},
		post("/v1/trunks/{trunk}/orders/{order}", (*Server).trunkOrder),
		post("/v1/orders/{order}", (*Server).globalOrder),

		get("/v1/pools", (*Server).pools),
		get("/v1/pools/{pool}", (*Server).pool),
		get("/v1/numbers/{number}", (*Server).number),
		post("/v1/numbers/{number}/orders/{order}", (*Server).numberOrder),
		post("/v1/callees/{number}/orders/{order}", (*Server).calleeOrder),

		get("/v1/policy", (*Server).policy),
		{http.MethodPut, "/v1/policy", true, (*Server).putPolicy},
		{http.MethodPost, "/v1/policy/validate", false, (*Server).validatePolicy},
		{http.MethodPost, "/v1/policy/diff", false, (*Server).diffPolicy},
		post("/v1/policy/rollback", (*Server).rollbackPolicy),

		{http.MethodPost, "/v1/explain", false, (*Server).explain},
		get("/v1/calls", (*Server).calls),
		get("/v1/calls/{call}", (*Server).call),
		post("/v1/calls/{call}/hangup", (*Server).hangUp),

		get("/v1/kpis", (*Server).kpis),
		get("/v1/incidents", (*Server).incidents),
		get("/v1/drills", (*Server).drills),
		get("/v1/alarms", (*Server).alarms),
		get("/v1/alerts", (*Server).alerts),
		get("/v1/providers", (*Server).providers),
		get("/v1/providers/{carrier}", (*Server).provider),

		get("/v1/campaigns/{campaign}", (*Server).campaign),
		post("/v1/campaigns/{campaign}/open", (*Server).openCampaign),
		post("/v1/campaigns/{campaign}/close", (*Server).closeCampaign),
		get("/v1/audit", (*Server).audit),
	}
}
