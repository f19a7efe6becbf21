// Package b2bua is the reference proxy: a back-to-back user agent that stands between dialers and carriers. Everything
// that it decides comes from outdial's packages; what it adds is SIP.
//
//	cfg, err := b2bua.Load("outdial.yaml", data)
//	p, err := b2bua.New(cfg, b2bua.Options{Logger: slog.Default()})
//	err = p.Run(ctx)
//
// # A call
//
// One goroutine carries one call, from the dialer's INVITE until nothing of it is left. It owns the outdial.Session,
// the dialer's dialog and the legs; what happens elsewhere is posted to it, and dealt with in order. Nothing is
// locked while the Session decides or the network is written to.
//
//	INVITE ─▶ 100 at once ─▶ Session.Begin, Next ─▶ siptrunk.Invite: own Call-ID, own tags, caller ID in From and PAI
//	18x    ─▶ to the dialer, with a To tag for each attempt and early dialog
//	failure or timer ─▶ Session.Next: the next trunk, or the final response
//	200    ─▶ acknowledged towards the carrier at once, so that no ACK of the dialer's can be lost on the way; to the dialer, until it
//	          acknowledges (64·T1 without: BYE to both). A call without an offer waits for the dialer's ACK: it holds the answer
//	BYE    ─▶ answered, and sent to the other side with its Reason
//	CANCEL ─▶ 200 and 487 at once; the legs are cancelled with its Reason, and an answer that crosses gets ACK and BYE
//
// # Redirects
//
// A dialer in redirect mode gets 302 (redirect.go) with the trunk that was chosen. The Session stays open, with its channel and caller ID, until
// the outcome is reported by its token or the lease is over; then it ends as OriginUnknown.
//
// # Final responses
//
// The tables in reply.go are the mapping. A carrier's final response is passed on with its phrase and Reason header, but
// for what concerns the hop to the carrier alone; a 503 becomes 500 (RFC 3261 §16.7). A 503 of the proxy means that
// itself lacks capacity, has Retry-After, and says why in X-Outdial-Refusal.
//
// # Within a call
//
// INVITE, UPDATE with a session description and INFO with a body pass in both directions (relay.go): hold, another codec, DTMF. Each
// side has its own CSeq, tags and transactions; INVITEs that meet get 491. An INVITE without an offer waits for the ACK of who sent it,
// as the first one does. UPDATE without a body refreshes one side alone, and so do session timers (RFC 4028), which each side has
// for itself: siptrunk keeps the carrier's, refresh.go the dialer's. A side that does not refresh ends the call, with cause 102.
//
// # What is refused
//
// Datagrams of addresses that are not configured: in silence, counted in Stats.Strangers. Max-Forwards 0: 483. Loops and
// merged requests: 482. Require of anything but timer: 420. A session interval below 90 s: 422. Privacy that would hide the number: 433.
// REFER, from either side: 403, unless refer is pass. A sips: URI where the message did not come over TLS: 416. UPDATE and INFO with a body in an early dialog: 488. New calls while draining, or beyond max_calls: 503.
//
// # Another configuration
//
// Proxy.Reload puts a new configuration in force while calls go on, or names what is wrong with it, and what only a restart can change; then
// all of the former one stays.
//
// # Connections
//
// TCP and TLS are carried by internal/sipstream, on either side. A dialer's messages come in their order on the goroutine of their connection; what it is
// sent goes back through it, or through one that is opened to its Contact or Via when it has closed that. Nothing waits for a peer that does not read.
// A dialer is known by its address or by its certificate (identified.go), which is judged anew after every reload.
//
// What is asked of a dialer goes where its Contact says. Over UDP that has no limit of size: RFC 3261 §18.1.1 wants more than 1300 bytes to go over
// TCP, but a Contact that does not say so is no promise that anybody listens there, and a dialer that does says transport=tcp. Carriers have
// trunk.tcp for that.
//
// # How sipgo is used
//
// sipgo parses the dialers' messages; its transaction layer serves the carriers' side, within siptrunk. On the
// dialers' side the transactions are this package's own, for the reasons given at type dialog. SDP passes as it is: there is no media relay yet, so
// each side sees the other's media address.
package b2bua
