// Package siptrunk places attempts on carriers over SIP, by UDP, TCP and TLS: it is the outdial.Dialer on sipgo.
//
// One attempt is one INVITE with a Call-ID, a From tag and a CSeq of its own. [Dialer.Dial] implements the root's
// interface; [Dialer.Invite] is the same for a back-to-back user agent, with the body, the headers and the
// Max-Forwards that it relays, and with every response as it came in [Event]:
//
//	d, err := siptrunk.New(siptrunk.Config{ListenAddr: "192.0.2.1:5060", Trunks: trunks})
//	go d.Run(ctx)
//	leg, err := d.Invite(ctx, attempt, siptrunk.InviteOptions{Offer: sdp}, func(ev siptrunk.Event) { … })
//	leg.Hangup()
//
// # What is reported
//
//   - ReportProgress: the INVITE left; every provisional response, with what outdial.ProgressOf says of it, and
//     MarkEarlyMedia where its P-Early-Media (RFC 5009) lets the carrier send before the answer.
//   - ReportAbandon: T100 expired without any response, or half of it while five INVITEs or more wait for an address that says nothing
//     at all (OriginNoTrying): the INVITE is not repeated any more, but a
//     provisional response that comes later is answered with CANCEL, a 2xx is acknowledged and reported. Or the PDD
//     timer expired after 100 (OriginNoProgress), or the ring timer (OriginNoAnswer): CANCEL follows the report, so
//     that a 2xx which crosses it is a late answer. The last attempt of a call (Attempt.Last) is not given up at T100,
//     since there is nobody to hunt on to: the other addresses of its trunk are asked, T100 each, and the last of them has until
//     the PDD timer, or the call's deadline if that comes first. One
//     that turns out to be the last is waited for again: Leg.Revive.
//   - ReportAnswer: a 2xx. It is acknowledged. If CANCEL was sent or Hangup called before, BYE follows by itself.
//   - ReportEnd, always the last: a final response, with the code, the phrase, Reason (RFC 3326, RFC 8606) and
//     Retry-After; a BYE of either side; or a bound that was reached. Of our own BYE it tells how long its answer took, and
//     what that was.
//
// A leg that the ring timer ends, or that was hung up or abandoned, ends with that origin when 487 (or nothing)
// comes, and with OriginCarrier when any other final response does: then the response crossed the CANCEL. A challenge
// (401, 407) that Username and Password can answer is answered in the same attempt and not reported, and so is a 3xx
// whose contact is one of Trunk.Redirects, a 421 that requires 100rel, and a 422 that wants a longer session interval.
//
// # Extensions
//
// Reliable provisional responses (RFC 3262) get their PRACK; a repetition is not reported. Session timers (RFC 4028) are offered, see
// Trunk.SessionExpires, and kept by the leg: it refreshes, or ends a session that the carrier does not refresh.
//
// Every leg ends: 32 s after ReportAbandon{OriginNoTrying} (or after the INVITE, when nothing was abandoned)
// without any response, 32 s after a CANCEL without a final response, 32 s after a BYE without an answer, 185 s after the last
// provisional response when the PDD or ring timer is switched off. An answered leg lives until somebody hangs up.
//
// # How sipgo is used
//
// sipgo parses, answers requests of carriers (its server transactions), and computes digests. Client transactions
// are this package's own, one small state machine per leg on the leg's one timer, for four reasons: sipgo
// delivers every response on a goroutine of its own, so that a 200 may overtake its 180, here responses keep their
// order; a finished client transaction of sipgo's holds its messages for 32 s, here an ended leg keeps its ACK
// alone; sipgo's timers are package variables of the whole process; and a retransmitted final response is acknowledged
// at once. There is one goroutine that reads the socket and none per leg.
//
// sipgo's package variables are never touched here. A main program may set, before anything runs: sip.SetTimers
// and sip.Timer_J, Timer_L, Timer_H, which say how long requests of carriers (BYE, OPTIONS) are remembered, and
// sip.UDPMTUSize, which bounds answers to such requests over UDP. Neither concerns the requests that leave here: they may be as
// large as the socket takes, but for Trunk.TCP.
//
// # The socket
//
// One UDP socket, with buffers of 4 MiB when it is our own. Datagrams from addresses that are neither a trunk's, nor in
// its Sources, nor the next hop of a leg that lives are dropped before anything is parsed, and counted. A read that
// fails is counted and the next one tried; only a closed socket ends Run. On Linux ICMP errors are asked for
// (IP_RECVERR): an INVITE to a port where nobody listens, or to a host that a router declares unreachable, ends at once
// with OriginTransport, if ICMP quotes enough of it to tell whose it was. Elsewhere, and on a socket that Config.Conn
// brings and that is no *net.UDPConn, such a trunk is a silent one, and T100 moves on.
//
// A write of the INVITE that fails is an error of Dial, or OriginTransport when it is repeated or sent again with
// credentials. Other requests of ours are repeated by their timers, an ACK whenever its response is. An answer to a
// carrier that cannot be written is logged as a warning; the carrier repeats its request.
//
// A second socket, for the other IP family, is one of Config.Listeners.
//
// # Connections
//
// Attempts on a trunk over TCP or TLS share one connection to its address, which is opened when it is needed and again after the carrier has closed it.
// What has no response when a connection ends is sent once more over the next one. A connection that cannot be opened, within Streams.ConnectTimeout, ends
// the attempt with OriginTransport, unless its trunk has another address; T100 runs meanwhile. Nothing waits for a carrier that does not read: what it is sent is
// queued, and lost with the connection after Streams.WriteTimeout. Requests are not repeated (RFC 3261 §17); carriers' requests are answered by transactions of this
// package. A request of more than 1,300 bytes goes over TCP where Trunk.TCP says that the carrier takes it, within a dialog too, which stays on UDP otherwise.
//
// TLS is 1.2 at least. The certificate must be for the host of Trunk.Addr, whatever DNS makes of it, and the dialog does not leave TLS. Config.Listeners
// accept connections of addresses that trunks have, for requests of carriers and for responses when ours was closed; Stats count those that are closed because they
// said nothing, or no SIP. A response whose connection is over goes to the address that its request came from and the port of its Via (RFC 3261 §18.2.2). Over TLS a
// carrier may send its requests through our connection (";alias", RFC 5923).
//
// # Stopping
//
// [Dialer.Drain] refuses new attempts, [Dialer.Wait] waits until no leg lives; then end the context of [Dialer.Run]. If it
// ends earlier, the legs that are left are hung up first, and waited for no longer than Config.Grace. [Dialer.Close]
// is for a Dialer that is never run, or to stop at once.
//
// # Limits
//
// No WebSocket, no SCTP. Next hops within a dialog that are names and not addresses are replaced by the trunk's
// address. Credentials are those of the trunk, one set.
package siptrunk
