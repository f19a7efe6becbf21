package siptest

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Side names an end of a call.
type Side uint8

const (
	// NoSide: nobody.
	NoSide Side = iota
	// CallerSide is who sent the INVITE.
	CallerSide
	// CarrierSide is who was called.
	CarrierSide
)

func (s Side) String() string { return [...]string{"nobody", "caller", "carrier"}[min(s, 2)] }

// A Record is what a carrier saw of one call. Times are zero for what did not happen. The slices are
// shared between copies and must not be changed.
type Record struct {
	Seq     int // from 1, in the order of arrival
	CallID  string
	From    string // user part of From
	PAI     string // user part of the first P-Asserted-Identity
	To      string // user part of the request URI
	ToUser  string // user part of the To header
	Source  netip.AddrPort
	Script  string   // Script.Name
	Headers []Header // of the last INVITE
	Body    []byte   // of the last INVITE

	InvitedAt    time.Time
	ProgressedAt time.Time // first 18x
	FinalAt      time.Time // first sending of the final response
	AckedAt      time.Time
	CancelledAt  time.Time // first CANCEL, whether it came in time or not
	EndedAt      time.Time // final failure, BYE, or given up

	Code              int // final status, zero while there is none
	Phrase            string
	Acked             bool // the final response was
	Challenged        bool
	Cancelled         bool     // a CANCEL came before the final response
	EndedBy           Side     // who sent the BYE
	ByeAnswered       bool     // the carrier's BYE was
	ByeHeaders        []Header // of the caller's BYE
	InviteRetransmits int
	FinalRetransmits  int // how often the final response was sent again
	RTPSent           int
	RTPReceived       int
}

// Stats are the counts of a carrier since its start. A call is counted once however often its messages
// were retransmitted.
type Stats struct {
	Invites           int // distinct calls
	InviteRetransmits int
	Challenged        int // calls that were asked for credentials
	ChannelsFull      int // calls rejected for MaxChannels
	TooFast           int // calls rejected for MaxCPS
	Answered          int
	Busy              int // finals 486 and 600
	Failed            int // all other finals but 2xx, the rejected and the cancelled included
	Cancelled         int // calls whose CANCEL came before the final response
	CancelsReceived   int // CANCELs, retransmissions included
	Acks              int // calls whose final response was acknowledged
	Unacked           int // calls whose final response was given up on
	ByesReceived      int // calls that the caller hung up
	ByesSent          int // calls that the carrier hung up
	Pracks            int // reliable provisional responses that were acknowledged
	Strays            int // ACK, CANCEL, BYE, PRACK or INVITE within a dialog that fit no call, or not as RFC 3261 §12.2.1.1 has it
	Options           int
	Channels          int // busy now
	PeakChannels      int
	PeakCPS           int // most INVITEs of distinct calls within any second, rejected ones included
	RTPSent           int
	RTPReceived       int
	RecordsDropped    int            // calls beyond CarrierConfig.MaxRecords
	ByFrom            map[string]int // calls by user part of From
	ByPAI             map[string]int // calls by user part of P-Asserted-Identity
}

// A ledger is the part of a carrier that other goroutines read. The carrier's loop is the only writer.
type ledger struct {
	mu      sync.Mutex
	stats   Stats
	records []*Record
	limit   int
}

func newLedger(limit int) *ledger {
	return &ledger{limit: limit, stats: Stats{ByFrom: make(map[string]int), ByPAI: make(map[string]int)}}
}

// open counts a new call and keeps its record.
func (g *ledger) open(r *Record, cps int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stats.Invites++
	r.Seq = g.stats.Invites
	g.stats.PeakCPS = max(g.stats.PeakCPS, cps)
	g.stats.ByFrom[r.From]++
	if r.PAI != "" {
		g.stats.ByPAI[r.PAI]++
	}
	if len(g.records) < g.limit {
		g.records = append(g.records, r)
	} else {
		g.stats.RecordsDropped++
	}
}

func (g *ledger) snapshot() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.stats
	s.ByFrom, s.ByPAI = maps.Clone(s.ByFrom), maps.Clone(s.ByPAI)
	return s
}

func (g *ledger) all() []Record {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]Record, 0, len(g.records))
	for _, r := range g.records {
		out = append(out, *r)
	}
	return out
}

// A window counts events within the last second, half-open: an event exactly one second old is out.
type window []time.Time

func (w *window) add(now time.Time) int {
	*w = append(*w, now)
	return w.count(now)
}

func (w *window) count(now time.Time) int {
	i := 0
	for i < len(*w) && now.Sub((*w)[i]) >= time.Second {
		i++
	}
	*w = slices.Delete(*w, 0, i)
	return len(*w)
}
