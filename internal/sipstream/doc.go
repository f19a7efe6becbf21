// Package sipstream carries SIP messages over TCP and TLS, for who has the transactions: it accepts and opens connections, finds
// the messages in their bytes (RFC 3261 §18.3), and keeps bounds, so that no peer can hold more than its share.
//
// A [Set] holds the connections of one side. [Set.Serve] accepts, [Set.Send] sends to an address and opens a connection where there is none,
// [Conn.Send] answers on the connection that a message came through, [Set.Reply] there or, when that is over, where its sender listens. None waits for the network: what cannot be written at once is
// queued, and a peer that does not read is given up when too much waits for it or a write takes too long. So no call waits for another
// call's peer.
//
// What becomes of a message is known late over a connection. Who sends is told by [Config.Lost] of a message that certainly did not
// arrive, and by [Config.Closed] that a connection is over, with which messages may be lost that were written to it; it is his to send
// again what has no answer.
//
// # Bounds
//
// A connection that was accepted has [Config.MessageTimeout] for its first message, TLS handshake included, and so has every message from
// its first byte to its last; the bytes in between prolong nothing. A connection without messages in either direction is closed after
// [Config.IdleTimeout]. Of one address, and of all, no more connections are accepted, and no more are opened, than the configuration says. A message, its headers and
// body together, is no longer than [Config.MaxMessage]. What breaks the framing (no Content-Length, one that is no number, several
// that differ, a start line that is none of SIP's) ends the connection: where the next message begins cannot be known any more.
//
// The package reads the clock and starts goroutines: one for each connection while it is open, and one while something waits to be
// written. It is no core package.
package sipstream
