// Package admin is how an operator sees a running proxy and steers it: an HTTP API, of which openapi.yaml beside this file is the
// contract. GET /v1/openapi.yaml serves it.
//
// # Changes
//
// Every change names its actor and reason, and its end where it is temporary. It becomes an outdial.Control: the packages may refuse it, the
// journal takes it, and then it is in force for the next call. No call that is up is touched by it, but for the one that POST
// /v1/calls/{call}/hangup names. GET /v1/audit reads the changes back as the journal has them, from whichever side they came.
//
// A change answers with what the audit log says of it, the time from the request to its effect, and how things stand after it. Where two
// people may change the same, the second one is told: a resource has an ETag, and If-Match with another one is refused with 412. Limits and
// policies are changed with If-Match alone (428 without); orders go without, for they say all that is to be so. A change that is refused
// has changed nothing.
//
// # Who may come in
//
// With tokens, whoever has one (package door). Without, whoever is on this machine: the proxy refuses to start with the API on any other address
// and no token. A token that has a name names the actor.
//
// # Refusals
//
// They are application/problem+json (RFC 9457), with a stable code and the fields that it is about: 400 for what cannot be read (an unknown
// field, a wrong type), 401 and 403 for who may not, 404 for what there is not, 409 for what does not go now, 412 and 428 for what was changed
// meanwhile, 413 and 415 for bodies, 422 for values that do not fit, 423 for what is frozen, 503 where the journal fails or the proxy drains.
package admin
