// Package rtpstats tells from the RTP packets of one direction of a call whether media flows and how well: loss,
// duplicates, reordering and interarrival jitter by RFC 3550, when the first packet came, and whether the source
// changed. It reads headers only, knows no clock but the times passed in, and never keeps a packet.
//
// A host that relays media passes every packet to [Stream.Observe], or a header that it has parsed already to
// [Stream.ObserveHeader], and marks outdial.MarkMedia when [Stream.First] first tells a time.
package rtpstats
