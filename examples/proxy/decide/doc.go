// Package decide gives the decisions of the proxy's engine to switches that keep their own SIP, over HTTP. openapi.yaml beside this file
// is the contract.
//
//	POST /v1/decide                   who is called, for whom ─▶ dial this leg there, wait, or refuse
//	POST /v1/calls/{token}/progress   a provisional response, or the answer ─▶ connect it, or end it
//	POST /v1/calls/{token}/outcome    how a leg ended ─▶ dial the next leg, wait, stop, or nothing
//	POST /v1/calls/{token}/next       after a wait ─▶ as decide
//	POST /v1/calls/{token}/cancel     the caller gave up
//	GET  /v1/calls/{token}            the decision explained
//
// A call holds its channel and its caller ID until its outcome is told. One of which nothing is heard for Config.Lease, or Config.Longest once
// it was answered, is given up: its legs end as "unknown". There are Config.MaxCalls of them at most.
//
// What is told twice is answered twice, and counts once: the same decide (by its key) gives the same leg, the same outcome of a leg the same
// next step, for half a minute after the end of the call, and for Config.MaxCalls calls that have ended at most.
//
// The engine is that of the SIP side, so that channels, caps, health and KPIs are one, and the same calls get the same decisions through Go
// (Engine.Place), through SIP and through HTTP.
package decide
