// Package siptest has programmable SIP carriers and callers for tests and examples, on real loopback
// sockets or on an in-memory packet network with faults.
//
//   - [Carrier] is a callee whose [Behaviour] is data: per call a [Script] of responses, digest
//     authentication, caps on channels and calls per second, RTP. It counts exactly ([Stats], [Record]).
//   - [Caller] is a dialer: it places one call and reports everything that came back ([CallResult]).
//   - [Network] carries datagrams between net.PacketConns with fake addresses: latency, loss, duplicates,
//     reordering, partitions, refusals, seeded and changed at run time.
//     [Network.ListenStream] and [Network.DialStream] are the same for TCP; a [StreamConn] lets a Carrier or a Caller speak SIP
//     over TCP and TLS, and an [Authority] issues certificates.
//   - [ExchangeRaw], [RawInvite] and [WithoutHeader] are for what no well-behaved sender sends.
//
// Everything takes time from package time, so the same test runs on the wall clock or inside a
// testing/synctest bubble, where 32 s of Timer B take no time. Inside a bubble create all of it there,
// use Conns of a Network (a real socket stops the fake clock), Close everything before the bubble ends, and call
// [Drain] first if a real SIP stack took part.
//
// # Far ends of their own
//
// Carrier and Caller parse with sipgo, but have their own transaction layer, one event loop for each
// socket. sipgo's could not do what carriers do: it sends 100 by itself after 200 ms, answers each
// CANCEL with 200 and 487, and handles messages concurrently, so that a provisional response may be overtaken.
// And a fault of the stack under test does not hide behind the same fault in the far end.
//
// # sipgo on an injected socket
//
// How a sipgo user agent sends its *requests* through the net.PacketConn that its server listens on
// (sipgo v1.7.2; TestSipgoOnInjectedSocket holds it to this):
//
//	ua, _ := sipgo.NewUA()
//	srv, _ := sipgo.NewServer(ua)
//	local := conn.LocalAddr().String()
//	ua.TransportLayer().Pool("udp").Add(local, &sip.UDPConnection{PacketConn: conn, PacketAddr: local, Listener: true})
//	go srv.ServeUDP(conn)
//	client, _ := sipgo.NewClient(ua, sipgo.WithClientConnectionAddr(local))
//
// The transport layer looks for a connection by Request.Laddr, if that has an IP and a port, in its pool of
// connections keyed by "ip:port"; ServeUDP puts the listener there under its local address. Hence:
//
//   - WithClientConnectionAddr makes the client set Laddr on each request that it builds. Without it the pool is
//     asked for the *destination*, which holds the listener only once a packet has come from there; otherwise a
//     new real UDP socket is opened, also in a test on a fake network (and there it fails, or blocks the bubble).
//   - The client sets Laddr only where it builds the request: with no ClientRequestOption, or with
//     ClientRequestBuild among them. Other options (ClientRequestAddVia and the like) skip it; then, and
//     for requests made by hand (ACK, CANCEL, BYE), set req.Laddr yourself.
//   - ServeUDP registers the listener on its own goroutine. A request sent before that opens a new socket. The
//     Pool.Add above makes it certain, and nothing is closed twice: Listener connections are never closed by the pool.
//   - Via's sent-by is filled from the connection's LocalAddr, so answers come back to the same socket. A Conn
//     whose LocalAddr is no "ip:port" fails.
//   - No resolver is asked when the host of the request URI, or of Request.SetDestination, is an IP
//     address. There is no other bypass: names go to the user agent's net.Resolver.
//   - The listener ends when conn.ReadFrom returns an error, any error but net.ErrClosed being logged:
//     a wrapper must swallow what concerns one datagram only ([Conn.FailRead] provokes it). Close conn yourself; UserAgent.Close
//     does not. Close the user agent before conn in a bubble, so that its timers are stopped.
//
// To silence sipgo pass a logger with slog.DiscardHandler to each of sip.WithTransportLayerLogger,
// sip.WithTransactionLayerLogger (through the user agent's options), sipgo.WithServerLogger and
// sipgo.WithClientLogger; a few debug lines still go to sip.DefaultLogger. The package under test logs, this one does
// not, unless CarrierConfig.Log or CallerConfig.Log is set.
//
// This package is not a core package: it uses goroutines, clocks and timers. It never imports testing.
package siptest
